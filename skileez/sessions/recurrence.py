"""The dates of a series: one wall-clock time of one zone, on some days of every week or second.

Names are RFC 5545's, and so is what its section 3.3.5 says of clocks that change: a time that
clocks jump over is the one as far after the jump (02:30, where 02:00 becomes 03:00, is 03:30; a
whole day left out is the next), a time that comes twice is the first. Weeks begin on Monday.
Pure, but for the zones' data; a wall-clock time is naive, an instant aware and in UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice

from dateutil.rrule import WEEKLY, rrule

from skileez import zones
from skileez.availability.rules import WEEKDAYS
from skileez.errors import N_, Figure, Kind, Refusal, Refused

INTERVALS = (1, 2)
"""Weeks from one turn to the next: weekly or fortnightly."""

_LAST_MINUTE = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rule, its first start and its zone. Made by ``starting`` or ``from_text``.

    ``dtstart`` lies on one of ``weekdays`` (0 = Monday, in order); ``interval`` is in weeks. It
    ends after ``count`` dates, or with ``until``, the last date, included.
    """

    zone: str
    dtstart: datetime
    weekdays: tuple[int, ...]
    minutes: int
    interval: int = 1
    count: int | None = None
    until: date | None = None

    @property
    def clock(self) -> time:
        """The time of day."""
        return self.dtstart.time()

    @property
    def rrule(self) -> str:
        """As RFC 5545 has it, UNTIL as clocks of the zone show it, as ``dtstart`` is."""
        days = ",".join(WEEKDAYS[day] for day in self.weekdays)
        end = (
            f"UNTIL={datetime.combine(self.until, _LAST_MINUTE):%Y%m%dT%H%M%S}"
            if self.until
            else f"COUNT={self.count}"
        )
        return f"FREQ=WEEKLY;INTERVAL={self.interval};BYDAY={days};{end}"


class Note(StrEnum):
    """What the clocks do at a place."""

    GAP = "gap"
    """They jump over it: it moved to as far after the jump."""
    FOLD = "fold"
    """They show it twice: it is the first."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of a series. ``wall`` is what the rule gives, and ``place`` the same as text;
    ``start`` is its instant, at which clocks show ``shown``: another time only in a gap.
    """

    place: str
    wall: datetime
    start: datetime
    shown: datetime
    note: Note | None = None


def starting(
    zone: str,
    first: date,
    clock: time,
    weekdays: Iterable[int],
    minutes: int,
    *,
    interval: int = 1,
    count: int | None = None,
    until: date | None = None,
) -> Pattern:
    """The pattern whose first date is the first of ``weekdays`` on or after ``first``.

    Raises ``Refused`` for what is no pattern, and for one that ends before its first date.
    """
    zones.zone(zone)
    days = tuple(sorted(set(weekdays)))
    if refusal := _check_rhythm(days, interval) or _check_end(count, until):
        raise Refused(refusal)
    if not zones.FIRST_YEAR <= first.year < zones.LAST_YEAR:
        raise Refused(
            _no(
                "series_out_of_range",
                N_("Choose a first date between the years %(first)s and %(last)s."),
                "first",
                first=zones.FIRST_YEAR,
                last=zones.LAST_YEAR - 1,
            )
        )
    while first.weekday() not in days:
        first += timedelta(days=1)
    if until and until < first:
        raise Refused(
            _no(
                "series_without_dates",
                N_("No date is left: the first would be %(first)s, after the end on %(until)s."),
                "until",
                first=day_text(first),
                until=day_text(until),
            )
        )
    dtstart = datetime.combine(first, clock.replace(second=0, microsecond=0))
    return Pattern(zone, dtstart, days, minutes, interval, count, until)


def from_text(zone: str, dtstart: str, rule: str, minutes: int) -> Pattern:
    """The pattern that ``dtstart`` and ``rrule`` of a row say."""
    said = dict(part.split("=") for part in rule.split(";"))
    return Pattern(
        zone,
        datetime.fromisoformat(dtstart),
        tuple(WEEKDAYS.index(day) for day in said["BYDAY"].split(",")),
        minutes,
        int(said["INTERVAL"]),
        int(said["COUNT"]) if "COUNT" in said else None,
        datetime.fromisoformat(said["UNTIL"]).date() if "UNTIL" in said else None,
    )


def check_length(pattern: Pattern, left: int) -> Refusal | None:
    """Whether its dates fit into the sessions that the contract leaves to book."""
    if pattern.count is not None and pattern.count > left:
        return _no(
            "series_too_long",
            N_(
                "This contract leaves %(left)s sessions to book, and the series has %(dates)s "
                "dates. Choose fewer, or let it end with the contract."
            ),
            "count",
            left=left,
            dates=pattern.count,
        )
    found = _walls(pattern, left + 1)
    if len(found) > left:
        return _no(
            "series_too_long",
            N_(
                "This contract leaves %(left)s sessions to book, which last until %(last)s. "
                "Choose an earlier end, or let it end with the contract."
            ),
            "until",
            left=left,
            last=day_text(found[left - 1]),
        )
    return None


def occurrences(pattern: Pattern, most: int) -> list[Occurrence]:
    """Its dates in order, at most ``most`` of them. Raises ``Refused`` beyond the calendar."""
    return [occurrence(wall, pattern.zone) for wall in _walls(pattern, most)]


def at_place(place: str, zone: str) -> Occurrence:
    """The date of a place: "2027-03-28T02:30"."""
    return occurrence(datetime.fromisoformat(place), zone)


def occurrence(wall: datetime, zone: str) -> Occurrence:
    """What a wall-clock time of a rule comes to in ``zone``. Raises as ``zones.alternatives``."""
    meant = zones.alternatives(wall, zone)
    note = None
    if len(meant) > 1:
        note = Note.GAP if zones.is_missing(wall, zone) else Note.FOLD
    found = meant[1] if note is Note.GAP else meant[0]
    return Occurrence(
        place_of(wall), wall, found.astimezone(UTC), found.replace(tzinfo=None, fold=0), note
    )


def place_of(wall: datetime) -> str:
    """A wall-clock time as the text of a place."""
    return f"{wall:%Y-%m-%dT%H:%M}"


def has_place(pattern: Pattern, place: str) -> bool:
    """Whether ``place`` is on a day of the week and at the time of day of ``pattern``."""
    wall = datetime.fromisoformat(place)
    return wall.weekday() in pattern.weekdays and wall.time() == pattern.clock


def move(
    old: Pattern, places: Sequence[str], weekdays: Iterable[int], clock: time, interval: int
) -> tuple[Pattern, list[str]]:
    """The pattern that takes the place of ``old`` from the first of ``places`` on, and the new
    place of each of them, which are in order.

    With as many days a week as before each stays in its week, so that a week left out stays left
    out; in another rhythm they follow one another. Raises ``Refused`` for what is no pattern.
    """
    days = tuple(sorted(set(weekdays)))
    if refusal := _check_rhythm(days, interval):
        raise Refused(refusal)
    walls = [datetime.fromisoformat(place) for place in places]
    clock = clock.replace(second=0, microsecond=0)
    same_rhythm = (interval, len(days)) == (old.interval, len(old.weekdays))
    if same_rhythm and all(wall.weekday() in old.weekdays for wall in walls):
        new = [
            datetime.combine(
                wall.date() + timedelta(days[old.weekdays.index(wall.weekday())] - wall.weekday()),
                clock,
            )
            for wall in walls
        ]
    else:
        begins = starting(
            old.zone,
            walls[0].date(),
            clock,
            days,
            old.minutes,
            interval=interval,
            count=len(walls),
        )
        new = _walls(begins, len(walls))
    pattern = Pattern(old.zone, new[0], days, old.minutes, interval, until=new[-1].date())
    return pattern, [place_of(wall) for wall in new]


@dataclass(frozen=True, slots=True)
class Run:
    """Successive dates on which the clocks of a zone are equally far from those of the series.

    ``first`` and ``last`` are the instants of its first and last date; clocks of the zone show
    ``shown`` at the first, where they would have shown ``before`` had nothing changed (None: it
    is the first run).
    """

    first: datetime
    last: datetime
    shown: datetime
    before: datetime | None = None

    @property
    def clock(self) -> time:
        """The time of day that the zone's clocks show."""
        return self.shown.time()


def dst_changes(starts: Iterable[tuple[str, datetime]], zone: str) -> list[Run]:
    """What the clocks of ``zone`` show on each date of a series, in runs, from (place, start).

    All but the first are changes: a series keeps its own clocks' time, and zones change theirs
    on different dates.
    """
    runs: list[Run] = []
    apart: timedelta | None = None
    for place, start in starts:
        wall = datetime.fromisoformat(place)
        shown = zones.local(start, zone).replace(tzinfo=None, fold=0)
        if runs and shown - wall == apart:
            runs[-1] = Run(runs[-1].first, start, runs[-1].shown, runs[-1].before)
        else:
            runs.append(Run(start, start, shown, None if apart is None else wall + apart))
        apart = shown - wall
    return runs


def day_text(day: date) -> str:
    """A date for a sentence: "Mon 3 May 2027"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def _walls(pattern: Pattern, most: int) -> list[datetime]:
    dates = rrule(
        WEEKLY,
        dtstart=pattern.dtstart,
        interval=pattern.interval,
        byweekday=pattern.weekdays,
        wkst=0,
        count=None if pattern.count is None else min(pattern.count, most),
        until=datetime.combine(pattern.until, _LAST_MINUTE) if pattern.until else None,
    )
    return list(islice(dates, most))


def _check_rhythm(weekdays: Sequence[int], interval: int) -> Refusal | None:
    if not weekdays or not set(weekdays) <= set(range(7)):
        return _no("no_weekday", N_("Choose at least one day of the week."), "weekdays")
    if interval not in INTERVALS:
        return _no("unknown_interval", N_("Choose every week or every second week."), "interval")
    return None


def _check_end(count: int | None, until: date | None) -> Refusal | None:
    if (count is None) == (until is None):
        return _no(
            "series_end_unclear",
            N_("Say when the series ends: after how many dates, or on which date."),
            "count",
        )
    if count is not None and count < 1:
        return _no(
            "count_too_small",
            N_("A series has at least one date; you asked for %(given)s."),
            "count",
            given=count,
        )
    return None


def _no(code: str, message: str, field: str, **figures: Figure) -> Refusal:
    return Refusal(code, message, figures, Kind.INVALID, field)
