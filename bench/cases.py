"""What is timed. Each case sends the same bytes to the product and to its floor."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.stage import WHY, Subject

Form = Callable[[Subject], dict[str, str]]
TARGET = 4.0
"""The product may take this many times its floor."""
GROWTH = 1.2
"""What is listed at 100,000 sessions may take this many times what it takes at 1,000."""


@dataclass(frozen=True)
class Case:
    """One request: who sends it, where to, and with what."""

    name: str
    who: str
    path: str
    subjects: str | None = None
    form: Form | None = None
    target: float = TARGET
    queries: int | None = None
    """The most that the product may ask."""

    @property
    def writes(self) -> bool:
        """A verb, whose subject is used up by it."""
        return self.form is not None


def _wall(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M}"


def soon(now: datetime) -> dict[str, object]:
    """A week and a month in which the reader is booked, for the addresses."""
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    week = [f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in (first, first + timedelta(days=7))]
    return {"week": week, "month": f"{now + timedelta(days=10):%Y-%m}"}


def _times(*hours: int) -> Form:
    def form(subject: Subject) -> dict[str, str]:
        return {
            "timezone": "UTC",
            **{
                f"proposed_times-{place}": _wall(subject.start + timedelta(hours=ahead))
                for place, ahead in enumerate(hours)
            },
        }

    return form


def _booking(subject: Subject) -> dict[str, str]:
    when = {"scheduled_at": _wall(subject.start), "timezone": "UTC"}
    return {**when, "duration_minutes": "60"}


def _approving(subject: Subject) -> dict[str, str]:
    return {"new_scheduled_at": _wall(subject.start + timedelta(hours=1)), "timezone": "UTC"}


_SLOTS_OF_WEEK = "/calendar/feed?start={week[0]}&end={week[1]}&contract={id}"
_SLOTS_OF_MONTH = "/contracts/{id}/slots?month={month}"


PAGES = [
    Case("session page", "reader", "/sessions/{id}", "pages"),
    Case("list, all of 1,000", "reader", "/sessions?view=all"),
    Case("list, upcoming of 1,000", "reader", "/sessions"),
]
SLOTS = [
    Case("free times of a week", "student", _SLOTS_OF_WEEK, "slots", target=5.0, queries=3),
    Case("free times of a month", "student", _SLOTS_OF_MONTH, "slots", target=10.0, queries=3),
]
GROWING = [*PAGES[1:], *SLOTS]
"""What is timed in the small database too."""
VERBS = [
    Case("book", "student of book", "/contracts/{id}/schedule", "book", _booking),
    Case("confirm", "coach of confirm", "/sessions/{id}/confirm", "confirm", lambda one: {}),
    Case(
        "request",
        "student of request",
        "/sessions/{id}/reschedule",
        "request",
        lambda one: {"reason": WHY, **_times(1, 2, 3)(one)},
    ),
    Case("approve", "coach of approve", "/sessions/{id}/approve-reschedule", "approve", _approving),
    Case(
        "counter",
        "coach of counter",
        "/sessions/{id}/counter-reschedule",
        "counter",
        _times(2, 3, 4),
    ),
    Case(
        "decline",
        "coach of decline",
        "/sessions/{id}/decline-reschedule",
        "decline",
        lambda one: {"decline_reason": WHY},
    ),
    Case(
        "withdraw",
        "student of withdraw",
        "/sessions/{id}/withdraw-reschedule",
        "withdraw",
        lambda one: {},
    ),
    Case(
        "complete",
        "student of complete",
        "/sessions/{id}/complete",
        "complete",
        lambda one: {"notes": "We spoke about breath.", "actual_minutes": "55"},
    ),
    Case(
        "cancel",
        "student of cancel",
        "/sessions/{id}/cancel",
        "cancel",
        lambda one: {"reason": WHY},
    ),
    Case(
        "missed",
        "student of missed",
        "/sessions/{id}/missed",
        "missed",
        lambda one: {"reason": WHY, "absent": "coach"},
    ),
]
