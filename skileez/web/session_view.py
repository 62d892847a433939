"""A session as a page shows it: times in both zones, its next steps, its life line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from skileez import zones
from skileez.errors import Refusal
from skileez.sessions import outcome_rules, presence_rules, reschedule_rules, rules
from skileez.sessions.lines import Line
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import Account
from skileez.sessions.rules import Facts, Policy, Status
from skileez.web.display import Moment, in_zone, iso, my_zone, sentence, when, zone_label
from skileez.web.display import length as duration
from skileez.web.language import gettext as _
from skileez.web.slot_words import beside


@dataclass(frozen=True, slots=True)
class Step:
    """Something a person may do now (``why_not`` None), or may not, with the reason."""

    key: str
    text: str
    icon: str
    href: str | None = None
    post: str | None = None
    kind: str = "quiet"
    note: str | None = None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class BothZones:
    """An instant on the reader's clock and, where the other's differs just then, on that."""

    mine: Moment
    theirs: Moment | None


@dataclass(frozen=True, slots=True)
class Countdown:
    """An instant to come, and how far away it is."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list, as the macro ``session_row`` takes it."""

    version: int
    number: int
    href: str
    title: str
    state: str
    confirmed: bool
    when: Moment | None
    with_name: str
    theirs: str
    """The other's clock where it differs; else empty."""
    meta: tuple[str, ...]
    note: str | None
    countdown: Countdown | None
    next: bool = False
    """Whether it is the next of all."""


def both_zones(instant: datetime, other_zone: str) -> BothZones:
    """An instant as it stands on the clocks of both."""
    mine = zones.local(instant, my_zone())
    theirs = zones.local(instant, other_zone)
    differs = mine.utcoffset() != theirs.utcoffset()
    return BothZones(in_zone(instant, my_zone()), in_zone(instant, other_zone) if differs else None)


def from_now(instant: datetime, now: datetime) -> Any:
    """How far away: "in 3 h" or "20 min ago"."""
    if instant >= now:
        return _("in %(time)s", time=duration(instant - now))
    return _("%(time)s ago", time=duration(now - instant))


def shown_state(facts: Facts, state: str) -> str:
    """The state's word for a chip: "to be scheduled" is a scheduled session without a time."""
    if facts.status == Status.SCHEDULED and facts.start is None:
        return "to_be_scheduled"
    return str(state)


def row(line: Line, now: datetime, note: str | None = None) -> Row:
    """This line as lists show it."""
    start = line.start
    ahead = start is not None and start > now and line.facts.status == Status.SCHEDULED
    return Row(
        version=line.version,
        number=line.number,
        href=url_for("sessions.show", session_id=line.id),
        title=_(
            "%(title)s · %(number)s of %(total)s",
            title=line.title,
            number=line.number,
            total=line.total,
        ),
        state=shown_state(line.facts, line.state),
        confirmed=line.facts.confirmed,
        when=in_zone(start, my_zone(), now) if start else None,
        with_name=line.other_name,
        theirs=_theirs(start, line.other_zone) if start else "",
        meta=(duration(line.minutes),),
        note=note,
        countdown=Countdown(iso(start), from_now(start, now)) if ahead and start else None,
    )


def _theirs(start: datetime, zone: str) -> str:
    """The other's clock where it differs: "04:00 in New York"."""
    clock = beside(start, my_zone(), zone)
    return _("%(time)s in %(place)s", time=clock, place=zone_label(zone)) if clock else ""


def todo(line: Line, now: datetime, policy: Policy) -> Step | None:
    """What this line asks of its reader now, if anything; the rules say whose move it is."""
    facts, role = line.facts, line.role
    if facts.pending and reschedule_rules.may_answer(facts, role, now) is None:
        return Step(
            "answer",
            _("Answer"),
            "move",
            url_for("sessions.approval", session_id=line.id),
            kind="primary",
            note=_(
                "%(name)s asks to move it. Answer until %(deadline)s.",
                name=line.other_name,
                deadline=when(facts.pending.deadline),
            ),
        )
    if facts.start is None and rules.may_schedule(facts, role) is None:
        return Step(
            "schedule",
            _("Pick a time"),
            "calendar-plus",
            url_for("sessions.schedule", session_id=line.id),
            kind="primary",
            note=_("It has no time yet."),
        )
    if facts.correction_by and outcome_rules.may_answer_correction(facts, role) is None:
        return Step(
            "correction",
            _("Look at it"),
            "flag",
            url_for("sessions.show", session_id=line.id),
            kind="primary",
            note=_("%(name)s says that it did take place.", name=line.other_name),
        )
    if (
        outcome_rules.is_overdue(facts, now)
        and outcome_rules.may_complete(facts, role, now) is None
    ):
        return Step(
            "complete",
            _("Complete"),
            "check",
            url_for("sessions.complete_form", session_id=line.id),
            kind="primary",
            note=_("It is over. Say how it went."),
        )
    if rules.awaits_confirmation(facts, now) and rules.may_confirm(facts, role, now) is None:
        return Step(
            "confirm",
            _("Confirm"),
            "calendar-check",
            post=url_for("sessions.confirm", session_id=line.id),
            kind="primary",
            note=_("%(name)s waits for your confirmation.", name=line.other_name),
        )
    return None


def steps(
    session: Session, role: str, now: datetime, policy: Policy, account: Account
) -> list[Step]:
    """Everything this reader may do with the session now, and what they may not, and why."""
    facts = session.facts
    made = list(_reschedule_steps(session, facts, role, now, policy))
    made += _outcome_steps(session, facts, role, now, policy, account)
    made += _life_steps(session, facts, role, now, policy, account)
    return made


_SILENT = frozenset(
    {
        "not_scheduled",
        "to_be_scheduled",
        "no_request",
        "not_missed",
        "not_completed",
        "already_scheduled",
        "only_the_coach_confirms",
        "only_the_coach_sets_the_link",
        "not_your_request",
        "own_request",
        "no_correction",
        "correction_pending",
        "request_pending",
        "not_a_participant",
        "not_over",
        "outcome_settled",
        "outcome_too_late",
    }
)
"""Refusals that go without saying: the page shows the reason already."""


def _step(
    refusal: Refusal | None,
    session: Session,
    key: str,
    text: str,
    icon: str,
    view: str,
    *,
    press: bool = False,
    kind: str = "quiet",
    note: str | None = None,
) -> list[Step]:
    """The step, by its ``view`` of the session pages (``press``: it needs no form)."""
    if refusal is None:
        place = url_for(f"sessions.{view}", session_id=session.id)
        return [
            Step(key, text, icon, post=place, kind=kind, note=note)
            if press
            else Step(key, text, icon, place, kind=kind, note=note)
        ]
    if refusal.code in _SILENT:
        return []
    return [Step(key, text, icon, why_not=sentence(refusal))]


def _reschedule_steps(
    session: Session, facts: Facts, role: str, now: datetime, policy: Policy
) -> list[Step]:
    if facts.pending:
        return [
            *_step(
                reschedule_rules.may_answer(facts, role, now),
                session,
                *("answer", _("Answer the request"), "move", "approval"),
                kind="primary",
                note=_("until %(deadline)s", deadline=when(facts.pending.deadline)),
            ),
            *_step(
                reschedule_rules.may_withdraw(facts, role),
                session,
                *("withdraw", _("Withdraw the request"), "undo", "withdraw"),
                press=True,
                note=_("the original time stands"),
            ),
        ]
    until = reschedule_rules.request_until(facts, role, policy)
    kind = facts.start and reschedule_rules.request_kind(role, rules.lead(facts.start, now), policy)
    late = kind == rules.RequestKind.LATE
    return _step(
        reschedule_rules.may_request_reschedule(facts, role, now, policy),
        session,
        *("reschedule", _("Ask to move it"), "move", "reschedule"),
        note=(
            _("late: needs a yes; until %(until)s", until=when(until))
            if late and until
            else _("until %(until)s", until=when(until))
            if until
            else None
        ),
    )


def _outcome_steps(
    session: Session, facts: Facts, role: str, now: datetime, policy: Policy, account: Account
) -> list[Step]:
    refusal = presence_rules.may_say_outcome(facts, role, now, policy, account)
    if facts.status == Status.COMPLETED:
        until = presence_rules.objection_until(facts, policy)
        note = until and _("until %(until)s", until=when(until))
        return _step(
            refusal,
            session,
            *("outcome", _("It went otherwise"), "flag", "outcome_form"),
            note=note or None,
        )
    mine = account.said.get(role)
    return _step(
        refusal,
        session,
        *("outcome", _("Say something else") if mine else _("Say how it went"), "chat"),
        "outcome_form",
        kind="quiet" if mine else "primary",
        note=_("both are asked; if you agree, that settles it"),
    )


def _life_steps(
    session: Session, facts: Facts, role: str, now: datetime, policy: Policy, account: Account
) -> list[Step]:
    made: list[Step] = []
    if not facts.confirmed:
        made += _step(
            rules.may_confirm(facts, role, now),
            session,
            *("confirm", _("Confirm"), "calendar-check", "confirm"),
            press=True,
            kind="primary",
            note=_("until %(start)s", start=when(facts.start)) if facts.start else None,
        )
    if facts.start is None:
        made += _step(
            rules.may_schedule(facts, role),
            session,
            *("schedule", _("Pick a time"), "calendar-plus", "schedule"),
            kind="primary",
        )
    made += _step(
        outcome_rules.may_complete(facts, role, now, account),
        session,
        *("complete", _("Complete it"), "check", "complete_form"),
        note=_(
            "with notes; the other can object for %(within)s",
            within=duration(policy.correction_within),
        ),
    )
    made += _step(
        outcome_rules.may_mark_missed(facts, role, now, account),
        session,
        *("missed", _("It was missed"), "missed", "missed_form"),
    )
    made += _step(
        outcome_rules.may_cancel(facts, role),
        session,
        *("cancel", _("Cancel it"), "x-circle", "cancel_form"),
        kind="danger",
    )
    until = outcome_rules.correction_until(facts, policy)
    made += _step(
        outcome_rules.may_request_correction(facts, role, now, policy),
        session,
        *("correction", _("It did take place"), "flag", "correction"),
        note=_("until %(until)s", until=when(until)) if until else None,
    )
    return made
