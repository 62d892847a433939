"""What clocks do to times that were agreed. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from skileez import zones

ZONE_RULES_CHANGED: Final = "session.zone_rules_changed"
"""A session kept its time on the wall, which is another instant by the zone's new rules."""
ZONE_RULES_COLLIDED: Final = "session.zone_rules_collided"
"""It could not: another session is there."""
SERIES_RULES_CHANGED: Final = "series.zone_rules_changed"
"""Sessions of a series kept their time on the wall: told in place of each of them."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """A start as it was agreed: what the clocks of ``zone`` show then ("2027-03-01T18:00")."""

    zone: str
    wall: str


@dataclass(frozen=True, slots=True)
class Stray:
    """A session whose zone's clocks do not show, at its instant ``old``, what was agreed; ``new``
    is the instant that it should have.
    """

    session_id: int
    agreed: Agreed
    old: datetime
    new: datetime


def wall_text(instant: datetime, zone: str) -> str:
    """What the clocks of ``zone`` show at ``instant``: "2027-03-01T18:00"."""
    return f"{zones.local(instant, zone):%Y-%m-%dT%H:%M}"


def instant_of(agreed: Agreed, kept_at: datetime) -> datetime:
    """The instant of an agreed time by the zone's rules of today, ``kept_at`` being the one known.

    The same, while clocks show then what was agreed. Else of a time that comes twice the nearer,
    and for one that clocks jump over the time as far behind the jump.
    Raises Refused ``unknown_zone``.
    """
    if wall_text(kept_at, agreed.zone) == agreed.wall:
        return kept_at
    within_the_minute = timedelta(seconds=kept_at.second, microseconds=kept_at.microsecond)
    wall = datetime.fromisoformat(agreed.wall)
    return zones.kept(wall, agreed.zone, kept_at) + within_the_minute


class Moving(Protocol):
    """Something that moves from one instant to another."""

    @property
    def old(self) -> datetime: ...
    @property
    def new(self) -> datetime: ...


M = TypeVar("M", bound=Moving)


def in_order(strays: Iterable[M]) -> list[M]:
    """The order in which sessions that follow one another do not run into each other.

    Those that move to an earlier time from the first on, then those that move to a later one from
    the last on: each finds the place empty that its neighbour left.
    """
    strays = list(strays)
    earlier = [one for one in strays if one.new < one.old]
    later = [one for one in strays if one.new >= one.old]
    return sorted(earlier, key=lambda one: one.old) + sorted(
        later, key=lambda one: one.old, reverse=True
    )
