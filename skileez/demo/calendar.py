"""When everybody in the demo is free: times at day, never two at once for one person."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from skileez import zones
from skileez.errors import Refused

DAY: Final = range(8, 21)
"""Hours of the day at which somebody would hold a session."""


class Calendar:
    """Who is taken when; what was once planned stays taken, also where it was moved away."""

    def __init__(self) -> None:
        self._taken: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)

    def is_free(self, people: Sequence[int], start: datetime, minutes: int) -> bool:
        """Whether none of ``people`` has anything between ``start`` and its end."""
        end = start + timedelta(minutes=minutes)
        return not any(
            start < other_end and other_start < end
            for person in people
            for other_start, other_end in self._taken[person]
        )

    def take(self, people: Sequence[int], start: datetime, minutes: int) -> datetime:
        """Note it down for all of them; ``start`` again."""
        for person in people:
            self._taken[person].append((start, start + timedelta(minutes=minutes)))
        return start

    def find(
        self,
        people: Sequence[int],
        low: datetime,
        high: datetime,
        minutes: int,
        zones_of: Sequence[str],
    ) -> datetime:
        """A full hour from ``low`` to ``high`` that is free: the first that is by day in most of
        the zones.
        """
        hours = int((high - low).total_seconds()) // 3600 + 1
        free = [
            start
            for start in (low + timedelta(hours=n) for n in range(hours))
            if self.is_free(people, start, minutes)
        ]
        asleep = [
            sum(zones.local(start, zone).hour not in DAY for zone in zones_of) for start in free
        ]
        return self.take(people, free[asleep.index(min(asleep))], minutes)

    def others(
        self,
        people: Sequence[int],
        near: datetime,
        minutes: int,
        zones_of: Sequence[str],
        count: int,
    ) -> list[datetime]:
        """``count`` other times on the days after ``near``."""
        step = timedelta(days=1)
        return [
            self.find(people, near + step * n, near + step * (n + 1), minutes, zones_of)
            for n in range(1, count + 1)
        ]


def weekly(
    zone: str, weekday: int, hour: int, every: int, around: datetime
) -> tuple[Iterator[datetime], Iterator[datetime]]:
    """Starts every ``every`` days at ``hour`` by the clocks of ``zone``, so that they keep their
    hour when clocks change: those before ``around``, the latest first; and those after it.
    """
    wall = zones.local(around, zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    first = wall.replace(hour=hour) + timedelta(days=(weekday - wall.weekday()) % 7)

    def walk(step: int) -> Iterator[datetime]:
        n = 0 if step > 0 else -1
        while True:
            try:
                start = zones.resolve(first + timedelta(days=every * n), zone, fold=0)
            except Refused:
                start = None
            if start is not None and (start >= around) == (step > 0):
                yield start
            n += step

    return walk(-1), walk(1)
