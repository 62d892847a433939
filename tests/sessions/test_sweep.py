"""What happens by itself: unanswered requests and no-shows, however often one sweeps."""

from typing import Any

import pytest

from skileez import db
from skileez.errors import NotFound, Refused
from skileez.events import Event
from skileez.sessions import actions
from skileez.sessions.actions import Swept, sweep
from skileez.sessions.models import BookedTime, Session
from skileez.sessions.presence_rules import Way
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.rules import Policy
from tests.cast import DAY, HOUR, MINUTE, NOW, POLICY, SECOND, WHY, Cast
from tests.sessions.stage import at, columns, events_of, everything, refuses, tells, told


def ask(cast: Cast, session: Session, by: str, *hours: float, **told: Any) -> None:
    with db.transaction():
        one = actions.find_for(cast.actor(by), session.id)
        one.request_reschedule(
            by,
            WHY,
            proposed_times=[at(each) for each in hours],
            actor=cast.actor(by),
            **{"now": NOW, **told},
        )


def test_silence_approves_a_standard_request_with_its_first_time(cast: Cast) -> None:
    session = cast.book(by="coach")
    ask(cast, session, "student", 70, 80)
    assert sweep(at(24) - SECOND) == Swept()
    assert sweep(at(24)) == Swept(approved=1)
    row = columns(Session, session.id)
    assert (row["scheduled_at"], row["stored_state"]) == (at(70), "scheduled")
    assert row["confirmed_by_coach"] is False
    assert row["reschedule_reason"] is row["reschedule_deadline"] is None
    last = events_of(session.id)[-1]
    assert told(last) == tells(
        "session.reschedule_auto_approved",
        at=at(24),
        actor_kind="system",
        status_from="reschedule_requested",
        status_to="scheduled",
        old_time=at(60),
        new_time=at(70),
        details={"asked_by": "student"},
    )
    before = everything()
    assert sweep(at(24)) == Swept()
    assert everything() == before


def test_silence_keeps_the_confirmation_of_a_time_the_coach_proposed(cast: Cast) -> None:
    session = cast.book(by="coach")
    ask(cast, session, "coach", 70)
    sweep(at(24))
    assert columns(Session, session.id)["confirmed_by_coach"] is True


def test_a_time_taken_meanwhile_or_too_soon_gives_way_to_the_next(cast: Cast) -> None:
    session = cast.book()
    ask(cast, session, "student", 70, 24.5, 80)
    cast.book(70.5 * HOUR)
    assert sweep(at(24)) == Swept(approved=1)
    assert columns(Session, session.id)["scheduled_at"] == at(80)


@pytest.mark.parametrize("asks", ["student", "coach"])
def test_with_no_time_left_it_is_to_be_scheduled_by_who_asked(cast: Cast, asks: str) -> None:
    session = cast.book(by="coach")
    ask(cast, session, asks, 70)
    cast.book(70 * HOUR)
    assert sweep(at(24)) == Swept(to_be_scheduled=1)
    row = columns(Session, session.id)
    assert row["status"] == row["stored_state"] == "scheduled"
    assert (row["scheduled_at"], row["ends_at"], row["listed_at"]) == (None, None, at(60))
    assert (row["scheduling_by"], row["confirmed_by_coach"]) == (asks, False)
    assert (row["session_number"], row["scheduled_date"]) == (1, at(60))
    assert session.get_status_display() == "To be scheduled"
    assert session.get_time_until_session(now=NOW) is None
    assert BookedTime.query.filter_by(session_id=session.id).count() == 0
    last = events_of(session.id)[-1]
    assert told(last) == tells(
        "session.to_be_scheduled",
        at=at(24),
        actor_kind="system",
        status_from="reschedule_requested",
        status_to="scheduled",
        old_time=at(60),
        details={"asked_by": asks},
    )
    # It has no time: nothing but choosing one, or cancelling, can be done.
    other = "coach" if asks == "student" else "student"
    now = at(25)
    for who, verb, code in (
        (other, lambda s: s.schedule(at(90), by=other, now=now), "not_yours_to_schedule"),
        (asks, lambda s: s.schedule(at(70), by=asks, now=now), "time_taken"),
        (asks, lambda s: s.schedule(at(25.5), by=asks, now=now), "time_too_soon"),
        (asks, lambda s: s.schedule(None, by=asks, now=now), "time_missing"),
        (asks, lambda s: s.request_reschedule(asks, WHY, now=now), "to_be_scheduled"),
        (asks, lambda s: s.mark_completed(None, asks, now=now), "to_be_scheduled"),
        (asks, lambda s: s.mark_missed(by=asks, reason=WHY, absent="both"), "to_be_scheduled"),
        ("coach", lambda s: s.confirm("coach", now=now), "to_be_scheduled"),
    ):
        refuses(cast, session, who, verb, code)
    assert sweep(at(200)) == Swept(missed=1)  # the other one, at 70
    actor = cast.actor(asks)
    with db.transaction():
        found = actions.find_for(actor, session.id)
        found.schedule(at(300), by=asks, actor=actor, now=at(201))
    row = columns(Session, session.id)
    assert (row["scheduled_at"], row["ends_at"], row["listed_at"]) == (at(300), at(301), at(300))
    assert (row["scheduling_by"], row["confirmed_by_coach"]) == (None, asks == "coach")
    assert row["scheduled_date"] == at(60)
    assert told(events_of(session.id)[-1]) == tells(
        "session.scheduled", at=at(201), actor_id=actor.id, role=asks, new_time=at(300)
    )


def test_a_session_to_be_scheduled_can_be_cancelled(cast: Cast) -> None:
    session = cast.book()
    ask(cast, session, "student")
    sweep(at(24))
    with db.transaction():
        found = actions.find_for(cast.actor("coach"), session.id)
        found.cancel_session(by="coach", reason=WHY, now=at(30))
    row = columns(Session, session.id)
    assert (row["status"], row["cancelled_late"]) == ("cancelled", False)
    assert events_of(session.id)[-1].details == {"lead_seconds": None, "late": False}


def test_a_late_request_lapses_and_the_time_stands(cast: Cast) -> None:
    session = cast.book(20 * HOUR, by="coach")
    ask(cast, session, "student", 70)
    assert sweep(at(20) - SECOND) == Swept()
    assert sweep(at(20)) == Swept(lapsed=1)
    row = columns(Session, session.id)
    assert (row["scheduled_at"], row["stored_state"]) == (at(20), "scheduled")
    assert row["confirmed_by_coach"] is True
    assert told(events_of(session.id)[-1]) == tells(
        "session.reschedule_lapsed",
        at=at(20),
        actor_kind="system",
        status_from="reschedule_requested",
        status_to="scheduled",
        old_time=at(20),
        new_time=at(20),
        details={"asked_by": "student"},
    )


@pytest.mark.parametrize("hours", [30, 32, 60])
def test_a_sweep_that_comes_after_the_start_still_does_what_silence_decided(
    cast: Cast, hours: int
) -> None:
    session = cast.book(30 * HOUR)
    ask(cast, session, "student", 70)
    assert sweep(at(hours)) == Swept(approved=1)
    assert columns(Session, session.id)["scheduled_at"] == at(70)


def test_a_sweep_that_comes_after_the_two_have_met_moves_nothing(cast: Cast) -> None:
    session = cast.book(30 * HOUR)
    ask(cast, session, "student", 70)
    with db.transaction():
        actions.find_for(cast.actor("coach"), session.id).check_in(
            "coach", way=Way.HERE, actor=cast.actor("coach"), now=at(30)
        )
    assert sweep(at(32)) == Swept(lapsed=1)
    assert columns(Session, session.id)["scheduled_at"] == at(30)


def test_with_its_proposed_times_gone_a_late_sweep_leaves_it_to_be_scheduled_and_not_missed(
    cast: Cast,
) -> None:
    session = cast.book(30 * HOUR)
    ask(cast, session, "student", 40)
    assert sweep(at(60)) == Swept(to_be_scheduled=1)
    assert columns(Session, session.id)["status"] == "scheduled"


def test_a_request_made_a_day_ahead_to_the_second_is_approved_at_the_start(cast: Cast) -> None:
    session = cast.book(24 * HOUR)
    ask(cast, session, "student", 70)
    assert columns(Session, session.id)["reschedule_kind"] == "standard"
    assert sweep(at(24)) == Swept(approved=1)
    assert columns(Session, session.id)["scheduled_at"] == at(70)


def test_settling_before_the_deadline_does_nothing(cast: Cast) -> None:
    session = cast.book()
    ask(cast, session, "student", 70)
    before = everything()
    assert actions.settle(session.id, at(23)) is None
    assert everything() == before
    assert actions.settle(session.id, at(24), policy=POLICY) is Silence.APPROVED
    assert actions.settle(session.id, at(24)) is None
    with pytest.raises(NotFound):
        actions.settle(999_999, at(24))


def test_nobody_came_and_nobody_said_a_word(cast: Cast) -> None:
    session = cast.book()
    due = at(61) + 30 * MINUTE
    assert sweep(due - SECOND) == Swept()
    assert columns(Session, session.id)["status"] == "scheduled"
    assert sweep(due) == Swept(missed=1)
    row = columns(Session, session.id)
    assert (row["status"], row["missed_at"]) == ("missed", due)
    assert row["missed_by"] is row["missed_reason"] is row["absent"] is None
    assert told(events_of(session.id)[-1]) == tells(
        "session.missed",
        at=due,
        actor_kind="system",
        status_from="scheduled",
        status_to="missed",
        old_time=at(60),
        details={"absent": None},
    )
    assert sweep(due) == Swept()


@pytest.mark.parametrize("who", ["student", "coach"])
def test_a_word_from_either_since_the_start_keeps_it_from_being_missed(
    cast: Cast, who: str
) -> None:
    session = cast.book()
    with db.transaction():
        found = actions.find_for(cast.actor(who), session.id)
        found.set_meeting_url(
            f"https://meet.example/{who}", "coach", actor=cast.actor(who), now=at(60)
        )
    assert sweep(at(100)) == Swept()
    assert not actions.mark_no_show(session.id, at(100))


def test_a_word_before_the_start_does_not(cast: Cast) -> None:
    session = cast.book()
    with db.transaction():
        found = actions.find_for(cast.actor("coach"), session.id)
        found.confirm("coach", actor=cast.actor("coach"), now=at(60) - SECOND)
    assert sweep(at(100)) == Swept(missed=1)
    assert columns(Session, session.id)["status"] == "missed"


@pytest.mark.parametrize("column", ["student_notes", "coach_notes"])
def test_a_note_keeps_it_from_being_missed(cast: Cast, column: str) -> None:
    session = cast.book()
    with db.transaction():
        setattr(actions.find_any(session.id), column, "I was there.")
    assert not actions.mark_no_show(session.id, at(100))
    assert sweep(at(100)) == Swept()


def test_the_grace_is_the_operators_figure(cast: Cast) -> None:
    cast.book()
    policy = Policy(no_show_grace=5 * MINUTE)
    assert sweep(at(61) + 4 * MINUTE, policy=policy) == Swept()
    assert sweep(at(61) + 5 * MINUTE, policy=policy) == Swept(missed=1)


def test_one_sweep_settles_everything_that_is_due(cast: Cast) -> None:
    standard, crowded, late, silent = (cast.book(hours * HOUR) for hours in (60, 62, 22, 2))
    ask(cast, standard, "student", 70)
    ask(cast, crowded, "coach", 70)
    ask(cast, late, "student", 90)
    assert sweep(at(30)) == Swept(approved=1, to_be_scheduled=1, lapsed=1, missed=2)
    assert columns(Session, silent.id)["status"] == "missed"
    # Its request lapsed, and its own time went by in silence as well.
    assert columns(Session, late.id)["status"] == "missed"


def test_one_that_is_refused_does_not_stop_the_others(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = cast.book(60 * HOUR), cast.book(62 * HOUR)
    for session in (first, second):
        ask(cast, session, "student", 70 if session is first else 80)
    settle = Session.settle_silence

    def busy(self: Session, **told: Any) -> Silence | None:
        if self.id == first.id:
            raise Refused(db.BUSY)
        return settle(self, **told)

    monkeypatch.setattr(Session, "settle_silence", busy)
    assert sweep(at(24)) == Swept(approved=1)
    monkeypatch.undo()
    assert sweep(at(24)) == Swept(approved=1)


def test_a_sweep_takes_the_longest_waiting_first_and_no_more_than_it_is_asked_to(
    cast: Cast,
) -> None:
    later, sooner = cast.book(60 * HOUR), cast.book(62 * HOUR)
    ask(cast, sooner, "student", 80)
    ask(cast, later, "student", 90, now=NOW + MINUTE)
    assert actions.due_requests(at(48)) == [sooner.id, later.id]
    assert sweep(at(48), limit=1).approved == 1
    assert actions.due_requests(at(48)) == [later.id]


def test_completing_cancelling_or_missing_by_hand_leaves_nothing_to_sweep(cast: Cast) -> None:
    held, gone, missed = (cast.book(hours * HOUR) for hours in (60, 62, 64))
    for session in (held, gone, missed):
        ask(cast, session, "student", 90)
    with db.transaction():
        for session, verb in (
            (held, lambda s: s.mark_completed(None, "coach", now=at(65))),
            (gone, lambda s: s.cancel_session(by="coach", reason=WHY, now=NOW)),
            (
                missed,
                lambda s: s.mark_missed(by="coach", reason=WHY, absent="both", now=at(65)),
            ),
        ):
            verb(actions.find_for(cast.actor("coach"), session.id))
    events = Event.query.count()
    assert sweep(NOW + 30 * DAY) == Swept()
    assert Event.query.count() == events
