"""Moving a session: who may ask and until when, who may answer, and what silence decides.

Pure, like ``skileez.sessions.rules``. The original time stands while a request is pending.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from skileez.errors import N_, Kind, Refusal
from skileez.sessions.rules import (
    Facts,
    Policy,
    RequestKind,
    Role,
    Status,
    check_start,
    has_started,
    lead,
    other,
    refuse_after_start,
    refuse_stranger,
    refuse_unless_scheduled,
    refuse_without_time,
)

MAX_TIMES = 3
"""A request carries at most this many proposed starts."""


NOT_IN_THE_WAY = Refusal(
    "not_in_the_way", N_("This session does not fall on these days away any more.")
)
"""What a coach reads who asks to move a session because of days away it has left meanwhile."""


def is_reschedule_allowed(facts: Facts, now: datetime, policy: Policy) -> bool:
    """The 10-hour rule: scheduled, and at least the minimum notice ahead."""
    return (
        facts.status == Status.SCHEDULED
        and facts.start is not None
        and lead(facts.start, now) >= policy.min_notice
    )


def request_kind(role: str, ahead: timedelta, policy: Policy) -> RequestKind | None:
    """What a request would be at this lead: standard, late, or None where it is refused."""
    if ahead <= timedelta(0):
        return None
    if ahead >= policy.notice(role):
        return RequestKind.STANDARD
    if policy.strict_notice or (ahead < policy.min_notice and role == Role.COACH):
        return None
    return RequestKind.LATE


def may_request_reschedule(
    facts: Facts, role: str, now: datetime, policy: Policy
) -> Refusal | None:
    """Whether this role may ask to move the session now."""
    if (
        refusal := refuse_stranger(role)
        or refuse_unless_scheduled(facts)
        or refuse_without_time(facts)
    ):
        return refusal
    if facts.pending:
        return Refusal(
            "request_pending",
            N_("The %(by)s already asked to move this session; one request at a time."),
            {"by": facts.pending.by},
        )
    if refusal := refuse_after_start(facts, now):
        return refusal
    assert facts.start is not None
    ahead = lead(facts.start, now)
    if request_kind(role, ahead, policy) is None:
        if policy.strict_notice:
            return Refusal(
                "notice_too_short",
                N_("%(lead)s left; a %(role)s's request needs %(needed)s."),
                {"lead": ahead, "role": role, "needed": policy.notice(role)},
            )
        return Refusal(
            "notice_too_short",
            N_(
                "%(lead)s left; a coach can ask until %(needed)s before the start. "
                "You can still cancel."
            ),
            {"lead": ahead, "needed": policy.min_notice},
        )
    return None


def request_until(facts: Facts, role: str, policy: Policy) -> datetime | None:
    """The last instant at which this role may still ask; None while it is to be scheduled."""
    if facts.start is None:
        return None
    if policy.strict_notice:
        return facts.start - policy.notice(role)
    return facts.start - policy.min_notice if role == Role.COACH else facts.start


def answer_deadline(start: datetime, now: datetime, policy: Policy) -> datetime:
    """When silence decides: 24 hours after the question, or at the start if that is sooner."""
    return min(now.astimezone(UTC) + policy.answer_within, start)


def check_times(
    times: Sequence[datetime],
    now: datetime,
    policy: Policy,
    *,
    least: int = 0,
    current: datetime | None = None,
) -> Refusal | None:
    """One to three distinct starts, each at least an hour ahead and none the present one."""
    if not least <= len(times) <= MAX_TIMES:
        return Refusal(
            "proposed_times_count",
            N_("Propose one to %(most)s times; you gave %(given)s."),
            {"most": MAX_TIMES, "given": len(times)},
            Kind.INVALID,
            "proposed_times",
        )
    if len(set(times)) < len(times):
        return Refusal(
            "proposed_times_repeat",
            N_("The proposed times must differ from one another."),
            {},
            Kind.INVALID,
            "proposed_times",
        )
    for time in times:
        if time == current:
            return _already_then(time, "proposed_times")
        if refusal := check_start(time, now, policy, field="proposed_times"):
            return refusal
    return None


def may_answer(facts: Facts, role: str, now: datetime) -> Refusal | None:
    """Whether this role may approve, counter or decline the pending request now."""
    if refusal := refuse_stranger(role) or _pending(facts):
        return refusal
    assert facts.pending is not None
    if facts.pending.by == role:
        return Refusal(
            "own_request",
            N_("You asked for this yourself; the %(other)s answers. You can withdraw it."),
            {"other": other(role)},
            Kind.FORBIDDEN,
        )
    if now >= facts.pending.deadline:
        return Refusal(
            "deadline_passed",
            N_("The time to answer ended on %(deadline)s."),
            {"deadline": facts.pending.deadline},
        )
    return None


def may_approve(
    facts: Facts, role: str | None, new_time: datetime | None, now: datetime, policy: Policy
) -> Refusal | None:
    """Whether the request may be approved with ``new_time``: one of those proposed, or any.

    ``role`` None is the system itself (a bare call), which answers for the other participant.
    """
    refusal = may_answer(facts, role, now) if role else _pending(facts)
    if refusal:
        return refusal
    assert facts.pending is not None
    if new_time is None:
        return Refusal(
            "time_missing", N_("Choose the new time."), {}, Kind.INVALID, "new_scheduled_at"
        )
    if facts.pending.times and new_time not in facts.pending.times:
        return Refusal(
            "not_a_proposed_time",
            N_("%(start)s was not proposed. Choose one of the proposed times, or propose another."),
            {"start": new_time},
            Kind.INVALID,
            "new_scheduled_at",
        )
    if new_time == facts.start:
        return _already_then(new_time, "new_scheduled_at")
    return check_start(new_time, now, policy, field="new_scheduled_at")


def may_decline(facts: Facts, role: str | None, now: datetime) -> Refusal | None:
    """The other participant says no; ``role`` None is the system itself."""
    return may_answer(facts, role, now) if role else _pending(facts)


def may_withdraw(facts: Facts, role: str) -> Refusal | None:
    """Only who asked takes the question back."""
    if refusal := refuse_stranger(role) or _pending(facts):
        return refusal
    assert facts.pending is not None
    if facts.pending.by != role:
        return Refusal(
            "not_your_request",
            N_("The %(by)s asked for this; you can answer it, not withdraw it."),
            {"by": facts.pending.by},
            Kind.FORBIDDEN,
        )
    return None


def counter_kind(role: str, ahead: timedelta, policy: Policy) -> RequestKind:
    """A counter-proposal counts as standard where its author still has their notice."""
    return RequestKind.STANDARD if ahead >= policy.notice(role) else RequestKind.LATE


class Silence(StrEnum):
    """What an unanswered request comes to."""

    APPROVED = "approved"
    TO_BE_SCHEDULED = "to_be_scheduled"
    LAPSED = "lapsed"


SETTLED = {
    Silence.APPROVED: Refusal(
        "settled_by_silence",
        N_("The time to answer ended, and the session moved to the first proposed time."),
    ),
    Silence.TO_BE_SCHEDULED: Refusal(
        "settled_by_silence",
        N_("The time to answer ended and no proposed time was left; a new time has to be picked."),
    ),
    Silence.LAPSED: Refusal(
        "settled_by_silence",
        N_("The time to answer ended, and the session stays where it was."),
    ),
}
"""What a person reads whose answer came after the deadline: silence had decided."""


def is_answer_due(facts: Facts, now: datetime) -> bool:
    """Whether a request waits whose time to answer is over."""
    return facts.pending is not None and now >= facts.pending.deadline


def settle_silence(
    facts: Facts, free: Sequence[datetime], now: datetime, policy: Policy, *, heard: bool
) -> tuple[Silence, datetime | None]:
    """What silence decides: the outcome, and the new start where it is an approval.

    ``free`` are the proposed times that are still free for both, in the order proposed. Asked
    long after the deadline, the answer is the same, unless the session has started meanwhile and
    somebody was ``heard`` about it since: then the original time has stood.
    """
    if facts.pending is None or facts.pending.kind == RequestKind.LATE:
        return Silence.LAPSED, None
    if heard and has_started(facts, now) and facts.pending.deadline != facts.start:
        return Silence.LAPSED, None
    for time in free:
        if check_start(time, now, policy) is None:
            return Silence.APPROVED, time
    return Silence.TO_BE_SCHEDULED, None


def keeps_confirmation(confirmed: bool, *, proposed_by: str, approved_by: str | None) -> bool:
    """A move clears the coach's confirmation unless the coach proposed or approved the time."""
    return confirmed and Role.COACH in (proposed_by, approved_by)


def _already_then(time: datetime, field: str) -> Refusal:
    return Refusal(
        "proposed_time_is_current",
        N_("The session is already at %(start)s; choose another time."),
        {"start": time},
        Kind.INVALID,
        field,
    )


def _pending(facts: Facts) -> Refusal | None:
    if facts.pending is None:
        return Refusal("no_request", N_("No request to move this session is waiting."))
    return None
