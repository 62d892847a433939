"""What may be done with a session, by whom and until when.

Pure: a session's ``Facts``, a role and ``now`` in; a ``Refusal`` or None (= yes) out. Lead and
notice are elapsed time between instants, so daylight saving never shortens them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from skileez.contracts.rules import contract_is_active
from skileez.errors import N_, Kind, Refusal


class Status(StrEnum):
    """What is stored; the last three are final but for a correction."""

    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    MISSED = "missed"


class State(StrEnum):
    """What is shown and filtered: the four statuses, and scheduled with a pending request."""

    SCHEDULED = "scheduled"
    RESCHEDULE_REQUESTED = "reschedule_requested"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    MISSED = "missed"


LIVE = (Status.SCHEDULED, Status.COMPLETED)
"""Statuses that use a number of the contract and a place in both calendars."""

TRANSITIONS: dict[str, tuple[Status, Status]] = {
    "complete": (Status.SCHEDULED, Status.COMPLETED),
    "cancel": (Status.SCHEDULED, Status.CANCELLED),
    "miss": (Status.SCHEDULED, Status.MISSED),
    "correct": (Status.MISSED, Status.COMPLETED),
}
"""Every way a status changes; there is no other."""


class Role(StrEnum):
    """A person's part in a contract; taken from the contract, never from the person."""

    STUDENT = "student"
    COACH = "coach"
    ADMIN = "admin"


PARTICIPANTS = (Role.STUDENT, Role.COACH)


class RequestKind(StrEnum):
    """A standard request is approved by silence; a late one needs the other side's yes."""

    STANDARD = "standard"
    LATE = "late"


class Absent(StrEnum):
    """Who was not there; only an absence laid on the coach touches the coach's rating."""

    STUDENT = "student"
    COACH = "coach"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's figures; the defaults are the product's."""

    student_notice: timedelta = timedelta(hours=24)
    coach_notice: timedelta = timedelta(hours=48)
    min_notice: timedelta = timedelta(hours=10)
    answer_within: timedelta = timedelta(hours=24)
    strict_notice: bool = False
    min_lead: timedelta = timedelta(hours=1)
    horizon: timedelta = timedelta(days=365)
    no_show_grace: timedelta = timedelta(minutes=30)
    correction_within: timedelta = timedelta(hours=72)

    def notice(self, role: str) -> timedelta:
        """The notice that earns this role a standard request."""
        return self.coach_notice if role == Role.COACH else self.student_notice


@dataclass(frozen=True, slots=True)
class Pending:
    """The one request that waits for an answer."""

    by: str
    kind: str
    deadline: datetime
    times: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules need to know of a session; instants are aware, lengths in minutes."""

    status: str
    start: datetime | None
    minutes: int
    contract_status: str = "active"
    confirmed: bool = False
    pending: Pending | None = None
    scheduling_by: str | None = None
    missed_at: datetime | None = None
    correction_by: str | None = None

    @property
    def end(self) -> datetime | None:
        """The scheduled end; None while it is to be scheduled."""
        return self.start.astimezone(UTC) + timedelta(minutes=self.minutes) if self.start else None


NOTES_MAX = 1000
ACTUAL_MINUTES_MAX = 1440


def other(role: str) -> Role:
    """The other participant's role."""
    return Role.STUDENT if role == Role.COACH else Role.COACH


def lead(start: datetime, now: datetime) -> timedelta:
    """Elapsed time from ``now`` to ``start``; negative once it has started."""
    # In UTC, since Python subtracts wall clocks when both are of one zone.
    return start.astimezone(UTC) - now.astimezone(UTC)


def has_started(facts: Facts, now: datetime) -> bool:
    """Whether the scheduled start has come."""
    return facts.start is not None and lead(facts.start, now) <= timedelta(0)


# Booking


def check_start(
    start: datetime | None,
    now: datetime,
    policy: Policy,
    *,
    field: str = "scheduled_at",
) -> Refusal | None:
    """A new start lies at least an hour ahead and within the booking horizon."""
    if start is None:
        return Refusal("time_missing", N_("Choose a date and time."), {}, Kind.INVALID, field)
    ahead = lead(start, now)
    if ahead < timedelta(0):
        return Refusal(
            "time_in_the_past",
            N_("%(start)s is in the past; choose a time at least %(needed)s from now."),
            {"start": start, "needed": policy.min_lead},
            Kind.INVALID,
            field,
        )
    if ahead < policy.min_lead:
        return Refusal(
            "time_too_soon",
            N_("%(start)s is %(lead)s from now; a new time must be at least %(needed)s ahead."),
            {"start": start, "lead": ahead, "needed": policy.min_lead},
            Kind.INVALID,
            field,
        )
    if ahead > policy.horizon:
        return Refusal(
            "time_too_far",
            N_("%(start)s is too far ahead; sessions are booked at most %(most)s in advance."),
            {"start": start, "most": policy.horizon},
            Kind.INVALID,
            field,
        )
    return None


def time_taken(whose: str, start: datetime, field: str = "scheduled_at") -> Refusal:
    """Why a start cannot be had: the coach or the student has another session then."""
    return Refusal(
        "time_taken",
        N_("At %(start)s the %(whose)s already has another session. Choose a different time."),
        {"start": start, "whose": whose},
        Kind.CONFLICT,
        field,
    )


def may_schedule(facts: Facts, role: str | None) -> Refusal | None:
    """A session that is "to be scheduled" gets its time from whoever asked to move it."""
    if refusal := (refuse_stranger(role) if role else None) or refuse_unless_scheduled(facts):
        return refusal
    if facts.start is not None:
        return Refusal(
            "already_scheduled",
            N_("The session is at %(start)s; ask to move it instead."),
            {"start": facts.start},
        )
    if refusal := contract_is_active(facts.contract_status):
        return refusal
    if role and facts.scheduling_by and role != facts.scheduling_by:
        return Refusal(
            "not_yours_to_schedule",
            N_("The %(by)s asked for another time, so the %(by)s picks it."),
            {"by": facts.scheduling_by},
            Kind.FORBIDDEN,
        )
    return None


# Confirming


def may_confirm(facts: Facts, role: str, now: datetime) -> Refusal | None:
    """The coach confirms while it is scheduled and not started; twice is once."""
    if role != Role.COACH:
        return Refusal(
            "only_the_coach_confirms", N_("Only the coach confirms a session."), {}, Kind.FORBIDDEN
        )
    return (
        refuse_unless_scheduled(facts)
        or refuse_without_time(facts)
        or refuse_after_start(facts, now)
    )


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


def may_complete(facts: Facts, role: str | None, now: datetime) -> Refusal | None:
    """Either participant, once the start has passed, while the contract is active."""
    return (
        (refuse_stranger(role) if role else None)
        or refuse_unless_scheduled(facts)
        or contract_is_active(facts.contract_status)
        or refuse_without_time(facts)
        or refuse_before_start(facts, now)
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


def counts_as_no_show(status: str, cancelled_ahead: timedelta | None) -> bool:
    """Missed, or cancelled after its start, so that nobody dodges a no-show."""
    if status == Status.MISSED:
        return True
    return (
        status == Status.CANCELLED
        and cancelled_ahead is not None
        and cancelled_ahead <= timedelta(0)
    )


def may_mark_missed(facts: Facts, role: str | None, now: datetime) -> Refusal | None:
    """By hand: a participant, once the start has passed; ``role`` None is the system."""
    return (
        (refuse_stranger(role) if role else None)
        or refuse_unless_scheduled(facts)
        or refuse_without_time(facts)
        or refuse_before_start(facts, now)
    )


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


# The meeting link


def may_set_meeting_url(facts: Facts, role: str) -> Refusal | None:
    """The coach says where a scheduled session is held."""
    if role != Role.COACH:
        return Refusal(
            "only_the_coach_sets_the_link",
            N_("Only the coach sets the meeting link."),
            {},
            Kind.FORBIDDEN,
        )
    return refuse_unless_scheduled(facts)


# What several verbs ask


def check_version(known: int, current: int) -> Refusal | None:
    """Whether the page a person acted from still shows the session as it is."""
    if known != current:
        return Refusal(
            "session_changed",
            N_(
                "This session changed since you opened the page. Nothing was done; "
                "look at it as it is now and try again."
            ),
        )
    return None


def refuse_stranger(role: str | None) -> Refusal | None:
    if role not in PARTICIPANTS:
        return Refusal(
            "not_a_participant",
            N_("Only the student and the coach of the contract can do this."),
            {},
            Kind.FORBIDDEN,
        )
    return None


def refuse_unless_scheduled(facts: Facts) -> Refusal | None:
    if facts.status != Status.SCHEDULED:
        return Refusal(
            "not_scheduled",
            N_("This session is %(status)s; only a scheduled session can be changed."),
            {"status": facts.status},
        )
    return None


def refuse_without_time(facts: Facts) -> Refusal | None:
    if facts.start is None:
        return Refusal("to_be_scheduled", N_("This session has no time yet; pick one first."))
    return None


def refuse_after_start(facts: Facts, now: datetime) -> Refusal | None:
    if facts.start is not None and has_started(facts, now):
        return Refusal(
            "already_started",
            N_("The session started at %(start)s."),
            {"start": facts.start},
        )
    return None


def refuse_before_start(facts: Facts, now: datetime) -> Refusal | None:
    if facts.start is not None and not has_started(facts, now):
        return Refusal(
            "not_started",
            N_("It has not started yet: %(lead)s left, until %(start)s."),
            {"lead": lead(facts.start, now), "start": facts.start},
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
