"""A week of a coach's hours, drawn: open, booked, away, and what students are offered."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask_babel import ngettext

from skileez import zones
from skileez.accounts.models import Person
from skileez.availability import queries, week
from skileez.availability.rules import DAY, MAX_HORIZON, Hours, Span, clock_text
from skileez.availability.slots import Opening
from skileez.availability.week import WeekDay
from skileez.sessions import meeting
from skileez.sessions import policy as policies
from skileez.web import absence_view
from skileez.web.contract_forms import DEFAULT_MINUTES
from skileez.web.display import short_date, weekdays, zone_label
from skileez.web.language import gettext as _

HOUR: Final = 60
_NEXT_AWAY: Final = 3
_LATEST: Final = timedelta(days=MAX_HORIZON)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the template draws; ``first_hour`` to ``last_hour`` is the part of the day shown."""

    first: date
    last: date
    zone: str
    days: list[dict[str, Any]]
    first_hour: int
    last_hour: int
    offered: str
    notes: list[str]
    away: list[str]
    earlier: date | None
    later: date | None
    bounds: tuple[date, date]


def chosen_week(said: str | None, now: datetime, zone: str) -> date:
    """The Monday of the week that was asked for, or of this week, within what can be booked."""
    today = zones.local(now, zone).date()
    try:
        day = date.fromisoformat(said or "")
    except ValueError:
        day = today
    return week.monday(min(max(day, today), today + _LATEST))


def of(coach: Person, hours: Hours, first: date, now: datetime) -> Preview:
    """The week from ``first`` by these hours, be they saved or not. Two queries."""
    start, end = week.bounds(first, hours)
    policy = policies.in_force()
    opening = Opening(
        hours,
        DEFAULT_MINUTES,
        meeting.taken_between(coach.id, coach.id, start, end),
        now=now,
        earliest=now + policy.min_lead,
        latest=now + policy.horizon,
    )
    days = week.days(opening, hours, first)
    spans = [span for day in days for span in (*day.open, *day.booked)]
    first_hour = min([start // HOUR for start, _end in spans], default=8)
    last_hour = max([-(-end // HOUR) for _start, end in spans], default=18)
    today = zones.local(now, hours.zone).date()
    earliest, latest = week.monday(today), week.monday(today + _LATEST)
    around = timedelta(days=7)
    return Preview(
        first=first,
        last=days[-1].date,
        zone=hours.zone,
        days=[_drawn(day, today) for day in days],
        first_hour=max(0, first_hour - 1),
        last_hour=min(24, last_hour + 1),
        offered=_offered(len(opening.starts(start, end)), opening, start),
        notes=[*_clock_changes(days), *_stays(days, hours)],
        away=[absence_view.days(one, now) for one in queries.time_off(coach.id, now)[:_NEXT_AWAY]],
        earlier=first - around if first > earliest else None,
        later=first + around if first < latest else None,
        bounds=(today, today + _LATEST),
    )


def _drawn(day: WeekDay, today: date) -> dict[str, Any]:
    return {
        "name": weekdays()[day.date.weekday()][0],
        "number": day.date.day,
        "label": short_date(day.date),
        "today": day.date == today,
        "blocks": [
            {"kind": kind, "from": start, "to": end, "text": _span((start, end))}
            for kind in ("open", "away", "booked", "skipped", "twice")
            for start, end in getattr(day, kind)
        ],
        "words": _words(day),
    }


def _words(day: WeekDay) -> str:
    said = [", ".join(map(_span, day.open))] if day.open or day.away else [_("closed")]
    if day.booked:
        said.append(_("booked %(times)s", times=", ".join(map(_span, day.booked))))
    if day.away:
        whole = [tuple(span) for span in day.away] == [(0, DAY)]
        times = _("all day") if whole else ", ".join(map(_span, day.away))
        said.append(_("away %(times)s", times=times))
    return "; ".join(filter(None, said))


def _offered(count: int, opening: Opening, start: datetime) -> str:
    minutes = DEFAULT_MINUTES
    if count:
        said: str = ngettext(
            "Students are offered %(num)s starting time of %(minutes)s minutes in this week.",
            "Students are offered %(num)s starting times of %(minutes)s minutes in this week.",
            count,
            minutes=minutes,
        )
        return said
    if start > opening.latest:
        return _("Nothing is offered yet: this week is further ahead than you take bookings.")
    return _("Students are offered nothing in this week.")


def _clock_changes(days: list[WeekDay]) -> list[str]:
    notes = []
    for day in days:
        told = {"day": short_date(day.date), "zone": zone_label(day.zone)}
        notes += [
            _("%(day)s: the clocks in %(zone)s jump over %(times)s.", times=_span(one), **told)
            for one in day.skipped
        ]
        notes += [
            _("%(day)s: the clocks in %(zone)s show %(times)s twice.", times=_span(one), **told)
            for one in day.twice
        ]
    return notes


def _stays(days: list[WeekDay], hours: Hours) -> list[str]:
    return [
        _(
            "From %(first)s to %(last)s the clocks are those of %(zone)s.",
            first=short_date(max(stay.first, days[0].date)),
            last=short_date(min(stay.last, days[-1].date)),
            zone=zone_label(stay.zone),
        )
        for stay in hours.stays
        if stay.first <= days[-1].date and stay.last >= days[0].date
    ]


def _span(span: Span) -> str:
    return f"{clock_text(span[0])}–{clock_text(span[1])}"
