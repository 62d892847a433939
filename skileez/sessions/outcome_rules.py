"""How a session ends: completed, cancelled or missed, and the correction of a missed one.

Pure, like ``skileez.sessions.rules``.
"""

from datetime import datetime, timedelta

from skileez.contracts.rules import contract_is_active
from skileez.errors import N_, Kind, Refusal
from skileez.sessions.presence_rules import ABSENCES, NOTHING, Account, Outcome, refuse_against
from skileez.sessions.rules import (
    Absent,
    Facts,
    Policy,
    Role,
    Status,
    other,
    refuse_before_start,
    refuse_stranger,
    refuse_unless_scheduled,
    refuse_without_time,
)

NOTES_MAX = 1000
ACTUAL_MINUTES_MAX = 1440


# Completing


def check_notes(notes: str | None) -> Refusal | None:
    """Notes are optional and have at most 1,000 characters."""
    if len((notes or "").strip()) > NOTES_MAX:
        return Refusal(
            "notes_too_long",
            N_("Keep the notes to %(most)s characters; these have %(length)s."),
            {"most": NOTES_MAX, "length": len((notes or "").strip())},
            Kind.INVALID,
            "notes",
        )
    return None


def check_actual_minutes(minutes: int | None) -> Refusal | None:
    """How long it really took, if given: 1 minute to a day."""
    if minutes is not None and not 1 <= minutes <= ACTUAL_MINUTES_MAX:
        return Refusal(
            "actual_minutes_out_of_range",
            N_("The actual length is 1 to %(most)s minutes; you gave %(given)s."),
            {"most": ACTUAL_MINUTES_MAX, "given": minutes},
            Kind.INVALID,
            "actual_minutes",
        )
    return None


def may_complete(
    facts: Facts, role: str | None, now: datetime, account: Account = NOTHING
) -> Refusal | None:
    """Either participant, once the start has passed, while the contract is active.

    Not against the other's account: then the outcome check decides.
    """
    return (
        (refuse_stranger(role) if role else None)
        or refuse_unless_scheduled(facts)
        or contract_is_active(facts.contract_status)
        or refuse_without_time(facts)
        or refuse_before_start(facts, now)
        or refuse_against(role, (Outcome.HELD,), account)
    )


def may_add_notes(facts: Facts, role: str) -> Refusal | None:
    """Each participant may add or change their own notes once the session is completed."""
    if refusal := refuse_stranger(role):
        return refusal
    if facts.status != Status.COMPLETED:
        return Refusal(
            "not_completed",
            N_("Notes belong to a completed session; this one is %(status)s."),
            {"status": facts.status},
        )
    return None


def check_notes_shown(current: str | None, said: str, *, shown: bool) -> Refusal | None:
    """Whether new notes replace the own ones that the page showed, or are there already."""
    if shown or (said or None) == current:
        return None
    return Refusal(
        "notes_changed",
        N_(
            "Your notes were changed since you opened the page. Nothing was saved; put what is "
            "saved now and what you typed together, then save once more."
        ),
        field="notes",
    )


def is_overdue(facts: Facts, now: datetime) -> bool:
    """Scheduled, its end has passed, and nobody has said what became of it."""
    return facts.status == Status.SCHEDULED and facts.end is not None and now >= facts.end


# Cancelling and missing


def may_cancel(facts: Facts, role: str | None) -> Refusal | None:
    """Either participant, at once, any scheduled session; ``role`` None is the system."""
    return (refuse_stranger(role) if role else None) or refuse_unless_scheduled(facts)


def is_late_cancellation(ahead: timedelta | None, role: str | None, policy: Policy) -> bool:
    """Under the canceller's notice; a session without a time has nothing to be late for."""
    return ahead is not None and role is not None and ahead < policy.notice(role)


def counts_as_no_show(
    status: str, cancelled_ahead: timedelta | None, cancelled_by: str | None
) -> bool:
    """Missed, or cancelled by one of the two after its start, so that nobody dodges a no-show."""
    if status == Status.MISSED:
        return True
    return (
        status == Status.CANCELLED
        and cancelled_by is not None
        and cancelled_ahead is not None
        and cancelled_ahead <= timedelta(0)
    )


def may_mark_missed(
    facts: Facts, role: str | None, now: datetime, account: Account = NOTHING
) -> Refusal | None:
    """By hand: a participant, once the start has passed; ``role`` None is the system.

    Never where both checked in, nor against the other's account.
    """
    return (
        (refuse_stranger(role) if role else None)
        or refuse_unless_scheduled(facts)
        or refuse_without_time(facts)
        or refuse_before_start(facts, now)
        or _refuse_where_both_were(account)
        or refuse_against(role, ABSENCES, account)
    )


def _refuse_where_both_were(account: Account) -> Refusal | None:
    if account.both_there:
        return Refusal(
            "both_were_there",
            N_("Both of you checked in, so it was not missed. Complete it, or say how it went."),
        )
    return None


def check_absent(absent: str | None) -> Refusal | None:
    """A no-show names who was absent."""
    if absent not in tuple(Absent):
        return Refusal(
            "absent_missing",
            N_("Say who was absent: the student, the coach, or both."),
            {},
            Kind.INVALID,
            "absent",
        )
    return None


def is_no_show_due(facts: Facts, now: datetime, policy: Policy, *, communicated: bool) -> bool:
    """Whether silence since the start makes it missed: 30 minutes after the scheduled end."""
    return (
        facts.status == Status.SCHEDULED
        and facts.end is not None
        and now >= facts.end + policy.no_show_grace
        and facts.pending is None
        and not communicated
    )


# Correcting


def may_request_correction(
    facts: Facts, role: str, now: datetime, policy: Policy
) -> Refusal | None:
    """For 72 hours after it was marked missed a participant may say that it did take place."""
    if refusal := refuse_stranger(role) or _missed(facts):
        return refusal
    if facts.correction_by:
        return Refusal(
            "correction_pending",
            N_("The %(by)s already said that it took place; it waits for an answer."),
            {"by": facts.correction_by},
        )
    until = correction_until(facts, policy)
    if until is None or now > until:
        return Refusal(
            "correction_too_late",
            N_("A missed mark can be corrected for %(within)s; here that was until %(until)s."),
            {"within": policy.correction_within, "until": until or now},
        )
    return None


def correction_until(facts: Facts, policy: Policy) -> datetime | None:
    """The last instant at which a missed mark may be disputed."""
    return facts.missed_at + policy.correction_within if facts.missed_at else None


def may_answer_correction(facts: Facts, role: str) -> Refusal | None:
    """The other participant, or an administrator, agrees or disagrees."""
    if role != Role.ADMIN and (refusal := refuse_stranger(role)):
        return refusal
    if refusal := _missed(facts):
        return refusal
    if facts.correction_by is None:
        return Refusal("no_correction", N_("Nobody asked to correct this session."))
    if role == facts.correction_by:
        return Refusal(
            "own_correction",
            N_("You said so yourself; the %(other)s or an administrator has to agree."),
            {"other": other(role)},
            Kind.FORBIDDEN,
        )
    return None


def _missed(facts: Facts) -> Refusal | None:
    if facts.status != Status.MISSED:
        return Refusal(
            "not_missed",
            N_("This session is %(status)s; only a missed one can be corrected."),
            {"status": facts.status},
        )
    return None
