"""The source document's code runs as it is written there: names, positions, bare calls."""

import inspect
from datetime import timedelta

import pytest
import time_machine

from skileez import db
from skileez.events import Event
from skileez.sessions.models import Session
from tests.cast import HOUR, NOW, WHY, Cast
from tests.sessions.stage import at, tells, told

COLUMNS = [
    "id",
    "proposal_id",
    "session_number",
    "scheduled_date",
    "completed_date",
    "status",
    "student_notes",
    "coach_notes",
    "scheduled_at",
    "duration_minutes",
    "timezone",
    "reschedule_requested",
    "reschedule_requested_by",
    "reschedule_reason",
    "reschedule_deadline",
    "confirmed_by_coach",
]

METHODS = {
    "is_reschedule_allowed": [],
    "can_request_reschedule": ["role"],
    "request_reschedule": ["by", "reason"],
    "approve_reschedule": ["new_time"],
    "decline_reschedule": [],
    "mark_completed": ["notes", "by"],
    "mark_missed": [],
    "cancel_session": [],
    "get_status_display": [],
    "get_time_until_session": [],
    "is_overdue": [],
    "can_be_completed": [],
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_what_the_document_gives_it_by_position(name: str) -> None:
    parameters = list(inspect.signature(getattr(Session, name)).parameters.values())[1:]
    positional = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert positional == METHODS[name]
    assert all(one.default is not one.empty for one in parameters if one.kind is one.KEYWORD_ONLY)


def test_the_table_has_every_column_of_the_document() -> None:
    assert set(COLUMNS) <= set(Session.__table__.columns.keys())


def test_a_session_is_made_of_a_proposal_a_number_and_a_time(cast: Cast) -> None:
    with db.transaction():
        session = Session(
            proposal_id=cast.contract.proposal_id, session_number=2, scheduled_at=at(60)
        )
        db.session.add(session)
    found = Session.query.get(session.id)
    assert (found.contract_id, found.coach_id, found.student_id) == (
        cast.contract.id,
        cast.coach.id,
        cast.student.id,
    )
    assert (found.duration_minutes, found.timezone) == (60, "Europe/Berlin")
    assert (found.status, found.state) == ("scheduled", "scheduled")
    assert found.scheduled_date == found.scheduled_at == at(60)
    assert found.ends_at == at(61)
    assert found.reschedule_requested is found.confirmed_by_coach is False


def test_what_the_caller_names_is_kept(cast: Cast) -> None:
    with db.transaction():
        session = Session(
            proposal_id=cast.contract.proposal_id,
            session_number=1,
            scheduled_at=at(60),
            duration_minutes=45,
            timezone="Asia/Kathmandu",
            confirmed_by_coach=True,
        )
        db.session.add(session)
    assert (session.ends_at, session.timezone) == (at(60.75), "Asia/Kathmandu")
    assert session.confirmed_by_coach
    assert session.get_status_display() == "Confirmed"


def test_the_debugging_lines_of_the_document(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    session_id = cast.book().id
    db.session.remove()
    session = Session.query.get(session_id)
    print(f"Status: {session.status}")
    print(f"Reschedule requested: {session.reschedule_requested}")
    print(f"Can be completed: {session.can_be_completed()}")
    assert capsys.readouterr().out.splitlines() == [
        "Status: scheduled",
        "Reschedule requested: False",
        "Can be completed: True",  # by the real clock, NOW is long ago
    ]
    assert Session.query.get(999_999) is None


def test_bare_calls_are_the_systems_and_keep_no_reason(cast: Cast) -> None:
    ids = [cast.book((60 + n) * HOUR).id for n in range(3)]
    asks = "student"
    with time_machine.travel(NOW, tick=False), db.transaction():
        cancelled, declined, missed = map(Session.query.get, ids)
        cancelled.cancel_session()
        declined.request_reschedule(asks, WHY)
        declined.decline_reschedule()
    with time_machine.travel(at(63), tick=False), db.transaction():
        missed.mark_missed()
    assert cancelled.state == "cancelled"
    assert (cancelled.cancelled_by, cancelled.cancel_reason) == (None, None)
    assert missed.state == "missed"
    assert (missed.missed_by, missed.missed_reason, missed.absent) == (None, None, None)
    assert declined.state == "scheduled"
    by_verb = {event.verb: told(event) for event in Event.query.filter(Event.session_id.in_(ids))}
    system = {"actor_kind": "system"}
    assert by_verb["session.cancelled"] == tells(
        "session.cancelled",
        **system,
        status_from="scheduled",
        status_to="cancelled",
        old_time=at(60),
        details={"lead_seconds": 60 * 3600, "late": False},
    )
    assert by_verb["session.missed"] == tells(
        "session.missed",
        **system,
        at=at(63),
        status_from="scheduled",
        status_to="missed",
        old_time=at(62),
        details={"absent": None},
    )
    assert by_verb["session.reschedule_declined"]["actor_kind"] == "system"
    assert by_verb["session.reschedule_declined"]["reason"] is None


def test_the_document_s_life_of_a_session(cast: Cast) -> None:
    with time_machine.travel(NOW, tick=False), db.transaction():
        session = Session.query.get(cast.book().id)
        assert session.is_reschedule_allowed()
        assert session.can_request_reschedule("coach")
        session.request_reschedule("coach", WHY)
        assert session.get_status_display() == "Reschedule requested"
        session.approve_reschedule(at(72))
        assert session.get_status_display() == "Scheduled"
        assert session.get_time_until_session() == timedelta(days=3)
        assert not session.is_overdue()
        assert not session.can_be_completed()
    with time_machine.travel(at(74), tick=False), db.transaction():
        assert session.is_overdue()
        assert session.can_be_completed()
        session.mark_completed("We finished the second chapter.", "coach")
    assert session.get_status_display() == "Completed"
    assert session.coach_notes == "We finished the second chapter."
    assert session.completed_date == at(74)


@pytest.mark.parametrize(
    ("state", "display"),
    [
        ({}, "Scheduled"),
        ({"confirmed_by_coach": True}, "Confirmed"),
        ({"scheduled_at": None}, "To be scheduled"),
        ({"reschedule_requested": True}, "Reschedule requested"),
        ({"status": "completed"}, "Completed"),
        ({"status": "cancelled"}, "Cancelled"),
        ({"status": "missed"}, "Missed"),
    ],
)
def test_its_status_in_words(state: dict[str, object], display: str) -> None:
    session = Session(**{"scheduled_at": NOW, "duration_minutes": 60, "created_at": NOW, **state})
    assert session.get_status_display() == display
