"""Moving a session: every verb of a request, to the last column, and what its event tells."""

import pytest

from skileez.sessions.models import BookedTime, ProposedTime, Session
from tests.cast import HOUR, NOW, WHY, Cast
from tests.sessions.stage import at, closed, columns, do, iso, tells, told


@pytest.fixture
def requested(cast: Cast, session: Session) -> Session:
    """Booked by the student, who asked to move it to 70 or 80 hours ahead."""
    do(
        cast,
        session,
        "student",
        lambda one: one.request_reschedule(
            "student",
            WHY,
            proposed_times=[at(70), at(80)],
            actor=cast.actor("student"),
            now=NOW,
        ),
    )
    return session


def test_a_request_waits_beside_the_time_that_stands(cast: Cast, session: Session) -> None:
    student = cast.actor("student")
    changed, [event] = do(
        cast,
        session,
        "student",
        lambda one: one.request_reschedule(
            "student", f"  {WHY}\n", proposed_times=[at(80), at(70)], actor=student, now=NOW
        ),
    )
    assert changed == {
        "stored_state": "reschedule_requested",
        "reschedule_requested": True,
        "reschedule_requested_by": "student",
        "reschedule_reason": WHY,
        "reschedule_kind": "standard",
        "reschedule_asked_at": NOW,
        "reschedule_deadline": at(24),
    }
    assert session.proposed_times == (at(80), at(70))
    assert told(event) == tells(
        "session.reschedule_requested",
        actor_id=student.id,
        role="student",
        status_from="scheduled",
        status_to="reschedule_requested",
        old_time=at(60),
        reason=WHY,
        details={
            "proposed_times": [iso(80), iso(70)],
            "kind": "standard",
            "deadline": iso(24),
        },
    )
    assert session.state == "reschedule_requested"
    assert session.get_status_display() == "Reschedule requested"


def test_a_late_request_is_answered_before_the_start(cast: Cast) -> None:
    session = cast.book(20 * HOUR)
    changed, _ = do(
        cast, session, "student", lambda one: one.request_reschedule("student", WHY, now=NOW)
    )
    assert changed["reschedule_kind"] == "late"
    assert changed["reschedule_deadline"] == at(20)
    assert session.proposed_times == ()


def test_an_approval_moves_the_same_row_and_number(cast: Cast, requested: Session) -> None:
    coach = cast.actor("coach")
    changed, [event] = do(
        cast,
        requested,
        "coach",
        lambda one: one.approve_reschedule(at(80), by="coach", actor=coach, now=NOW),
    )
    assert changed == closed(
        scheduled_at=at(80), ends_at=at(81), listed_at=at(80), wall_at="2026-03-05T21:00"
    )
    assert told(event) == tells(
        "session.reschedule_approved",
        actor_id=coach.id,
        role="coach",
        status_from="reschedule_requested",
        status_to="scheduled",
        old_time=at(60),
        new_time=at(80),
        details={"asked_by": "student"},
    )
    assert (requested.session_number, requested.scheduled_date) == (1, at(60))
    assert ProposedTime.query.count() == 0
    assert {one.starts_at for one in BookedTime.query} == {at(80)}


def test_any_free_time_will_do_where_the_request_proposed_none(
    cast: Cast, session: Session
) -> None:
    do(cast, session, "coach", lambda one: one.request_reschedule("coach", WHY, now=NOW))
    changed, _ = do(
        cast,
        session,
        "student",
        lambda one: one.approve_reschedule(at(61), by="student", now=NOW),
    )
    assert changed["scheduled_at"] == at(61)


@pytest.mark.parametrize(
    ("asks", "times", "kept"),
    [("coach", [70], True), ("coach", [], False), ("student", [70], True)],
)
def test_the_coachs_confirmation_follows_a_time_the_coach_chose(
    cast: Cast, asks: str, times: list[float], kept: bool
) -> None:
    session = cast.book(by="coach")
    answers = "student" if asks == "coach" else "coach"
    proposed = [at(hours) for hours in times]
    do(
        cast,
        session,
        asks,
        lambda one: one.request_reschedule(asks, WHY, proposed_times=proposed, now=NOW),
    )
    do(cast, session, answers, lambda one: one.approve_reschedule(at(70), by=answers, now=NOW))
    assert columns(Session, session.id)["confirmed_by_coach"] is kept


def test_a_counter_turns_the_request_round_with_a_new_deadline(
    cast: Cast, requested: Session
) -> None:
    coach, later = cast.actor("coach"), at(3)
    changed, [event] = do(
        cast,
        requested,
        "coach",
        lambda one: one.counter_reschedule("coach", [at(90)], actor=coach, now=later),
    )
    assert changed == {
        "reschedule_requested_by": "coach",
        "reschedule_asked_at": later,
        "reschedule_deadline": at(27),
    }
    assert told(event) == tells(
        "session.reschedule_countered",
        at=later,
        actor_id=coach.id,
        role="coach",
        status_from="reschedule_requested",
        status_to="reschedule_requested",
        old_time=at(60),
        details={"proposed_times": [iso(90)], "kind": "standard", "deadline": iso(27)},
    )
    assert requested.proposed_times == (at(90),)
    changed, _ = do(
        cast,
        requested,
        "student",
        lambda one: one.counter_reschedule(
            "student", [at(91), at(92), at(93)], reason="Mornings suit me.", now=at(20)
        ),
    )
    assert changed["reschedule_requested_by"] == "student"
    assert changed["reschedule_reason"] == "Mornings suit me."
    assert changed["reschedule_deadline"] == at(44)
    assert ProposedTime.query.count() == 3


def test_a_counter_under_its_authors_notice_is_late(cast: Cast, requested: Session) -> None:
    changed, _ = do(
        cast,
        requested,
        "coach",
        lambda one: one.counter_reschedule("coach", [at(90)], now=at(13)),
    )
    assert changed["reschedule_kind"] == "late"


@pytest.mark.parametrize("reason", [None, "  ", "That week is full."])
def test_declined_the_original_time_stands(
    cast: Cast, requested: Session, reason: str | None
) -> None:
    coach = cast.actor("coach")
    changed, [event] = do(
        cast,
        requested,
        "coach",
        lambda one: one.decline_reschedule(by="coach", reason=reason, actor=coach, now=NOW),
    )
    assert changed == closed()
    assert told(event) == tells(
        "session.reschedule_declined",
        actor_id=coach.id,
        role="coach",
        status_from="reschedule_requested",
        status_to="scheduled",
        old_time=at(60),
        new_time=at(60),
        reason=(reason or "").strip() or None,
    )
    assert ProposedTime.query.count() == 0


def test_withdrawn_the_original_time_stands(cast: Cast, requested: Session) -> None:
    student = cast.actor("student")
    changed, [event] = do(
        cast,
        requested,
        "student",
        lambda one: one.withdraw_reschedule("student", actor=student, now=NOW),
    )
    assert changed == closed()
    assert told(event) == tells(
        "session.reschedule_withdrawn",
        actor_id=student.id,
        role="student",
        status_from="reschedule_requested",
        status_to="scheduled",
        old_time=at(60),
        new_time=at(60),
    )
