"""How what happens by itself stands, counted; and what failed too often, taken up again."""

from datetime import datetime

import pytest

from skileez import db, heartbeat, outbox
from skileez.events import Event
from skileez.insights import operation
from skileez.insights.operation import Due, Operation
from skileez.insights.rules import Going
from skileez.notifications import sending
from skileez.notifications.channels import Failed
from skileez.sessions.rules import Policy
from tests.cast import DAY, HOUR, MINUTE, NOW, Cast
from tests.notifications.conftest import Post
from tests.notifications.test_core import pass_time


def look(now: datetime = NOW) -> Operation:
    db.session.remove()
    return operation.look(now, Policy())


def fail(event: Event, now: datetime) -> None:
    raise KeyError("deadline")


def park_events(cast: Cast, count: int) -> datetime:
    """As many bookings whose events failed too often; when the last one did."""
    for number in range(count):
        cast.book((2 + number) * DAY)
    now = NOW
    for wait in (HOUR * 0, *outbox.BACKOFF):
        now += wait
        outbox.dispatch(fail, now)
    return now


def test_what_is_due_is_counted_and_the_oldest_known(cast: Cast, post: Post) -> None:
    pass_time(NOW)
    cast.book(5 * DAY)
    heartbeat.beat("host:1", "1.0", {}, NOW + MINUTE)
    waiting = look(NOW + MINUTE)
    assert waiting.due["events"] == Due(1, MINUTE)
    assert waiting.going is Going.ON_TIME
    pass_time(NOW + MINUTE)
    done = look(NOW + MINUTE)
    assert done.due["events"] == done.due["messages"] == Due()
    assert (done.alive, done.going) == (1, Going.ON_TIME)
    assert look(NOW + HOUR).going is Going.NO_WORKER


def test_a_silent_session_is_due_half_an_hour_after_its_end(cast: Cast) -> None:
    cast.book(2 * HOUR)
    assert look(NOW + 3 * HOUR + 29 * MINUTE).due["no_shows"] == Due()
    assert look(NOW + 3 * HOUR + 50 * MINUTE).due["no_shows"] == Due(1, 20 * MINUTE)


@pytest.mark.parametrize("every", [True, False])
def test_parked_events_are_taken_up_again_all_or_one(cast: Cast, post: Post, every: bool) -> None:
    pass_time(NOW - DAY)
    now = park_events(cast, 2)
    assert look(now).parked["events"] == 2
    latest = outbox.parked()[0][1].id
    with db.transaction():
        assert outbox.try_again(now, None if every else latest) == (2 if every else 1)
    found = look(now)
    assert found.parked["events"] == (0 if every else 1)
    assert found.due["events"].count == (2 if every else 1)


@pytest.mark.parametrize("every", [True, False])
def test_parked_messages_are_sent_again_all_or_one(cast: Cast, post: Post, every: bool) -> None:
    pass_time(NOW - DAY)
    post.fails = Failed("nobody there", for_good=True)
    for days in (2, 3):
        cast.book(days * DAY)
    pass_time(NOW)
    parked = [one.id for one in sending.parked()]
    assert look().parked["messages"] == len(parked) >= 2
    with db.transaction():
        sending.send_again(NOW, None if every else parked[0])
    found = look()
    assert found.parked["messages"] == (0 if every else len(parked) - 1)
    assert found.due["messages"].count == (len(parked) if every else 1)


def test_the_database_says_which_schema_it_has(database: str) -> None:
    db.bind(database)
    assert db.schema() == db.known_schemas()[0]
