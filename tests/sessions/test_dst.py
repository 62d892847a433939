"""Both are told two weeks before clocks change the time of their series for one of them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from skileez import db, outbox, worker
from skileez.accounts import actions as accounts
from skileez.accounts.models import Person
from skileez.events import Event
from skileez.reactions import react
from skileez.sessions import (
    actions,
    dst,
    recurrence,
    series_booking,
    series_ending,
    series_moving,
)
from skileez.sessions.models import Session
from skileez.sessions.series import Series
from tests.cast import DAY, HOUR, WHY, Cast, enter

BERLIN = "Europe/Berlin"
BEGUN = datetime(2027, 2, 1, 12, tzinfo=UTC)
DUE = datetime(2027, 3, 1, 17, tzinfo=UTC)
"""Two weeks before Monday 15 March, 18:00 in Berlin: the first session after the 14th."""
MARCH = {"usual": "12:00", "becomes": "13:00", "first": "2027-03-14", "last": "2027-03-27"}


@pytest.fixture
def cast(database: str) -> Cast:
    """The student lives in Berlin, the coach in New York."""
    return enter(database, 12)


def book(cast: Cast, first: date = date(2027, 2, 8), count: int = 7, **told: Any) -> int:
    with db.transaction():
        contract = actions.find_contract_for(cast.actor("coach"), cast.contract.id)
        pattern = recurrence.starting(BERLIN, first, time(18), [0], 60, count=count, **told)
        who = cast.actor("coach")
        return series_booking.book_series(contract, pattern, by="coach", actor=who, now=BEGUN).id


def told() -> list[dict[str, Any]]:
    """What was told so far: the sides of each change."""
    db.session.remove()
    events = Event.query.filter_by(verb="series.clock_change").order_by(Event.id)
    return [one.details["change"]["sides"] for one in events]


def look(now: datetime) -> datetime | None:
    """Do all that is due; when to look next."""
    while outbox.dispatch(react, now) or worker.clocks(now):
        pass
    db.session.remove()
    found: datetime | None = Series.query.one().clocks_at
    return found


def test_both_are_told_two_weeks_before_the_first_session_and_never_again(cast: Cast) -> None:
    series = book(cast)
    assert look(BEGUN) == DUE
    assert look(DUE - timedelta(seconds=1)) == DUE
    assert told() == []
    assert look(DUE) is None
    assert told() == [{"coach": MARCH}]
    event = Event.query.filter_by(verb="series.clock_change").one()
    assert (event.actor_kind, event.role, event.contract_id) == ("system", None, cast.contract.id)
    assert event.new_time == DUE + 14 * DAY
    assert event.details == {
        "series_id": series,
        "zone": BERLIN,
        "place": "2027-03-15T18:00",
        "change": {"day": "2027-03-14", "sides": {"coach": MARCH}},
    }
    with db.transaction():
        dst.look_at_all(DUE + DAY)
    assert look(DUE + DAY) is None
    assert told() == [{"coach": MARCH}]


def test_autumn_is_told_as_exactly(cast: Cast) -> None:
    book(cast, date(2027, 10, 11), 6)
    due = datetime(2027, 10, 18, 17, tzinfo=UTC)
    assert look(BEGUN) == due
    look(due)
    autumn = {"usual": "12:00", "becomes": "13:00", "first": "2027-10-31", "last": "2027-11-06"}
    assert told() == [{"coach": autumn}]


def test_a_series_booked_later_than_that_is_told_of_at_once(cast: Cast) -> None:
    book(cast, date(2027, 2, 8))
    look(DUE + 3 * DAY)
    assert told() == [{"coach": MARCH}]


def test_nobody_is_told_of_zones_that_change_together(cast: Cast) -> None:
    with db.transaction():
        db.session.get_one(Person, cast.coach.id).zone = "Europe/London"
    book(cast)
    assert look(BEGUN) is None


@pytest.mark.parametrize("keep", [True, False])
def test_a_series_that_was_stopped_is_not_told_of(cast: Cast, keep: bool) -> None:
    who, series = cast.actor("coach"), book(cast)
    look(BEGUN)
    with db.transaction():
        found = actions.find_series_for(who, series)
        series_ending.stop(found, keep=keep, by="coach", reason=WHY, actor=who, now=BEGUN)
    assert look(DUE) is None
    assert told() == []


def test_a_series_that_moves_is_told_anew(cast: Cast) -> None:
    who, coach, series = cast.actor("student"), cast.actor("coach"), book(cast)
    look(DUE)
    with db.transaction():
        found = actions.find_series_for(who, series)
        series_moving.request_move(
            *(found, "2027-03-08T18:00"),
            weekdays=[0],
            clock=time(20),
            reason=WHY,
            by="student",
            actor=who,
            now=DUE,
        )
    look(DUE)
    assert told() == [{"coach": MARCH}]
    with db.transaction():
        found = actions.find_series_for(coach, series)
        series_moving.approve_move(found, by="coach", actor=coach, now=DUE)
    # A later time is due two hours later.
    assert look(DUE) == DUE + 2 * HOUR
    look(DUE + 2 * HOUR)
    assert told() == [{"coach": MARCH}, {"coach": {**MARCH, "usual": "14:00", "becomes": "15:00"}}]


def test_the_next_session_counts_where_the_first_was_called_off(cast: Cast) -> None:
    book(cast)
    look(BEGUN)
    first = Session.query.filter_by(series_place="2027-03-15T18:00").one()
    with db.transaction():
        actions.find_any(first.id).cancel_session(by="coach", reason=WHY, now=BEGUN)
    assert look(BEGUN) == DUE + 7 * DAY
    assert look(DUE + 7 * DAY) is None
    assert told() == [{"coach": MARCH}]
    # Told once, also where the first changes after that.
    second = Session.query.filter_by(series_place="2027-03-22T18:00").one()
    with db.transaction():
        actions.find_any(second.id).cancel_session(by="coach", reason=WHY, now=DUE + 8 * DAY)
    look(DUE + 8 * DAY)
    assert told() == [{"coach": MARCH}]


def test_whoever_moves_to_another_zone_is_told_anew(cast: Cast) -> None:
    book(cast)
    look(DUE)
    with db.transaction():
        accounts.update_profile(
            cast.coach.id,
            display_name="Jonas",
            zone="America/Chicago",
            offers_coaching=True,
            now=DUE,
        )
    look(DUE + DAY)
    chicago = {**MARCH, "usual": "11:00", "becomes": "12:00"}
    assert told() == [{"coach": MARCH}, {"coach": chicago}]
