"""What has happened and has not been acted upon yet: one row for every committed event.

A trigger on ``event`` adds the row in the verb's own transaction, so none can be forgotten.
What follows from an event is written in the transaction that removes its row: a crash before
the commit leaves both as they were.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ForeignKey, Index, Text, bindparam, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from skileez import db, logs
from skileez.db import Model, UTCDateTime
from skileez.events import Event

BACKOFF: Final = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
"""How long to wait after the first, second … failure; after the last an event is parked."""

log = logs.logger(__name__)

Reaction = Callable[[Event, datetime], None]


class Waiting(Model):
    """An event that waits for what follows from it; ``due_at`` NULL = parked after failures."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due_at",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str | None] = mapped_column(Text)


def dispatch(react: Reaction, now: datetime, *, limit: int = 20) -> int:
    """Do what follows from the events that are due, the oldest first; how many were taken.

    One that fails waits longer each time and holds up no other. Two processes may do this at
    once: each takes rows that the other has not. A few at a time, since verbs wait meanwhile,
    and a crash undoes them all.
    """
    if db.session.scalar(_ANY_DUE, {"now": now}) is None:
        return 0  # most of the time, and whoever writes need not wait for us to find out
    with db.transaction():
        waiting = db.session.execute(_DUE, {"now": now, "limit": limit}).all()
        for one, event in waiting:
            _take(one, event, react, now)
    return len(waiting)


_ANY_DUE = select(Waiting.event_id).where(Waiting.due_at <= bindparam("now")).limit(1)
_DUE = (
    select(Waiting, Event)
    .join(Event, Event.id == Waiting.event_id)
    .where(Waiting.due_at <= bindparam("now"))
    .order_by(Waiting.event_id)
    .limit(bindparam("limit"))
    .with_for_update(of=Waiting, skip_locked=True)
)


def _take(one: Waiting, event: Event, react: Reaction, now: datetime) -> None:
    try:
        with db.session.begin_nested():
            react(event, now)
            db.session.delete(one)
    except Exception as error:
        log.exception("outbox.failed", event_id=event.id, verb=event.verb)
        one.failures += 1
        one.due_at = now + BACKOFF[one.failures - 1] if one.failures <= len(BACKOFF) else None
        one.error = f"{type(error).__name__}: {error}"[:500]


def parked() -> list[tuple[Waiting, Event]]:
    """Events that failed too often, the newest first, for an administrator."""
    rows = db.session.execute(
        select(Waiting, Event)
        .join(Event, Event.id == Waiting.event_id)
        .where(Waiting.due_at.is_(None))
        .order_by(Waiting.event_id.desc())
        .limit(100)
    )
    return [(one, event) for one, event in rows]


def try_again(now: datetime, event_id: int | None = None) -> int:
    """Take parked events up again, all or this one; how many."""
    those = update(Waiting).where(Waiting.due_at.is_(None)).values(due_at=now, failures=0)
    if event_id is not None:
        those = those.where(Waiting.event_id == event_id)
    done = db.session.execute(those)
    return int(done.rowcount)  # type: ignore[attr-defined]


def oldest(now: datetime) -> tuple[int, timedelta]:
    """How many events are due, and for how long the oldest has been."""
    row = db.session.execute(
        select(func.count(), func.min(Waiting.due_at)).where(Waiting.due_at <= now)
    ).one()
    first: datetime | None = row[1]
    return row[0], timedelta() if first is None else now - first
