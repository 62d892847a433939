"""Quiet hours: when somebody does not want to be written to, on their own clock."""

from datetime import UTC, datetime, time, timedelta

from skileez import zones

DAY = timedelta(days=1)


def hushed_until(instant: datetime, quiet: tuple[time, time] | None, zone: str) -> datetime | None:
    """The end of the quiet hours that ``instant`` lies in; None when it lies in none.

    ``quiet`` is from–to on the wall clock of ``zone``; to before from means past midnight.
    """
    span = _span(instant, quiet, zone)
    return span and span[1]


def reminder_at(
    due: datetime, start: datetime, quiet: tuple[time, time] | None, zone: str
) -> datetime:
    """When to send a reminder that is due in quiet hours: after them, or before if it must be."""
    span = _span(due, quiet, zone)
    if span is None:
        return due
    begins, ends = span
    return ends if ends < start else begins


def _span(
    instant: datetime, quiet: tuple[time, time] | None, zone: str
) -> tuple[datetime, datetime] | None:
    if quiet is None or quiet[0] == quiet[1]:
        return None
    begins, ends = quiet
    today = zones.local(instant, zone).date()
    for day in (today - DAY, today):
        first = at(datetime.combine(day, begins), zone)
        last = at(datetime.combine(day if ends > begins else day + DAY, ends), zone)
        if first <= instant < last:
            return first, last
    return None


def at(wall: datetime, zone: str) -> datetime:
    # Where clocks jump or turn back the earlier of the two will do.
    return zones.alternatives(wall, zone)[0].astimezone(UTC)
