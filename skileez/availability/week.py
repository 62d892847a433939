"""A week of a coach as the clocks on the wall show it, for looking at: open, booked, away.

Pure, but for the zones' data. A day is drawn by the clocks of the zone that its hours are read
from; what they jump over and what they show twice is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from skileez import zones
from skileez.availability.rules import DAY, Hours, Span
from skileez.availability.slots import Opening
from skileez.availability.stretches import Stretch

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class WeekDay:
    """One date; spans are minutes of the clock, as in the hours."""

    date: date
    zone: str
    open: Sequence[Span]
    booked: Sequence[Span]
    away: Sequence[Span]
    skipped: Sequence[Span]
    """What the clocks jump over."""
    twice: Sequence[Span]
    """What the clocks show twice."""


def monday(day: date) -> date:
    """The Monday of the week of ``day``."""
    return day - timedelta(days=day.weekday())


def bounds(first: date, hours: Hours) -> Stretch:
    """The instants between which all seven days from ``first`` lie."""
    edges = [
        edge
        for ahead in range(7)
        for begins, ends, _ in zones.stretches(
            first + timedelta(days=ahead), hours.zone_on(first + timedelta(days=ahead))
        )
        for edge in (begins, ends)
    ]
    return min(edges), max(edges)


def days(opening: Opening, hours: Hours, first: date) -> list[WeekDay]:
    """The seven days from ``first``: ``opening`` knows the hours, what is booked and away."""
    opened = opening.open_between(*bounds(first, hours))
    booked = [(one.starts, one.ends) for one in opening.taken if one.whose == "coach"]
    away = [(one.starts, one.ends) for one in opening.taken if one.whose == "away"]
    found = []
    for day in (first + timedelta(days=ahead) for ahead in range(7)):
        zone = hours.zone_on(day)
        skipped, twice = _changes(day, zone)
        found.append(
            WeekDay(
                date=day,
                zone=zone,
                # Where a stay begins, the evening of one day may be the morning of the next.
                open=_within(on_the_clock(opened, day, zone), hours.spans_on(day)),
                booked=on_the_clock(booked, day, zone),
                away=on_the_clock(away, day, zone),
                skipped=skipped,
                twice=twice,
            )
        )
    return found


def on_the_clock(these: Iterable[Stretch], day: date, zone: str) -> list[Span]:
    """What the clocks of ``zone`` show on ``day`` during stretches of time, in order."""
    found = {
        ((max(start, begins) - midnight) // _MINUTE, -((midnight - min(end, ends)) // _MINUTE))
        for start, end in these
        for begins, ends, midnight in zones.stretches(day, zone)
        if start < ends and end > begins
    }
    joined: list[Span] = []
    for start, end in sorted(found):
        # Where the clocks change, a stretch comes in two pieces.
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _within(these: Sequence[Span], spans: Sequence[Span]) -> list[Span]:
    parts = ((max(one[0], of[0]), min(one[1], of[1])) for one in these for of in sorted(spans))
    return [(start, end) for start, end in parts if start < end]


def _changes(day: date, zone: str) -> tuple[list[Span], list[Span]]:
    walls = [(0, 0)]
    for begins, ends, midnight in zones.stretches(day, zone):
        walls.append(((begins - midnight) // _MINUTE, (ends - midnight) // _MINUTE))
    walls.append((DAY, DAY))
    skipped = [(end, start) for (_, end), (start, _) in pairwise(walls) if end < start]
    twice = [(start, end) for (_, end), (start, _) in pairwise(walls) if start < end]
    return skipped, twice
