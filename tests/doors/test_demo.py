"""The demo: its people and some two hundred sessions, told through the verbs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from skileez import db, events
from skileez.accounts import passwords
from skileez.accounts.models import Person
from skileez.contracts.models import Contract, Proposal
from skileez.demo import cast, seed
from skileez.sessions.models import Session
from tests import engines

NOW = datetime(2026, 10, 31, 3, 59, tzinfo=UTC)
"""The middle of the night, before America's clocks go back, when Europe's already have."""


@contextmanager
def bound(path: Path, template: Path) -> Iterator[Engine]:
    """A copy of ``template``, bound; passwords hash in no time."""
    path.write_bytes(template.read_bytes())
    passwords.configure(time_cost=1, memory_kib=8, at_once=1)
    yield engines.bind(f"sqlite:///{path}")
    db.session.remove()
    db.session.configure(bind=None)


@pytest.fixture(scope="module")
def garden(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that was planted once; each test gets a copy."""
    path = tmp_path_factory.mktemp("demo") / "garden.db"
    with bound(path, sqlite_template) as engine:
        assert seed.plant(NOW)
        db.session.remove()
        engine.dispose()  # the last connection folds the write-ahead log into the file
    return path


@pytest.fixture
def planted(garden: Path, tmp_path: Path) -> Iterator[Engine]:
    with bound(tmp_path / "demo.db", garden) as engine:
        yield engine


def counted(column: object) -> dict[str, int]:
    return {
        row[0]: row[1] for row in db.session.execute(select(column, func.count()).group_by(column))
    }  # type: ignore[call-overload]


def test_the_four_doors_open_with_the_password_that_is_printed(planted: Engine) -> None:
    for player in cast.DOORS:
        person = Person.query.filter_by(email=player.email).one()
        assert passwords.current().fits(person.password_hash, cast.PASSWORD)
        assert person.is_admin == (player.key == "admin")
    assert [player.email for player in cast.DOORS] == [
        "student@demo.example",
        "coach@demo.example",
        "stranger@demo.example",
        "admin@demo.example",
    ]


def test_it_holds_every_state_there_is(planted: Engine) -> None:
    assert 190 <= Session.query.count() <= 230
    states = counted(Session.state)
    assert min(states.values()) >= 5
    assert set(states) == {
        "scheduled",
        "reschedule_requested",
        "completed",
        "cancelled",
        "missed",
    }
    assert set(counted(Contract.status)) == {"active", "paused", "completed", "cancelled"}
    assert set(counted(Proposal.status)) == {"pending", "accepted", "declined", "withdrawn"}
    assert len(counted(Contract.timezone)) >= 8
    hour = NOW.replace(minute=0)
    waiting = Session.query.filter(Session.reschedule_requested).all()
    assert {(one.reschedule_requested_by, one.reschedule_kind) for one in waiting} == {
        ("student", "standard"),
        ("student", "late"),
        ("coach", "standard"),
        ("coach", "late"),
    }
    assert {len(one.proposed) for one in waiting} == {1, 2, 3}
    assert all(one.reschedule_deadline > hour for one in waiting)
    assert Session.query.filter(Session.scheduled_at.is_(None)).count() >= 2
    assert sum(one.is_overdue(now=NOW) for one in Session.query) >= 3
    assert {one.correction_by for one in Session.query} == {None, "student", "coach"}
    coming = Session.query.filter(Session.scheduled_at > NOW, Session.status == "scheduled")
    assert {one.confirmed_by_coach for one in coming} == {True, False}


def test_student_and_coach_share_two_contracts_and_the_coach_studies_elsewhere(
    planted: Engine,
) -> None:
    ids = {player.key: Person.query.filter_by(email=player.email).one().id for player in cast.DOORS}
    shared = Contract.query.filter_by(coach_id=ids["coach"], student_id=ids["student"])
    assert shared.count() == 2
    assert Contract.query.filter_by(student_id=ids["coach"]).count() == 1
    theirs = Contract.query.filter_by(student_id=ids["stranger"]).one()
    assert theirs.coach_id != ids["coach"]
    received = Proposal.query.filter_by(status="pending", student_id=ids["coach"])
    sent = Proposal.query.filter_by(status="pending", coach_id=ids["coach"])
    assert received.count() >= 1
    assert sent.count() >= 1


def test_its_history_is_real(planted: Engine) -> None:
    assert not list(events.broken_links())
    told = events.Event.query.order_by(events.Event.id).all()
    mine = [one for one in told if not one.stream.startswith("person:")]
    assert [one.at for one in mine] == sorted(one.at for one in mine)
    assert max(one.at for one in told) <= NOW
    for contract in Contract.query:
        done = Session.query.filter_by(contract_id=contract.id, status="completed").count()
        assert contract.completed_sessions == done


def test_a_second_run_adds_nothing_and_loses_nothing(planted: Engine) -> None:
    with db.transaction():
        Session.query.first().meeting_url = "https://meet.example.org/mine"
    before = (Session.query.count(), events.Event.query.count())
    assert not seed.plant(NOW + timedelta(days=3))
    assert (Session.query.count(), events.Event.query.count()) == before
    assert Session.query.filter_by(meeting_url="https://meet.example.org/mine").count() == 1
