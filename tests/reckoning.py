"""Whether a time lies in a coach's hours, by the clock and apart from the product's rule."""

from datetime import datetime, timedelta

from skileez import zones
from skileez.availability.rules import Hours


def is_open(hours: Hours, at: datetime, *, step: int | None = None) -> bool:
    """Whether the clocks then show a time of the hours; with ``step``, one of its steps."""
    for zone in {hours.zone, *(stay.zone for stay in hours.stays)}:
        wall = zones.local(at, zone)
        day, minutes = wall.date(), wall.hour * 60 + wall.minute
        here = [stay.zone for stay in hours.stays if stay.first <= day <= stay.last]
        spans = hours.dates[day] if day in hours.dates else hours.weekly.get(day.weekday(), ())
        if (here or [hours.zone])[0] == zone and any(
            opens <= minutes < closes and (step is None or (minutes - opens) % step == 0)
            for opens, closes in spans
        ):
            return True
    return False


def are_open(hours: Hours, start: datetime, minutes: int, tick: int) -> bool:
    """Whether every so many minutes (``tick``) of a session the clocks show a time of the hours."""
    return all(is_open(hours, start + timedelta(minutes=n)) for n in range(0, minutes, tick))
