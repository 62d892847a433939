"""The product's figures: rates of completion, rescheduling and no-shows, and real length.

Pure: counts in, shares out. A share of nothing is None, never a misleading 0 or 100.
"""

from dataclasses import dataclass


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
