"""Who hears of what, when, on which way, and whether it is still true. Pure.

``NEWS`` is the whole table: a verb that is not in it is told to nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from skileez.contracts.rules import ContractStatus, ProposalStatus
from skileez.errors import N_, Kind, Refusal
from skileez.sessions.presence_rules import CASE_CLOSED, CASE_OPENED, OUTCOME_SAID
from skileez.sessions.rules import PARTICIPANTS, Role, Status


class Hears(StrEnum):
    """Who hears of a verb."""

    OTHER = "other"
    """The participant who did not do it; both, when it happened by itself or an administrator
    did it."""
    BOTH = "both"
    STUDENT = "student"
    COACH = "coach"


NEWS: Final[Mapping[str, Hears]] = {
    "proposal.sent": Hears.STUDENT,
    "proposal.accepted": Hears.COACH,
    "proposal.declined": Hears.COACH,
    "proposal.withdrawn": Hears.STUDENT,
    "contract.paused": Hears.OTHER,
    "contract.resumed": Hears.OTHER,
    "contract.cancelled": Hears.OTHER,
    "contract.completed": Hears.BOTH,
    "contract.meeting_link_set": Hears.OTHER,
    "session.booked": Hears.OTHER,
    "session.scheduled": Hears.OTHER,
    "session.confirmed": Hears.OTHER,
    "session.reschedule_requested": Hears.OTHER,
    "session.reschedule_countered": Hears.OTHER,
    "session.reschedule_approved": Hears.OTHER,
    "session.reschedule_declined": Hears.OTHER,
    "session.reschedule_withdrawn": Hears.OTHER,
    "session.reschedule_auto_approved": Hears.BOTH,
    "session.reschedule_lapsed": Hears.BOTH,
    "session.to_be_scheduled": Hears.BOTH,
    "session.completed": Hears.OTHER,
    "session.notes_changed": Hears.OTHER,
    "session.cancelled": Hears.OTHER,
    "session.missed": Hears.OTHER,
    "session.correction_requested": Hears.OTHER,
    "session.correction_declined": Hears.OTHER,
    "session.corrected": Hears.OTHER,
    OUTCOME_SAID: Hears.OTHER,
    CASE_OPENED: Hears.BOTH,
    CASE_CLOSED: Hears.BOTH,
    "session.meeting_link_set": Hears.OTHER,
    "series.booked": Hears.OTHER,
    "series.confirmed": Hears.STUDENT,
    "series.move_requested": Hears.OTHER,
    "series.move_approved": Hears.OTHER,
    "series.move_auto_approved": Hears.BOTH,
    "series.move_declined": Hears.OTHER,
    "series.move_withdrawn": Hears.OTHER,
    "series.move_lapsed": Hears.BOTH,
    "series.cancelled": Hears.OTHER,
    "series.stopped": Hears.OTHER,
    "series.clock_change": Hears.BOTH,
    "series.clock_kept": Hears.OTHER,
    "series.zone_rules_changed": Hears.BOTH,
    "session.zone_rules_changed": Hears.BOTH,
    "session.zone_rules_collided": Hears.BOTH,
}

REMINDER: Final = "session.reminder"
OVERDUE: Final = "session.overdue"
NOTHING_BOOKED: Final = "contract.nothing_booked"
DAILY: Final = "digest.daily"
WEEKLY: Final = "digest.weekly"

KINDS: Final = (*NEWS, REMINDER, OVERDUE, NOTHING_BOOKED, DAILY, WEEKLY)
"""Every kind of message there is; each has a template of its name."""

DIGESTS: Final = (DAILY, WEEKLY)

PLACES_TIME: Final = frozenset(
    {
        "session.booked",
        "session.scheduled",
        "session.reschedule_approved",
        "session.reschedule_auto_approved",
        "session.moved",
        "session.zone_rules_changed",
    }
)
"""After these verbs a session has a new start, so its reminders are planned anew."""

LEAVES_GAP: Final = frozenset(
    {"contract.started", "contract.resumed", "session.cancelled", "session.completed"}
    | {"session.missed"}
)
"""After these verbs a contract may stand without a session to come."""

REMINDERS: Final = (24 * 60, 60)
"""Minutes before the start at which somebody is reminded who chose nothing else."""
REMINDER_CHOICES: Final = (7 * 24 * 60, 48 * 60, 24 * 60, 12 * 60, 3 * 60, 60, 30, 15)

DAY_MINUTES: Final = 24 * 60

OVERDUE_AFTER: Final = timedelta(minutes=15)
"""After the end of a session of which nobody has said what became of it."""
NOTHING_BOOKED_AFTER: Final = timedelta(days=5)

BACKOFF: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
"""How long to wait after the first, second … failure; after the last a message is parked."""


def told_with_another(details: Mapping[str, object]) -> bool:
    """Whether an event of the same transaction tells what this one would."""
    return any(details.get(one) for one in ("with_contract", "with_case", "with_series"))


def audience(verb: str, role: str | None) -> tuple[str, ...]:
    """The roles that hear of ``verb`` done by ``role`` (None or "admin": not a participant)."""
    hears = NEWS.get(verb)
    if hears is None:
        return ()
    if hears is Hears.OTHER and role in PARTICIPANTS:
        return (Role.COACH if role == Role.STUDENT else Role.STUDENT,)
    if hears in (Hears.STUDENT, Hears.COACH):
        return (str(hears),)
    return (Role.STUDENT, Role.COACH)


def reminder_times(start: datetime, told_at: datetime, minutes: Iterable[int]) -> list[datetime]:
    """When to remind of ``start`` somebody who heard of it at ``told_at``, the first one first.

    A reminder that would come before, or with, that news says nothing new and is left out.
    """
    times = sorted(start - timedelta(minutes=one) for one in minutes)
    return [time for time in times if time > told_at]


def retry_after(failures: int) -> timedelta | None:
    """How long to wait after so many failures (1, 2, …); None: no more, it is parked."""
    return BACKOFF[failures - 1] if failures <= len(BACKOFF) else None


def check_reminders(minutes: Iterable[int]) -> Refusal | None:
    """Whether these can be somebody's reminders: none, or some of ``REMINDER_CHOICES``."""
    odd = [one for one in minutes if one not in REMINDER_CHOICES]
    if odd:
        return Refusal(
            "reminder_unknown",
            N_("A reminder %(minutes)s minutes before is not offered; choose from the list."),
            {"minutes": odd[0]},
            kind=Kind.INVALID,
            field="reminders",
        )
    return None


def check_quiet(quiet_from: int | None, quiet_to: int | None) -> Refusal | None:
    """Whether these minutes of the day can be somebody's quiet hours: none, or from and to."""
    for field, minute, other in (
        ("quiet_from", quiet_from, quiet_to),
        ("quiet_to", quiet_to, quiet_from),
    ):
        if minute is None and other is not None:
            return Refusal(
                "quiet_half",
                N_("Quiet hours need a beginning and an end; leave both empty for none."),
                kind=Kind.INVALID,
                field=field,
            )
        if minute is not None and not 0 <= minute < DAY_MINUTES:
            return Refusal(
                "quiet_no_clock",
                N_("Write a time of the day, such as 22:00."),
                kind=Kind.INVALID,
                field=field,
            )
    if quiet_from is not None and quiet_from == quiet_to:
        return Refusal(
            "quiet_all_day",
            N_("Quiet hours cannot last the whole day; turn mail off instead."),
            kind=Kind.INVALID,
            field="quiet_to",
        )
    return None


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says: its kind, the start it speaks of, when what it tells of happened."""

    kind: str
    start: datetime | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand when a message is about to be sent."""

    status: str | None = None
    start: datetime | None = None
    asked_at: datetime | None = None
    correction_asked: bool = False
    has_said: bool = False
    """Whether the reader has said already what became of the session."""
    contract_status: str | None = None
    sessions_left: int = 0
    sessions_to_come: int = 0
    proposal_status: str | None = None


def still_true(said: Said, found: Situation, now: datetime) -> bool:
    """Whether a message still helps: one that asks or reminds must not come too late.

    News of what happened stay true; what happened since is told by news of its own.
    """
    match said.kind:
        case "session.reminder":
            return (
                found.status == Status.SCHEDULED
                and found.start == said.start
                and said.start is not None
                and now < said.start
            )
        case "session.overdue":
            return (
                found.status == Status.SCHEDULED
                and found.start == said.start
                and not found.has_said
            )
        case (
            "session.reschedule_requested"
            | "session.reschedule_countered"
            | "series.move_requested"
        ):
            return found.asked_at is not None and found.asked_at == said.at
        case "session.correction_requested":
            return found.correction_asked and found.status == Status.MISSED
        case "session.outcome_said":
            return found.status == Status.SCHEDULED and not found.has_said
        case "proposal.sent":
            return found.proposal_status == ProposalStatus.PENDING
        case "contract.nothing_booked":
            return (
                found.contract_status == ContractStatus.ACTIVE
                and found.sessions_left > 0
                and found.sessions_to_come == 0
            )
        case "digest.daily" | "digest.weekly":
            return said.at is not None and now - said.at < timedelta(hours=12)
    return True
