"""What a button will cause, told before it is pressed. Every figure is asked of the rules."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import ngettext

from skileez.contracts.models import Contract
from skileez.sessions import outcome_rules, reschedule_rules, rules, series_rules
from skileez.sessions.models import Session
from skileez.sessions.rules import Policy, RequestKind
from skileez.sessions.series import SeriesRequest
from skileez.web.display import length, when
from skileez.web.language import gettext as _


def of_request(session: Session, role: str, name: str, now: datetime, policy: Policy) -> list[str]:
    """Asking to move a session: ``name`` is who has to answer."""
    assert session.scheduled_at is not None
    ahead = rules.lead(session.scheduled_at, now)
    kind = reschedule_rules.request_kind(role, ahead, policy)
    deadline = reschedule_rules.answer_deadline(session.scheduled_at, now, policy)
    told = [
        _(
            "%(name)s is asked, and can answer until %(deadline)s.",
            name=name,
            deadline=when(deadline),
        ),
        _("Until then the session stays at %(start)s.", start=when(session.scheduled_at)),
    ]
    if kind == RequestKind.STANDARD:
        told.append(
            _(
                "You are early enough (%(lead)s left, %(needed)s needed): without an answer the "
                "session moves to your first proposed time that is still free.",
                lead=length(ahead),
                needed=length(policy.notice(role)),
            )
        )
    else:
        told.append(
            _(
                "This is a late request (%(lead)s left; %(needed)s would be standard): without a "
                "yes the session stays where it is.",
                lead=length(ahead),
                needed=length(policy.notice(role)),
            )
        )
    return told


def of_silence(session: Session) -> str:
    """What happens to the pending request if nobody answers."""
    assert session.reschedule_deadline is not None
    if session.reschedule_kind == RequestKind.LATE:
        told = _("Without an answer by %(deadline)s the session stays where it is.")
    elif session.proposed_times:
        told = _(
            "Without an answer by %(deadline)s it moves to the first proposed time still free."
        )
    else:
        told = _(
            "Without an answer by %(deadline)s it loses its time, and whoever asked picks another."
        )
    return str(told % {"deadline": when(session.reschedule_deadline)})


def of_approval(session: Session, name: str, role: str) -> list[str]:
    """Agreeing to a move."""
    told = [
        _("The session moves at once and keeps its number; %(name)s sees the new time.", name=name)
    ]
    if session.confirmed_by_coach and role != rules.Role.COACH:
        if session.reschedule_requested_by == rules.Role.COACH:
            told.append(_("It stays confirmed, because the coach proposed the time."))
        else:
            told.append(_("The coach confirms the new time again."))
    return told


def of_cancelling(
    session: Session, role: str, name: str, now: datetime, policy: Policy
) -> list[str]:
    """Calling a session off."""
    told = [
        _(
            "The session is cancelled at once; %(name)s sees that, and why. It cannot be undone.",
            name=name,
        ),
        _("There is no refund: the credit stays, and you can book the session again."),
    ]
    ahead = session.get_time_until_session(now=now)
    if outcome_rules.is_late_cancellation(ahead, role, policy) and ahead is not None:
        if ahead.total_seconds() <= 0:
            told.append(_("It has already started, so this counts as a no-show in the figures."))
        else:
            told.append(
                _(
                    "%(lead)s left, under the %(needed)s of notice: it will show as late.",
                    lead=length(ahead),
                    needed=length(policy.notice(role)),
                )
            )
    if session.reschedule_requested:
        told.append(_("The open request to move it is closed."))
    return told


def of_cancelling_several(
    meant: Sequence[Session], role: str, name: str, now: datetime, policy: Policy
) -> list[str]:
    """Calling off several sessions of a series at once."""
    told = [
        ngettext(
            "%(num)s session is cancelled at once; %(name)s sees that, and why. "
            "It cannot be undone.",
            "%(num)s sessions are cancelled at once; %(name)s sees that, and why. "
            "It cannot be undone.",
            len(meant),
            name=name,
        ),
        _("There is no refund: the credit stays, and you can book the sessions again."),
    ]
    late = sum(
        outcome_rules.is_late_cancellation(one.get_time_until_session(now=now), role, policy)
        for one in meant
    )
    if late:
        told.append(
            ngettext(
                "%(num)s of them is under the %(needed)s of notice: it will show as late.",
                "%(num)s of them are under the %(needed)s of notice: they will show as late.",
                late,
                needed=length(policy.notice(role)),
            )
        )
    if any(one.reschedule_requested for one in meant):
        told.append(_("Open requests to move any of them are closed."))
    return told


def of_moving_series(
    first: Session, role: str, name: str, now: datetime, policy: Policy
) -> list[str]:
    """Asking to move a series: ``first`` is the first of its sessions that would move."""
    assert first.scheduled_at is not None
    deadline = reschedule_rules.answer_deadline(first.scheduled_at, now, policy)
    told = [
        _(
            "%(name)s is asked once for all of them, and can answer until %(deadline)s.",
            name=name,
            deadline=when(deadline),
        ),
        _("Until then every session stays where it is."),
    ]
    if series_rules.move_kind(role, first.scheduled_at, now, policy) == RequestKind.STANDARD:
        told.append(_("Without an answer the series moves, if all new times are still free."))
    else:
        told.append(
            _("This is a late request for the first of them: without a yes the series stays.")
        )
    return told


def of_series_silence(asked: SeriesRequest) -> str:
    """What happens to the pending request about a series if nobody answers."""
    if asked.kind == RequestKind.LATE:
        told = _("Without an answer by %(deadline)s the series stays as it is.")
    else:
        told = _(
            "Without an answer by %(deadline)s the series moves, if all new times are still free."
        )
    return str(told % {"deadline": when(asked.deadline)})


def of_completing(session: Session, contract: Contract) -> list[str]:
    """Saying that it took place."""
    done = contract.completed_sessions + 1
    told = [
        _(
            "Progress goes to %(done)s of %(total)s sessions.",
            done=done,
            total=contract.total_sessions,
        )
    ]
    if done == contract.total_sessions:
        told.append(_("It is the last one: the contract is completed with it."))
    if session.reschedule_requested:
        told.append(_("The open request to move it is closed."))
    return told


def of_missing(policy: Policy, name: str) -> list[str]:
    """Saying that it did not."""
    return [
        _("The session is marked missed and is not paid; the credit returns to the contract."),
        _("Only an absence of the coach counts against the coach."),
        _(
            "For %(within)s either of you can say that it did take place; %(name)s or an "
            "administrator then has to agree.",
            within=length(policy.correction_within),
            name=name,
        ),
    ]
