"""The product's figures, and whether what should happen by itself does. Pure.

Counts in, shares out. A share of nothing is None, never a misleading 0 or 100.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

LATE_AFTER: Final = timedelta(minutes=2)
"""What is due is done within seconds; so long after that something is wrong."""


class Going(StrEnum):
    """How the work that happens by itself is going."""

    ON_TIME = "on_time"
    LATE = "late"
    NO_WORKER = "no_worker"


def going(alive: int, waits: Iterable[timedelta], *, speed: int = 1) -> Going:
    """How it is going with so many workers alive, and the oldest of each kind due for so long.

    ``speed`` is that of a demo whose time hurries: its worker is no faster than others.
    """
    if not alive:
        return Going.NO_WORKER
    late = any(wait > LATE_AFTER * speed for wait in waits)
    return Going.LATE if late else Going.ON_TIME


def share(part: int, whole: int) -> float | None:
    """``part`` of ``whole`` in percent, 0 to 100; None where there is nothing to share."""
    return None if whole <= 0 else max(0.0, min(100.0, part / whole * 100))


@dataclass(frozen=True, slots=True)
class Figures:
    """What a person's sessions come to; rates in percent, lengths in minutes."""

    completed: int
    scheduled: int
    requested: int
    cancelled: int
    missed: int
    completion_rate: float | None
    reschedule_rate: float | None
    no_show_rate: float | None
    actual_minutes: float | None
    planned_minutes: float | None

    @property
    def total(self) -> int:
        """All sessions there ever were."""
        return self.completed + self.scheduled + self.requested + self.cancelled + self.missed


def figures(
    *,
    completed: int,
    scheduled: int,
    requested: int,
    cancelled: int,
    missed: int,
    cancelled_after_start: int,
    moved: int,
    actual_minutes: float | None,
    planned_minutes: float | None,
) -> Figures:
    """The figures from the counts.

    Completion is of sessions that are over (completed, cancelled, missed), rescheduling of all,
    no-shows of those that came to their start; a cancellation after the start is a no-show.
    """
    over = completed + cancelled + missed
    no_shows = missed + cancelled_after_start
    return Figures(
        completed=completed,
        scheduled=scheduled,
        requested=requested,
        cancelled=cancelled,
        missed=missed,
        completion_rate=share(completed, over),
        reschedule_rate=share(moved, over + scheduled + requested),
        no_show_rate=share(no_shows, completed + no_shows),
        actual_minutes=actual_minutes,
        planned_minutes=planned_minutes,
    )
