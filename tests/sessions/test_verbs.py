"""Every verb of a session: what it changes, to the last column, and what its event tells."""

from datetime import timedelta

import pytest

from skileez import db
from skileez.contracts.models import Contract
from skileez.events import Event, request_id
from skileez.sessions.models import BookedTime, ProposedTime, Session
from tests.cast import DAY, HOUR, NOW, WHY, Cast
from tests.sessions.stage import at, columns, do, events_of, iso, tells, told

CLOSED = {
    "state": "scheduled",
    "stored_state": "scheduled",
    "reschedule_requested": False,
    "reschedule_requested_by": None,
    "reschedule_reason": None,
    "reschedule_kind": None,
    "reschedule_asked_at": None,
    "reschedule_deadline": None,
}
"""The columns of a request, once it is answered."""


def closed(**more: object) -> dict[str, object]:
    return {**{name: value for name, value in CLOSED.items() if name != "state"}, **more}


@pytest.fixture
def session(cast: Cast) -> Session:
    """Booked by the student, 60 hours ahead."""
    return cast.book()


@pytest.fixture
def requested(cast: Cast, session: Session) -> Session:
    """The same, and the student asked to move it to 70 or 80 hours ahead."""
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


@pytest.fixture
def over(cast: Cast) -> Session:
    """It began an hour ago."""
    return cast.book(-HOUR, now=NOW - 3 * DAY)


@pytest.fixture
def missed(cast: Cast, over: Session) -> Session:
    """It was marked missed by the coach."""
    coach = cast.actor("coach")
    do(
        cast,
        over,
        "coach",
        lambda one: one.mark_missed(
            by="coach", reason="Nobody joined.", absent="student", actor=coach, now=NOW
        ),
    )
    return over


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


@pytest.mark.parametrize("by", ["student", "coach"])
def test_completing_counts_and_keeps_the_notes_under_their_authors_role(
    cast: Cast, over: Session, by: str
) -> None:
    actor = cast.actor(by)
    assert over.can_be_completed(now=NOW)
    changed, events = do(
        cast,
        over,
        by,
        lambda one: one.mark_completed(
            "  We spoke of pauses. ", by, actual_minutes=55, actor=actor, now=NOW
        ),
    )
    assert changed == {
        "status": "completed",
        "stored_state": "completed",
        "completed_date": NOW,
        "actual_minutes": 55,
        f"{by}_notes": "We spoke of pauses.",
    }
    assert [told(event) for event in events] == [
        tells(
            "session.completed",
            actor_id=actor.id,
            role=by,
            status_from="scheduled",
            status_to="completed",
            old_time=at(-1),
        )
    ]
    contract = columns(Contract, cast.contract.id)
    assert (contract["completed_sessions"], contract["status"]) == (1, "active")
    assert BookedTime.query.count() == 2


def test_the_other_side_adds_notes_later_and_what_they_had_is_in_the_event(
    cast: Cast, over: Session
) -> None:
    student, coach = cast.actor("student"), cast.actor("coach")
    do(cast, over, "coach", lambda one: one.mark_completed("Well done.", "coach", now=NOW))
    changed, [event] = do(
        cast,
        over,
        "student",
        lambda one: one.add_notes("Thank you.", "student", actor=student, now=NOW),
    )
    assert changed == {"student_notes": "Thank you."}
    assert told(event) == tells(
        "session.notes_changed", actor_id=student.id, role="student", details={"before": None}
    )
    same = do(cast, over, "coach", lambda one: one.add_notes("Well done. ", "coach", now=NOW))
    assert same == ({}, [])
    changed, [event] = do(
        cast, over, "coach", lambda one: one.add_notes("", "coach", actor=coach, now=NOW)
    )
    assert changed == {"coach_notes": None}
    assert event.details == {"before": "Well done."}


@pytest.mark.parametrize(
    ("ahead", "by", "late"),
    [(60, "student", False), (60, "coach", False), (47.9, "coach", True), (-1, "student", True)],
)
def test_cancelling_is_at_once_and_remembers_the_lead(
    cast: Cast, ahead: float, by: str, late: bool
) -> None:
    session = cast.book(ahead * HOUR, now=NOW - 5 * DAY)
    actor = cast.actor(by)
    changed, [event] = do(
        cast,
        session,
        by,
        lambda one: one.cancel_session(by=by, reason=f" {WHY} ", actor=actor, now=NOW),
    )
    expected = {
        "status": "cancelled",
        "stored_state": "cancelled",
        "cancelled_at": NOW,
        "cancelled_by": by,
        "cancel_reason": WHY,
    }
    assert changed == ({**expected, "cancelled_late": True} if late else expected)
    assert told(event) == tells(
        "session.cancelled",
        actor_id=actor.id,
        role=by,
        status_from="scheduled",
        status_to="cancelled",
        old_time=at(ahead),
        reason=WHY,
        details={"lead_seconds": int(ahead * 3600), "late": late},
    )
    assert session.counts_as_no_show is (ahead < 0)
    assert BookedTime.query.count() == 0
    assert columns(Contract, cast.contract.id)["completed_sessions"] == 0


def test_a_missed_session_names_the_absent_and_frees_the_time(cast: Cast, over: Session) -> None:
    coach = cast.actor("coach")
    changed, [event] = do(
        cast,
        over,
        "coach",
        lambda one: one.mark_missed(
            by="coach", reason="Nobody joined.", absent="student", actor=coach, now=NOW
        ),
    )
    assert changed == {
        "status": "missed",
        "stored_state": "missed",
        "missed_at": NOW,
        "missed_by": "coach",
        "missed_reason": "Nobody joined.",
        "absent": "student",
    }
    assert told(event) == tells(
        "session.missed",
        actor_id=coach.id,
        role="coach",
        status_from="scheduled",
        status_to="missed",
        old_time=at(-1),
        reason="Nobody joined.",
        details={"absent": "student"},
    )
    assert over.counts_as_no_show
    assert BookedTime.query.count() == 0
    assert columns(Contract, cast.contract.id)["completed_sessions"] == 0


@pytest.mark.parametrize("who", ["coach", "admin"])
def test_a_correction_agreed_by_the_other_or_an_administrator_completes_it(
    cast: Cast, missed: Session, who: str
) -> None:
    student, other = cast.actor("student"), cast.actor(who)
    changed, [event] = do(
        cast,
        missed,
        "student",
        lambda one: one.request_correction(
            "student", "We met on another link.", actor=student, now=at(1)
        ),
    )
    assert changed == {"correction_by": "student", "correction_reason": "We met on another link."}
    assert told(event) == tells(
        "session.correction_requested",
        at=at(1),
        actor_id=student.id,
        role="student",
        reason="We met on another link.",
    )
    changed, [event] = do(
        cast,
        missed,
        "student",  # finds it; an administrator's door finds any
        lambda one: one.approve_correction(who, actor=other, now=at(2)),
    )
    assert changed == {
        "status": "completed",
        "stored_state": "completed",
        "completed_date": at(2),
        "correction_by": None,
    }
    assert told(event) == tells(
        "session.corrected",
        at=at(2),
        actor_id=other.id,
        role=who,
        status_from="missed",
        status_to="completed",
        old_time=at(-1),
        reason="We met on another link.",
        details={"session_number": 1},
    )
    assert columns(Contract, cast.contract.id)["completed_sessions"] == 1
    assert BookedTime.query.count() == 2


def test_a_correction_declined_it_stays_missed(cast: Cast, missed: Session) -> None:
    coach = cast.actor("coach")
    do(
        cast,
        missed,
        "student",
        lambda one: one.request_correction("student", "We met on another link.", now=at(1)),
    )
    changed, [event] = do(
        cast, missed, "coach", lambda one: one.decline_correction("coach", actor=coach, now=at(2))
    )
    assert changed == {"correction_by": None}
    assert told(event) == tells(
        "session.correction_declined", at=at(2), actor_id=coach.id, role="coach"
    )


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


def test_a_final_verb_closes_the_pending_request_and_says_so(cast: Cast) -> None:
    verbs = [
        lambda one: one.mark_completed(None, "coach", now=at(70)),
        lambda one: one.cancel_session(by="coach", reason=WHY, now=NOW),
        lambda one: one.mark_missed(by="coach", reason=WHY, absent="both", now=at(70)),
    ]
    for day, verb in enumerate(verbs):
        session = cast.book((60 + 2 * day) * HOUR)
        do(
            cast,
            session,
            "student",
            lambda one: one.request_reschedule("student", WHY, proposed_times=[at(90)], now=NOW),
        )
        changed, [event, *_] = do(cast, session, "coach", verb)
        assert closed(stored_state=changed["status"]).items() <= changed.items()
        assert event.details["closed_request"] == {
            "by": "student",
            "proposed_times": [iso(90)],
        }
        assert ProposedTime.query.count() == 0


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
