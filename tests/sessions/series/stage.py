"""What the tests of series do with one, and what they look at."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

import pytest

from skileez import db
from skileez.errors import Refused
from skileez.events import Event
from skileez.sessions import actions, series_booking, series_moving, series_planning
from skileez.sessions.models import Session
from skileez.sessions.recurrence import Pattern, starting
from skileez.sessions.series import Series
from tests.cast import NOW, WHY, Cast
from tests.sessions.stage import everything

# NOW is Monday, 2 March 2026, 12:00 UTC. Berlin's clocks change on 29 March, New York's on the 8th.
FIRST = date(2026, 3, 9)
SIX = time(18)
MONDAYS = [f"2026-{day}T18:00" for day in ("03-09", "03-16", "03-23", "03-30", "04-06", "04-13")]


def pattern(*days: int, **told: Any) -> Pattern:
    told = {"zone": "Europe/Berlin", "first": FIRST, "clock": SIX, "minutes": 60, **told}
    if "until" not in told:
        told.setdefault("count", 6)
    return starting(weekdays=days or (0,), **told)


def book(
    cast: Cast,
    one: Pattern | None = None,
    choices: series_planning.Choices | None = None,
    *,
    by: str = "student",
    now: datetime = NOW,
) -> Series:
    with db.transaction():
        contract = actions.find_contract_for(cast.actor(by), cast.contract.id)
        return series_booking.book_series(
            contract, one or pattern(), choices, by=by, actor=cast.actor(by), now=now
        )


def act(cast: Cast, series: Series, who: str, verb: Any, *given: Any, **told: Any) -> Any:
    """Have ``who`` do it as a door would."""
    with db.transaction():
        found = actions.find_series_for(cast.actor(who), series.id)
        told = {"by": who, "actor": cast.actor(who), "now": NOW, **told}
        return verb(found, *given, **told)


def ask(
    cast: Cast, series: Series, place: str, *days: int, by: str = "student", **told: Any
) -> None:
    told = {"weekdays": days or (2,), "clock": time(17), "reason": WHY, **told}
    act(cast, series, by, series_moving.request_move, place, **told)


def again(series: Series) -> Series:
    found: Series = db.session.get(Series, series.id, populate_existing=True)
    return found


def sessions(series: Series) -> list[Session]:
    found = Session.query.filter_by(series_id=series.id).populate_existing()
    return list(found.order_by(Session.series_place, Session.id))


def starts(found: Iterable[Session]) -> list[str]:
    return [f"{one.scheduled_at:%m-%d %H:%M}" for one in found if one.scheduled_at]


def verbs(series: Series) -> list[str]:
    of = Event.query.filter_by(stream=f"contract:{series.contract_id}").order_by(Event.position)
    return [event.verb for event in of if event.verb != "contract.started"]


def last_event() -> Event:
    return Event.query.order_by(Event.id.desc()).first()


def refused(code: str, do: Any, *given: Any, **told: Any) -> Refused:
    """It is refused with ``code``, and leaves nothing behind."""
    before = everything()
    with pytest.raises(Refused) as caught:
        do(*given, **told)
    assert caught.value.code == code
    assert everything() == before
    return caught.value
