"""The worker dies before every statement, commit and message of every job, and is started anew.

Whatever the moment: nothing is lost, nothing is half done, and a message comes twice only where
the worker died after handing it over and before it wrote that down.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import Engine, event

from skileez import db, worker
from skileez.events import broken_links
from skileez.notifications.channels import Failed
from skileez.notifications.letters import Letter
from skileez.notifications.sending import LEASE
from skileez.sessions import actions
from tests import engines
from tests.cast import DAY, HOUR, MINUTE, NOW, Cast, contract, enter
from tests.sessions.stage import at
from tests.worker.stage import Post, ask, drain, kept, left


class Killed(BaseException):
    """The end of the process: nothing catches it but the test."""


class Reaper:
    """Counts the moments at which a worker can die, and strikes at one of them."""

    def __init__(self, post: Post) -> None:
        self.moments: list[str] = []
        self.strikes_at: int | None = None
        self.in_doubt: str | None = None
        """The letter that was handed over, and is not written down as sent yet."""
        self.fails: Failed | None = None
        """What the first try to send each letter comes to."""
        self.refused: set[str] = set()
        post.before, post.after = self._hand_over, self._handed_over

    def moment(self, what: str) -> None:
        self.moments.append(what)
        if len(self.moments) == self.strikes_at:
            raise Killed(what)

    def _hand_over(self, letter: Letter) -> None:
        self.moment(f"sending {letter.id}")
        if self.fails and (self.fails.for_good or letter.id not in self.refused):
            self.refused.add(letter.id)
            raise self.fails

    def _handed_over(self, letter: Letter) -> None:
        self.in_doubt = letter.id
        self.moment(f"having sent {letter.id}")

    def _commit(self, connection: Any) -> None:
        self.moment("COMMIT")
        self.in_doubt = None

    @contextmanager
    def watching(self, engine: Engine, strikes_at: int | None = None) -> Iterator[list[str]]:
        """The moments meanwhile; dies before the ``strikes_at``-th, and stays dead."""

        def statement(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            self.moment(" ".join(statement.split())[:60])

        self.moments, self.strikes_at, self.in_doubt = [], strikes_at, None
        event.listen(engine, "before_cursor_execute", statement)
        event.listen(engine, "commit", self._commit)
        try:
            yield self.moments
        except Killed:
            pass
        finally:
            self.strikes_at = None
            event.remove(engine, "before_cursor_execute", statement)
            event.remove(engine, "commit", self._commit)
            db.session.remove()


# --- every kind of job ---------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What is due at ``now``, the job that does it, and what must come of it."""

    prepare: Callable[[Cast, Post], None]
    job: Callable[[datetime], bool]
    now: datetime
    verb: str | None = None
    sent: int = 0
    standing: str | None = None
    fails: Failed | None = None


def told(post: Post, now: datetime = NOW) -> None:
    """All that happened before is done, so that the job under test has its own work alone."""
    drain(now)
    post.letters.clear()


def silence(cast: Cast, post: Post, ahead: float = 60, taken: float | None = None) -> None:
    ask(cast, cast.book(ahead * HOUR, by="coach"), "student", 70)
    if taken is not None:
        cast.book(taken * HOUR)
    told(post)


def nobody_comes(cast: Cast, post: Post) -> None:
    cast.book(2 * HOUR)
    told(post)


def one_booking(cast: Cast, post: Post) -> None:
    told(post)
    cast.book(60 * HOUR)


def one_contract(cast: Cast, post: Post) -> None:
    told(post)
    with db.transaction():
        contract(cast.coach, cast.stranger)


def one_letter(cast: Cast, post: Post) -> None:
    one_booking(cast, post)
    worker.dispatch(NOW)


def a_stale_letter(cast: Cast, post: Post) -> None:
    session = cast.book(60 * HOUR)
    told(post)
    ask(cast, session, "student")
    worker.dispatch(NOW)
    with db.transaction():
        actions.find_any(session.id).withdraw_reschedule("student", now=NOW)


def a_digest(cast: Cast, post: Post) -> None:
    cast.book(26 * HOUR, by="coach")
    drain(NOW)
    told(post, MORNING - MINUTE)


MORNING = NOW + DAY  # 07:00 in New York, where the coach lives

KINDS = {
    "a request is approved": Kind(
        silence, worker.settle, at(24), "session.reschedule_auto_approved"
    ),
    "no proposed time is left": Kind(
        partial(silence, taken=70), worker.settle, at(24), "session.to_be_scheduled"
    ),
    "a late request lapses": Kind(
        partial(silence, ahead=20), worker.settle, at(20), "session.reschedule_lapsed"
    ),
    "a session is missed": Kind(nobody_comes, worker.settle, at(4), "session.missed"),
    "news and reminders are made": Kind(one_booking, worker.dispatch, NOW),
    "digests are planned": Kind(one_contract, worker.dispatch, NOW),
    "a message is sent": Kind(one_letter, worker.send, NOW, sent=1, standing="sent"),
    "a message fails": Kind(
        one_letter, worker.send, NOW, sent=1, standing="sent", fails=Failed("away")
    ),
    "a message is refused": Kind(
        one_letter,
        worker.send,
        NOW,
        standing="parked",
        fails=Failed("550 nobody", for_good=True),
    ),
    "a message is stale": Kind(a_stale_letter, worker.send, NOW, standing="dropped"),
    "a digest is sent": Kind(a_digest, worker.send, MORNING, sent=1, standing="sent"),
    "the worker lives": Kind(lambda cast, post: told(post), worker.beat, NOW),
}


class Play:
    """One kind of job, that can begin over and over from the same rows."""

    def __init__(self, kind: Kind, url: str, post: Post, clean: Callable[[], None] | None) -> None:
        self.kind, self.url, self.post, self.clean = kind, url, post, clean
        self.reaper = Reaper(post)
        self.in_doubt: str | None = None
        self.post.digests = self.kind.prepare in (one_contract, a_digest)
        self.kind.prepare(enter(url), post)
        self.put_back = kept(url)
        self.engine = engines.bind(url)

    def begin(self) -> None:
        """Put all rows back."""
        self.reaper.fails = None
        db.session.remove()
        if self.clean:
            self.clean()
        else:
            self.engine.dispose()
        self.put_back(self.url)
        self.reaper.fails = self.kind.fails
        self.reaper.refused.clear()
        self.post.letters.clear()

    def act(self, dies_before: int | None = None) -> list[str]:
        """Do the job, all of it or until it dies; the moments that it had."""
        with self.reaper.watching(self.engine, dies_before) as moments:
            self._work(self.kind.now)
        self.in_doubt = self.reaper.in_doubt
        return list(moments)

    def recover(self) -> None:
        """A new worker comes; for messages, when the dead one's lease has run out."""
        if self.kind.job is worker.send:
            self._work(self.kind.now + LEASE)
            self._work(self.kind.now + 2 * LEASE)
        else:
            self._work(self.kind.now)

    def _work(self, now: datetime) -> None:
        while self.kind.job(now):
            pass
        db.session.remove()


@pytest.fixture
def clean(database: str, engine_name: str, request: pytest.FixtureRequest) -> Any:
    if engine_name == "sqlite":
        return None
    return request.getfixturevalue("postgresql_database")[1]


ON_BOTH = ("a request is approved", "news and reminders are made", "a message is sent")
"""On PostgreSQL, where each death takes longer to set up, a few deaths of these."""


@pytest.mark.parametrize(
    ("engine_name", "name"),
    [
        *(("sqlite", name) for name in KINDS),
        *(pytest.param("postgresql", name, marks=pytest.mark.postgresql) for name in ON_BOTH),
    ],
)
def test_a_job_that_dies_anywhere_is_done_once_by_the_next_worker(
    name: str, database: str, clean: Callable[[], None] | None, post: Post
) -> None:
    kind = KINDS[name]
    play = Play(kind, database, post, clean)
    before = left()
    play.begin()
    undisturbed = play.act()
    play.recover()
    after = left()
    check_result(kind, after, post)
    states = {0: before}
    every = 1 if clean is None else len(undisturbed) // 4
    for number in range(1, len(undisturbed) + 1, every):
        play.begin()
        moments = play.act(dies_before=number)
        died = f"{name}, dead before moment {number}: {moments[-1]}"
        assert moments == undisturbed[:number], died
        # What a transaction left behind is all of it, or nothing.
        commits = moments[:-1].count("COMMIT")
        now = left()
        assert now == states.setdefault(commits, now), died
        check_no_event_is_lost(now, after, died)
        play.recover()
        assert left() == after, died
        again = {one: times for one, times in post.times.items() if times > 1}
        assert again == ({play.in_doubt: 2} if play.in_doubt else {}), died
        assert sum(post.times.values()) - len(again) == kind.sent, died
    assert not list(broken_links())


def check_result(kind: Kind, rows: dict[str, list[dict[str, Any]]], post: Post) -> None:
    """Undisturbed, the job does what this kind is about."""
    assert len(post.letters) == kind.sent
    if kind.verb:
        assert [one["verb"] for one in rows["event"]].count(kind.verb) == 1
    if kind.standing:
        assert any(one["status"] == kind.standing for one in rows["delivery"])
    if kind.job is worker.dispatch:
        assert not rows["outbox"]
    if kind.job is worker.beat:
        assert len(rows["worker_beat"]) == 1


def check_no_event_is_lost(now: Any, after: Any, died: str) -> None:
    """An event waits, or all that follows from it is there."""
    waiting = {one["event_id"] for one in now["outbox"]}
    made = {(one["occasion"], one["recipient_id"], one["channel"]) for one in now["delivery"]}
    due = {
        (one["occasion"], one["recipient_id"], one["channel"])
        for one in after["delivery"]
        if one["event_id"] and one["event_id"] not in waiting
    }
    happened = {f"{one['stream']} {one['position']}" for one in now["event"]}
    assert {one for one in due if one[0].removeprefix("event ") in happened} <= made, died


# --- a worker that dies again and again ----------------------------------------------------


def an_evening(cast: Cast, post: Post) -> None:
    """Something of everything is due at the 30th hour."""
    approved, crowded, late = (cast.book(hours * HOUR) for hours in (60, 62, 22))
    drain(NOW)
    ask(cast, approved, "student", 90)
    ask(cast, crowded, "coach", 91)
    ask(cast, late, "student", 95)
    told(post, at(19))


EVENING = Kind(an_evening, lambda now: bool(worker.once(now)), at(30), sent=1)


def test_a_worker_that_dies_over_and_over_comes_to_the_same_end(
    database: str, clean: Callable[[], None] | None, post: Post
) -> None:
    play = Play(EVENING, database, post, clean)
    play.begin()
    assert len(play.act()) > 150
    play.recover()
    whole, letters = outcome(left()), len(post.letters)
    assert letters > 5
    play.begin()
    now, twice, deaths = at(30), 0, 0
    for dies_before in cycle((7, 19, 43, 131)):
        with play.reaper.watching(play.engine, dies_before) as moments:
            drain(now)
        if len(moments) < dies_before:
            break
        deaths += 1
        twice += play.reaper.in_doubt is not None
        now += LEASE
        assert now < at(34)
    drain(now + LEASE)
    assert deaths >= 5
    assert outcome(left()) == whole
    assert len(post.letters) == letters + twice
    assert not list(broken_links())


def outcome(rows: dict[str, list[dict[str, Any]]]) -> Any:
    """What came of it, whenever it came."""
    return {
        "event": sorted((one["session_id"] or 0, one["verb"]) for one in rows["event"]),
        "session": [
            (one["id"], one["status"], one["scheduled_at"], one["reschedule_requested"])
            for one in rows["session"]
        ],
        "delivery": sorted(
            (
                one["kind"],
                one["session_id"] or 0,
                one["recipient_id"],
                one["channel"],
                one["status"],
            )
            for one in rows["delivery"]
        ),
        "outbox": rows["outbox"],
    }
