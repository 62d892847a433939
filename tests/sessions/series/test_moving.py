"""Moving the pattern of a series: by one request, and one answer or silence."""

from datetime import UTC, datetime, time

import pytest

from skileez import db
from skileez.errors import Refused
from skileez.events import Event, broken_links
from skileez.sessions import (
    actions,
    calendar,
    finding,
    series_ending,
    series_moving,
    series_queries,
)
from skileez.sessions.calendar import What
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.series import SeriesProposedTime, SeriesRequest
from skileez.sessions.series_ending import Scope
from tests import cast as people
from tests.cast import DAY, HOUR, NOW, WHY, Cast
from tests.sessions.series.stage import (
    MONDAYS,
    SIX,
    act,
    again,
    ask,
    book,
    last_event,
    pattern,
    refused,
    sessions,
    starts,
    verbs,
)
from tests.sessions.stage import columns
from tests.sessions.test_hours import go_away

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
