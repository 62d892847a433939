"""Which starts are free: hours, less what is taken with its buffers, within notice, horizon, caps.

What ``Opening.refusal`` lets pass is offered, and is what a booking is checked against. An instant
is open when the clocks of the coach's zone, as they show it then, lie within the hours of that
day: daylight saving shortens or lengthens a span as it does the day itself.
Pure: the hours, what is taken and the bounds are arguments; instants are aware and in UTC.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Literal

from skileez import zones
from skileez.availability.rules import DAY, Hours, time_taken
from skileez.errors import N_, Kind, Refusal

Whose = Literal["coach", "student", "away"]
Stretch = tuple[datetime, datetime]
"""From an instant, to another that is not part of it."""

CIVIL = range(8, 20)
"""Hours of the clock at which most people like to meet."""


class Against(StrEnum):
    """What a time is checked against, by who wants it."""

    HOURS = "hours"
    """Everything: a student's own choice."""
    AWAY = "away"
    """What is taken, and days away: a student's choice of yesterday, to which silence agrees."""
    TAKEN = "taken"
    """What is taken, with its buffers: the coach books outside the hours as they like."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Time that is not free: somebody's session, or the coach's days away.

    ``held`` is a time that a pending request proposes: it is offered to nobody else, but who asks
    for it by hand may have it, and the request then has one proposal less.
    """

    starts: datetime
    ends: datetime
    whose: Whose
    held: bool = False


class Opening:
    """The times at which one coach and one student could meet for ``minutes``.

    ``hours`` None = the coach has set none and may be booked at any time. ``now`` bounds notice
    and horizon; ``earliest`` and ``latest`` are the platform's own bounds. ``taken`` must reach a
    week beyond the times asked about, for the caps.
    """

    def __init__(
        self,
        hours: Hours | None,
        minutes: int,
        taken: Iterable[Taken],
        *,
        now: datetime,
        earliest: datetime,
        latest: datetime,
    ) -> None:
        self.hours = hours
        self.length = timedelta(minutes=minutes)
        self.now = now
        self.taken = tuple(taken)
        self.earliest, self.latest = earliest, latest
        if hours:
            self.earliest = max(earliest, now + timedelta(minutes=hours.notice))
            self.latest = min(latest, now + timedelta(days=hours.horizon))

    def refusal(self, start: datetime, against: Against = Against.HOURS) -> Refusal | None:
        """Why the two cannot meet at ``start``; None where they can."""
        end = start + self.length
        clash = self._clash(start, end)
        if clash or against is Against.TAKEN or self.hours is None:
            return clash
        if against is Against.AWAY:
            return self._gone(start, end)
        return self._outside(self.hours, start, end) or self._gone(start, end)

    def starts(self, first: datetime, last: datetime) -> list[datetime]:
        """Every start from ``first`` until before ``last`` that is offered, in order."""
        first, last = max(first, self.earliest), min(last, self.latest + timedelta(microseconds=1))
        return [
            start
            for start in self._grid(first, last)
            if self.refusal(start) is None and not _hits(self._held, start, start + self.length)
        ]

    # Notice, horizon, hours, days away, caps

    def _outside(self, hours: Hours, start: datetime, end: datetime) -> Refusal | None:
        if start < self.earliest:
            return _no(
                "coach_notice",
                N_("%(lead)s left; this coach takes bookings at least %(needed)s ahead."),
                lead=start - self.now,
                needed=timedelta(minutes=hours.notice),
            )
        if start > self.latest:
            return _no(
                "coach_horizon",
                N_("%(start)s is too far ahead; this coach takes bookings at most %(most)s ahead."),
                start=start,
                most=timedelta(days=hours.horizon),
            )
        if not self._is_open(start, end):
            return _no(
                "outside_hours",
                N_("%(start)s is outside the coach's hours. Choose one of the offered times."),
                start=start,
            )
        return self._full(hours, start)

    def _gone(self, start: datetime, end: datetime) -> Refusal | None:
        if not _hits(self._away, start, end):
            return None
        return _no(
            "coach_away",
            N_("The coach is away at %(start)s. Choose one of the offered times."),
            start=start,
        )

    def _full(self, hours: Hours, start: datetime) -> Refusal | None:
        if hours.per_day is None and hours.per_week is None:
            return None
        day = self._day_of(start)
        if hours.per_day is not None and self._days[day] >= hours.per_day:
            return _no(
                "day_full",
                N_("The coach takes at most %(most)s sessions a day, and that day is full."),
                most=hours.per_day,
            )
        if hours.per_week is not None and self._weeks[_monday(day)] >= hours.per_week:
            return _no(
                "week_full",
                N_("The coach takes at most %(most)s sessions a week, and that week is full."),
                most=hours.per_week,
            )
        return None

    # What is taken

    def _clash(self, start: datetime, end: datetime) -> Refusal | None:
        for whose in ("coach", "student"):
            if _hits(self._sessions[whose], start, end):
                return time_taken(whose, start)
        if self.hours and _hits(self._buffered, start, end):
            return _no(
                "buffer",
                N_(
                    "At %(start)s the coach needs the time around another session: "
                    "%(before)s before each and %(after)s after it."
                ),
                start=start,
                before=timedelta(minutes=self.hours.buffer_before),
                after=timedelta(minutes=self.hours.buffer_after),
            )
        return None

    @cached_property
    def _sessions(self) -> dict[str, list[Stretch]]:
        booked = [one for one in self.taken if not one.held]
        return {
            whose: _merged((one.starts, one.ends) for one in booked if one.whose == whose)
            for whose in ("coach", "student")
        }

    @cached_property
    def _buffered(self) -> list[Stretch]:
        return self._with_buffers(one for one in self.taken if not one.held)

    @cached_property
    def _held(self) -> list[Stretch]:
        held = [one for one in self.taken if one.held]
        students = [(one.starts, one.ends) for one in held if one.whose == "student"]
        return _merged([*self._with_buffers(held), *students])

    def _with_buffers(self, taken: Iterable[Taken]) -> list[Stretch]:
        # Each session stands between its two buffers, and no two such stretches overlap.
        around = self.hours.buffer_before + self.hours.buffer_after if self.hours else 0
        apart = timedelta(minutes=around)
        return _merged(
            (one.starts - apart, one.ends + apart) for one in taken if one.whose == "coach"
        )

    @cached_property
    def _away(self) -> list[Stretch]:
        return _merged((one.starts, one.ends) for one in self.taken if one.whose == "away")

    @cached_property
    def _days(self) -> Counter[date]:
        coachs = (one for one in self.taken if one.whose == "coach" and not one.held)
        return Counter(self._day_of(one.starts) for one in coachs)

    @cached_property
    def _weeks(self) -> Counter[date]:
        weeks: Counter[date] = Counter()
        for day, count in self._days.items():
            weeks[_monday(day)] += count
        return weeks

    # The open hours

    def open_between(self, first: datetime, last: datetime) -> list[Stretch]:
        """The coach's hours between two instants, days away taken out, as stretches in order."""
        if self.hours is None:
            return [(first, last)]
        found = _merged(
            (max(start, first), min(end, last))
            for day in _days_around(first, last)
            for start, end, _wall in self._open_on(day)
            if end > first and start < last
        )
        return [piece for stretch in found for piece in _without(stretch, self._away)]

    def _is_open(self, start: datetime, end: datetime) -> bool:
        return any(
            opens <= start and end <= closes
            for opens, closes in self._open_around(_days_around(start, end))
        )

    def _open_around(self, days: Sequence[date]) -> list[Stretch]:
        key = (days[0], days[-1])
        if key not in self._around:
            self._around[key] = _merged(
                (start, end) for day in days for start, end, _wall in self._open_on(day)
            )
        return self._around[key]

    @cached_property
    def _around(self) -> dict[tuple[date, date], list[Stretch]]:
        return {}

    def _open_on(self, day: date) -> Iterator[tuple[datetime, datetime, int]]:
        """The stretches of ``day``'s hours, each with the minutes of the clock it begins at.

        A span that the clocks jump over or turn back in comes in several pieces.
        """
        assert self.hours
        spans = self.hours.spans_on(day)
        if not spans:
            return
        for begins, ends, midnight in zones.stretches(day, self.hours.zone_on(day)):
            for opens, closes in spans:
                start = max(begins, midnight + timedelta(minutes=opens))
                end = min(ends, midnight + timedelta(minutes=closes))
                if start < end:
                    yield start, end, opens

    def _day_of(self, instant: datetime) -> date:
        """The coach's date at an instant."""
        assert self.hours
        here = zones.local(instant, self.hours.zone).date()
        return zones.local(instant, self.hours.zone_on(here)).date()

    def _grid(self, first: datetime, last: datetime) -> list[datetime]:
        if first >= last:
            return []
        found = set()
        for day in _days_around(first, last):
            for start in self._grid_of(day):
                if first <= start < last:
                    found.add(start)
        return sorted(found)

    def _grid_of(self, day: date) -> Iterator[datetime]:
        hours = self.hours or _ALWAYS
        step = timedelta(minutes=hours.step)
        spans = hours.spans_on(day)
        for begins, ends, midnight in zones.stretches(day, hours.zone_on(day)):
            for opens, closes in spans:
                start = midnight + timedelta(minutes=opens)
                if start < begins:
                    start += -((start - begins) // step) * step
                until = min(ends, midnight + timedelta(minutes=closes))
                while start < until:
                    yield start
                    start += step


_ALWAYS = Hours("UTC", weekly=dict.fromkeys(range(7), ((0, DAY),)))


def best(
    starts: Sequence[datetime], like: datetime | None, people: Sequence[str], count: int = 3
) -> list[datetime]:
    """The ``count`` starts that suit both best, each on another day where there are enough.

    ``people`` are the zones of both. First what is day for both, then what is nearest the time of
    day and the date of ``like``, the session that is to be moved; else the soonest.
    """
    home = people[0] if people else "UTC"
    wanted = zones.local(like, home) if like else None

    def cost(start: datetime) -> tuple[int, int, datetime]:
        local = zones.local(start, home)
        uncivil = sum(zones.local(start, zone).hour not in CIVIL for zone in people)
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


def _no(code: str, message: str, **figures: datetime | timedelta | int) -> Refusal:
    return Refusal(code, message, figures, Kind.CONFLICT, "scheduled_at")


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in stretches that neither touch nor overlap, in order."""
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def _hits(merged: Sequence[Stretch], start: datetime, end: datetime) -> bool:
    at = bisect_right(merged, start, key=lambda one: one[0])
    return (at > 0 and merged[at - 1][1] > start) or (at < len(merged) and merged[at][0] < end)


def _without(stretch: Stretch, away: Sequence[Stretch]) -> Iterator[Stretch]:
    start, end = stretch
    for gone, back in away:
        if back <= start or gone >= end:
            continue
        if gone > start:
            yield start, gone
        start = max(start, back)
    if start < end:
        yield start, end


def _days_around(first: datetime, last: datetime) -> list[date]:
    """Every date that some zone has at some instant between the two."""
    day, until = first.date() - timedelta(days=1), last.date() + timedelta(days=1)
    return [day + timedelta(days=ahead) for ahead in range((until - day).days + 1)]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
