"""The picker, series and the board of days away at once, all for one coach's same few hours."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from skileez import db
from skileez.accounts.models import Person
from skileez.availability.models import Availability, TimeOff
from skileez.availability.rules import Hours
from skileez.availability.slots import Opening
from skileez.contracts.models import Contract
from skileez.errors import Refused
from skileez.events import Actor, broken_links
from skileez.sessions import absence, actions, finding, meeting, recurrence, series_booking
from skileez.sessions.models import BookedTime, Session
from skileez.sessions.series import Series
from tests import cast as people
from tests.cast import DAY, HOUR, MINUTE, NOW, WHY
from tests.races.arena import WON, race, sql
from tests.races.test_races import CONSTRAINT, NO_CONSTRAINT, overlapping_pairs, undo

__all__ = ["undo"]

TOTAL = 2
NINE_TO_FIVE = Hours(
    "UTC", weekly=dict.fromkeys(range(7), ((540, 1020),)), buffer_after=30, step=30
)
WEDNESDAY = NOW + 2 * DAY - 3 * HOUR  # at 09:00
THURSDAY = WEDNESDAY + DAY
LOST = {
    *("time_taken", "buffer", "quota_used", "series_conflicts", "series_too_long"),
    *("request_pending", "no_request"),
}

Attempt = Callable[[], object]


class Scene:
    """A coach with hours who is away on Wednesday, where five of eight students have a session."""

    def __init__(self) -> None:
        with db.transaction():
            self.coach = people.person("coach-of-eight").id
            self.students = [people.person(f"student-{n}").id for n in range(8)]
            coach = db.session.get_one(Person, self.coach)
            self.contracts = [
                people.contract(coach, db.session.get_one(Person, one), TOTAL).id
                for one in self.students
            ]
        self.sessions = [self.book(n, WEDNESDAY + n * 1.5 * HOUR, "coach") for n in range(5)]
        with db.transaction():
            row = Availability(coach_id=self.coach, changed_at=NOW)
            row.take(NINE_TO_FIVE)
            away = TimeOff(
                coach_id=self.coach, starts_at=WEDNESDAY, ends_at=WEDNESDAY + 8 * HOUR,
                zone="UTC", wall_start="2026-03-04T09:00", wall_end="2026-03-04T17:00",
                created_at=NOW,
            )  # fmt: skip
            db.session.add_all([row, away])
            db.session.flush()
            self.away = away.id
        self.wanted = [THURSDAY + n * 1.5 * HOUR for n in range(3)]
        self.ask(0)
        self.ask(1)
        self.offered = [self._look(n) for n in range(8)]
        db.session.remove()

    def _look(self, student: int) -> Sequence[datetime]:
        """What the picker shows to a student, before anybody moves."""
        looked = finding.of_contract(self.students[student], self.contracts[student])
        opening = looked.opening(THURSDAY, THURSDAY + 2 * DAY, now=NOW)
        return opening.starts(THURSDAY, THURSDAY + 2 * DAY)[student % 4 :: 4]

    def book(self, student: int, start: datetime, by: str = "student") -> int:
        with db.transaction():
            actor = Actor("person", self.students[student] if by == "student" else self.coach)
            agreed = actions.find_contract_for(actor, self.contracts[student])
            return actions.book(agreed, start, by=by, actor=actor, now=NOW).id

    def book_series(self, student: int, start: datetime) -> None:
        pattern = recurrence.starting(
            "UTC", start.date(), start.time(), [start.weekday()], 60, count=2
        )
        with db.transaction():
            actor = Actor("person", self.students[student])
            agreed = actions.find_contract_for(actor, self.contracts[student])
            series_booking.book_series(agreed, pattern, by="student", actor=actor, now=NOW)

    def ask(self, number: int) -> None:
        """The board's press for one session: the coach asks for the same three times each."""
        asking = {self.sessions[number]: self.wanted}
        (told,) = absence.ask_to_move(Actor("person", self.coach), asking, WHY, NOW, self.away)
        if told.refusal:
            raise Refused(told.refusal)

    def approve(self, number: int, start: datetime) -> None:
        with db.transaction():
            actor = Actor("person", self.students[number])
            one = actions.find_for(actor, self.sessions[number])
            one.approve_reschedule(start, by="student", actor=actor, now=NOW)

    def attempts(self) -> list[Attempt]:
        """What all of them press at once."""
        picks = [
            lambda n=n, at=at: self.book(n, at) for n in range(8) for at in self.offered[n][:4]
        ]
        patterns = [
            lambda n=n, at=at: self.book_series(n, at)
            for n in (5, 6, 7)
            for at in (THURSDAY, THURSDAY + 30 * MINUTE)
        ]
        answers = [lambda n=n, at=at: self.approve(n, at) for n in (0, 1) for at in self.wanted[:2]]
        asks = [lambda n=n: self.ask(n) for n in (2, 3, 4)]
        return [*patterns, *answers, *asks, *picks]


def run(database: str, scene: Scene) -> Counter[str]:
    attempts = scene.attempts()
    return race(database, lambda n: attempts[n](), len(attempts))


def test_picker_series_and_days_away_never_overlap(database: str) -> None:
    people.enter(database)
    scene = Scene()
    assert all(len(one) >= 4 for one in scene.offered)
    outcomes = run(database, scene)
    assert outcomes[WON] >= 4
    assert set(outcomes) - {WON} <= LOST
    assert outcomes["quota_used"]
    assert overlapping_pairs() == 0
    times = sorted(
        (one.starts_at, one.ends_at) for one in BookedTime.query.filter_by(person_id=scene.coach)
    )
    gaps = [after[0] - before[1] for before, after in pairwise(times)]
    assert min(gaps) >= timedelta(minutes=30), "a buffer is broken"
    for contract_id in scene.contracts:
        live = Session.query.filter_by(contract_id=contract_id, status="scheduled")
        assert live.count() <= db.session.get_one(Contract, contract_id).total_sessions
        assert len({one.session_number for one in live}) == live.count()
    for one in Series.query:
        assert Session.query.filter_by(series_id=one.id).count() == 2
    inside = Session.query.filter(
        Session.scheduled_at >= WEDNESDAY, Session.scheduled_at < WEDNESDAY + 8 * HOUR
    )
    assert {one.id for one in inside} <= set(scene.sessions)
    assert not list(broken_links())


def test_with_the_guards_off_they_do(
    database: str,
    engine_name: str,
    monkeypatch: pytest.MonkeyPatch,
    undo: Callable[[dict[str, list[str]]], None],
) -> None:
    people.enter(database)
    scene = Scene()
    monkeypatch.setattr(
        meeting, "refusals", lambda _c, _s, starts, *told, **named: [None] * len(starts)
    )
    monkeypatch.setattr(meeting, "lock_people", lambda *told: None)
    monkeypatch.setattr(Opening, "refusal", lambda *told: None)
    sql(database, *NO_CONSTRAINT[engine_name])
    try:
        run(database, scene)
        assert overlapping_pairs() > 0
    finally:
        undo(CONSTRAINT)
