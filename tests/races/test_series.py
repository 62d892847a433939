"""Series at once: each is booked whole or not at all, and a request has one answer."""

from datetime import date, time

from skileez import db
from skileez.errors import Refused
from skileez.events import SYSTEM, Event, broken_links
from skileez.sessions import actions, series_booking, series_moving
from skileez.sessions.models import Session
from skileez.sessions.recurrence import starting
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.series import Series
from skileez.sessions.series_rules import SETTLED
from tests.cast import HOUR, NOW, WHY, Cast
from tests.races.arena import WON, race
from tests.races.test_races import book, one_coach_and_many_students, overlapping_pairs

FIRST = date(2026, 3, 9)
CLIENTS = 12


def book_series(contract_id: int, day: int, count: int = 4) -> None:
    with db.transaction():
        contract = actions.find_contract_for(SYSTEM, contract_id, admin=True)
        pattern = starting("UTC", FIRST, time(12), [day], 60, count=count)
        series_booking.book_series(contract, pattern, by="student", now=NOW)


def test_series_and_single_sessions_for_one_coachs_hours(cast: Cast, database: str) -> None:
    contracts = one_coach_and_many_students(4)

    def attempt(n: int) -> None:
        # Half of them want all Mondays; the others one of them, half an hour later.
        if n % 2:
            book_series(contracts[n % 4], 0)
        else:
            book(contracts[n % 4], 7 * 24 * (1 + n // 2 % 4) + 0.5)

    outcomes = race(database, attempt, CLIENTS)
    assert outcomes.total() == CLIENTS
    assert set(outcomes) <= {WON, "time_taken", "series_conflicts", "number_taken", "busy"}
    assert outcomes[WON] >= 1
    assert overlapping_pairs() == 0
    for series in Series.query:
        assert Session.query.filter_by(series_id=series.id).count() == 4
    assert not list(broken_links())


def test_a_request_to_move_a_series_has_one_answer(cast: Cast, database: str) -> None:
    with db.transaction():
        contract = actions.find_contract_for(cast.actor("student"), cast.contract.id)
        pattern = starting("UTC", FIRST, time(12), [0], 60, count=4)
        series = series_booking.book_series(contract, pattern, by="student", now=NOW)
        series_moving.request_move(
            series, "2026-03-09T12:00", weekdays=[2], clock=time(9), reason=WHY, by="student",
            now=NOW,
        )  # fmt: skip
        known = series.id

    def attempt(n: int) -> None:
        with db.transaction():
            found = actions.find_any_series(known)
            if n % 3 == 0:
                series_moving.approve_move(found, by="coach", now=NOW + HOUR)
            elif n % 3 == 1:
                series_moving.decline_move(found, by="coach", now=NOW + HOUR)
            else:
                series_moving.withdraw_move(found, by="student", now=NOW + HOUR)

    outcomes = race(database, attempt, CLIENTS)
    assert outcomes == {WON: 1, "no_move_request": CLIENTS - 1}
    moved = Session.query.filter(Session.series_place.like("%T09:00")).count()
    approved = Event.query.filter_by(verb="series.move_approved").count()
    assert moved == 4 * approved
    assert not list(broken_links())


def test_the_sweep_and_an_answer_settle_a_request_once(cast: Cast, database: str) -> None:
    with db.transaction():
        contract = actions.find_contract_for(cast.actor("student"), cast.contract.id)
        pattern = starting("UTC", FIRST, time(12), [0], 60, count=3)
        series = series_booking.book_series(contract, pattern, by="student", now=NOW)
        series_moving.request_move(
            series, "2026-03-09T12:00", weekdays=[2], clock=time(9), reason=WHY, by="student",
            now=NOW,
        )  # fmt: skip
        known = series.id
    due = NOW + 24 * HOUR

    def attempt(n: int) -> None:
        if actions.settle_series(known, due) is None:
            raise Refused(SETTLED[Silence.APPROVED])

    outcomes = race(database, attempt, 6)
    assert outcomes == {WON: 1, SETTLED[Silence.APPROVED].code: 5}
    assert Event.query.filter_by(verb="session.moved").count() == 3
