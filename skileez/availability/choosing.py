"""What is made of free starts: the days that they are on, and the best of them."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, datetime

from skileez import zones
from skileez.availability.rules import DAY

CIVIL = range(8, 20)
"""Hours of the clock at which most people like to meet."""


def by_day(starts: Sequence[datetime], zone: str) -> dict[date, Sequence[datetime]]:
    """``starts``, which are in order, by the date that the clocks of ``zone`` show at each.

    Dates without a start are left out.
    """
    found: dict[date, Sequence[datetime]] = {}
    if not starts:
        return found
    for day in zones.days_around(starts[0], starts[-1]):
        for begins, ends, _midnight in zones.stretches(day, zone):
            if some := starts[bisect_left(starts, begins) : bisect_left(starts, ends)]:
                found[day] = [*found.get(day, ()), *some]
    return found


def best(
    starts: Sequence[datetime], like: datetime | None, people: Sequence[str], count: int = 3
) -> list[datetime]:
    """The ``count`` starts that suit both best, each on another day where there are enough.

    ``people`` are the zones of both. First what is day for both, then what is nearest the time of
    day and the date of ``like``, the session that is to be moved; else the soonest.
    """
    home, *_ = people
    wanted = zones.local(like, home) if like else None

    def cost(start: datetime) -> tuple[int, int, datetime]:
        local, *others = [zones.local(start, zone) for zone in people]
        uncivil = sum(one.hour not in CIVIL for one in (local, *others))
        if wanted is None:
            return uncivil, 0, start
        off = abs((local.hour - wanted.hour) * 60 + local.minute - wanted.minute)
        return uncivil, min(off, DAY - off) + abs((local - wanted).days) * 20, start

    ordered = sorted(starts, key=cost)
    chosen: list[datetime] = []
    days: set[date] = set()
    for start in ordered:
        day = zones.local(start, home).date()
        if day not in days:
            chosen.append(start)
            days.add(day)
        if len(chosen) == count:
            return chosen
    chosen += [start for start in ordered if start not in chosen][: count - len(chosen)]
    return chosen
