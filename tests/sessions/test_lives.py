"""Whole lives of sessions: any verbs in any order, and what is true after each of them."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import undefer

from skileez import db
from skileez.contracts.models import Contract
from skileez.errors import Refused
from skileez.events import SYSTEM, broken_links
from skileez.sessions import actions, rules
from skileez.sessions.models import BookedTime, ProposedTime, Session
from tests import cast as people
from tests import engines
from tests.cast import HOUR, NOW, WHY
from tests.properties import long_stories

_names = itertools.count()


@dataclass
class World:
    """Two people who coach each other, and the time it is."""

    contracts: list[int]
    people: list[int]
    now: datetime = NOW
    seen: dict[int, str] = field(default_factory=dict)

    def sessions(self) -> list[Session]:
        return list(
            Session.query.filter(Session.contract_id.in_(self.contracts))
            .order_by(Session.id)
            .options(undefer(Session.stored_state))
            .populate_existing()
        )


def begin() -> World:
    with db.transaction():
        one, other = (people.person(f"coach-{next(_names)}") for _ in range(2))
        contracts = [people.contract(one, other, 4), people.contract(other, one, 3)]
        for contract, ahead in zip(contracts * 2, (2, 30, 49, 60), strict=True):
            actions.book(contract, NOW + ahead * HOUR, by="coach", now=NOW)
        return World([each.id for each in contracts], [one.id, other.id])


@dataclass(frozen=True)
class Move:
    """One thing that somebody tries: which verb, on which session, as whom, and when to."""

    verb: str
    which: int
    by: str
    fitting: bool
    hours: tuple[float, ...]

    def times(self, now: datetime) -> list[datetime]:
        return [now + hours * HOUR for hours in self.hours]


Verb = Callable[[Session, Move, datetime], object]
VERBS: dict[str, Verb] = {
    "request": lambda s, m, now: s.request_reschedule(
        m.by, WHY, proposed_times=m.times(now), now=now
    ),
    "request any": lambda s, m, now: s.request_reschedule(m.by, WHY, now=now),
    "approve": lambda s, m, now: s.approve_reschedule(
        [*s.proposed_times, *m.times(now)][m.which % (len(s.proposed_times) + 1)],
        by=m.by,
        now=now,
    ),
    "counter": lambda s, m, now: s.counter_reschedule(m.by, m.times(now), now=now),
    "decline": lambda s, m, now: s.decline_reschedule(by=m.by, now=now),
    "withdraw": lambda s, m, now: s.withdraw_reschedule(m.by, now=now),
    "confirm": lambda s, m, now: s.confirm(m.by, now=now),
    "complete": lambda s, m, now: s.mark_completed("Well done.", m.by, now=now),
    "cancel": lambda s, m, now: s.cancel_session(by=m.by, reason=WHY, now=now),
    "miss": lambda s, m, now: s.mark_missed(by=m.by, reason=WHY, absent="both", now=now),
    "dispute": lambda s, m, now: s.request_correction(m.by, WHY, now=now),
    "agree": lambda s, m, now: s.approve_correction(m.by, now=now),
    "disagree": lambda s, m, now: s.decline_correction(m.by, now=now),
    "schedule": lambda s, m, now: s.schedule(m.times(now)[0], by=m.by, now=now),
}
LIKELY = [
    "request",
    "complete",
    "complete",
    "decline",
    "agree",
    "approve",
    "counter",
    "complete",
    "miss",
    "dispute",
    "agree",
]

# Who could do it, by what the session is waiting for: most moves are aimed, some are blind.
AIMED: dict[str, Callable[[Session, Move, datetime], str | None]] = {
    **dict.fromkeys(("approve", "counter", "decline"), lambda s, *_: other(asked_by(s))),
    "withdraw": lambda s, *_: asked_by(s),
    **dict.fromkeys(("agree", "disagree"), lambda s, *_: other(s.correction_by)),
    "dispute": lambda s, m, _: m.by if s.status == "missed" else None,
    "confirm": lambda s, *_: None if s.confirmed_by_coach else "coach",
    "schedule": lambda s, *_: s.scheduling_by,
    "complete": lambda s, m, now: m.by if s.can_be_completed(now=now) else None,
    "miss": lambda s, m, now: m.by if s.can_be_completed(now=now) else None,
    "request": lambda s, m, now: m.by if s.can_request_reschedule(m.by, now=now) else None,
}


def asked_by(session: Session) -> str | None:
    return session.reschedule_requested_by


def other(role: str | None) -> str | None:
    return role and rules.other(role)


hours = st.sampled_from([1, 1.5, 2, 3, 8, 12, 23, 26, 47, 49, 60])
moves = st.builds(
    Move,
    st.sampled_from(["book", "book", "wait", "wait", "sweep", *VERBS, *LIKELY]),
    st.integers(0, 5),
    st.sampled_from(["student", "coach"]),
    st.sampled_from([True, True, True, False]),
    st.lists(hours, min_size=1, max_size=3, unique=True).map(tuple),
)


def play(world: World, move: Move) -> None:
    """Try it, as a door would."""
    if move.verb == "wait":
        world.now += min(move.hours[0], 12) * HOUR
    elif move.verb == "sweep":
        actions.sweep(world.now)
    elif move.verb == "book":
        with db.transaction():
            contract_id = world.contracts[move.which % 2]
            contract = actions.find_contract_for(SYSTEM, contract_id, admin=True)
            actions.book(contract, move.times(world.now)[0], by=move.by, now=world.now)
    else:
        found = aim(world, move)
        if found:
            with db.transaction():
                session = actions.find_any(found[0])
                VERBS[move.verb](session, replace(move, by=found[1]), world.now)


def aim(world: World, move: Move) -> tuple[int, str] | None:
    """The session to try it on, and as whom."""
    sessions = world.sessions()
    everyone = [(one.id, move.by) for one in sessions]
    if move.fitting and move.verb in AIMED:
        fitting = [
            (one.id, by) for one in sessions if (by := AIMED[move.verb](one, move, world.now))
        ]
        everyone = fitting or everyone
    return everyone[-1 - move.which % len(everyone)] if everyone else None


def check_invariants(world: World) -> None:
    sessions = world.sessions()
    live = [one for one in sessions if one.status in rules.LIVE]
    proposed = set(db.session.scalars(select(ProposedTime.session_id)))
    for one in sessions:
        check_row(one)
        assert one.reschedule_requested or one.id not in proposed
        before = world.seen.get(one.id, "scheduled")
        assert before == one.status or (before, one.status) in set(rules.TRANSITIONS.values())
        world.seen[one.id] = one.status
    for contract_id in world.contracts:
        contract = db.session.get_one(Contract, contract_id, populate_existing=True)
        mine = [one for one in live if one.contract_id == contract_id]
        numbers = [one.session_number for one in mine]
        assert len(numbers) == len(set(numbers)) <= contract.total_sessions
        assert set(numbers) <= set(range(1, contract.total_sessions + 1))
        done = sum(one.status == "completed" for one in mine)
        assert contract.completed_sessions == done
        assert contract.remaining_sessions == contract.total_sessions - done
        assert (contract.status == "completed") == (done == contract.total_sessions)
    timed = sorted(
        (one.scheduled_at, one.ends_at) for one in live if one.scheduled_at and one.ends_at
    )
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(timed))
    booked = BookedTime.query.filter(BookedTime.person_id.in_(world.people))
    assert {(one.session_id, one.starts_at, one.ends_at) for one in booked} == {
        (one.id, one.scheduled_at, one.ends_at) for one in live if one.scheduled_at
    }


def check_row(one: Session) -> None:
    pending = one.reschedule_requested
    assert one.state == one.stored_state
    assert pending is (one.state == "reschedule_requested")
    request = (
        one.reschedule_requested_by,
        one.reschedule_reason,
        one.reschedule_kind,
        one.reschedule_asked_at,
        one.reschedule_deadline,
    )
    assert all(request) if pending else not any(request)
    if pending:
        assert one.status == "scheduled"
        assert one.reschedule_deadline <= one.scheduled_at
    assert (one.scheduled_at is None) is (one.ends_at is None)
    if one.scheduled_at:
        assert one.ends_at - one.scheduled_at == timedelta(minutes=one.duration_minutes)
        assert one.listed_at == one.scheduled_at
    assert (one.completed_date is not None) is (one.status == "completed")
    assert (one.cancelled_at is not None) is (one.status == "cancelled")
    assert (one.student_id, one.coach_id) == (one.contract.student_id, one.contract.coach_id)


ROWS, TOLD = (
    text(statement).bindparams(bindparam("contracts", expanding=True))
    for statement in (
        "SELECT * FROM session WHERE contract_id IN :contracts ORDER BY id",
        "SELECT count(*) FROM event WHERE contract_id IN :contracts",
    )
)


def rows(world: World) -> list[Any]:
    """Every column, past the models: what is really there."""
    return list(db.session.execute(ROWS, {"contracts": world.contracts}))


def told(world: World) -> int:
    return db.session.execute(TOLD, {"contracts": world.contracts}).scalar_one()


@pytest.fixture
def bound(database: str) -> Iterator[None]:
    engines.bind(database)
    yield
    assert not list(broken_links())


@pytest.mark.usefixtures("bound")
def test_whatever_is_tried_in_whatever_order_the_rows_stay_true(engine_name: str) -> None:
    stories = given(st.lists(moves, min_size=15, max_size=25))(live)
    # The same stories, derandomized; PostgreSQL, which takes twice as long, hears a third of them.
    (long_stories if engine_name == "sqlite" else settings(long_stories, max_examples=5))(stories)()


def live(story: list[Move]) -> None:
    world = begin()
    before, known = rows(world), told(world)
    for move in story:
        try:
            play(world, move)
        except Refused:
            assert (rows(world), told(world)) == (before, known)
            continue
        after, heard = rows(world), told(world)
        if move.verb != "sweep":
            assert (after != before) is (heard > known)
        if after != before:
            check_invariants(world)
        before, known = after, heard
