"""What the pages show of proposals and contracts. Reads only."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from skileez import db
from skileez.contracts.models import Contract, Proposal
from skileez.contracts.rules import ContractStatus, ProposalStatus
from skileez.errors import NotFound


def seen_by(person_id: int, contract_id: int, *, admin: bool = False) -> Contract:
    """A contract with both its people, for looking. Raises ``NotFound``."""
    statement = (
        select(Contract)
        .options(joinedload(Contract.coach), joinedload(Contract.student))
        .where(Contract.id == contract_id)
    )
    if not admin:
        statement = statement.where(
            or_(Contract.coach_id == person_id, Contract.student_id == person_id)
        )
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("contract")
    return found


def active_of(person_id: int) -> Sequence[Contract]:
    """A person's running contracts, active or paused, the newest first."""
    return db.session.scalars(
        select(Contract)
        .options(joinedload(Contract.coach), joinedload(Contract.student))
        .where(
            or_(Contract.coach_id == person_id, Contract.student_id == person_id),
            Contract.status.in_((ContractStatus.ACTIVE, ContractStatus.PAUSED)),
        )
        .order_by(Contract.id.desc())
        .limit(50)
    ).all()


def proposals_to_answer(person_id: int) -> Sequence[Proposal]:
    """Proposals that wait for this student's answer, the newest first."""
    return db.session.scalars(
        select(Proposal)
        .options(joinedload(Proposal.coach))
        .where(Proposal.student_id == person_id, Proposal.status == ProposalStatus.PENDING)
        .order_by(Proposal.id.desc())
        .limit(50)
    ).all()
