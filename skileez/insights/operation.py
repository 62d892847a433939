"""How what happens by itself stands: the workers, what is due, what is parked. Reads only.

Everything is found by an index of what is due or parked, so looking costs no more than that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from skileez import db, heartbeat, outbox
from skileez.heartbeat import Worker
from skileez.insights.rules import Going, going
from skileez.notifications import sending
from skileez.notifications.models import Delivery, Standing
from skileez.outbox import Waiting
from skileez.sessions import actions
from skileez.sessions.models import Session
from skileez.sessions.rules import Policy

COUNTED: Final = 10_000
"""What is parked, and due requests and no-shows, are counted as far as this."""


@dataclass(frozen=True, slots=True)
class Due:
    """How many of one kind are due, and for how long the oldest has been."""

    count: int = 0
    oldest: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Operation:
    """How it stands: ``due`` and ``parked`` by kind."""

    going: Going
    workers: Sequence[Worker]
    due: Mapping[str, Due]
    parked: Mapping[str, int]

    @property
    def alive(self) -> int:
        """How many workers live."""
        return sum(one.alive for one in self.workers)

    @property
    def longest(self) -> timedelta:
        """For how long the oldest of all that is due has been."""
        return max((one.oldest for one in self.due.values()), default=timedelta())


def look(now: datetime, policy: Policy, *, speed: int = 1) -> Operation:
    """How it stands at ``now``; ``speed`` is the clock's."""
    workers = heartbeat.workers(now, heartbeat.GONE_AFTER * speed)
    due = {
        "events": Due(*outbox.oldest(now)),
        "messages": Due(*sending.backlog(now)),
        "requests": _due_requests(now),
        "no_shows": _due_no_shows(now, policy),
    }
    return Operation(
        going=going(
            sum(one.alive for one in workers), (one.oldest for one in due.values()), speed=speed
        ),
        workers=workers,
        due=due,
        parked={
            "events": _count(Waiting.event_id, Waiting.due_at.is_(None)),
            "messages": _count(Delivery.id, Delivery.status == Standing.PARKED),
        },
    )


def _due_requests(now: datetime) -> Due:
    due = actions.due_requests(now, COUNTED)
    return _due(due, Session.reschedule_deadline, now)


def _due_no_shows(now: datetime, policy: Policy) -> Due:
    due = actions.due_no_shows(now, policy, COUNTED)
    return _due(due, Session.ends_at, now - policy.no_show_grace)


def _due(sessions: Sequence[int], since: InstrumentedAttribute[Any], now: datetime) -> Due:
    """Those sessions, the longest waiting first, which are due since the instant ``since``."""
    if not sessions:
        return Due()
    first: datetime | None = db.session.scalar(select(since).where(Session.id == sessions[0]))
    return Due(len(sessions), now - first if first is not None else timedelta())


def _count(one: InstrumentedAttribute[int], condition: ColumnElement[bool]) -> int:
    # In order and with an end: else SQLite prefers to read a longer index than the parked ones'.
    few = select(one).where(condition).order_by(one).limit(COUNTED).subquery()
    return db.session.scalar(select(func.count()).select_from(few)) or 0
