"""What the slot picker shows: a month with its free times counted, and the times of one day.

Nothing is decided here: ``skileez.sessions.finding`` says which times are free. They are shown in
one zone, the reader's, with the other person's clock beside it where it shows something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote, urlencode

from skileez import zones
from skileez.availability.choosing import by_day
from skileez.availability.slots import Opening
from skileez.sessions import policy
from skileez.sessions.finding import Meeting
from skileez.sessions.meeting import against
from skileez.sessions.rules import Role, check_start
from skileez.web import display
from skileez.web.language import gettext as _
from skileez.web.slot_words import Slot, clock_changes, slot

GRACE = timedelta(minutes=5)
"""Nothing sooner than this after the earliest bookable time is offered: reading takes a while."""
AHEAD = timedelta(days=62)
"""How far past an empty month the next free time is looked for."""
AROUND = timedelta(days=28)
"""How far from now, or from the session that is to move, the best times are looked for."""

MONTH = timedelta(days=31)
BEST = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What the reader asked to see; ``at`` are times chosen already."""

    zone: str
    month: date | None = None
    day: date | None = None
    minutes: int | None = None
    at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A time that a field of the form holds."""

    field_id: str
    slot: Slot
    why_not: str
    """Why it cannot be had, where that is known already: a drag to any hour ends here too."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the month's grid."""

    iso: str
    number: int
    count: int
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """The times of a morning, afternoon, evening or night."""

    name: str
    slots: Sequence[Slot]


@dataclass(frozen=True, slots=True)
class Day:
    """The day whose times are shown."""

    iso: str
    label: str
    count: int
    notes: Sequence[str]
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Picker:
    """Everything that the templates need. ``page`` and ``fragment`` are addresses."""

    name: str
    page: str
    fragment: str
    most: int
    carried: str
    """What links on the page keep, as a query: of which picker they are, minutes and zone."""
    zone: str
    theirs: str
    """The other person's zone; empty where both have the same."""
    coach: bool
    """Whether the reader is the coach."""
    has_hours: bool
    month: str
    here: str
    previous: str | None
    next: str | None
    weekdays: Sequence[tuple[str, str]]
    weeks: Sequence[Sequence[Cell | None]]
    count: int
    day: Day | None
    next_free: Slot | None
    look_on: str | None
    """The month to look from where nothing was free in those after this one either."""
    best: Sequence[Slot] = ()
    nearest: bool = False
    """Whether ``best`` are those nearest a time that could not be had."""
    chosen: Sequence[Chosen] = ()
    refused: str | None = None
    """The field that holds the time that could not be had, to be filled anew."""

    @property
    def id(self) -> str:
        """The id of the whole picker on its page."""
        return f"slots-{self.name}"

    def link(
        self,
        *,
        month: str = "",
        day: str = "",
        at: str | None = None,
        without: str | None = None,
    ) -> str:
        """The page with another month or day, one more time chosen or one chosen less."""
        kept = [one.slot.value for one in self.chosen if one.slot.value != without]
        if at:
            kept = [at] if self.most == 1 else [*kept, at]
        where = f"day={day}" if day else f"month={month}"
        times = "".join(f"&at={quote(value)}" for value in kept)
        place = "chosen" if at else "month"
        return f"{self.page}?{where}&{self.carried}{times}#{self.id}-{place}"

    def part(self, *, month: str = "", day: str = "") -> str:
        """The fragment with another month or day; scripts add minutes and zone."""
        where = f"day={day}" if day else f"month={month}"
        return f"{self.fragment}?{where}&for={self.name}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picker stands: its name, its page and its fragment, and how many times it takes."""

    name: str
    page: str
    fragment: str
    most: int = 1


def picker(
    meeting: Meeting,
    reader_id: int,
    place: Place,
    wish: Wish,
    now: datetime,
    *,
    chosen: Sequence[tuple[str, datetime]] = (),
    near: datetime | None = None,
    refused: str | None = None,
    suggest: bool = False,
) -> Picker:
    """The picker as ``reader_id`` sees it; one query.

    ``chosen`` are the times that fields, by their ids, hold. ``suggest`` adds the best times, or
    those nearest to ``near``, a time that could not be had and is in the field ``refused``.
    """
    zone, minutes = wish.zone, wish.minutes or meeting.minutes
    coach = reader_id == meeting.coach_id
    other = meeting.student_zone if coach else meeting.coach_zone
    focus = near or (chosen[0][1] if chosen else None)
    first = _first_of(wish, focus, now)
    shown = first or zones.local(now, zone).date().replace(day=1)
    begins, ends = _bounds(shown, zone)
    anchor = near or meeting.start or now
    around = (anchor - AROUND, anchor + AROUND) if suggest else (begins, ends)
    opening = meeting.opening(
        min(begins, around[0]),
        max(ends, around[1]) + AHEAD + (MONTH if first is None else timedelta()),
        now=now,
        minutes=minutes,
    )

    def free_between(begins: datetime, ends: datetime) -> list[datetime]:
        starts = opening.starts(max(begins, opening.earliest + GRACE), ends)
        return [start for start in starts if start != meeting.start]

    def why_not(start: datetime) -> str:
        by = Role.COACH if coach else Role.STUDENT
        refusal = check_start(start, now, policy.in_force()) or opening.refusal(start, against(by))
        return display.sentence(refusal, zone) if refusal else ""

    suggested = _suggested(meeting, free_between(*around), near) if suggest else []
    if first is None and (soon := suggested or free_between(begins, ends + AHEAD)[:1]):
        shown = zones.local(soon[0], zone).date().replace(day=1)
        begins, ends = _bounds(shown, zone)
    free = free_between(begins, ends)
    days = by_day(free, zone)
    like = focus or (suggested[0] if suggested else None)
    day = _day_shown(wish, shown, like, days, always=meeting.hours is None)
    later = [] if free else free_between(ends, ends + AHEAD)[:1]
    there = zones.local(now, zone).date().replace(day=1)
    return Picker(
        name=place.name,
        page=place.page,
        fragment=place.fragment,
        most=place.most,
        carried=_carried(meeting, place, wish, coach),
        zone=zone,
        theirs=other if other != zone else "",
        coach=coach,
        has_hours=meeting.hours is not None,
        month=display.month(shown),
        here=f"{shown:%Y-%m}",
        previous=f"{shown - timedelta(days=1):%Y-%m}" if shown > there else None,
        next=f"{_after(shown):%Y-%m}" if ends <= opening.latest else None,
        weekdays=display.weekdays(),
        weeks=_weeks(shown, days, day),
        count=len(free),
        day=_day(day, days, zone, other) if day else None,
        next_free=slot(later[0], zone, other) if later else None,
        look_on=_look_on(ends, zone, opening) if not free and not later else None,
        best=[slot(one, zone, other) for one in suggested],
        nearest=near is not None,
        chosen=[Chosen(name, slot(start, zone, other), why_not(start)) for name, start in chosen],
        refused=refused,
    )


# The month


def _first_of(wish: Wish, focus: datetime | None, now: datetime) -> date | None:
    """The first day of the month to show, within those that can have a time; None = whichever."""
    asked = wish.month or wish.day or (zones.local(focus, wish.zone).date() if focus else None)
    if asked is None:
        return None
    today = zones.local(now, wish.zone).date()
    last = zones.local(now + policy.in_force().horizon, wish.zone).date()
    return min(max(asked, today), last).replace(day=1)


def _after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _bounds(first: date, zone: str) -> tuple[datetime, datetime]:
    return _begin(first, zone), _begin(_after(first), zone)


def _begin(day: date, zone: str) -> datetime:
    """When a date begins; where the zone left it out, when the next does."""
    while not (pieces := zones.stretches(day, zone)):
        day += timedelta(days=1)
    return pieces[0][0]


def _weeks(
    first: date, days: Mapping[date, Sequence[datetime]], chosen: date | None
) -> list[list[Cell | None]]:
    cells: list[Cell | None] = [None] * first.weekday()
    for number in range((_after(first) - first).days):
        day = first + timedelta(days=number)
        count, label = len(days.get(day, ())), display.long_date(day)
        cells.append(Cell(day.isoformat(), day.day, count, label, day == chosen))
    cells += [None] * (-len(cells) % 7)
    return [cells[at : at + 7] for at in range(0, len(cells), 7)]


def _look_on(ends: datetime, zone: str, opening: Opening) -> str | None:
    after = ends + AHEAD
    return f"{zones.local(after, zone):%Y-%m}" if after < opening.latest else None


# The day


def _day_shown(
    wish: Wish,
    first: date,
    focus: datetime | None,
    days: Mapping[date, Sequence[datetime]],
    *,
    always: bool,
) -> date | None:
    """The day asked for; else that of ``focus`` or the first, where there is a time.

    ``always``: half an hour after the other, all day long, is nothing to begin with.
    """
    if wish.day and wish.day.replace(day=1) == first:
        return wish.day
    if always:
        return None
    like = zones.local(focus, wish.zone).date() if focus else None
    return like if like in days else min(days, default=None)


def _day(day: date, days: Mapping[date, Sequence[datetime]], zone: str, other: str) -> Day:
    begins, ends = _begin(day, zone), _begin(day + timedelta(days=1), zone)
    notes = clock_changes(begins, ends, zone)
    if other != zone:
        notes += clock_changes(begins, ends, other, elsewhere=True)
    starts = days.get(day, ())
    parts = _parts(starts, zone, other)
    return Day(day.isoformat(), display.long_date(day), len(starts), notes, parts)


def _parts(starts: Sequence[datetime], zone: str, other: str) -> list[Part]:
    names = [_("Night"), _("Morning"), _("Afternoon"), _("Evening")]
    parts: list[list[Slot]] = [[], [], [], []]
    for start in starts:
        parts[zones.local(start, zone).hour // 6].append(slot(start, zone, other))
    return [Part(name, slots) for name, slots in zip(names, parts, strict=True) if slots]


# Around it


def _suggested(meeting: Meeting, free: Sequence[datetime], near: datetime | None) -> list[datetime]:
    if near is None:
        return sorted(meeting.best(free, BEST))
    return sorted(sorted(free, key=lambda start: abs(start - near))[:BEST])


def _carried(meeting: Meeting, place: Place, wish: Wish, coach: bool) -> str:
    own = meeting.coach_zone if coach else meeting.student_zone
    kept = {"for": place.name}
    if wish.minutes and wish.minutes != meeting.minutes:
        kept["minutes"] = str(wish.minutes)
    if wish.zone != own:
        kept["zone"] = wish.zone
    return urlencode(kept)
