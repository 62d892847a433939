"""Which starts are free: hours, less what is taken with its buffers, within notice, horizon, caps.

What ``Opening.refusal`` lets pass is offered, and is what a booking is checked against. An instant
is open when the clocks of the coach's zone, as they show it then, lie within the hours of that
day: daylight saving shortens or lengthens a span as it does the day itself.
Pure: the hours, what is taken and the bounds are arguments; instants are aware and in UTC.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Literal

from skileez import zones
from skileez.availability.rules import DAY, STEP, Hours, time_taken
from skileez.availability.stretches import Stretch, hits, less, merged
from skileez.errors import N_, Kind, Refusal

Whose = Literal["coach", "student", "away"]
_INSTANT = timedelta(microseconds=1)
"""The shortest time there is."""


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

    ``hours`` None = the coach has set none and may be booked at any time, by the clocks of
    ``zone``. ``now`` bounds notice and horizon; ``earliest`` and ``latest`` are the platform's
    own bounds. ``taken`` must reach a week beyond the times asked about, for the caps.
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
        zone: str = "UTC",
    ) -> None:
        self.hours, self.zone = hours, zone
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
        if clash or against is Against.TAKEN:
            return clash
        if against is Against.AWAY or self.hours is None:
            return self._gone(start, end)
        return self._outside(self.hours, start, end) or self._gone(start, end)

    def starts(self, first: datetime, last: datetime) -> list[datetime]:
        """Every start from ``first`` until before ``last`` that is offered, in order.

        Steps of the hours that ``refusal`` lets pass and no request holds, reckoned at once: the
        same hours less the same stretches.
        """
        first, last = max(first, self.earliest), min(last, self.latest + _INSTANT)
        if first >= last:
            return []
        free = less(self._opened(first, last + self.length), self._blocked)
        free_until = [end for _, end in free]
        step = timedelta(minutes=self.hours.step if self.hours else STEP)
        found = set()
        for opens, closes, begins in self._spans(first, last):
            at = bisect_right(free_until, opens)
            while at < len(free) and free[at][0] < closes:
                start = max(opens, free[at][0])
                start = begins - (begins - start) // step * step
                until = min(closes, free_until[at] - self.length + _INSTANT)
                while start < until:
                    found.add(start)
                    start += step
                at += 1
        return sorted(start for start in found if not self._full(start))

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
        if self._opened(start, end) != [(start, end)]:
            return _no(
                "outside_hours",
                N_("%(start)s is outside the coach's hours. Choose one of the offered times."),
                start=start,
            )
        return self._full(start)

    def _gone(self, start: datetime, end: datetime) -> Refusal | None:
        if not hits(self._away, start, end):
            return None
        return _no(
            "coach_away",
            N_("The coach is away at %(start)s. Choose one of the offered times."),
            start=start,
        )

    def _full(self, start: datetime) -> Refusal | None:
        hours = self.hours
        if not hours or not hours.capped:
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
            if hits(self._sessions[whose], start, end):
                return time_taken(whose, start)
        if self.hours and hits(self._buffered, start, end):
            return _no(
                "buffer",
                N_(
                    "%(start)s is too close to another session; the coach needs %(between)s "
                    "between two of them."
                ),
                start=start,
                between=timedelta(minutes=self.hours.around),
            )
        return None

    @cached_property
    def _sessions(self) -> dict[str, list[Stretch]]:
        booked = [one for one in self.taken if not one.held]
        return {
            whose: merged((one.starts, one.ends) for one in booked if one.whose == whose)
            for whose in ("coach", "student")
        }

    @cached_property
    def _buffered(self) -> list[Stretch]:
        return self._apart(self._sessions["coach"])

    def _apart(self, sessions: Iterable[Stretch]) -> list[Stretch]:
        # Each session stands between its two buffers, and no two such stretches overlap.
        apart = timedelta(minutes=self.hours.around if self.hours else 0)
        return merged((start - apart, end + apart) for start, end in sessions)

    @cached_property
    def _blocked(self) -> list[Stretch]:
        """All that a session may not meet, to be offered: what is taken, held, or days away."""
        held = [one for one in self.taken if one.held]
        coachs = self._apart((one.starts, one.ends) for one in held if one.whose == "coach")
        students = ((one.starts, one.ends) for one in held if one.whose == "student")
        return merged(
            [*self._buffered, *self._sessions["student"], *self._away, *coachs, *students]
        )

    @cached_property
    def _away(self) -> list[Stretch]:
        return merged((one.starts, one.ends) for one in self.taken if one.whose == "away")

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
        return less(self._opened(first, last), self._away)

    def _opened(self, first: datetime, last: datetime) -> list[Stretch]:
        if self.hours is None:
            return [(first, last)]
        return merged((opens, closes) for opens, closes, _begins in self._spans(first, last))

    def _spans(
        self, first: datetime, last: datetime
    ) -> Iterator[tuple[datetime, datetime, datetime]]:
        """The spans between two instants: from, until, and the instant its steps count from.

        A span that the clocks jump over or turn back in comes in several pieces.
        """
        hours = self.hours or Hours(self.zone, weekly=_ALWAYS)
        for day in zones.days_around(first, last):
            spans = hours.spans_on(day)
            for begins, ends, midnight in zones.stretches(day, hours.zone_on(day)) if spans else ():
                earliest, latest = max(begins, first), min(ends, last)
                for opens, closes in spans:
                    counted = midnight + timedelta(minutes=opens)
                    start = max(earliest, counted)
                    end = min(latest, midnight + timedelta(minutes=closes))
                    if start < end:
                        yield start, end, counted

    def _day_of(self, instant: datetime) -> date:
        """The coach's date at an instant. Where a stay begins or ends two zones may each have a
        day then, or none: the one in whose hours it lies, else the first, else the date at home.
        """
        hours = self.hours
        assert hours
        home = zones.local(instant, hours.zone)
        if not hours.stays:
            return home.date()
        others = dict.fromkeys(stay.zone for stay in hours.stays if stay.zone != hours.zone)
        walls = [home, *(zones.local(instant, zone) for zone in others)]
        days = [one for one in walls if hours.zone_on(one.date()) == str(one.tzinfo)]
        for one in days:
            minute = one.hour * 60 + one.minute
            if any(opens <= minute < closes for opens, closes in hours.spans_on(one.date())):
                return one.date()
        return (days or walls)[0].date()


_ALWAYS = dict.fromkeys(range(7), ((0, DAY),))


def _no(code: str, message: str, **figures: datetime | timedelta | int) -> Refusal:
    return Refusal(code, message, figures, Kind.CONFLICT, "scheduled_at")


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
