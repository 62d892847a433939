"""Booking and confirming a session: what it changes, to the last column, and what is told."""

from datetime import timedelta

from skileez import db
from skileez.contracts.models import Contract
from skileez.events import Event, request_id
from skileez.sessions.models import BookedTime, Session
from tests.cast import HOUR, NOW, Cast
from tests.sessions.stage import at, columns, do, events_of, tells, told


def test_booking_fills_the_whole_row(cast: Cast) -> None:
    session = cast.book(minutes=90)
    contract = cast.contract
    assert columns(Session, session.id) == {
        "id": session.id,
        "proposal_id": contract.proposal_id,
        "contract_id": contract.id,
        "coach_id": cast.coach.id,
        "student_id": cast.student.id,
        "session_number": 1,
        "scheduled_date": at(60),
        "scheduled_at": at(60),
        "ends_at": at(61.5),
        "listed_at": at(60),
        "duration_minutes": 90,
        "timezone": "Europe/Berlin",
        "wall_at": "2026-03-05T01:00",
        "series_id": None,
        "series_place": None,
        "status": "scheduled",
        "stored_state": "scheduled",
        "confirmed_by_coach": False,
        "scheduling_by": None,
        "meeting_url": None,
        "heard": False,
        "reschedule_requested": False,
        "reschedule_requested_by": None,
        "reschedule_reason": None,
        "reschedule_deadline": None,
        "reschedule_kind": None,
        "reschedule_asked_at": None,
        "completed_date": None,
        "student_notes": None,
        "coach_notes": None,
        "actual_minutes": None,
        "cancelled_at": None,
        "cancelled_by": None,
        "cancel_reason": None,
        "cancelled_late": False,
        "missed_at": None,
        "missed_by": None,
        "missed_reason": None,
        "absent": None,
        "correction_by": None,
        "correction_reason": None,
        "created_at": NOW,
        "version": 1,
    }
    [event] = events_of(session.id)
    assert told(event) == tells(
        "session.booked",
        actor_id=cast.student.id,
        role="student",
        status_to="scheduled",
        new_time=at(60),
        details={"session_number": 1, "duration_minutes": 90},
    )
    assert (event.contract_id, event.proposal_id) == (contract.id, contract.proposal_id)
    assert event.stream == f"contract:{contract.id}"
    taken = {(one.person_id, one.starts_at, one.ends_at) for one in BookedTime.query}
    assert taken == {(who.id, at(60), at(61.5)) for who in (cast.coach, cast.student)}


def test_what_the_coach_books_is_confirmed(cast: Cast) -> None:
    session = cast.book(by="coach")
    assert columns(Session, session.id)["confirmed_by_coach"] is True
    assert session.get_status_display() == "Confirmed"


def test_the_coach_confirms_and_a_second_time_changes_nothing(cast: Cast, session: Session) -> None:
    coach = cast.actor("coach")
    assert session.can_confirm("coach", now=NOW)
    assert not session.can_confirm("student", now=NOW)
    changed, [event] = do(
        cast, session, "coach", lambda one: one.confirm("coach", actor=coach, now=NOW)
    )
    assert changed == {"confirmed_by_coach": True}
    assert told(event) == tells("session.confirmed", actor_id=coach.id, role="coach")
    again = do(cast, session, "coach", lambda one: one.confirm("coach", actor=coach, now=NOW))
    assert again == ({}, [])


def test_the_meeting_link_is_the_sessions_or_else_the_contracts(
    cast: Cast, session: Session
) -> None:
    coach = cast.actor("coach")
    with db.transaction():
        contract = db.session.get(Contract, cast.contract.id)
        assert contract
        contract.set_meeting_url("https://meet.example/room", actor=coach, role="coach", now=NOW)
    assert session.link == "https://meet.example/room"
    url = " https://meet.example/other "
    changed, [event] = do(
        cast, session, "coach", lambda one: one.set_meeting_url(url, "coach", actor=coach, now=NOW)
    )
    assert changed == {"meeting_url": "https://meet.example/other"}
    assert told(event) == tells(
        "session.meeting_link_set",
        actor_id=coach.id,
        role="coach",
        details={"meeting_url": "https://meet.example/other"},
    )
    assert session.link == "https://meet.example/other"
    same = do(cast, session, "coach", lambda one: one.set_meeting_url(url, "coach", now=NOW))
    assert same == ({}, [])
    do(cast, session, "coach", lambda one: one.set_meeting_url("", "coach", now=NOW))
    assert session.link == "https://meet.example/room"


def test_an_event_carries_the_request_that_caused_it(cast: Cast, session: Session) -> None:
    token = request_id.set("req-17")
    try:
        do(cast, session, "coach", lambda one: one.confirm("coach", now=NOW))
    finally:
        request_id.reset(token)
    last = Event.query.order_by(Event.id.desc()).first()
    assert last.request_id == "req-17"


def test_it_tells_how_long_there_is_and_whether_it_is_overdue(cast: Cast, session: Session) -> None:
    assert session.get_time_until_session(now=NOW) == 60 * HOUR
    assert session.get_time_until_session(now=at(61)) == -HOUR
    assert not session.is_overdue(now=at(60.5))
    assert session.is_overdue(now=at(61))
    assert not session.can_be_completed(now=NOW)
    assert session.is_reschedule_allowed(now=at(50))
    assert not session.is_reschedule_allowed(now=at(50) + timedelta(seconds=1))
    assert session.can_request_reschedule("student", now=at(59))
    assert not session.can_request_reschedule("coach", now=at(59))
    assert session.role_of(cast.student.id) == "student"
    assert session.role_of(cast.coach.id) == "coach"
    assert session.role_of(cast.stranger.id) is session.role_of(None) is None
