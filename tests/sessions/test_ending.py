"""Ending a session: every verb that does, to the last column, and what its event tells."""

import pytest

from skileez.contracts.models import Contract
from skileez.sessions.models import BookedTime, ProposedTime, Session
from tests.cast import DAY, HOUR, NOW, WHY, Cast
from tests.sessions.stage import at, closed, columns, do, iso, tells, told


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
