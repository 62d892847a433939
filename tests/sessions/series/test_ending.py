"""Cancelling some of a series, or all, and stopping it."""

from datetime import UTC, datetime

from skileez import db
from skileez.sessions import actions, series_ending
from skileez.sessions.series_ending import Scope
from tests.cast import DAY, NOW, WHY, Cast
from tests.sessions.series.stage import (
    MONDAYS,
    act,
    again,
    ask,
    book,
    last_event,
    pattern,
    refused,
    sessions,
    verbs,
)


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
