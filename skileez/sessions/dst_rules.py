"""When clocks change the time of a series for one of its two people; pure, but for zones' data.

A series keeps its time by the clocks of its own zone. Where those of a person's zone change on
another date, the person's time changes: for some weeks, or until the next date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

from skileez import zones
from skileez.errors import N_, Refusal
from skileez.sessions.recurrence import occurrence
from skileez.sessions.rules import refuse_stranger

CLOCK_CHANGE: Final = "series.clock_change"
"""Both are told that a series' time changes for one of them."""

CLOCK_KEPT: Final = "series.clock_kept"
"""Whose time changes keeps it; the other is told."""

TOLD_BEFORE: Final = timedelta(days=14)
"""How long before the first session that is at another time both are told."""
BRIEF: Final = timedelta(days=60)
"""A change that ends within so long after its first session is told with its end, and that end is
no news any more when it comes."""

_DAY = timedelta(days=1)

Start = tuple[str, datetime]
"""A date of a series: its place, which is what clocks of the series' zone show, and the instant."""


@dataclass(frozen=True, slots=True)
class Change:
    """A person's ``usual`` time becomes another from one date to another, both included.

    The dates are those of the person's clocks; ``last`` None: for longer than ``BRIEF``.
    ``day`` is the first date by the clocks of the series; ``start`` the first session then.
    """

    usual: time
    becomes: time
    first: date
    last: date | None
    day: date
    start: Start


@dataclass(frozen=True, slots=True)
class Notice:
    """What both are told at once: who has another time from ``day`` on, by role."""

    day: date
    start: Start
    sides: Mapping[str, Change]

    @property
    def due(self) -> datetime:
        """When to tell of it."""
        return self.start[1] - TOLD_BEFORE


@dataclass(frozen=True, slots=True)
class Told:
    """What both were told last of a series: whose time changes, from ``start`` on, the first
    session that is at another; and who has said that they keep it.
    """

    sides: frozenset[str]
    start: datetime
    kept: frozenset[str] = frozenset()


def may_keep(told: Told | None, role: str, now: datetime) -> Refusal | None:
    """Whose time changes says that it suits them, until the first session at that time begins."""
    if refusal := refuse_stranger(role):
        return refusal
    if told is None or role not in told.sides:
        return Refusal("no_clock_change", N_("Clocks change nothing for you in this series."))
    if now >= told.start:
        return Refusal(
            "clock_change_begun",
            N_(
                "The first session at the new time began on %(start)s. "
                "Ask to move the series if it does not suit you."
            ),
            {"start": told.start},
        )
    return None


def notices(starts: Sequence[Start], zone: str, people: Mapping[str, str]) -> list[Notice]:
    """What is to be told of a series in ``zone``, in order; ``people`` are the roles' zones."""
    found: dict[date, dict[str, Change]] = {}
    for role, theirs in people.items():
        for one in changes(starts, zone, theirs):
            found.setdefault(one.day, {})[role] = one
    return [
        Notice(day, min((one.start for one in sides.values()), key=lambda start: start[1]), sides)
        for day, sides in sorted(found.items())
    ]


def changes(starts: Sequence[Start], zone: str, theirs: str) -> list[Change]:
    """When the time of a series in ``zone`` changes by the clocks of ``theirs``, in order.

    ``starts`` are its dates, in order. Going back to the usual after a brief change is told with
    that one, and is none of its own.
    """
    found: list[Change] = []
    told: date | None = None
    walls = [datetime.fromisoformat(place) for place, _start in starts]
    dates = zip(walls, (_apart(wall, zone, theirs) for wall in walls), starts, strict=True)
    for (before, usual, _start), (wall, new, start) in pairwise(dates):
        if usual == new:
            continue
        first, after = wall, wall
        while first - _DAY > before and _apart(first - _DAY, zone, theirs) == new:
            first -= _DAY
        while after - wall <= BRIEF and _apart(after, zone, theirs) == new:
            after += _DAY
        if first.date() == told:
            told = None
            continue
        brief = after - wall <= BRIEF
        told = after.date() if brief and _apart(after, zone, theirs) == usual else None
        found.append(
            Change(
                usual=(wall + usual).time(),
                becomes=(wall + new).time(),
                first=(first + new).date(),
                last=(after - _DAY + new).date() if brief else None,
                day=first.date(),
                start=start,
            )
        )
    return found


def _apart(wall: datetime, zone: str, theirs: str) -> timedelta:
    """How far the clocks of ``theirs`` are from what a series in ``zone`` says on a date."""
    start = occurrence(wall, zone).start
    return zones.local(start, theirs).replace(tzinfo=None, fold=0) - wall
