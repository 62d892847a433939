"""The verbs keep a student to the coach's hours, and leave the coach free."""

import pytest

from skileez import db
from skileez.availability.models import Availability, TimeOff
from skileez.availability.rules import Hours
from skileez.errors import Refused
from skileez.sessions.models import Session
from tests.cast import HOUR, NOW, WHY, Cast
from tests.sessions.stage import at

# NOW is a Monday at 12:00 UTC; 60 hours on it is Thursday, 00:00 UTC.
NIGHTS = Hours("UTC", weekly={3: [(0, 240)]}, buffer_after=30)


def set_hours(cast: Cast, hours: Hours) -> None:
    with db.transaction():
        row = Availability(coach_id=cast.coach.id, changed_at=NOW)
        row.take(hours)
        db.session.add(row)


def go_away(cast: Cast, start: float, end: float) -> None:
    with db.transaction():
        db.session.add(
            TimeOff(
                coach_id=cast.coach.id,
                starts_at=at(start),
                ends_at=at(end),
                zone="UTC",
                wall_start="",
                wall_end="",
                created_at=NOW,
            )
        )


def code_of(cast: Cast, ahead: float, by: str = "student") -> str | None:
    try:
        cast.book(ahead * HOUR, by=by)
    except Refused as refused:
        return refused.code
    return None


def test_a_student_books_inside_the_hours_and_a_coach_outside_them_too(cast: Cast) -> None:
    set_hours(cast, NIGHTS)
    assert code_of(cast, 59.5) == "outside_hours"
    assert code_of(cast, 63.5) == "outside_hours"
    assert code_of(cast, 60) is None
    assert code_of(cast, 61) == "buffer"
    assert code_of(cast, 61, by="coach") == "buffer"
    assert code_of(cast, 61.5) is None
    assert code_of(cast, 80, by="coach") is None


def test_a_student_asks_for_times_inside_the_hours_and_the_coach_for_any(cast: Cast) -> None:
    session = cast.book()
    set_hours(cast, NIGHTS)
    with pytest.raises(Refused) as refused, db.transaction():
        session.request_reschedule("student", WHY, proposed_times=[at(80)], now=NOW)
    assert (refused.value.code, refused.value.refusal.field) == ("outside_hours", "proposed_times")
    with db.transaction():
        session.request_reschedule("coach", WHY, proposed_times=[at(80)], now=NOW)
        session.approve_reschedule(at(80), by="student", now=NOW)
    assert session.scheduled_at == at(80)


def test_who_names_no_time_asks_no_hours(cast: Cast) -> None:
    session = cast.book()
    set_hours(cast, NIGHTS)
    with db.transaction():
        session.request_reschedule("student", WHY, now=NOW)
    assert session.reschedule_requested


def test_silence_does_not_move_a_session_into_the_coachs_days_away(cast: Cast) -> None:
    session = cast.book()
    set_hours(cast, NIGHTS)
    with db.transaction():
        session.request_reschedule("student", WHY, proposed_times=[at(62)], now=NOW)
    go_away(cast, 55, 70)
    with db.transaction():
        session.settle_silence(now=at(24))
    moved = db.session.get_one(Session, session.id)
    assert (moved.scheduled_at, moved.scheduling_by) == (None, "student")
