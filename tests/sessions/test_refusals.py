"""A refused verb leaves nothing behind, even where its caller commits all the same."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest

from skileez import db
from skileez.errors import NotFound, Refused
from skileez.sessions import actions
from skileez.sessions.models import Session
from tests import cast as people
from tests.cast import DAY, HOUR, NOW, STRICT, WHY, Cast
from tests.sessions.stage import at, everything, refuses

Verb = Callable[[Session], object]

SCHEDULED: list[tuple[str, str, Verb, str]] = [
    (
        "no reason",
        "student",
        lambda s: s.request_reschedule("student", "", now=NOW),
        "reason_too_short",
    ),
    (
        "too many times",
        "student",
        lambda s: s.request_reschedule(
            "student", WHY, proposed_times=[at(70 + n) for n in range(4)], now=NOW
        ),
        "proposed_times_count",
    ),
    (
        "a time twice",
        "student",
        lambda s: s.request_reschedule("student", WHY, proposed_times=[at(70), at(70)], now=NOW),
        "proposed_times_repeat",
    ),
    (
        "a past time",
        "student",
        lambda s: s.request_reschedule("student", WHY, proposed_times=[at(-1)], now=NOW),
        "time_in_the_past",
    ),
    (
        "the present time",
        "student",
        lambda s: s.request_reschedule("student", WHY, proposed_times=[at(60)], now=NOW),
        "proposed_time_is_current",
    ),
    (
        "started",
        "student",
        lambda s: s.request_reschedule("student", WHY, now=at(60)),
        "already_started",
    ),
    (
        "coach under 10 h",
        "coach",
        lambda s: s.request_reschedule("coach", WHY, now=at(51)),
        "notice_too_short",
    ),
    (
        "strict",
        "student",
        lambda s: s.request_reschedule("student", WHY, now=at(40), policy=STRICT),
        "notice_too_short",
    ),
    (
        "nothing to approve",
        "coach",
        lambda s: s.approve_reschedule(at(70), by="coach", now=NOW),
        "no_request",
    ),
    (
        "nothing to counter",
        "coach",
        lambda s: s.counter_reschedule("coach", [at(70)], now=NOW),
        "no_request",
    ),
    (
        "nothing to decline",
        "coach",
        lambda s: s.decline_reschedule(by="coach", now=NOW),
        "no_request",
    ),
    (
        "nothing to withdraw",
        "student",
        lambda s: s.withdraw_reschedule("student", now=NOW),
        "no_request",
    ),
    (
        "student confirms",
        "student",
        lambda s: s.confirm("student", now=NOW),
        "only_the_coach_confirms",
    ),
    ("confirms late", "coach", lambda s: s.confirm("coach", now=at(60)), "already_started"),
    ("completes early", "coach", lambda s: s.mark_completed("x", "coach", now=NOW), "not_started"),
    (
        "notes too long",
        "coach",
        lambda s: s.mark_completed("x" * 1001, "coach", now=at(61)),
        "notes_too_long",
    ),
    (
        "notes of nobody",
        "coach",
        lambda s: s.mark_completed("Well done.", now=at(61)),
        "not_a_participant",
    ),
    (
        "lasted no time",
        "coach",
        lambda s: s.mark_completed(None, "coach", actual_minutes=0, now=at(61)),
        "actual_minutes_out_of_range",
    ),
    ("notes before", "coach", lambda s: s.add_notes("x", "coach", now=NOW), "not_completed"),
    (
        "cancels without a word",
        "coach",
        lambda s: s.cancel_session(by="coach", now=NOW),
        "reason_too_short",
    ),
    (
        "cancels with an essay",
        "coach",
        lambda s: s.cancel_session(by="coach", reason="x" * 501, now=NOW),
        "reason_too_long",
    ),
    (
        "misses early",
        "coach",
        lambda s: s.mark_missed(by="coach", reason=WHY, absent="student", now=NOW),
        "not_started",
    ),
    (
        "misses without a word",
        "coach",
        lambda s: s.mark_missed(by="coach", absent="student", now=at(61)),
        "reason_too_short",
    ),
    (
        "misses nobody",
        "coach",
        lambda s: s.mark_missed(by="coach", reason=WHY, now=at(61)),
        "absent_missing",
    ),
    (
        "misses somebody else",
        "coach",
        lambda s: s.mark_missed(by="coach", reason=WHY, absent="cat", now=at(61)),
        "absent_missing",
    ),
    ("corrects", "coach", lambda s: s.request_correction("coach", WHY, now=NOW), "not_missed"),
    ("agrees to nothing", "coach", lambda s: s.approve_correction("coach", now=NOW), "not_missed"),
    (
        "schedules twice",
        "coach",
        lambda s: s.schedule(at(70), by="coach", now=NOW),
        "already_scheduled",
    ),
    (
        "student's link",
        "student",
        lambda s: s.set_meeting_url("https://a.example", "student", now=NOW),
        "only_the_coach_sets_the_link",
    ),
    (
        "bad link",
        "coach",
        lambda s: s.set_meeting_url("http://a.example", "coach", now=NOW),
        "meeting_link_not_https",
    ),
]

REQUESTED: list[tuple[str, str, Verb, str]] = [
    (
        "asks again",
        "student",
        lambda s: s.request_reschedule("student", WHY, now=NOW),
        "request_pending",
    ),
    (
        "the other asks",
        "coach",
        lambda s: s.request_reschedule("coach", WHY, now=NOW),
        "request_pending",
    ),
    (
        "approves oneself",
        "student",
        lambda s: s.approve_reschedule(at(70), by="student", now=NOW),
        "own_request",
    ),
    (
        "counters oneself",
        "student",
        lambda s: s.counter_reschedule("student", [at(75)], now=NOW),
        "own_request",
    ),
    (
        "declines oneself",
        "student",
        lambda s: s.decline_reschedule(by="student", now=NOW),
        "own_request",
    ),
    (
        "withdraws another's",
        "coach",
        lambda s: s.withdraw_reschedule("coach", now=NOW),
        "not_your_request",
    ),
    (
        "another time",
        "coach",
        lambda s: s.approve_reschedule(at(71), by="coach", now=NOW),
        "not_a_proposed_time",
    ),
    ("no time", "coach", lambda s: s.approve_reschedule(None, by="coach", now=NOW), "time_missing"),
    (
        "too late",
        "coach",
        lambda s: s.approve_reschedule(at(70), by="coach", now=at(24)),
        "deadline_passed",
    ),
    (
        "declines too late",
        "coach",
        lambda s: s.decline_reschedule(by="coach", now=at(24)),
        "deadline_passed",
    ),
    (
        "counters with none",
        "coach",
        lambda s: s.counter_reschedule("coach", [], now=NOW),
        "proposed_times_count",
    ),
    (
        "counters too late",
        "coach",
        lambda s: s.counter_reschedule("coach", [at(75)], now=at(24)),
        "deadline_passed",
    ),
    (
        "declines in a word",
        "coach",
        lambda s: s.decline_reschedule(by="coach", reason="No.", now=NOW),
        "reason_too_short",
    ),
    (
        "counters in a word",
        "coach",
        lambda s: s.counter_reschedule("coach", [at(75)], reason="No.", now=NOW),
        "reason_too_short",
    ),
    (
        "a taken time",
        "coach",
        lambda s: s.counter_reschedule("coach", [at(100)], now=NOW),
        "time_taken",
    ),
]

FINAL: list[tuple[str, str, Verb, str]] = [
    ("asks", "student", lambda s: s.request_reschedule("student", WHY, now=NOW), "not_scheduled"),
    ("confirms", "coach", lambda s: s.confirm("coach", now=NOW), "not_scheduled"),
    ("completes", "coach", lambda s: s.mark_completed(None, "coach", now=at(61)), "not_scheduled"),
    (
        "cancels",
        "coach",
        lambda s: s.cancel_session(by="coach", reason=WHY, now=NOW),
        "not_scheduled",
    ),
    (
        "misses",
        "coach",
        lambda s: s.mark_missed(by="coach", reason=WHY, absent="both", now=at(61)),
        "not_scheduled",
    ),
    ("corrects", "coach", lambda s: s.request_correction("coach", WHY, now=NOW), "not_missed"),
    ("schedules", "coach", lambda s: s.schedule(at(70), by="coach", now=NOW), "not_scheduled"),
    (
        "links",
        "coach",
        lambda s: s.set_meeting_url("https://a.example", "coach", now=NOW),
        "not_scheduled",
    ),
    ("cancels bare", "coach", lambda s: s.cancel_session(), "not_scheduled"),
    ("misses bare", "coach", lambda s: s.mark_missed(), "not_scheduled"),
]


def test_what_may_not_be_done_with_a_scheduled_session(cast: Cast) -> None:
    session = cast.book()
    for _, who, verb, code in SCHEDULED:
        refuses(cast, session, who, verb, code)


def test_what_may_not_be_done_while_a_request_waits(cast: Cast) -> None:
    session = cast.book()
    cast.book(100 * HOUR)
    with db.transaction():
        one = actions.find_for(cast.actor("student"), session.id)
        one.request_reschedule("student", WHY, proposed_times=[at(70), at(80)], now=NOW)
    for _, who, verb, code in REQUESTED:
        refuses(cast, session, who, verb, code)


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_nothing_leaves_a_final_state(cast: Cast, end: str) -> None:
    session = cast.book()
    with db.transaction():
        one = actions.find_for(cast.actor("student"), session.id)
        if end == "completed":
            one.mark_completed(None, "student", now=at(61))
        else:
            one.cancel_session(by="student", reason=WHY, now=NOW)
    for _, who, verb, code in FINAL:
        refuses(cast, session, who, verb, code)


def test_what_may_not_be_done_with_a_missed_session(cast: Cast) -> None:
    session = cast.book()
    with db.transaction():
        one = actions.find_for(cast.actor("student"), session.id)
        one.mark_missed(by="student", reason=WHY, absent="coach", now=at(61))
    early: list[tuple[str, Verb, str]] = [
        ("coach", lambda s: s.mark_completed(None, "coach", now=at(62)), "not_scheduled"),
        ("coach", lambda s: s.approve_correction("coach", now=at(62)), "no_correction"),
        ("coach", lambda s: s.decline_correction("coach", now=at(62)), "no_correction"),
        ("coach", lambda s: s.request_correction("coach", "No!", now=at(62)), "reason_too_short"),
        ("coach", lambda s: s.request_correction("coach", WHY, now=at(140)), "correction_too_late"),
    ]
    for who, verb, code in early:
        refuses(cast, session, who, verb, code)
    with db.transaction():
        one = actions.find_for(cast.actor("coach"), session.id)
        one.request_correction("coach", WHY, now=at(62))
    coach = cast.actor("coach")
    later: list[tuple[str, Verb, str]] = [
        (
            "student",
            lambda s: s.request_correction("student", WHY, now=at(63)),
            "correction_pending",
        ),
        ("coach", lambda s: s.approve_correction("coach", now=at(63)), "own_correction"),
        ("coach", lambda s: s.decline_correction("coach", now=at(63)), "own_correction"),
        # An administrator who is the coach here is the coach here.
        (
            "coach",
            lambda s: s.approve_correction("admin", actor=coach, now=at(63)),
            "own_correction",
        ),
        ("student", lambda s: s.approve_correction("stranger", now=at(63)), "not_a_participant"),
    ]
    for who, verb, code in later:
        refuses(cast, session, who, verb, code)


def test_a_proposed_time_that_the_other_session_of_either_has_is_taken(cast: Cast) -> None:
    session = cast.book()
    with db.transaction():
        other = people.contract(cast.coach, people.person("somebody"))
    cast.book(70 * HOUR, contract=other, by="coach")
    for hours in (69.5, 70, 70.5):
        refuses(
            cast,
            session,
            "student",
            lambda s, hours=hours: s.request_reschedule(
                "student", WHY, proposed_times=[at(80), at(hours)], now=NOW
            ),
            "time_taken",
        )
    with db.transaction():
        found = actions.find_for(cast.actor("student"), session.id)
        found.request_reschedule("student", WHY, proposed_times=[at(69), at(71)], now=NOW)


def test_a_time_taken_since_it_was_proposed_cannot_be_approved(cast: Cast) -> None:
    session = cast.book()
    with db.transaction():
        found = actions.find_for(cast.actor("student"), session.id)
        found.request_reschedule("student", WHY, proposed_times=[at(70), at(80)], now=NOW)
    cast.book(70.5 * HOUR)
    approve = partial(Session.approve_reschedule, new_time=at(70), by="coach", now=NOW)
    refuses(cast, session, "coach", approve, "time_taken")


BOOKINGS: list[tuple[datetime | None, int | None, str]] = [
    (None, None, "time_missing"),
    (at(0.5), None, "time_too_soon"),
    (at(-1), None, "time_in_the_past"),
    (at(24 * 366), None, "time_too_far"),
    (at(90), 14, "duration_out_of_range"),
    (at(90), 481, "duration_out_of_range"),
    (at(60), None, "time_taken"),
    (at(60.5), None, "time_taken"),
    (at(59.5), 31, "time_taken"),
]


def test_a_booking_refused_leaves_nothing(cast: Cast, subtests: pytest.Subtests) -> None:
    cast.book()
    before = everything()
    for start, minutes, code in BOOKINGS:
        with subtests.test(code), db.transaction():
            contract = actions.find_contract_for(cast.actor("student"), cast.contract.id)
            with pytest.raises(Refused) as refused:
                actions.book(contract, start, by="student", minutes=minutes, now=NOW)
            assert refused.value.code == code
    assert everything() == before


def test_back_to_back_sessions_are_booked(cast: Cast) -> None:
    numbers = [cast.book(hours * HOUR).session_number for hours in (60, 61, 59)]
    assert numbers == [1, 2, 3]


def test_a_stranger_and_an_unknown_id_find_nothing_alike(cast: Cast) -> None:
    session = cast.book()
    with db.transaction():
        assert actions.find_for(cast.actor("student"), session.id).id == session.id
        assert actions.find_for(cast.actor("coach"), session.id).id == session.id
        assert actions.find_any(session.id).id == session.id
        assert actions.find_contract_for(cast.actor("admin"), cast.contract.id, admin=True)
        for who in ("stranger", "admin"):
            with pytest.raises(NotFound):
                actions.find_for(cast.actor(who), session.id)
            with pytest.raises(NotFound):
                actions.find_contract_for(cast.actor(who), cast.contract.id)
        with pytest.raises(NotFound):
            actions.find_for(cast.actor("student"), 999_999)
        with pytest.raises(NotFound):
            actions.find_any(999_999)


def test_a_naive_time_is_nobodys_and_is_refused_at_every_door(cast: Cast) -> None:
    session = cast.book()
    naive = datetime(2026, 3, 6, 12)
    with db.transaction():
        found = actions.find_for(cast.actor("student"), session.id)
        found.request_reschedule("student", WHY, now=NOW)
    for verb in (
        lambda: found.approve_reschedule(naive, by="coach", now=NOW),
        lambda: found.counter_reschedule("coach", [naive], now=NOW),
        lambda: found.get_time_until_session(now=naive),
        lambda: Session(
            proposal_id=cast.contract.proposal_id, session_number=2, scheduled_at=naive
        ),
    ):
        with db.transaction(), pytest.raises(ValueError, match="no time zone"):
            verb()
    assert Session.query.count() == 1


def test_a_request_of_a_booking_that_was_refused_can_be_made_again(cast: Cast) -> None:
    with pytest.raises(Refused):
        cast.book(-DAY)
    assert cast.book().session_number == 1
