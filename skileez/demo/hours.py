"""When the demo's coaches may be booked, when one of them is away, and a series.

Set last, at this hour: what lies behind was booked before there were hours.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final

from sqlalchemy import select

from skileez import db, zones
from skileez.accounts.models import Person
from skileez.availability import actions, days_away
from skileez.availability.rules import Hours, Span
from skileez.contracts.models import Contract
from skileez.events import Actor
from skileez.sessions import recurrence, series_booking
from skileez.sessions.actions import find_contract_for

OFFICE: Final = ((9 * 60, 17 * 60),)
EVENINGS: Final = ((9 * 60, 12 * 60), (14 * 60, 20 * 60))
MORNINGS: Final = ((7 * 60 + 30, 13 * 60),)
WITHOUT: Final = "amina.diallo"
"""The coach who has set none, and may be booked at any time."""

SERIES_DAYS_AHEAD: Final = 49
SERIES_DATES: Final = 3
TUESDAY: Final = 1


def keep(people: Mapping[str, Person], now: datetime) -> None:
    """Give every coach but one their hours, the first days away, and the student a series."""
    for key, person in people.items():
        if person.offers_coaching and key != WITHOUT:
            _set(person, _hours_of(key, person.zone), now)
    coach, student = people["coach"], people["student"]
    away = (now + timedelta(days=36)).date()
    days_away.add(
        Actor("person", coach.id),
        away,
        away + timedelta(days=2),
        reason="A conference in Lisbon.",
        now=now,
    )
    _book_series(coach, student, now)


def _hours_of(key: str, zone: str) -> Hours:
    if key == "coach":
        return Hours(
            zone,
            weekly=_week(EVENINGS, 4) | {4: MORNINGS},
            buffer_after=15,
            notice=12 * 60,
            per_day=6,
        )
    return Hours(zone, weekly=_week(OFFICE, 5), notice=4 * 60, horizon=90)


def _week(spans: Sequence[Span], days: int) -> dict[int, Sequence[Span]]:
    return dict.fromkeys(range(days), spans)


def _set(person: Person, hours: Hours, now: datetime) -> None:
    actions.set_hours(person.id, hours, actor=Actor("person", person.id), version=0, now=now)


def _book_series(coach: Person, student: Person, now: datetime) -> None:
    actor = Actor("person", student.id)
    (longest,) = db.session.scalars(
        select(Contract.id)
        .where(Contract.coach_id == coach.id, Contract.student_id == student.id)
        .order_by(Contract.total_sessions.desc())
        .limit(1)
    )
    contract = find_contract_for(actor, longest)
    first = zones.local(now, contract.timezone).date() + timedelta(days=SERIES_DAYS_AHEAD)
    pattern = recurrence.starting(
        contract.timezone,
        first,
        time(18),
        [TUESDAY],
        contract.duration_minutes,
        interval=2,
        count=SERIES_DATES,
    )
    series_booking.book_series(contract, pattern, by="student", actor=actor, now=now)
