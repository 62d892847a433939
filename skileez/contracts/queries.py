"""What the pages show of proposals and contracts. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import BindParameter, ColumnElement, Row, and_, bindparam, func, or_, select, true
from sqlalchemy.orm import aliased, contains_eager, joinedload

from skileez import db
from skileez.accounts.models import Person
from skileez.contracts.models import Contract, Proposal
from skileez.contracts.rules import ContractStatus, ProposalStatus
from skileez.errors import NotFound
from skileez.events import Event

PAGE = 20
"""Rows on one page of a list."""

Box = Literal["received", "sent"]


def seen_by(person_id: int, contract_id: int, *, admin: bool = False) -> Contract:
    """A contract with both its people, for looking. Raises ``NotFound``."""
    found = db.session.scalars(
        _SEEN if admin else _SEEN_BY, {"contract": contract_id, "person": person_id}
    ).one_or_none()
    if found is None:
        raise NotFound("contract")
    return found


_PEOPLE = (joinedload(Contract.coach), joinedload(Contract.student))
_PERSON: BindParameter[int] = bindparam("person")
_MINE = or_(Contract.coach_id == _PERSON, Contract.student_id == _PERSON)
_SEEN = select(Contract).options(*_PEOPLE).where(Contract.id == bindparam("contract"))
_SEEN_BY = _SEEN.where(_MINE)


def active_of(person_id: int) -> Sequence[Contract]:
    """A person's running contracts, active or paused, the newest first."""
    return db.session.scalars(_ACTIVE_OF, {"person": person_id}).all()


_ACTIVE_OF = (
    select(Contract)
    .options(*_PEOPLE)
    .where(_MINE, Contract.status.in_((ContractStatus.ACTIVE, ContractStatus.PAUSED)))
    .order_by(Contract.id.desc())
    .limit(50)
)


def proposals_to_answer(person_id: int) -> Sequence[Proposal]:
    """Proposals that wait for this student's answer, the newest first."""
    return db.session.scalars(_TO_ANSWER, {"person": person_id}).all()


_TO_ANSWER = (
    select(Proposal)
    .options(joinedload(Proposal.coach))
    .where(Proposal.student_id == _PERSON, Proposal.status == ProposalStatus.PENDING)
    .order_by(Proposal.id.desc())
    .limit(50)
)


@dataclass(frozen=True, slots=True)
class Contracts:
    """One page of contracts, the newest first; ``next`` is the id to go on behind."""

    rows: Sequence[Contract]
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Proposals:
    """One page of proposals, the newest first; ``next`` is the id to go on behind."""

    rows: Sequence[Proposal]
    next: int | None = None


def page_of(
    person_id: int, status: ContractStatus | None, before: int | None = None, size: int = PAGE
) -> Contracts:
    """A person's contracts in either role."""
    mine = or_(Contract.coach_id == person_id, Contract.student_id == person_id)
    return _contracts(mine, status, before, size)


def count_by_status(person_id: int) -> dict[str, int]:
    """How many contracts a person has, by status."""
    return _counted(or_(Contract.coach_id == person_id, Contract.student_id == person_id))


def everyones(
    status: ContractStatus | None, search: str = "", before: int | None = None, size: int = PAGE
) -> Contracts:
    """Everybody's contracts, for the administrator; ``search`` is any part of a number, a title,
    a name or an address.
    """
    return _contracts(_matches(search), status, before, size)


def count_everyones(search: str = "") -> dict[str, int]:
    """How many contracts there are that match, by status."""
    return _counted(_matches(search))


Coach, Student = aliased(Person, name="coach"), aliased(Person, name="student")


def _matches(search: str) -> ColumnElement[bool]:
    if not search:
        return true()
    part = search.lower()
    return or_(
        *(
            func.lower(column).contains(part, autoescape=True)
            for column in (
                Contract.number,
                Contract.title,
                Coach.display_name,
                Coach.email,
                Student.display_name,
                Student.email,
            )
        )
    )


def _contracts(
    which: ColumnElement[bool], status: ContractStatus | None, before: int | None, size: int
) -> Contracts:
    statement = (
        select(Contract)
        .join(Contract.coach.of_type(Coach))
        .join(Contract.student.of_type(Student))
        .options(
            contains_eager(Contract.coach.of_type(Coach)),
            contains_eager(Contract.student.of_type(Student)),
        )
        .where(which)
        .order_by(Contract.id.desc())
        .limit(size + 1)
    )
    if status:
        statement = statement.where(Contract.status == status)
    if before:
        statement = statement.where(Contract.id < before)
    rows = db.session.scalars(statement).all()
    return Contracts(rows[:size], rows[size - 1].id if len(rows) > size else None)


def _counted(which: ColumnElement[bool]) -> dict[str, int]:
    counted = db.session.execute(
        select(Contract.status, func.count().label("n"))
        .join(Contract.coach.of_type(Coach))
        .join(Contract.student.of_type(Student))
        .where(which)
        .group_by(Contract.status)
    )
    return {row.status: row.n for row in counted}


def history(contract: Contract) -> Sequence[Row[Event, str]]:
    """What happened to the proposal and its contract (not to single sessions), oldest first,
    with the name of who did it (None where it was the system).
    """
    streams = (f"contract:{contract.id}", f"proposal:{contract.proposal_id}")
    return db.session.execute(
        select(Event, Person.display_name)
        .outerjoin(Person, Person.id == Event.actor_id)
        .where(Event.stream.in_(streams), Event.session_id.is_(None))
        .order_by(Event.id)
    ).all()


def proposal_history(proposal_id: int) -> Sequence[Row[Event, str]]:
    """What happened to a proposal, oldest first, with the name of who did it."""
    return db.session.execute(
        select(Event, Person.display_name)
        .outerjoin(Person, Person.id == Event.actor_id)
        .where(Event.stream == f"proposal:{proposal_id}")
        .order_by(Event.id)
    ).all()


def proposal_seen_by(person_id: int, proposal_id: int, *, admin: bool = False) -> Proposal:
    """A proposal with both its people, for looking. Raises ``NotFound``."""
    statement = (
        select(Proposal)
        .options(
            joinedload(Proposal.coach),
            joinedload(Proposal.student),
            joinedload(Proposal.contract),
        )
        .where(Proposal.id == proposal_id)
    )
    if not admin:
        statement = statement.where(
            or_(Proposal.coach_id == person_id, Proposal.student_id == person_id)
        )
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("proposal")
    return found


def proposals_of(
    person_id: int, box: Box, before: int | None = None, size: int = PAGE
) -> Proposals:
    """What a person received or sent."""
    mine = Proposal.student_id if box == "received" else Proposal.coach_id
    statement = (
        select(Proposal)
        .options(joinedload(Proposal.coach), joinedload(Proposal.student))
        .where(mine == person_id)
        .order_by(Proposal.id.desc())
        .limit(size + 1)
    )
    if before:
        statement = statement.where(Proposal.id < before)
    rows = db.session.scalars(statement).all()
    return Proposals(rows[:size], rows[size - 1].id if len(rows) > size else None)


def count_pending(person_id: int) -> dict[Box, int]:
    """How many proposals wait for an answer, in each box."""
    received, sent = db.session.execute(
        select(
            func.count().filter(Proposal.student_id == person_id),
            func.count().filter(Proposal.coach_id == person_id),
        ).where(
            and_(
                Proposal.status == ProposalStatus.PENDING,
                or_(Proposal.student_id == person_id, Proposal.coach_id == person_id),
            )
        )
    ).one()
    return {"received": received, "sent": sent}
