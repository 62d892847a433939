"""A day of the calendar as a list: what is in it, what is free, and what may be done with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Final

from flask import url_for

from skileez import zones
from skileez.availability.stretches import Stretch, less, merged
from skileez.contracts.models import Contract
from skileez.contracts.rules import contract_is_active
from skileez.sessions import reschedule_rules
from skileez.sessions.calendar import Entry, What, Whose
from skileez.sessions.lines import Line
from skileez.sessions.rules import LIVE, Policy
from skileez.web import session_view
from skileez.web.display import clock, iso, long_date, zone_label
from skileez.web.language import gettext as _

_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)
_MORNING: Final = time(9)
"""The time that is asked for on a day of a coach who has set no hours."""
_GRAIN: Final = timedelta(minutes=15)
"""A free time that has begun already is offered from the next quarter of an hour on."""


def begins(day: date, zone: str) -> datetime:
    """The first instant of a day in ``zone``; of the next, where the zone left this one out."""
    return next(
        found[0][0] for ahead in range(3) if (found := zones.stretches(day + ahead * _DAY, zone))
    )


def title(line: Line) -> str:
    """The session's name in a calendar."""
    return _(
        "%(title)s · %(number)s of %(total)s",
        title=line.title,
        number=line.number,
        total=line.total,
    )


def move(line: Line, now: datetime, policy: Policy) -> str | None:
    """Where to ask for another time, if one may."""
    refusal = reschedule_rules.may_request_reschedule(line.facts, line.role, now, policy)
    return None if refusal else url_for("sessions.reschedule", session_id=line.id)


@dataclass(frozen=True)
class Agenda:
    """What a reader has between two instants, told day by day in their ``zone``.

    ``contract`` is the one to book under, if one is chosen, at times that are ``bookable``;
    ``whose`` its coach's hours.
    """

    zone: str
    now: datetime
    policy: Policy
    entries: Sequence[Entry]
    contract: Contract | None
    whose: Whose
    bookable: Stretch
    first: datetime
    last: datetime

    @property
    def book(self) -> str | None:
        """Where to book a time, if one may."""
        if self.contract is None or contract_is_active(self.contract.status):
            return None
        return url_for("sessions.book", contract_id=self.contract.id)

    def of(self, day: date) -> dict[str, Any]:
        """One day, as ``calendar/show.html`` takes it."""
        start, end = begins(day, self.zone), begins(day + _DAY, self.zone)
        # Clocks that change at midnight do so on the day that begins then.
        before, after = (zones.offset_label(one - _INSTANT, self.zone) for one in (start, end))
        return {
            "date": day.isoformat(),
            "words": long_date(day),
            "today": start <= self.now < end,
            "clocks": (before, after) if before != after else None,
            "items": [
                self._item(one)
                for one in self.entries
                if one.line and start <= max(one.starts, self.first) < end
            ],
            "away": [
                self._times(max(one.starts, start), min(one.ends, end), (start, end))
                for one in self.entries
                if one.what is What.AWAY and one.starts < end and one.ends > start
            ],
            "free": list(self._free_on(day, start, end)),
        }

    def _item(self, one: Entry) -> dict[str, Any]:
        line = one.line
        assert line is not None
        here = one.what is What.SESSION
        return {
            "times": self._times(one.starts, one.ends),
            "iso": iso(one.starts),
            "theirs": self._theirs(one, line.other_zone),
            "href": url_for("sessions.show", session_id=line.id),
            "title": title(line),
            "with_name": line.other_name,
            "proposed": not here,
            "state": session_view.shown_state(line.facts, line.state),
            "confirmed": line.facts.confirmed,
            "version": line.version,
            "move": move(line, self.now, self.policy) if here else None,
            "step": session_view.todo(line, self.now, self.policy) if here else None,
        }

    def _times(self, starts: datetime, ends: datetime, whole: Stretch | None = None) -> str:
        if (starts, ends) == whole:
            return _("all day")
        return f"{clock(starts, self.zone)}–{clock(ends, self.zone)}"

    def _theirs(self, one: Entry, zone: str) -> str | None:
        """The time on the other's clocks, where those show another one."""
        mine, theirs = (zones.local(one.starts, name) for name in (self.zone, zone))
        if mine.utcoffset() == theirs.utcoffset():
            return None
        said = {"time": clock(one.starts, zone), "zone": zone_label(zone)}
        if mine.date() == theirs.date():
            return _("%(time)s in %(zone)s", **said)
        return _("%(time)s in %(zone)s, %(day)s", day=long_date(theirs), **said)

    # Free time

    @cached_property
    def _free(self) -> list[Stretch]:
        """The coach's open hours less what is taken, by the reader too."""
        taken = merged(
            (one.starts, one.ends)
            for one in self.entries
            if one.what is What.BUSY
            or (one.what is What.SESSION and one.line and one.line.facts.status in LIVE)
        )
        return less(self.whose.open(self.first, self.last, self.entries), taken)

    def _free_on(self, day: date, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        length = timedelta(minutes=self.contract.duration_minutes) if self.contract else _GRAIN
        if self.whose.hours is None:
            morning = zones.alternatives(datetime.combine(day, _MORNING), self.zone)[0]
            if href := self._book_at(morning, end - length):
                yield {"words": None, "href": href}
            return
        for opens, closes in self._free:
            begin, until = max(opens, start), min(closes, end)
            if until - begin >= length and until > self.now:
                href = self._book_at(begin, until - length)
                yield {"words": self._times(begin, until, (start, end)), "href": href}

    def _book_at(self, first: datetime, last: datetime) -> str | None:
        """Where to book the first time between the two that may be booked."""
        soonest, latest = self.bookable
        at = max(first, _ceil(soonest))
        return f"{self.book}?at={iso(at)}" if self.book and at <= min(last, latest) else None


def _ceil(instant: datetime) -> datetime:
    past = (instant - datetime.min.replace(tzinfo=instant.tzinfo)) % _GRAIN
    return instant if not past else instant + _GRAIN - past
