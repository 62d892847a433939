"""Half a year of coaching in seconds: people, two workers and their mishaps, from one seed.

Time is a number that jumps from one happening to the next. Everything goes through the verbs
and the worker's own jobs; only the clock, the post and the mishaps are ours.
"""

import gc
import heapq
import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from sqlalchemy import Engine, QueuePool, event, text

from skileez import db, outbox, reactions
from skileez.accounts.models import Person
from skileez.availability import actions as availability
from skileez.availability.models import Availability
from skileez.errors import NotFound, Refused
from skileez.events import Actor
from skileez.notifications import channels, letters, links, sending
from skileez.notifications.channels import Failed
from skileez.notifications.letters import Letter
from skileez.notifications.models import Wishes
from skileez.notifications.rules import DIGESTS
from skileez.sessions import actions, dst, finding, policy
from skileez.sessions.models import Session
from skileez.sessions.rules import Policy
from tests.cast import DAY, HOUR, MINUTE, WHY
from tests.sim.people import BEGIN, LASTS, ZONES, People
from tests.sim.recurring import Recurring

POLICY = Policy()
ACTIVE = 3
"""Contracts under which something happens."""


class Killed(BaseException):
    """The worker's process ends here."""


@dataclass(frozen=True)
class Received:
    """A message that arrived."""

    letter: Letter
    to: int
    at: datetime


class Post:
    """The mail peer: loses nothing, refuses sometimes; a sender may die after handing over."""

    name = channels.MAIL

    def __init__(self, world: "World") -> None:
        self.world = world
        self.received: list[Received] = []
        self.deaths: Counter[str] = Counter()
        """How often a sender died between handing a message over and marking it."""
        self.handed: str | None = None

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        return wishes.mail and kind not in DIGESTS  # one a day each: half the work, and no news

    def send(self, letter: Letter, to: Person) -> None:
        dice = self.world.random.random()
        if dice < 0.03:
            raise Failed("come back later")
        self.received.append(Received(letter, to.id, self.world.now))
        self.handed = letter.id
        if dice < 0.06 and self.world.mishaps:
            raise Killed


@dataclass
class World:
    """What happens from one seed. ``check`` is called after every step."""

    seed: int
    engine: Engine
    coaches: int = 50
    active: int = ACTIVE
    recurring: float = 0
    """The share of them whose sessions are booked as a series."""
    mishaps: bool = True
    now: datetime = BEGIN
    steps: int = 0
    did: Counter[str] = field(default_factory=Counter)
    check: Callable[["World"], None] = lambda world: None

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.post = Post(self)
        self.people = People(self.random, self.coaches)
        self.series = Recurring(self)
        self.not_kept: list[str] = []
        """Why times that had just been offered were refused."""
        self._heap: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stalled: list[tuple[int, datetime]] = []

    # The course of things

    def run(self) -> None:
        """Live until the half year is over, then let the workers finish what is left."""
        self._people()
        while self._heap:
            at, _, deed = heapq.heappop(self._heap)
            self._until(at)
            self.now = max(self.now, at)
            self._step(deed)
            if self.random.random() < 0.1:
                self._step(self.work)  # whether there is anything to do or not
            if self.mishaps and self.random.random() < 0.01:
                # A clock that jumps: forward by days, or back by minutes.
                forward = self.random.random() < 0.5
                self.now += DAY if forward else -self.random.randint(1, 30) * MINUTE
                self.did["clock jumps"] += 1
        self.drain()

    def later(self, at: datetime, deed: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (at, next(self._order), deed))

    def _step(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        finally:
            db.session.remove()
        self.steps += 1
        self.check(self)

    def _until(self, at: datetime) -> None:
        """Let the workers do what falls due before ``at``, each time a little late."""
        for _ in range(200):
            due = self.next_due()
            if due is None or due >= at:
                return
            late = self.random.choice([0, 0, 1, 5, 40]) * MINUTE
            if self.mishaps and self.random.random() < 0.02:
                late += self.random.randint(1, 30) * HOUR  # nobody noticed that they were gone
            self.now = max(self.now, min(at, due + late))
            self._step(self.work)

    def next_due(self) -> datetime | None:
        """When something falls due next."""
        with self.engine.connect() as connection:
            due: datetime | None = connection.execute(_NEXT_DUE).scalar_one()
            return due

    # The workers

    def work(self) -> None:
        """One of the two workers does its jobs, unless something happens to it."""
        try:
            with self._fuse():
                actions.sweep(self.now, policy=POLICY)
                if self.recurring:
                    dst.tell_due(self.now)
                outbox.dispatch(reactions.react, self.now)
                for one in sending.claim(self.now, 50):
                    if self.mishaps and self.random.random() < 0.05:
                        self._stalled.append((one, self.now))
                        self.did["stalled"] += 1
                    else:
                        self._send(one, self.now)
                self._go_on()
        except Killed:
            self.did["crashes"] += 1
            if self.post.handed is not None:
                self.post.deaths[self.post.handed] += 1
        finally:
            self.post.handed = None
            db.session.remove()

    def _send(self, one: int, claimed_at: datetime) -> None:
        sending.send(one, claimed_at)
        self.post.handed = None

    def _go_on(self) -> None:
        """A sender that stalled goes on with what it claimed, which may be another's by now."""
        while self._stalled and self.random.random() < 0.5:
            one, claimed_at = self._stalled.pop(0)
            if abs(self.now - claimed_at) <= sending.LEASE:
                self._send(one, claimed_at)

    @contextmanager
    def _fuse(self) -> Iterator[None]:
        """Die before some statement, now and then."""
        if not self.mishaps or self.random.random() > 0.05:
            yield
            return
        left = self.random.randint(1, 40)

        def burn(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        event.listen(self.engine, "before_cursor_execute", burn)
        try:
            yield
        finally:
            event.remove(self.engine, "before_cursor_execute", burn)

    def drain(self) -> None:
        """No more mishaps; the workers go on until nothing is due for a month."""
        self.mishaps = False
        end = max(self.now, BEGIN + LASTS) + 30 * DAY
        while (due := self.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            self._step(self.work)
        self.now = end
        for _ in range(3):
            self._step(self.work)

    # The people

    def _people(self) -> None:
        with db.transaction():
            self.people.enter()
            for coach, student, week in self.people.pairs(self.active):
                self._contract(coach, student, week)
        db.session.remove()

    def _contract(self, coach: int, student: int, week: datetime) -> None:
        total = self.random.choice([1, 2, 2, 3]) + (2 if self.recurring else 0)
        contract = self.people.agree(coach, student, total, self.random.choice([30, 60, 90]))
        sides = {"coach": coach, "student": student}
        if self.recurring and self.random.random() < self.recurring:
            zone, at = self.random.choice(ZONES), week + self.random.random() * 7 * DAY
            self.later(at, lambda: self.series.book(contract, sides, total, zone))
            return
        for _ in range(total + self.random.randint(0, 1)):
            at = week + self.random.random() * 14 * DAY
            self.later(at, lambda: self._book(contract, sides))
        if coach in self.people.hours and self.random.random() < 0.5:
            at = week + self.random.random() * 14 * DAY
            self.later(at, lambda: self._change_hours(coach))

    def _change_hours(self, coach: int) -> None:
        hours = self.people.some_hours()

        def change() -> None:
            row = db.session.get_one(Availability, coach)
            actor = Actor("person", coach)
            availability.set_hours(coach, hours, actor=actor, version=row.version, now=self.now)
            self.people.hours[coach] = hours

        self.attempt("change hours", change)

    def _someone(self) -> str:
        return self.random.choice(["student", "coach"])

    def _wait(self, most: timedelta) -> datetime:
        return self.now + self.random.random() * most

    def _hour(self, start: datetime) -> datetime:
        # Few times of a day, so that they do collide.
        return start.replace(hour=start.hour // 4 * 4, minute=0, second=0, microsecond=0) + 4 * HOUR

    def _book(self, contract: int, sides: dict[str, int]) -> None:
        by = self._someone()
        start = self._hour(self.now + self.random.choice([3, 20, 30, 50, 80, 150]) * HOUR)
        actor = Actor("person", sides[by])
        offered = []
        if by == "student" and self.random.random() < 0.6:
            looked = finding.of_contract(sides[by], contract)
            opening = looked.opening(self.now, self.now + 7 * DAY, now=self.now, policy=POLICY)
            offered = opening.starts(self.now, self.now + 7 * DAY)
            db.session.rollback()
            ends = [one.ends for one in opening.taken if one.whose == "coach"]
            if ends and self.random.random() < 0.7:
                # As close as can be: that is where buffers and caps decide.
                offered.sort(key=lambda at: min(abs(at - end) for end in ends))
                offered = offered[:1]
        if offered:
            start = self.random.choice(offered)

        def book() -> int:
            found = actions.find_contract_for(actor, contract)
            try:
                return actions.book(
                    found, start, by=by, actor=actor, now=self.now, policy=POLICY
                ).id
            except Refused as refused:
                if offered and refused.refusal.field == "scheduled_at":
                    self.not_kept.append(refused.code)
                raise

        session = self.attempt("book an offer" if offered else "book", book)
        if session is not None:
            self.live(session, sides, start)

    def live(self, session: int, sides: dict[str, int], start: datetime) -> None:
        """Draw what its people will do about a session."""
        left = max(start - self.now, HOUR)
        if self.random.random() < 0.7:
            self.later(self._wait(left), lambda: self._do(session, sides, "confirm", "coach"))
        if self.random.random() < 0.6:
            by = self._someone()
            self.later(self._wait(left), lambda: self._ask(session, sides, by))
        if self.random.random() < 0.12:
            by = self._someone()
            self.later(self._wait(left * 1.1), lambda: self._do(session, sides, "cancel", by))
        for side in sides:
            if self.random.random() < 0.5:
                at = start + self.random.randint(-9, 20) * MINUTE
                self.later(at, lambda side=side: self._do(session, sides, "check_in", side))
        ending = self.random.random()
        after = start + self.random.random() * 4 * HOUR
        by = self._someone()
        if ending < 0.55:
            self.later(after, lambda: self._do(session, sides, "complete", by))
        elif ending < 0.65:
            self.later(after, lambda: self._do(session, sides, "miss", by))
        if self.random.random() < 0.3:
            self.later(after + 20 * HOUR, lambda: self._correct(session, sides))

    def _ask(self, session: int, sides: dict[str, int], by: str) -> None:
        times = [
            self._hour(self.now + self.random.choice([2, 6, 12, 30, 70, 150]) * HOUR)
            for _ in range(self.random.randint(1, 3))
        ]
        asked = self._verb(
            session, sides, "ask", by,
            lambda one, actor: one.request_reschedule(
                by, WHY, proposed_times=times, actor=actor, now=self.now, policy=POLICY
            ),
        )  # fmt: skip
        if asked:
            self._answer_later(session, sides, by)

    def _answer_later(self, session: int, sides: dict[str, int], asker: str) -> None:
        other = "coach" if asker == "student" else "student"
        if self.random.random() < 0.3:
            # Who asked tries to answer as well.
            at = self._wait(3 * HOUR)
            self.later(at, lambda: self._answer(session, sides, "approve", asker, asker))
        answer = self.random.choice(
            ["approve", "decline", "counter", "withdraw", "forget", "forget", "forget"]
        )
        if answer == "forget":
            return
        at = self._wait(26 * HOUR)
        by = asker if answer == "withdraw" else other
        self.later(at, lambda: self._answer(session, sides, answer, by, asker))

    def _answer(self, session: int, sides: dict[str, int], verb: str, by: str, asker: str) -> None:
        def answer(one: Session, actor: Actor) -> None:
            told: dict[str, Any] = {"actor": actor, "now": self.now}
            if verb == "approve":
                times = one.proposed_times
                time = self.random.choice(times) if times else self._hour(self.now + 30 * HOUR)
                one.approve_reschedule(time, by=by, policy=POLICY, **told)
            elif verb == "decline":
                one.decline_reschedule(by=by, reason=None, **told)
            elif verb == "counter":
                time = self._hour(self.now + self.random.randint(2, 90) * HOUR)
                one.counter_reschedule(by, [time], policy=POLICY, **told)
            else:
                one.withdraw_reschedule(by, **told)

        if self._verb(session, sides, verb, by, answer) and verb == "counter":
            self._answer_later(session, sides, by)

    def _correct(self, session: int, sides: dict[str, int]) -> None:
        asked = self._do(session, sides, "ask correction", by := self._someone())
        if asked:
            other = "coach" if by == "student" else "student"
            verb = self.random.choice(["agree", "agree", "disagree"])
            at = self._wait(30 * HOUR)
            self.later(at, lambda: self._do(session, sides, verb, other))

    def _do(self, session: int, sides: dict[str, int], verb: str, by: str) -> bool:
        now = self.now
        verbs: dict[str, Callable[[Session, Actor], object]] = {
            "confirm": lambda one, who: one.confirm(by, actor=who, now=now),
            "cancel": lambda one, who: one.cancel_session(
                by=by, reason=WHY, actor=who, now=now, policy=POLICY
            ),
            "complete": lambda one, who: one.mark_completed("Fine.", by, actor=who, now=now),
            "miss": lambda one, who: one.mark_missed(
                by=by, reason=WHY, absent=self._someone(), actor=who, now=now
            ),
            "check_in": lambda one, who: one.check_in(by, "here", actor=who, now=now),
            "ask correction": lambda one, who: one.request_correction(
                by, WHY, actor=who, now=now, policy=POLICY
            ),
            "agree": lambda one, who: one.approve_correction(by, actor=who, now=now),
            "disagree": lambda one, who: one.decline_correction(by, actor=who, now=now),
        }
        return self._verb(session, sides, verb, by, verbs[verb])

    def _verb(
        self,
        session: int,
        sides: dict[str, int],
        name: str,
        by: str,
        verb: Callable[[Session, Actor], object],
    ) -> bool:
        def act() -> bool:
            actor = Actor("person", sides[by])
            verb(actions.find_for(actor, session), actor)
            return True

        return bool(self.attempt(name, act))

    def attempt(self, name: str, act: Callable[[], Any]) -> Any:
        """Do it in a transaction, and count it; None when it was refused."""
        try:
            with db.transaction():
                done = act()
        except (Refused, NotFound) as refused:
            self.did[f"{name} refused"] += 1
            del refused
            return None
        self.did[name] += 1
        return done


_NEXT_DUE = text(
    "SELECT min(due) AS due FROM (SELECT min(due_at) AS due FROM outbox"
    " UNION ALL SELECT min(coalesce(lease_until, due_at)) FROM delivery WHERE status = 'waiting'"
    " UNION ALL SELECT min(reschedule_deadline) FROM session WHERE reschedule_requested"
    " UNION ALL SELECT min(deadline) FROM series_request"
    " UNION ALL SELECT min(clocks_at) FROM series) AS every"
).columns(due=db.UTCDateTime)


MEMORY = "file:half-year?mode=memory&cache=shared"


@contextmanager
def in_memory(template: Path) -> Iterator[Engine]:
    """A copy of a migrated SQLite file that never touches a disk."""
    engine = _memory()
    # It lives as long as one connection does, and those of the engine are killed with their worker.
    with (
        closing(sqlite3.connect(MEMORY, uri=True)) as kept,
        closing(sqlite3.connect(template)) as source,
    ):
        source.backup(kept)
        yield engine
        engine.dispose()


@cache
def _memory() -> Engine:
    # One for all half years: what it compiled for the first is there for the next.
    return db.engine_for(f"sqlite:///{MEMORY}&uri=true", poolclass=QueuePool)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """A quarter of the time would go into looking for garbage among what stays."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def living(seed: int, engine: Engine, **told: Any) -> Iterator[World]:
    """A world on the database of ``engine``, with its own post in place of mail."""
    db.session.remove()
    db.session.configure(bind=engine)
    world = World(seed, engine, **told)
    # Whatever ran before in this process, the same seed is the same half year.
    letters.configure("https://sessions.example")
    links.configure("a secret key that is only good for tests")
    channels.forget()
    channels.add(world.post)
    try:
        with mock.patch.object(policy, "_in_force", POLICY), _collecting_seldom():
            yield world
    finally:
        channels.forget()
        db.session.remove()
        db.session.configure(bind=None)
