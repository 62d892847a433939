"""The figures of one person, from one query."""

from skileez.insights.rules import Figures, figures
from skileez.sessions.queries import counts
from skileez.sessions.rules import State


def of_person(person_id: int) -> Figures:
    """A person's session statistics over both their roles."""
    found = counts(person_id)
    return figures(
        completed=found[State.COMPLETED],
        scheduled=found[State.SCHEDULED],
        requested=found[State.RESCHEDULE_REQUESTED],
        cancelled=found[State.CANCELLED],
        missed=found[State.MISSED],
        cancelled_after_start=found.cancelled_after_start,
        moved=found.moved,
        actual_minutes=found.actual_minutes,
        planned_minutes=found.planned_minutes,
    )
