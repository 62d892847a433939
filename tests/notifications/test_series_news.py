"""What both hear of a series: each thing once, with the dates by their own clocks."""

from datetime import date, datetime, time
from typing import Any

import pytest

from skileez import db
from skileez.notifications.models import Delivery, Standing
from skileez.sessions import actions, series_booking, series_ending, series_moving
from skileez.sessions.recurrence import starting
from skileez.sessions.series import Series
from skileez.sessions.series_ending import Scope
from tests.cast import DAY, HOUR, NOW, WHY, Cast
from tests.notifications.conftest import Post
from tests.worker.stage import drain

FIRST = "2026-03-16T18:00"


@pytest.fixture
def series(cast: Cast, post: Post) -> Series:
    """Three Mondays, 18:00 in Berlin, booked by the student; New York's clocks changed before."""
    actor = cast.actor("student")
    with db.transaction():
        contract = actions.find_contract_for(actor, cast.contract.id)
        one = starting("Europe/Berlin", date(2026, 3, 16), time(18), [0], 60, count=3)
        return series_booking.book_series(contract, one, by="student", actor=actor, now=NOW)


def act(cast: Cast, series: Series, who: str, verb: Any, *given: Any, **told: Any) -> None:
    with db.transaction():
        found = actions.find_series_for(cast.actor(who), series.id)
        verb(found, *given, by=who, actor=cast.actor(who), now=NOW, **told)


def ask(cast: Cast, series: Series) -> None:
    act(
        cast, series, "coach", series_moving.request_move, FIRST,
        weekdays=[2], clock=time(18), reason=WHY,
    )  # fmt: skip


def test_a_series_is_one_mail_and_its_sessions_are_reminded_of_each(
    cast: Cast, post: Post, series: Series
) -> None:
    drain(NOW)
    assert post.subjects == [
        ("Jonas Lindqvist", "Amara Okafor accepted your proposal"),
        ("Jonas Lindqvist", "Amara Okafor booked a series of 3 sessions"),
    ]
    text = post.sent[1][1].text
    for line in ("Mon 16 Mar 2026, 13:00 (New York, GMT-4)", "Mon 30 Mar 2026, 12:00 (New York"):
        assert line in text
    assert f"https://sessions.example/series/{series.id}" in text
    reminders = Delivery.query.filter_by(kind="session.reminder", channel="mail").all()
    assert len(reminders) == 3 * 2 * 2  # a day and an hour before, to both


def test_a_series_that_is_confirmed_is_told_the_student_once(
    cast: Cast, post: Post, series: Series
) -> None:
    drain(NOW)
    post.sent.clear()
    act(cast, series, "coach", series_booking.confirm)
    drain(NOW)
    assert post.subjects == [
        ("Amara Okafor", "Jonas Lindqvist confirmed 3 sessions of your series")
    ]


def test_a_request_to_move_is_asked_once_and_dropped_when_it_is_answered_first(
    cast: Cast, post: Post, series: Series
) -> None:
    drain(NOW)
    post.sent.clear()
    ask(cast, series)
    drain(NOW)
    ((to, letter),) = post.sent
    assert (to, letter.subject) == ("Amara Okafor", "Jonas Lindqvist asks to move your series")
    # Berlin's clocks change between the two.
    assert "Session 3: Mon 30 Mar 2026, 18:00 → Wed 1 Apr 2026, 18:00 (Berlin" in letter.text
    assert f"/series/{series.id}/answer" in letter.url
    act(cast, series, "coach", series_moving.withdraw_move)
    ask(cast, series)
    act(cast, series, "student", series_moving.approve_move)
    post.sent.clear()
    drain(NOW)
    assert post.subjects == [
        ("Amara Okafor", "Jonas Lindqvist no longer asks to move your series"),
        ("Jonas Lindqvist", "Amara Okafor agreed: your series moves"),
    ]
    asked = Delivery.query.filter_by(kind="series.move_requested", channel="mail").all()
    assert sorted(one.status for one in asked) == [Standing.DROPPED, Standing.SENT]
    # The reminders follow the sessions.
    drain(datetime(2026, 3, 18, 16, 30, tzinfo=NOW.tzinfo))
    sent = Delivery.query.filter_by(kind="session.reminder", status=Standing.SENT)
    assert {one.start for one in sent} == {datetime(2026, 3, 18, 17, tzinfo=NOW.tzinfo)}


def test_silence_a_cancellation_and_a_stop_are_told_once_each(
    cast: Cast, post: Post, series: Series
) -> None:
    ask(cast, series)
    drain(NOW)
    post.sent.clear()
    drain(NOW + DAY + HOUR)
    assert sorted(post.subjects) == [
        ("Amara Okafor", "Your series moves: nobody answered in time"),
        ("Jonas Lindqvist", "Your series moves: nobody answered in time"),
    ]
    post.sent.clear()
    place = "2026-03-25T18:00"
    act(cast, series, "coach", series_ending.cancel, Scope.FOLLOWING, place, reason=WHY)
    act(cast, series, "student", series_ending.stop, keep=True)
    drain(NOW + DAY + HOUR)
    assert post.subjects == [
        ("Amara Okafor", "Jonas Lindqvist cancelled 2 sessions of your series"),
        ("Jonas Lindqvist", "Amara Okafor stopped your series"),
    ]
