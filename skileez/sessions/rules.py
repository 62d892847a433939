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
    completed_at: datetime | None = None
    missed_at: datetime | None = None
    correction_by: str | None = None

    @property
    def end(self) -> datetime | None:
        """The scheduled end; None while it is to be scheduled."""
        return self.start.astimezone(UTC) + timedelta(minutes=self.minutes) if self.start else None


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


def booked_already(number: int, start: datetime) -> Refusal:
    """Why a contract gets no second session at the start of one: mostly a form sent twice.

    Were another time advised, as for one that somebody else took, one more would be booked.
    """
    return Refusal(
        "booked_already",
        N_(
            "Session %(number)s of this contract is already booked at %(start)s. "
            "Nothing was booked a second time."
        ),
        {"number": number, "start": start},
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


def awaits_confirmation(facts: Facts, now: datetime) -> bool:
    """Whether the coach's word is what comes next; while a move is asked for, its answer is."""
    waits = not facts.confirmed and facts.pending is None
    return waits and may_confirm(facts, Role.COACH, now) is None


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


def check_version(known: int, current: int, *, done_at: datetime | None = None) -> Refusal | None:
    """Whether the page a person acted from still shows the session as it is.

    ``done_at``: when they did the very same, where nothing has happened to it since.
    """
    if known == current:
        return None
    if done_at is not None:
        return Refusal(
            "done_already",
            N_("You did this already, at %(at)s. Nothing was done a second time."),
            {"at": done_at},
        )
    return Refusal(
        "session_changed",
        N_(
            "This changed since you opened the page. Nothing was done; "
            "look at it as it is now and try again."
        ),
    )


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
