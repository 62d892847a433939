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
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from sqlalchemy import Engine, QueuePool, event, text

from skileez import db, outbox, reactions
from skileez.availability import actions as availability
from skileez.availability.models import Availability
from skileez.errors import NotFound, Refused
from skileez.events import Actor
from skileez.notifications import channels, letters, links, sending
from skileez.sessions import actions, dst, policy
from tests.cast import DAY, HOUR, MINUTE, POLICY
from tests.sim.people import BEGIN, LASTS, ZONES, People
from tests.sim.post import Killed, Post
from tests.sim.recurring import Recurring
from tests.sim.sessions import Sessions

ACTIVE = 3
"""Contracts under which something happens."""


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
        self.sessions = Sessions(self)
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
            self.later(at, lambda: self.sessions.book(contract, sides))
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
