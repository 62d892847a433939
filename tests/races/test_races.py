"""Fifty clients at once: one gets through, the others are told why, on both databases.

Two guards stand one behind the other: the application's lock and check, and the database's own
constraint. Each holds alone; with both off the clients do overlap, or these tests would prove
nothing.
"""

from collections.abc import Callable

import pytest

from skileez import db
from skileez.contracts.models import Contract, Proposal
from skileez.errors import Refused
from skileez.events import SYSTEM, Event, broken_links
from skileez.sessions import actions, booking, meeting
from skileez.sessions.models import BookedTime, ProposedTime, Session
from tests import cast as people
from tests.cast import HOUR, MINUTE, NOW, WHY, Cast, enter
from tests.races.arena import CLIENTS, SOME, WON, race, sql
from tests.sessions.stage import at

NO_CONSTRAINT = {
    "sqlite": ["DROP TRIGGER booked_time_overlap"],
    "postgresql": ["ALTER TABLE booked_time DROP CONSTRAINT ex_booked_time_overlap"],
}
CONSTRAINT = {
    "postgresql": [
        """
        ALTER TABLE booked_time ADD CONSTRAINT ex_booked_time_overlap
        EXCLUDE USING gist (person_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        """
    ],
}
NO_QUOTA = {
    "sqlite": ["DROP INDEX uq_session_live_number"],
    "postgresql": [
        "DROP INDEX uq_session_live_number",
        "ALTER TABLE event DROP CONSTRAINT uq_event_stream_position",
    ],
}
QUOTA = {
    "postgresql": [
        """
        CREATE UNIQUE INDEX uq_session_live_number ON session (contract_id, session_number)
        WHERE status IN ('scheduled', 'completed')
        """,
        "ALTER TABLE event ADD CONSTRAINT uq_event_stream_position UNIQUE (stream, position)",
    ],
}


@pytest.fixture
def undo(database: str, engine_name: str) -> "Callable[[dict[str, list[str]]], None]":
    """Empties the database and puts a dropped constraint back, where it outlives the test."""

    def put_back(statements: dict[str, list[str]]) -> None:
        db.session.remove()  # an open read would hold up the ALTER TABLE
        if engine_name == "postgresql":
            sql(
                database,
                "SET session_replication_role = replica",
                "DELETE FROM booked_time",
                "DELETE FROM session",
                "DELETE FROM event",
                "SET session_replication_role = origin",
                *statements["postgresql"],
            )

    return put_back


def without_the_applications_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "refusals", lambda *told, **named: [None])
    monkeypatch.setattr(meeting, "lock_people", lambda *told: None)


def one_coach_and_many_students(students: int = 10) -> list[int]:
    """A contract for each of them, all with one coach, each with room for every client."""
    with db.transaction():
        coach = people.person("coach-of-many")
        all_of_them = [people.person(f"student-{number}") for number in range(students)]
        return [people.contract(coach, student, CLIENTS).id for student in all_of_them]


def book(contract_id: int, hours: float, by: str = "student") -> None:
    with db.transaction():
        contract = actions.find_contract_for(SYSTEM, contract_id, admin=True)
        actions.book(contract, at(hours), by=by, now=NOW)


def overlapping_pairs() -> int:
    times = [(one.person_id, one.starts_at, one.ends_at) for one in BookedTime.query]
    return sum(
        a[0] == b[0] and a[1] < b[2] and b[1] < a[2]
        for n, a in enumerate(times)
        for b in times[n + 1 :]
    )


@pytest.mark.parametrize("guards", ["the application's", "the database's"])
def test_one_of_fifty_students_gets_a_coachs_hour(
    cast: Cast,
    database: str,
    engine_name: str,
    guards: str,
    monkeypatch: pytest.MonkeyPatch,
    undo: Callable[[dict[str, list[str]]], None],
) -> None:
    contracts = one_coach_and_many_students()
    if guards == "the database's":
        without_the_applications_check(monkeypatch)
    if guards == "the application's":
        sql(database, *NO_CONSTRAINT[engine_name])
    try:
        # Not all at one start: the second half asks for the hour's second half.
        outcomes = race(database, lambda n: book(contracts[n % 10], 60 + (n % 2) / 2))
        assert outcomes[WON] == 1
        # Without locks PostgreSQL may find the losers in a deadlock: they are told to try again.
        refused = {"time_taken", "busy"} if guards == "the database's" else {"time_taken"}
        assert set(outcomes) - {WON} <= refused
        assert outcomes.total() == CLIENTS
        assert Session.query.count() == 1
        assert Event.query.filter_by(verb="session.booked").count() == 1
        assert overlapping_pairs() == 0
    finally:
        if guards == "the application's":
            undo(CONSTRAINT)


def test_with_both_guards_off_they_overlap(
    cast: Cast,
    database: str,
    engine_name: str,
    monkeypatch: pytest.MonkeyPatch,
    undo: Callable[[dict[str, list[str]]], None],
) -> None:
    contracts = one_coach_and_many_students()
    without_the_applications_check(monkeypatch)
    sql(database, *NO_CONSTRAINT[engine_name])
    try:
        assert race(database, lambda n: book(contracts[n % 10], 60), SOME) == {WON: SOME}
        assert Session.query.count() == SOME
        assert overlapping_pairs() >= SOME * (SOME - 1) // 2  # the coach alone
    finally:
        undo(CONSTRAINT)


@pytest.fixture
def last(database: str) -> Cast:
    """A contract of three sessions, one left to book."""
    cast = enter(database, total=3)
    for hours in (50, 52):
        cast.book(hours * HOUR)
    return cast


def without_the_contracts_lock_and_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlocked(actor: object, contract_id: int, *, admin: bool = False) -> Contract:
        return db.session.get_one(Contract, contract_id)

    monkeypatch.setattr(actions, "find_contract_for", unlocked)
    monkeypatch.setattr(booking, "may_add_session", lambda live, total: None)
    monkeypatch.setattr(booking, "free_numbers", lambda taken, total: [3])
    monkeypatch.setattr(meeting, "lock_people", lambda *told: None)


@pytest.mark.parametrize("guards", ["both", "the database's"])
def test_one_of_fifty_gets_the_contracts_last_session(
    last: Cast, database: str, guards: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if guards == "the database's":
        without_the_contracts_lock_and_check(monkeypatch)
    contract_id = last.contract.id
    outcomes = race(database, lambda n: book(contract_id, 60 + 2 * n, ("student", "coach")[n % 2]))
    assert outcomes[WON] == 1
    refused = set(outcomes) - {WON}
    assert refused <= {"both": {"quota_used"}, "the database's": {"number_taken", "busy"}}[guards]
    assert Session.query.count() == 3
    assert {one.session_number for one in Session.query} == {1, 2, 3}
    assert not list(broken_links())


def test_with_the_quotas_guards_off_the_contract_is_overbooked(
    last: Cast,
    database: str,
    engine_name: str,
    monkeypatch: pytest.MonkeyPatch,
    undo: Callable[[dict[str, list[str]]], None],
) -> None:
    without_the_contracts_lock_and_check(monkeypatch)
    sql(database, *NO_QUOTA[engine_name])
    contract_id = last.contract.id
    try:
        assert race(database, lambda n: book(contract_id, 60 + 2 * n), SOME) == {WON: SOME}
        assert Session.query.filter_by(session_number=3).count() == SOME
    finally:
        undo(QUOTA)


def pending(cast: Cast) -> int:
    """A session that the student asked to move to 70 or 80 hours from NOW."""
    session = cast.book()
    with db.transaction():
        found = actions.find_for(cast.actor("student"), session.id)
        found.request_reschedule("student", WHY, proposed_times=[at(70), at(80)], now=NOW)
    return session.id


ANSWERS: list[Callable[[Session], None]] = [
    lambda one: one.approve_reschedule(at(70), by="coach", now=NOW),
    lambda one: one.approve_reschedule(at(80), by="coach", now=NOW),
    lambda one: one.decline_reschedule(by="coach", now=NOW),
    lambda one: one.counter_reschedule("coach", [at(90)], now=NOW),
    lambda one: one.withdraw_reschedule("student", now=NOW),
    lambda one: one.cancel_session(by="student", reason=WHY, now=NOW),
]


def unlocked(session_id: int) -> Session:
    return db.session.get_one(Session, session_id)


@pytest.mark.parametrize("guards", ["both", "the version's"])
def test_one_of_many_answers_stands(cast: Cast, database: str, guards: str) -> None:
    session_id = pending(cast)
    find = actions.find_any if guards == "both" else unlocked
    answers = ANSWERS[:5]

    def answer(number: int) -> None:
        with db.transaction():
            answers[number % len(answers)](find(session_id))

    outcomes = race(database, answer, SOME)
    assert outcomes[WON] == 1
    gone = {"no_request", "own_request", "not_your_request"}
    assert set(outcomes) <= {WON} | gone | ({"busy"} if guards != "both" else set())
    told = [one.verb for one in Event.query.filter_by(session_id=session_id).order_by(Event.id)]
    assert told[:2] == ["session.booked", "session.reschedule_requested"]
    assert len(told) == 3
    one = Session.query.get(session_id)
    moved = told[2] == "session.reschedule_approved"
    assert one.scheduled_at in ({at(70), at(80)} if moved else {at(60)})
    assert bool(ProposedTime.query.count()) is (told[2] == "session.reschedule_countered")


def test_with_neither_lock_nor_version_every_answer_stands(cast: Cast, database: str) -> None:
    session_id = pending(cast)

    def answer(number: int) -> None:
        # Decided from what was read before the line, and written over whatever is there now.
        with db.transaction() as current:
            current.execute(
                Session.__table__.update()
                .where(Session.id == session_id)
                .values(scheduled_at=at(70 + number), ends_at=at(71 + number))
            )

    assert race(database, answer, SOME) == {WON: SOME}


def test_a_session_is_cancelled_or_moved_and_never_both(cast: Cast, database: str) -> None:
    session_id = pending(cast)

    def answer(number: int) -> None:
        with db.transaction():
            ANSWERS[5 if number % 2 else 0](actions.find_any(session_id))

    outcomes = race(database, answer, SOME)
    one = Session.query.get(session_id)
    assert one.status == "cancelled"
    # An approval may come first; then a cancellation is still good, once.
    assert outcomes[WON] == (2 if one.scheduled_at == at(70) else 1)
    assert set(outcomes) <= {WON, "not_scheduled", "no_request"}


def test_twenty_approvals_into_one_hour_move_one_session(cast: Cast, database: str) -> None:
    contracts = one_coach_and_many_students(SOME)
    ids = []
    for n, contract_id in enumerate(contracts):
        book(contract_id, 100 + 2 * n)
        with db.transaction():
            one = Session.query.filter_by(contract_id=contract_id).one()
            one.request_reschedule("student", WHY, proposed_times=[at(70)], now=NOW)
            ids.append(one.id)

    def approve(number: int) -> None:
        with db.transaction():
            one = actions.find_any(ids[number])
            one.approve_reschedule(at(70), by="coach", now=NOW)

    assert race(database, approve, SOME) == {WON: 1, "time_taken": SOME - 1}
    assert Session.query.filter_by(scheduled_at=at(70)).count() == 1
    assert Session.query.filter_by(reschedule_requested=True).count() == SOME - 1
    assert overlapping_pairs() == 0


def crossed() -> tuple[int, int]:
    """Two contracts between the same two people, each the other's coach once."""
    with db.transaction():
        one, other = people.person("coach-one"), people.person("coach-two")
        return people.contract(one, other, 30).id, people.contract(other, one, 30).id


@pytest.mark.parametrize("guards", ["both", "the database's"])
def test_a_person_who_coaches_here_and_studies_there_is_in_one_place(
    cast: Cast, database: str, guards: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = crossed()
    if guards == "the database's":
        without_the_applications_check(monkeypatch)
    outcomes = race(database, lambda n: book(contracts[n % 2], 60 + (n % 2) / 2), SOME)
    assert outcomes[WON] == 1
    alone = {"time_taken", "busy", "number_taken"}
    assert set(outcomes) - {WON} <= ({"time_taken"} if guards == "both" else alone)
    assert Session.query.count() == 1
    assert overlapping_pairs() == 0


def test_two_who_coach_each_other_fill_their_day_without_a_deadlock(
    cast: Cast, database: str
) -> None:
    contracts = crossed()
    outcomes = race(database, lambda n: book(contracts[n % 2], 60 + n), SOME)
    assert outcomes == {WON: SOME}
    assert overlapping_pairs() == 0
    assert not list(broken_links())
    for contract_id in contracts:
        numbers = [one.session_number for one in Session.query.filter_by(contract_id=contract_id)]
        assert sorted(numbers) == list(range(1, SOME // 2 + 1))


def test_sweeps_side_by_side_do_each_thing_once(database: str) -> None:
    cast = enter(database, total=60)
    for n in range(10):
        cast.book((40 + 2 * n) * HOUR)  # unanswered and standard: approved
        cast.book((2 * n + 2) * HOUR)  # nobody comes: missed
    with db.transaction():
        asked = Session.query.filter(Session.scheduled_at >= at(40)).all()
        for n, one in enumerate(asked):
            one.request_reschedule("student", WHY, proposed_times=[at(200 + n)], now=NOW)
    due = at(25)
    done: list[actions.Swept] = []
    outcomes = race(database, lambda n: done.append(actions.sweep(due)), clients=16)
    assert outcomes == {WON: 16}
    assert sum(one.approved for one in done) == 10
    assert sum(one.missed for one in done) == 10
    verbs = [one.verb for one in Event.query.filter(Event.at == due)]
    assert sorted(verbs) == ["session.missed"] * 10 + ["session.reschedule_auto_approved"] * 10
    assert not list(broken_links())


@pytest.mark.parametrize("find", [actions.find_any, unlocked], ids=["locked", "unlocked"])
def test_completions_side_by_side_are_all_counted(
    database: str, find: Callable[[int], Session]
) -> None:
    cast = enter(database, total=10)
    ids = [cast.book((60 + n) * HOUR).id for n in range(10)]

    def complete(number: int) -> None:
        while True:
            try:
                with db.transaction():
                    one = find(ids[number % 10])
                    one.mark_completed(None, "coach", now=at(90) + number * MINUTE)
                return
            except Refused as refused:
                if refused.code != "busy":
                    raise

    outcomes = race(database, complete, SOME)
    assert outcomes == {WON: 10, "not_scheduled": 10}
    contract = db.session.get_one(Contract, cast.contract.id)
    assert (contract.completed_sessions, contract.status) == (10, "completed")
    assert Event.query.filter_by(verb="contract.completed").count() == 1
    assert not list(broken_links())


def test_a_proposal_accepted_many_times_at_once_makes_one_contract(
    cast: Cast, database: str
) -> None:
    with db.transaction():
        offer_id = people.proposal(cast.coach, cast.student).id
    student = cast.actor("student")

    def accept(number: int) -> None:
        with db.transaction():
            offer = db.session.get_one(Proposal, offer_id, with_for_update=number % 2 == 0)
            if number % 5:
                offer.accept(actor=student, now=NOW)
            else:
                offer.decline(actor=student, now=NOW)

    outcomes = race(database, accept, SOME)
    assert outcomes[WON] == 1
    assert set(outcomes) <= {WON, "proposal_closed", "busy"}
    assert Contract.query.filter_by(proposal_id=offer_id).count() <= 1


def test_ending_a_contract_cancels_nothing_that_was_booked_beside_it(database: str) -> None:
    cast = enter(database, total=SOME)
    shown, contract_id, coach = {cast.book().id}, cast.contract.id, cast.actor("coach")

    def end() -> None:
        with db.transaction():
            contract = actions.find_contract_for(coach, contract_id)
            actions.end_contract(
                contract, by="coach", actor=coach, reason=WHY, now=NOW, shown=shown
            )

    # One in four ends it, so that a booking comes first more often than not.
    outcomes = race(database, lambda n: book(contract_id, 70 + 2 * n) if n % 4 < 3 else end(), SOME)
    endings, ended = SOME // 4, db.session.get_one(Contract, contract_id).status == "cancelled"
    assert outcomes == (
        {WON: 1, "contract_cancelled": endings - 1, "contract_not_active": SOME - endings}
        if ended
        else {WON: SOME - endings, "open_sessions_changed": endings}
    )
    cancelled = {one.id for one in Session.query.filter_by(status="cancelled")}
    assert cancelled == (shown if ended else set())


def test_the_arena_tells_an_accident_from_a_refusal(database: str) -> None:
    enter(database)

    def stumble(number: int) -> None:
        if number == 3:
            raise KeyError("an accident")
        raise Refused(db.BUSY)

    with pytest.raises(ExceptionGroup, match="not a refusal"):
        race(database, stumble, clients=5)
