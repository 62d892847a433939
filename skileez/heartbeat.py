"""That the worker lives: one row for each worker process, beaten every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import JSON, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from skileez import db
from skileez.db import Model, UTCDateTime

GONE_AFTER: Final = timedelta(seconds=60)
"""A worker that was silent for so long is gone."""
FORGOTTEN_AFTER: Final = timedelta(days=1)


class Beat(Model):
    """One worker process: ``name`` is host and process id, ``figures`` what it did so far."""

    __tablename__ = "worker_beat"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    version: Mapped[str] = mapped_column(String(20))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    beat_at: Mapped[datetime] = mapped_column(UTCDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process as an operator sees it."""

    name: str
    version: str
    started_at: datetime
    beat_at: datetime
    alive: bool
    stopped: bool
    figures: Mapping[str, Any]


def beat(name: str, version: str, figures: Mapping[str, Any], now: datetime) -> None:
    """Say that the worker ``name`` lives; the rows of those long gone are removed."""
    with db.transaction():
        row = db.session.get(Beat, name)
        if row is None:
            row = Beat(name=name, started_at=now)
            db.session.add(row)
        elif row.stopped_at is not None or row.version != version:
            row.started_at = now  # another process of the same name, as in a container
        row.version = version
        row.beat_at, row.stopped_at, row.figures = now, None, dict(figures)
        db.session.execute(delete(Beat).where(Beat.beat_at < now - FORGOTTEN_AFTER))


def stopped(name: str, now: datetime) -> None:
    """The worker ``name`` ended as it was told to."""
    with db.transaction():
        row = db.session.get(Beat, name)
        if row is not None:
            row.stopped_at = now


def workers(now: datetime, gone_after: timedelta = GONE_AFTER) -> list[Worker]:
    """Every worker of the last day, the latest heard of first."""
    return [
        Worker(
            name=row.name,
            version=row.version,
            started_at=row.started_at,
            beat_at=row.beat_at,
            alive=row.stopped_at is None and now - row.beat_at < gone_after,
            stopped=row.stopped_at is not None,
            figures=row.figures,
        )
        for row in db.session.scalars(select(Beat).order_by(Beat.beat_at.desc()))
    ]
