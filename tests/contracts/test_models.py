"""Proposals and contracts: each verb's columns and events, and what the database refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from skileez import db
from skileez.contracts.models import Contract, Proposal
from skileez.errors import Refused
from skileez.events import SYSTEM, Event
from tests import cast as people
from tests.cast import DAY, NOW, WHY, Cast
from tests.sessions.stage import columns, tells, told


@pytest.fixture
def offer(cast: Cast) -> Proposal:
    """A second proposal of the coach to the student, not answered yet."""
    with db.transaction():
        return people.proposal(cast.coach, cast.student, total=8, price=60_00, currency="USD")


def do(model: Any, verb: Callable[[], object]) -> tuple[dict[str, Any], list[Event]]:
    """What changed in the row, and the events that were added."""
    before, known = columns(type(model), model.id), Event.query.count()
    with db.transaction():
        db.session.refresh(model)
        verb()
    after = columns(type(model), model.id)
    changed = {name: value for name, value in after.items() if value != before[name]}
    changed.pop("version", None)
    return changed, Event.query.order_by(Event.id).all()[known:]


def test_an_accepted_proposal_becomes_a_contract_on_its_terms(cast: Cast, offer: Proposal) -> None:
    student = cast.actor("student")
    changed, [accepted, started] = do(offer, lambda: offer.accept(actor=student, now=NOW))
    assert changed == {"status": "accepted", "answered_at": NOW}
    contract = Contract.query.filter_by(proposal_id=offer.id).one()
    assert columns(Contract, contract.id) == {
        "id": contract.id,
        "proposal_id": offer.id,
        "number": f"C-{offer.id:06d}",
        "coach_id": cast.coach.id,
        "student_id": cast.student.id,
        "title": "Speaking with confidence",
        "total_sessions": 8,
        "completed_sessions": 0,
        "duration_minutes": 60,
        "rate": 60_00,
        "currency": "USD",
        "timezone": "Europe/Berlin",
        "status": "active",
        "starts_on": NOW.date(),
        "ends_on": None,
        "meeting_url": None,
        "created_at": NOW,
    }
    who = {"actor_id": student.id, "role": "student"}
    assert told(accepted) == tells(
        "proposal.accepted", **who, status_from="pending", status_to="accepted"
    )
    assert told(started) == tells("contract.started", **who)
    assert (accepted.stream, started.stream) == (
        f"proposal:{offer.id}",
        f"contract:{contract.id}",
    )
    assert (contract.progress_percentage, contract.remaining_sessions) == (0.0, 8)


def test_a_declined_proposal_says_why_if_it_likes(cast: Cast, offer: Proposal) -> None:
    student = cast.actor("student")
    changed, [event] = do(offer, lambda: offer.decline(actor=student, now=NOW, reason=WHY))
    assert changed == {"status": "declined", "answered_at": NOW}
    assert told(event) == tells(
        "proposal.declined",
        actor_id=student.id,
        role="student",
        status_from="pending",
        status_to="declined",
        reason=WHY,
    )


def test_the_coach_withdraws_what_nobody_answered(cast: Cast, offer: Proposal) -> None:
    coach = cast.actor("coach")
    changed, [event] = do(offer, lambda: offer.withdraw(actor=coach, now=NOW))
    assert changed == {"status": "withdrawn", "answered_at": NOW}
    assert told(event) == tells(
        "proposal.withdrawn",
        actor_id=coach.id,
        role="coach",
        status_from="pending",
        status_to="withdrawn",
    )


ANSWERS: dict[str, Callable[[Proposal, Any], object]] = {
    "accept": lambda offer, actor: offer.accept(actor=actor, now=NOW),
    "decline": lambda offer, actor: offer.decline(actor=actor, now=NOW),
    "withdraw": lambda offer, actor: offer.withdraw(actor=actor, now=NOW),
}


@pytest.mark.parametrize("first", ANSWERS)
def test_a_proposal_is_answered_once_and_only_by_whom_it_concerns(
    cast: Cast, offer: Proposal, first: str
) -> None:
    theirs = {"accept": "student", "decline": "student", "withdraw": "coach"}
    for verb, whose in theirs.items():
        for who in {"student", "coach", "stranger", "admin"} - {whose}:
            with db.transaction(), pytest.raises(Refused) as refused:
                ANSWERS[verb](offer, cast.actor(who))
            assert refused.value.code.startswith("not_your_proposal")
    with db.transaction():
        ANSWERS[first](offer, cast.actor(theirs[first]))
    events, contracts = Event.query.count(), Contract.query.count()
    for verb, whose in theirs.items():
        with db.transaction(), pytest.raises(Refused) as refused:
            ANSWERS[verb](offer, cast.actor(whose))
        assert refused.value.code == "proposal_closed"
    assert (Event.query.count(), Contract.query.count()) == (events, contracts)


def test_a_stale_proposal_is_refused_as_busy(cast: Cast, offer: Proposal) -> None:
    def accept_an_old_page() -> None:
        with db.transaction() as session:
            db.session.refresh(offer)
            session.execute(text("UPDATE proposal SET version = version + 1"))
            offer.accept(actor=cast.actor("student"), now=NOW)

    with pytest.raises(Refused) as refused:
        accept_an_old_page()
    assert refused.value.code == "busy"
    assert columns(Proposal, offer.id)["status"] == "pending"


def test_pausing_resuming_and_ending_a_contract(cast: Cast) -> None:
    contract = db.session.get_one(Contract, cast.contract.id)
    who = {"actor": cast.actor("coach"), "role": "coach", "now": NOW}
    says = {"actor_id": cast.coach.id, "role": "coach"}
    changed, [event] = do(contract, lambda: contract.pause(**who))
    assert changed == {"status": "paused"}
    assert told(event) == tells("contract.paused", **says, status_from="active", status_to="paused")
    changed, [event] = do(contract, lambda: contract.resume(**who))
    assert changed == {"status": "active"}
    assert told(event) == tells(
        "contract.resumed", **says, status_from="paused", status_to="active"
    )
    for reason in ("", "short", "x" * 501):
        with db.transaction(), pytest.raises(Refused):
            contract.end(**who, reason=reason)
    changed, [event] = do(contract, lambda: contract.end(**who, reason=f" {WHY} "))
    assert changed == {"status": "cancelled", "ends_on": NOW.date()}
    assert told(event) == tells(
        "contract.cancelled", **says, status_from="active", status_to="cancelled", reason=WHY
    )
    for verb in (
        lambda: contract.pause(**who),
        lambda: contract.resume(**who),
        lambda: contract.end(**who, reason=WHY),
    ):
        with db.transaction(), pytest.raises(Refused) as refused:
            verb()
        assert refused.value.code == "contract_cancelled"


def test_a_contract_never_ends_before_it_begins(cast: Cast) -> None:
    contract = db.session.get_one(Contract, cast.contract.id)
    with db.transaction():
        contract.end(actor=SYSTEM, role="admin", reason=WHY, now=NOW - 90 * DAY)
    assert contract.ends_on == contract.starts_on


def test_a_contracts_link_is_https_or_none(cast: Cast) -> None:
    contract = db.session.get_one(Contract, cast.contract.id)
    who = {"actor": cast.actor("coach"), "role": "coach", "now": NOW}
    changed, [event] = do(contract, lambda: contract.set_meeting_url("https://a.example/x", **who))
    assert changed == {"meeting_url": "https://a.example/x"}
    assert told(event) == tells(
        "contract.meeting_link_set",
        actor_id=cast.coach.id,
        role="coach",
        details={"meeting_url": "https://a.example/x"},
    )
    assert do(contract, lambda: contract.set_meeting_url("https://a.example/x", **who)) == ({}, [])
    with db.transaction(), pytest.raises(Refused):
        contract.set_meeting_url("javascript:alert(1)", **who)
    changed, _ = do(contract, lambda: contract.set_meeting_url("  ", **who))
    assert changed == {"meeting_url": None}


def test_a_role_is_the_contracts(cast: Cast) -> None:
    contract = cast.contract
    assert contract.role_of(cast.student.id) == "student"
    assert contract.role_of(cast.coach.id) == "coach"
    assert contract.role_of(cast.admin.id) is contract.role_of(None) is None


def test_one_person_coaches_in_one_contract_and_studies_in_another(cast: Cast) -> None:
    with db.transaction():
        other = people.contract(cast.student, cast.stranger)
    assert cast.contract.role_of(cast.student.id) == "student"
    assert other.role_of(cast.student.id) == "coach"


GUARDED = [
    ("contract", "status = 'asleep'", "ck_contract_status"),
    ("contract", "coach_id = student_id", "ck_contract_(two_)?people"),
    ("contract", "completed_sessions = 5", "ck_contract_completed"),
    ("contract", "completed_sessions = -1", "ck_contract_completed"),
    ("contract", "total_sessions = 0", "ck_contract_total"),
    ("contract", "total_sessions = 501", "ck_contract_total"),
    ("contract", "rate = -1", "ck_contract_rate"),
    ("contract", "rate = 10000001", "ck_contract_rate"),
    ("contract", "duration_minutes = 14", "ck_contract_duration"),
    ("contract", "duration_minutes = 481", "ck_contract_duration"),
    ("contract", "meeting_url = 'http://x'", "ck_contract_meeting_url"),
    ("contract", "ends_on = '2001-01-01'", "ck_contract_dates"),
    ("contract", "coach_id = 9999", "ck_contract_people"),
    ("contract", "title = NULL", "(?i)not.null"),
    ("proposal", "status = 'maybe'", "ck_proposal_status"),
    ("proposal", "coach_id = student_id", "ck_proposal_two_people"),
    ("proposal", "total_sessions = 0", "ck_proposal_total"),
    ("proposal", "price = -1", "ck_proposal_price"),
    ("proposal", "duration_minutes = 481", "ck_proposal_duration"),
    ("proposal", "currency = 'EU'", "ck_proposal_currency"),
]


def test_the_database_itself_refuses_what_no_verb_would_write(
    cast: Cast, subtests: pytest.Subtests
) -> None:
    for table, change, guard in GUARDED:
        with (
            subtests.test(f"{table}: {change}"),
            pytest.raises(IntegrityError, match=guard),
            db.transaction() as session,
        ):
            session.execute(text(f"UPDATE {table} SET {change}"))


def test_a_proposal_has_one_contract_and_a_number_is_given_once(cast: Cast) -> None:
    copied = (
        "INSERT INTO contract (proposal_id, number, coach_id, student_id, title, total_sessions,"
        " completed_sessions, duration_minutes, rate, currency, timezone, status, starts_on,"
        " created_at) SELECT {}, coach_id, student_id, title, total_sessions, 0, duration_minutes,"
        " rate, currency, timezone, status, starts_on, created_at FROM contract"
    )
    with db.transaction():
        other = people.proposal(cast.coach, cast.student)
    for what, guard in (
        ("proposal_id, 'C-9'", "proposal_id"),
        (f"{other.id}, number", "number"),
    ):
        with pytest.raises(IntegrityError, match=guard), db.transaction() as session:
            session.execute(text(copied.format(what)))
