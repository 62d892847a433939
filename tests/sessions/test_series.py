"""A series on a database: booked whole or not at all, and changed together."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from skileez import db
from skileez.availability.rules import Hours
from skileez.errors import NotFound, Refused
from skileez.events import Event, broken_links
from skileez.sessions import (
    actions,
    calendar,
    finding,
    series_booking,
    series_ending,
    series_moving,
    series_planning,
    series_queries,
)
from skileez.sessions.calendar import What
from skileez.sessions.models import Session
from skileez.sessions.recurrence import Note, Pattern, starting
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.series import Series, SeriesProposedTime, SeriesRequest
from skileez.sessions.series_ending import Scope
from tests import cast as people
from tests.cast import DAY, HOUR, NOW, WHY, Cast, enter
from tests.sessions.stage import columns, everything
from tests.sessions.test_hours import go_away, set_hours
from tests.sessions.test_query_plans import recorded

# NOW is Monday, 2 March 2026, 12:00 UTC. Berlin's clocks change on 29 March, New York's on the 8th.
FIRST = date(2026, 3, 9)
SIX = time(18)


@pytest.fixture
def cast(database: str) -> Cast:
    return enter(database, 8)


def pattern(*days: int, **told: Any) -> Pattern:
    told = {"zone": "Europe/Berlin", "first": FIRST, "clock": SIX, "minutes": 60, **told}
    if "until" not in told:
        told.setdefault("count", 6)
    return starting(weekdays=days or (0,), **told)


def book(
    cast: Cast,
    one: Pattern | None = None,
    choices: series_planning.Choices | None = None,
    *,
    by: str = "student",
    now: datetime = NOW,
) -> Series:
    with db.transaction():
        contract = actions.find_contract_for(cast.actor(by), cast.contract.id)
        return series_booking.book_series(
            contract, one or pattern(), choices, by=by, actor=cast.actor(by), now=now
        )


def look(cast: Cast, one: Pattern | None = None, **told: Any) -> series_planning.Preview:
    told = {"by": "student", "now": NOW, **told}
    return series_planning.preview(cast.contract, one or pattern(), **told)


def sessions(series: Series) -> list[Session]:
    found = Session.query.filter_by(series_id=series.id).populate_existing()
    return list(found.order_by(Session.series_place, Session.id))


def starts(found: Iterable[Session]) -> list[str]:
    return [f"{one.scheduled_at:%m-%d %H:%M}" for one in found if one.scheduled_at]


def verbs(series: Series) -> list[str]:
    of = Event.query.filter_by(stream=f"contract:{series.contract_id}").order_by(Event.position)
    return [event.verb for event in of if event.verb != "contract.started"]


def last_event() -> Event:
    return Event.query.order_by(Event.id.desc()).first()


def refused(code: str, do: Any, *given: Any, **told: Any) -> Refused:
    """It is refused with ``code``, and leaves nothing behind."""
    before = everything()
    with pytest.raises(Refused) as caught:
        do(*given, **told)
    assert caught.value.code == code
    assert everything() == before
    return caught.value


UTC_STARTS = ["03-09 17:00", "03-16 17:00", "03-23 17:00", "03-30 16:00", "04-06 16:00"]


# Booking


def test_a_series_keeps_its_time_on_the_wall_and_tells_it_once(cast: Cast) -> None:
    series = book(cast, pattern(count=5))
    found = sessions(series)
    assert starts(found) == UTC_STARTS
    assert [one.session_number for one in found] == [1, 2, 3, 4, 5]
    assert [one.series_place for one in found] == [one.wall_at for one in found]
    assert {one.timezone for one in found} == {"Europe/Berlin"}
    assert not any(one.confirmed_by_coach for one in found)
    assert columns(Series, series.id) == {
        "id": series.id,
        "contract_id": cast.contract.id,
        "zone": "Europe/Berlin",
        "dtstart": "2026-03-09T18:00",
        "rrule": "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;COUNT=5",
        "duration_minutes": 60,
        "created_by": "student",
        "created_at": NOW,
        "stopped_at": None,
        "clocks_at": NOW,
        "version": 1,
    }
    assert verbs(series) == ["session.booked"] * 5 + ["series.booked"]
    booked = Event.query.filter_by(verb="session.booked").all()
    assert {event.details["with_series"] for event in booked} == {series.id}
    told = last_event()
    assert told.session_id is None
    assert told.details == {
        "series_id": series.id,
        "zone": "Europe/Berlin",
        "dtstart": series.dtstart,
        "rrule": series.rrule,
        "duration_minutes": 60,
        "starts": [one.scheduled_at.isoformat() for one in found if one.scheduled_at],
    }
    assert list(broken_links()) == []


def test_the_coachs_own_series_is_confirmed(cast: Cast) -> None:
    assert all(one.confirmed_by_coach for one in sessions(book(cast, by="coach")))


def test_a_preview_marks_what_is_in_the_way_and_what_clocks_do(cast: Cast) -> None:
    cast.book(datetime(2026, 3, 16, 17, 30, tzinfo=UTC) - NOW)
    plan = look(cast)
    assert [one.refusal and one.refusal.code for one in plan.dates] == [
        None, "time_taken", None, None, None, None,
    ]  # fmt: skip
    (blocked,) = plan.refused
    assert blocked.free == datetime(2026, 3, 16, 16, 30, tzinfo=UTC)
    assert plan.left == 7
    # Berlin is the student's zone, New York the coach's, whose clocks changed the day before.
    shifts = [(one.place[5:10], *((s.zone, s.before.hour, s.after.hour) for s in one.shifts))
              for one in plan.dates if one.shifts]  # fmt: skip
    assert shifts == [("03-30", ("America/New_York", 13, 12))]
    assert list(plan.changes) == ["America/New_York", "Europe/Berlin"]


def test_a_preview_asks_three_things_however_many_dates_it_has(cast: Cast) -> None:
    for count in (1, 8):
        with recorded() as seen:
            look(cast, pattern(count=count))
        assert len(seen) == 3


def test_all_is_booked_as_chosen_or_nothing(cast: Cast) -> None:
    cast.book(datetime(2026, 3, 16, 17, 30, tzinfo=UTC) - NOW)
    why = refused("series_conflicts", book, cast)
    assert "1 of the 6" in str(why)
    taken, other = "2026-03-16T18:00", datetime(2026, 3, 17, 9, tzinfo=UTC)
    series = book(cast, None, {taken: other, "2026-03-23T18:00": None})
    found = sessions(series)
    assert starts(found) == [
        "03-09 17:00", "03-17 09:00", "03-30 16:00", "04-06 16:00", "04-13 16:00",
    ]  # fmt: skip
    assert found[1].series_place == taken
    assert [one.session_number for one in found] == [2, 3, 4, 5, 6]


def test_choices_that_cannot_be_are_refused_like_any_date(cast: Cast) -> None:
    places = [one.place for one in look(cast).dates]
    refused("series_all_skipped", book, cast, None, dict.fromkeys(places))
    refused("unknown_place", book, cast, None, {"2026-03-10T18:00": None})
    # Two dates at one time: a series does not run into itself.
    second = datetime(2026, 3, 16, 17, tzinfo=UTC)
    refused("series_conflicts", book, cast, None, {places[0]: second})
    refused("series_conflicts", book, cast, None, {places[0]: NOW - HOUR})


def test_a_series_whose_dates_are_over_or_too_far_ahead_is_not_booked(cast: Cast) -> None:
    over = look(cast, pattern(first=date(2026, 2, 2), count=3))
    assert [one.refusal and one.refusal.code for one in over.dates] == ["time_in_the_past"] * 3
    refused("series_conflicts", book, cast, pattern(first=date(2026, 2, 2), count=3))
    far = look(cast, pattern(first=date(2027, 2, 22), count=3))
    assert [one.refusal and one.refusal.code for one in far.dates] == [
        None, None, "time_too_far",
    ]  # fmt: skip
    gap = look(cast, pattern(4, zone="Pacific/Apia", first=date(2011, 12, 30), count=1))
    assert gap.dates[0].occurrence.note is Note.GAP


def test_the_contract_bounds_a_series(cast: Cast) -> None:
    cast.book()
    assert "7 sessions" in str(refused("series_too_long", book, cast, pattern(count=10_000)))
    assert "7 sessions" in str(refused("series_too_long", book, cast, pattern(until=date.max)))
    book(cast, pattern(count=7))
    refused("quota_used", book, cast, pattern(count=1))
    with db.transaction():
        actions.find_contract_for(cast.actor("coach"), cast.contract.id).pause(
            actor=cast.actor("coach"), role="coach", now=NOW
        )
    refused("contract_not_active", book, cast)


def test_a_student_keeps_to_the_coachs_hours_buffers_and_caps_in_a_series_too(cast: Cast) -> None:
    set_hours(cast, Hours("UTC", {0: [(960, 1080)], 1: [(960, 1080)]}, buffer_after=30, per_week=1))
    plan = look(cast, pattern(0, 1, clock=time(17), count=4, first=date(2026, 3, 30)))
    assert [one.refusal and one.refusal.code for one in plan.dates] == [
        "outside_hours", "outside_hours", "outside_hours", "outside_hours",
    ]  # fmt: skip
    plan = look(cast, pattern(0, 1, count=4, first=date(2026, 3, 30)))
    assert [one.refusal and one.refusal.code for one in plan.dates] == [
        None, "week_full", None, "week_full",
    ]  # fmt: skip
    assert len(sessions(book(cast, pattern(0, 1, count=4), by="coach"))) == 4


def test_strangers_find_no_series(cast: Cast) -> None:
    series = book(cast)
    with db.transaction():
        for who in ("stranger", "admin"):
            with pytest.raises(NotFound):
                actions.find_series_for(cast.actor(who), series.id)
            with pytest.raises(NotFound):
                series_queries.of_person(cast.actor(who).id or 0, series.id)
        assert actions.find_series_for(cast.actor("coach"), series.id) is series


# Changing it


def act(cast: Cast, series: Series, who: str, verb: Any, *given: Any, **told: Any) -> Any:
    """Have ``who`` do it as a door would."""
    with db.transaction():
        found = actions.find_series_for(cast.actor(who), series.id)
        told = {"by": who, "actor": cast.actor(who), "now": NOW, **told}
        return verb(found, *given, **told)


def again(series: Series) -> Series:
    found: Series = db.session.get(Series, series.id, populate_existing=True)
    return found


MONDAYS = [f"2026-{day}T18:00" for day in ("03-09", "03-16", "03-23", "03-30", "04-06", "04-13")]


def test_this_one_is_cancelled_like_any_session(cast: Cast) -> None:
    series = book(cast)
    act(cast, series, "coach", series_ending.cancel, Scope.THIS, MONDAYS[2], reason=WHY)
    assert [one.status for one in sessions(series)].count("cancelled") == 1
    assert last_event().verb == "session.cancelled"
    assert "with_series" not in last_event().details
    assert again(series).stopped_at is None


def test_this_and_the_following_are_cancelled_and_told_once(cast: Cast) -> None:
    series = book(cast)
    with db.transaction():
        # Moved to before the first: its place still follows.
        moved = actions.find_any(sessions(series)[4].id)
        moved.request_reschedule("coach", WHY, proposed_times=[NOW + 2 * DAY], now=NOW)
        moved.approve_reschedule(NOW + 2 * DAY, by="student", now=NOW)
    meant = act(
        cast, series, "student", series_ending.cancel, Scope.FOLLOWING, MONDAYS[3], reason=WHY
    )
    assert [one.series_place for one in meant] == MONDAYS[3:]
    assert [one.status for one in sessions(series)] == ["scheduled"] * 3 + ["cancelled"] * 3
    found = again(series)
    assert (found.stopped_at, found.version) == (None, 2)
    assert found.rrule == "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;UNTIL=20260329T235959"
    assert verbs(series)[-4:] == ["session.cancelled"] * 3 + ["series.cancelled"]
    told = last_event()
    assert (told.reason, told.role, len(told.details["starts"])) == (WHY, "student", 3)
    for nonsense in ("", "<", "2026-03-10T18:00", None):
        refused(
            "unknown_place",
            act, cast, series, "coach", series_ending.cancel, Scope.FOLLOWING, nonsense, reason=WHY,
        )  # fmt: skip
    refused(
        "nothing_to_come",
        act, cast, series, "coach", series_ending.cancel, Scope.FOLLOWING, MONDAYS[3], reason=WHY,
    )  # fmt: skip


def test_all_that_is_to_come_is_cancelled_and_the_series_over(cast: Cast) -> None:
    series = book(cast)
    later = datetime(2026, 3, 16, 17, 30, tzinfo=UTC)  # during the second
    act(cast, series, "coach", series_ending.cancel, Scope.ALL, reason=WHY, now=later)
    assert [one.status for one in sessions(series)] == ["scheduled"] * 2 + ["cancelled"] * 4
    assert (again(series).stopped_at, again(series).clocks_at) == (later, None)
    refused("series_stopped", act, cast, series, "coach", series_ending.stop, keep=True)


def test_a_series_stops_and_its_sessions_are_kept_or_cancelled(cast: Cast) -> None:
    series = book(cast, pattern(count=3))
    refused("reason_too_short", act, cast, series, "coach", series_ending.stop, keep=False)
    refused(
        "reason_too_short", act, cast, series, "coach", series_ending.stop, keep=True, reason="x"
    )
    act(cast, series, "coach", series_ending.stop, keep=True)
    assert [one.status for one in sessions(series)] == ["scheduled"] * 3
    assert (last_event().verb, last_event().details["kept"]) == ("series.stopped", True)
    other = book(cast, pattern(2, count=3))
    act(cast, other, "student", series_ending.stop, keep=False, reason=WHY)
    assert [one.status for one in sessions(other)] == ["cancelled"] * 3
    assert last_event().details["kept"] is False


def test_a_contract_that_ends_takes_its_series_and_their_requests_along(cast: Cast) -> None:
    series = book(cast)
    ask(cast, series, MONDAYS[0])
    with db.transaction():
        contract = actions.find_contract_for(cast.actor("coach"), cast.contract.id)
        actions.end_contract(contract, by="coach", actor=cast.actor("coach"), reason=WHY, now=NOW)
    assert (again(series).stopped_at, again(series).request) == (NOW, None)
    assert last_event().details["with_contract"] is True


# Confirming


def test_the_coach_confirms_all_that_waits_for_it_at_once(cast: Cast) -> None:
    series = book(cast, pattern(count=5))
    later = datetime(2026, 3, 9, 17, 30, tzinfo=UTC)  # during the first
    with db.transaction():
        one, asked = sessions(series)[1:3]
        one.confirm("coach", now=NOW)
        asked.request_reschedule("student", WHY, now=NOW)
    refused(
        "only_the_coach_confirms", act, cast, series, "student", series_booking.confirm, now=later
    )
    meant = act(cast, series, "coach", series_booking.confirm, now=later)
    assert [one.series_place for one in meant] == MONDAYS[3:5]
    found = sessions(series)
    assert [one.confirmed_by_coach for one in found] == [False, True, False, True, True]
    assert verbs(series)[-3:] == ["session.confirmed"] * 2 + ["series.confirmed"]
    told = last_event()
    assert (told.role, told.session_id, told.at) == ("coach", None, later)
    assert told.details == {
        "series_id": series.id,
        "starts": [one.scheduled_at.isoformat() for one in found[3:] if one.scheduled_at],
    }
    each = Event.query.filter_by(verb="session.confirmed").order_by(Event.id)
    assert [event.details.get("with_series") for event in each] == [None, series.id, series.id]
    assert not list(broken_links())
    refused("nothing_to_confirm", act, cast, series, "coach", series_booking.confirm, now=later)


# Moving the pattern


def ask(
    cast: Cast, series: Series, place: str, *days: int, by: str = "student", **told: Any
) -> None:
    told = {"weekdays": days or (2,), "clock": time(17), "reason": WHY, **told}
    act(cast, series, by, series_moving.request_move, place, **told)


WEDNESDAYS = [f"2026-{day}T17:00" for day in ("03-25", "04-01", "04-08", "04-15")]
ALL_WEDNESDAYS = ["2026-03-11T17:00", "2026-03-18T17:00", *WEDNESDAYS]


def test_a_pattern_moves_from_a_place_on_in_one_request_and_one_answer(cast: Cast) -> None:
    series = book(cast)
    with db.transaction():
        # One was moved on its own, and one is asked to move: that question is answered with it.
        moved, waiting = (actions.find_any(sessions(series)[place].id) for place in (4, 5))
        moved.request_reschedule("coach", WHY, proposed_times=[NOW + 9 * DAY], now=NOW)
        moved.approve_reschedule(NOW + 9 * DAY, by="student", now=NOW)
        waiting.request_reschedule("coach", WHY, now=NOW)
    act(cast, series, "student", series_ending.cancel, Scope.THIS, MONDAYS[3], reason=WHY)
    ask(cast, series, MONDAYS[2])
    asked = columns(SeriesRequest, series.id)
    assert asked == {
        "series_id": series.id,
        "asked_by": "student",
        "kind": "standard",
        "reason": WHY,
        "from_place": MONDAYS[2],
        "dtstart": "2026-03-25T17:00",
        "rrule": "FREQ=WEEKLY;INTERVAL=1;BYDAY=WE;UNTIL=20260415T235959",
        "asked_at": NOW,
        "deadline": NOW + DAY,
    }
    assert [one.series_place for one in sessions(series)] == MONDAYS
    told = last_event()
    assert (told.verb, told.reason, told.details["deadline"]) == (
        "series.move_requested", WHY, (NOW + DAY).isoformat(),
    )  # fmt: skip
    assert [move["number"] for move in told.details["moves"]] == [3, 6]
    act(cast, series, "coach", series_moving.approve_move)
    found = sessions(series)
    # In the order of places: the one that was cancelled and the one that was moved keep theirs.
    assert [one.series_place for one in found] == [
        *MONDAYS[:2], WEDNESDAYS[0], MONDAYS[3], MONDAYS[4], WEDNESDAYS[3],
    ]  # fmt: skip
    assert [one.wall_at for one in found if one.id != moved.id] == [
        *MONDAYS[:2], WEDNESDAYS[0], MONDAYS[3], WEDNESDAYS[3],
    ]  # fmt: skip
    assert moved.scheduled_at == NOW + 9 * DAY
    assert [one.session_number for one in found] == [1, 2, 3, 4, 5, 6]
    assert not any(one.reschedule_requested for one in found)
    assert (again(series).dtstart, again(series).request) == ("2026-03-25T17:00", None)
    closed = Event.query.filter_by(verb="session.moved", session_id=waiting.id).one()
    assert closed.details["closed_request"]["by"] == "coach"
    assert closed.status_from == "reschedule_requested"
    assert verbs(series)[-3:] == ["session.moved", "session.moved", "series.move_approved"]
    assert last_event().details["before"]["dtstart"] == "2026-03-09T18:00"
    page = series_queries.of_person(cast.coach.id, series.id)
    assert [one.id for one in page.sessions if page.moved(one) and one in page.coming(NOW)] == [
        moved.id
    ]
    assert list(broken_links()) == []


def test_each_finds_the_time_free_that_its_neighbour_leaves(cast: Cast) -> None:
    series = book(cast, pattern(0, 2, count=8))
    act_on = [one.series_place for one in sessions(series)]
    ask(cast, series, act_on[0] or "", 2, 4, clock=SIX)
    act(cast, series, "coach", series_moving.approve_move)
    assert starts(sessions(series))[:3] == ["03-11 17:00", "03-13 17:00", "03-18 17:00"]
    ask(cast, series, "2026-03-11T18:00", 2, 4, clock=time(17, 30), by="coach")
    act(cast, series, "student", series_moving.approve_move)
    assert starts(sessions(series))[:3] == ["03-11 16:30", "03-13 16:30", "03-18 16:30"]


def test_a_second_move_keeps_each_in_its_week_whatever_the_first_left_behind(cast: Cast) -> None:
    series = book(cast)
    act(cast, series, "student", series_ending.cancel, Scope.THIS, MONDAYS[2], reason=WHY)
    ask(cast, series, MONDAYS[0])
    act(cast, series, "coach", series_moving.approve_move)
    plan = series_moving.preview_move(
        again(series), ALL_WEDNESDAYS[0], weekdays=[0], clock=SIX, by="coach", now=NOW
    )
    assert [one.place for one in plan.moves] == [*MONDAYS[:2], *MONDAYS[3:]]


def test_all_move_or_none(cast: Cast) -> None:
    series = book(cast)
    cast.book(datetime(2026, 3, 25, 16, 30, tzinfo=UTC) - NOW, by="coach")
    plan = series_moving.preview_move(
        again(series), MONDAYS[1], weekdays=[2], clock=time(17), by="student", now=NOW
    )
    assert [one.place for one in plan.refused] == [WEDNESDAYS[0]]
    why = refused("move_conflicts", ask, cast, series, MONDAYS[1])
    assert "1 of the 5" in str(why)
    ask(cast, series, MONDAYS[1], 3)
    cast.book(datetime(2026, 4, 2, 14, 30, tzinfo=UTC) - NOW, by="coach")
    refused("move_conflicts", act, cast, series, "coach", series_moving.approve_move)
    assert again(series).request is not None


def test_what_cannot_be_asked(cast: Cast) -> None:
    series = book(cast)
    refused("pattern_is_current", ask, cast, series, MONDAYS[0], 0, clock=SIX)
    refused("unknown_place", ask, cast, series, "2026-03-10T18:00")
    refused("unknown_place", ask, cast, series, "zzz")
    refused("no_weekday", ask, cast, series, MONDAYS[0], weekdays=())
    refused("reason_too_short", ask, cast, series, MONDAYS[0], reason="why")
    late = datetime(2026, 3, 9, 9, tzinfo=UTC)  # 8 h before the first
    refused("notice_too_short", ask, cast, series, MONDAYS[0], by="coach", now=late)
    refused("nothing_to_come", ask, cast, series, MONDAYS[5], now=NOW + 50 * DAY)
    ask(cast, series, MONDAYS[0])
    refused("move_pending", ask, cast, series, MONDAYS[0], by="coach")
    refused("own_request", act, cast, series, "student", series_moving.approve_move)
    refused("not_your_request", act, cast, series, "coach", series_moving.withdraw_move)
    refused(
        "deadline_passed", act, cast, series, "coach", series_moving.approve_move, now=NOW + DAY
    )


def test_a_no_a_withdrawal_and_a_stop_leave_every_session_where_it_is(cast: Cast) -> None:
    series = book(cast)
    before = starts(sessions(series))
    ask(cast, series, MONDAYS[0])
    act(cast, series, "coach", series_moving.decline_move, reason=WHY)
    assert (last_event().verb, last_event().reason) == ("series.move_declined", WHY)
    # The second of two answers finds nothing to answer.
    refused("no_move_request", act, cast, series, "coach", series_moving.approve_move)
    ask(cast, series, MONDAYS[0])
    act(cast, series, "student", series_moving.withdraw_move)
    assert last_event().verb == "series.move_withdrawn"
    ask(cast, series, MONDAYS[0])
    act(cast, series, "coach", series_ending.stop, keep=True)
    assert last_event().details["closed_request"] == {"by": "student", "from_place": MONDAYS[0]}
    assert starts(sessions(series)) == before
    assert again(series).version == 7  # each of the six made pages from before stale
    assert SeriesRequest.query.count() == 0


def test_what_is_left_of_a_series_from_before_it_moved_has_the_rule_from_then(cast: Cast) -> None:
    series = book(cast)
    ask(cast, series, MONDAYS[3])
    act(cast, series, "coach", series_moving.approve_move)
    act(cast, series, "coach", series_ending.cancel, Scope.FOLLOWING, MONDAYS[2], reason=WHY)
    found = again(series)
    assert (found.stopped_at, found.dtstart) == (None, MONDAYS[0])
    assert found.rrule == "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;UNTIL=20260322T235959"


def test_the_new_times_are_offered_to_nobody_else_until_the_answer(cast: Cast) -> None:
    series = book(cast)
    third = cast.stranger.id
    with db.transaction():
        theirs = people.contract(cast.coach, cast.stranger, 4).id

    def offered(of: finding.Meeting) -> list[int]:
        """At which of the new times the two may still be asked for."""
        free = of.opening(NOW, NOW + 50 * DAY, now=NOW).starts(NOW, NOW + 50 * DAY)
        return [place for place, start in enumerate(new) if start in free]

    first = sessions(series)[0]
    assert first.scheduled_at
    week = 7 * DAY
    new = [datetime(2026, 3, 11, 16, tzinfo=UTC) + n * week - (n > 2) * HOUR for n in range(6)]
    assert offered(finding.of_contract(third, theirs)) == [0, 1, 2, 3, 4, 5]
    ask(cast, series, MONDAYS[0])
    assert offered(finding.of_contract(third, theirs)) == []
    assert offered(finding.of_session(cast.student.id, first.id)) == [0]  # its own
    shown = calendar.between(cast.student.id, cast.coach.id, NOW, NOW + 50 * DAY)
    assert [one.starts for one in shown if one.what is What.PROPOSED] == new
    seen = calendar.between(third, cast.coach.id, NOW, NOW + 50 * DAY)
    assert {one.what for one in seen} == {What.BUSY}
    assert set(new) < {one.starts for one in seen}
    # What is asked for by hand is booked, and what is cancelled needs no time.
    with db.transaction():
        asked = actions.find_contract_for(cast.actor("stranger"), theirs)
        actions.book(asked, new[1], by="student", now=NOW)
    act(cast, series, "coach", series_ending.cancel, Scope.THIS, MONDAYS[2], reason=WHY)
    assert offered(finding.of_contract(third, theirs)) == [2]
    act(cast, series, "coach", series_moving.decline_move)
    assert offered(finding.of_contract(third, theirs)) == [0, 2, 3, 4, 5]
    assert SeriesProposedTime.query.count() == 0


def test_cancelling_what_a_request_is_about_closes_it(cast: Cast) -> None:
    series = book(cast)
    ask(cast, series, MONDAYS[2])
    act(cast, series, "coach", series_ending.cancel, Scope.FOLLOWING, MONDAYS[4], reason=WHY)
    assert again(series).request is not None
    act(cast, series, "coach", series_ending.cancel, Scope.FOLLOWING, MONDAYS[1], reason=WHY)
    assert again(series).request is None
    assert "closed_request" in last_event().details


# Silence


def test_silence_moves_a_series_whose_new_times_are_all_free(cast: Cast) -> None:
    series = book(cast)
    ask(cast, series, MONDAYS[0])
    assert actions.sweep(NOW + DAY - HOUR) == actions.Swept()
    assert actions.sweep(NOW + DAY) == actions.Swept(approved=1)
    assert [one.wall_at for one in sessions(series)] == ALL_WEDNESDAYS
    assert (last_event().verb, last_event().actor_kind) == ("series.move_auto_approved", "system")
    assert actions.sweep(NOW + DAY) == actions.Swept()


def test_silence_leaves_a_series_where_one_new_time_is_gone_or_the_coach_is_away(
    cast: Cast,
) -> None:
    series = book(cast)
    ask(cast, series, MONDAYS[0])
    go_away(cast, 23 * 24, 24 * 24)  # on 25 March
    assert actions.sweep(NOW + DAY) == actions.Swept(lapsed=1)
    assert [one.wall_at for one in sessions(series)] == MONDAYS
    assert last_event().verb == "series.move_lapsed"
    # With the coach's own yes it moves there too.
    ask(cast, series, MONDAYS[0], by="coach", now=NOW + DAY)
    act(cast, series, "student", series_moving.approve_move, now=NOW + DAY)
    assert [one.wall_at for one in sessions(series)] == ALL_WEDNESDAYS


def test_a_late_request_needs_a_yes(cast: Cast) -> None:
    series = book(cast)
    asked_at = datetime(2026, 3, 8, 20, tzinfo=UTC)
    ask(cast, series, MONDAYS[0], now=asked_at)
    request = columns(SeriesRequest, series.id)
    assert (request["kind"], request["deadline"]) == ("late", sessions(series)[0].scheduled_at)
    with db.transaction():
        found = actions.find_any_series(series.id)
        assert series_moving.settle_move(found, now=asked_at) is None
        assert series_moving.settle_move(found, now=asked_at + DAY) is Silence.LAPSED
    assert again(series).request is None


def test_a_request_whose_sessions_are_gone_lapses(cast: Cast) -> None:
    series = book(cast, pattern(count=1))
    ask(cast, series, MONDAYS[0])
    with db.transaction():
        actions.find_any(sessions(series)[0].id).cancel_session(by="coach", reason=WHY, now=NOW)
    with pytest.raises(Refused):
        series_moving.waiting_plan(again(series), now=NOW)
    assert actions.sweep(NOW + DAY) == actions.Swept(lapsed=1)
