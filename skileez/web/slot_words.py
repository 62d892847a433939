"""How one free time reads on the clocks of both, and what is said of clocks that change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from skileez import zones
from skileez.web import display
from skileez.web.language import gettext as _


@dataclass(frozen=True, slots=True)
class Slot:
    """One time that can be pressed."""

    value: str
    """ISO 8601 with the offset of the reader's zone, as the form's field takes it."""
    day: str
    time: str
    offset: str
    """ "GMT-4" where the reader's clock shows this time twice that day; else empty."""
    theirs: str
    """The other person's clock where it differs, with the weekday where that does: "Fri 01:30"."""
    label: str


def slot(start: datetime, zone: str, other: str) -> Slot:
    """One time in words, as it stands on the clocks of both."""
    mine, theirs = zones.local(start, zone), beside(start, zone, other)
    clock, offset = display.short_time(mine), _offset_if_twice(mine, zone)
    label = f"{display.long_date(mine)}, {clock} {offset}".rstrip()
    if theirs:
        place = display.zone_label(other)
        label = _("%(time)s; %(theirs)s in %(place)s", time=label, theirs=theirs, place=place)
    return Slot(mine.isoformat(), display.short_date(mine), clock, offset, theirs, label)


def beside(start: datetime, zone: str, other: str) -> str:
    """The clock of ``other`` where it differs just then, with the weekday where that does."""
    mine, theirs = zones.local(start, zone), zones.local(start, other)
    if mine.utcoffset() == theirs.utcoffset():
        return ""
    clock = display.short_time(theirs)
    if mine.date() != theirs.date():
        clock = f"{display.weekdays()[theirs.weekday()][0]} {clock}"
    return " ".join(filter(None, (clock, _offset_if_twice(theirs, other))))


def _offset_if_twice(local: datetime, zone: str) -> str:
    twice = len(zones.alternatives(local.replace(tzinfo=None, fold=0), zone)) > 1
    return zones.offset_label(local, zone) if twice else ""


def clock_changes(
    begins: datetime, ends: datetime, zone: str, *, elsewhere: bool = False
) -> list[str]:
    """What is to be said of the clocks of ``zone`` on a day; ``elsewhere`` names the place."""
    place = display.zone_label(zone) if elsewhere else None
    return [_note(before, after, place) for before, after in _changes(begins, ends, zone)]


def _changes(begins: datetime, ends: datetime, zone: str) -> Iterator[tuple[datetime, datetime]]:
    """When the zone's clocks change meanwhile: what they show just before, and just after."""
    day = zones.local(begins, zone).date() - timedelta(days=1)
    pieces = [
        piece for ahead in range(4) for piece in zones.stretches(day + timedelta(days=ahead), zone)
    ]
    for (start, _until, _midnight), (at, _end, _too) in pairwise(pieces):
        before, after = zones.local(start, zone), zones.local(at, zone)
        if begins <= at < ends and before.utcoffset() != after.utcoffset():
            # The clocks before ran evenly from the start of their stretch.
            yield before.replace(tzinfo=None) + (at - start), after.replace(tzinfo=None)


def _note(before: datetime, after: datetime, place: str | None) -> str:
    forward = before < after
    figures = {"before": display.short_time(before), "after": display.short_time(after)}
    if place is not None:
        figures["place"] = place
        if forward:
            return _(
                "In %(place)s the clocks go forward on this day, from %(before)s to %(after)s.",
                **figures,
            )
        return _(
            "In %(place)s the clocks go back on this day, from %(before)s to %(after)s.", **figures
        )
    if forward:
        return _("The clocks go forward on this day, from %(before)s to %(after)s.", **figures)
    return _(
        "The clocks go back on this day, from %(before)s to %(after)s. "
        "A time that comes twice says which of the two it is.",
        **figures,
    )
