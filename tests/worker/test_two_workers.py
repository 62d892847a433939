"""Two workers at once: each event, message and request is done by one of them, once.

Each guard has a control, in which it is off and the work is done twice: or these tests would
prove nothing.
"""

import threading
from collections import Counter
from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from skileez import db, outbox, worker
from skileez.events import Event, broken_links
from skileez.notifications import channels, sending
from skileez.notifications.letters import Letter
from skileez.notifications.models import Delivery, Standing
from skileez.outbox import Waiting
from tests.cast import HOUR, NOW, Cast
from tests.races.arena import WON, race
from tests.sessions.stage import at
from tests.worker.stage import Post, ask, begin, drain

WORKERS = 2


@pytest.fixture
def crowd(database: str, post: Post) -> Cast:
    """Six requests that nobody answered, and two sessions to which nobody came, at 30 hours."""
    cast = begin(database, eight_bookings, total=20)
    post.letters.clear()
    return cast


def eight_bookings(cast: Cast) -> None:
    asked = [cast.book((60 + 2 * n) * HOUR) for n in range(6)]
    for hours in (2, 4):
        cast.book(hours * HOUR)
    for n, session in enumerate(asked):
        ask(cast, session, ("student", "coach")[n % 2], 90 + 2 * n)
    drain(NOW)


class Meeting:
    """Keeps each worker's first letter until the other one is sending too."""

    def __init__(self, post: Post) -> None:
        self.line = threading.Barrier(WORKERS, timeout=30)
        self.senders: set[int] = set()
        post.before = self._wait

    def _wait(self, letter: Letter) -> None:
        if threading.get_ident() not in self.senders:
            self.senders.add(threading.get_ident())
            self.line.wait()


def a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = sending.claim
    monkeypatch.setattr(sending, "claim", lambda now, limit: claim(now, 3))


def test_two_workers_do_everything_once(
    crowd: Cast, database: str, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_few_at_a_time(monkeypatch)
    assert race(database, lambda n: drain(at(30)), clients=WORKERS) == {WON: WORKERS}
    drain(at(30))  # what the one left to the other when that had just ended
    verbs = Counter(db.session.scalars(select(Event.verb).where(Event.at == at(30))))
    assert verbs == {"session.reschedule_auto_approved": 6, "session.missed": 2}
    assert set(post.times.values()) == {1}
    mails = Counter(
        db.session.scalars(select(Delivery.kind).where(Delivery.occasion.like("event:%")))
    )
    assert mails["session.reschedule_auto_approved"] == 6 * 2 * 2  # people, channels
    assert not Waiting.query.count()
    assert not list(broken_links())


def test_no_message_is_sent_by_both(
    crowd: Cast, database: str, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.settle(at(30))
    while worker.dispatch(at(30)):
        pass
    due = Delivery.query.filter(Delivery.status == "waiting", Delivery.due_at <= at(30)).count()
    assert due > 6
    a_few_at_a_time(monkeypatch)
    meeting = Meeting(post)
    assert race(database, lambda n: drain(at(30)), clients=WORKERS) == {WON: WORKERS}
    assert len(meeting.senders) == WORKERS
    assert set(post.times.values()) == {1}


def test_without_the_lease_both_send_the_same_message(
    crowd: Cast, database: str, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.settle(at(30))
    while worker.dispatch(at(30)):
        pass

    def unleased(now: datetime, limit: int) -> list[int]:
        due = select(Delivery.id).where(Delivery.status == "waiting", Delivery.due_at <= now)
        return list(db.session.scalars(due.order_by(Delivery.due_at, Delivery.id).limit(limit)))

    monkeypatch.setattr(sending, "claim", unleased)
    monkeypatch.setattr(sending, "_is_ours", lambda delivery, now: True)
    Meeting(post)
    race(database, lambda n: drain(at(30)), clients=WORKERS)
    assert max(post.times.values()) == WORKERS


def test_no_event_is_dispatched_by_both(crowd: Cast, database: str) -> None:
    worker.settle(at(30))
    waiting = Waiting.query.count()
    assert waiting == 8

    def work(number: int) -> None:
        while outbox.dispatch(note, at(30), limit=1):
            pass

    assert race(database, work, clients=WORKERS) == {WON: WORKERS}
    assert noted() == dict.fromkeys(noted(), 1)
    assert len(noted()) == waiting
    assert not Waiting.query.count()


def test_without_the_lock_both_dispatch_the_same_event(crowd: Cast, database: str) -> None:
    worker.settle(at(30))
    line = threading.Barrier(WORKERS, timeout=30)

    def work(number: int) -> None:
        events = [one.event_id for one in Waiting.query]
        db.session.rollback()
        line.wait()
        with db.transaction():
            for event_id in events:
                note(db.session.get_one(Event, event_id), at(30))
                db.session.execute(delete(Waiting).where(Waiting.event_id == event_id))

    race(database, work, clients=WORKERS)
    assert set(noted().values()) == {WORKERS}


def note(event: Event, now: datetime) -> None:
    """A reaction that may happen twice, unlike ours: nothing about it is unique."""
    db.session.add(
        Delivery(
            occasion=f"noted:{event.id}:{uuid4()}",
            kind="noted",
            channel=channels.APP,
            recipient_id=1,
            event_id=event.id,
            at=now,
            due_at=now,
            status=Standing.DROPPED,
            failures=0,
        )
    )


def noted() -> Counter[int]:
    """How often each event was dispatched."""
    return Counter(db.session.scalars(select(Delivery.event_id).where(Delivery.kind == "noted")))
