"""What spans proposals and people: proposing to an address, and finding through the actor.

Call inside ``transaction()``; what is found is locked until it ends.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from skileez import db, events, zones
from skileez.accounts import actions as accounts
from skileez.accounts.models import Person
from skileez.contracts import rules
from skileez.contracts.models import Proposal
from skileez.contracts.rules import ProposalStatus, Terms
from skileez.errors import NotFound, require
from skileez.events import Actor


def propose(
    coach: Person, student_email: str, terms: Terms, *, zone: str, actor: Actor, now: datetime
) -> Proposal:
    """Offer ``terms`` to whoever has the account of ``student_email``.

    ``zone`` is the contract's: its sessions are planned in it. Raises ``Refused`` for somebody
    who does not coach, an address without an account, and terms out of bounds.
    """
    student = accounts.find_by_email(student_email)
    require(
        rules.may_propose(
            offers_coaching=coach.offers_coaching,
            to_self=student is not None and student.id == coach.id,
            student_active=student is not None and student.active,
        )
    )
    require(rules.check_terms(terms))
    zones.zone(zone)
    assert student is not None
    offer = {
        "coach_id": coach.id,
        "student_id": student.id,
        "title": terms.title.strip(),
        "message": terms.message.strip(),
        "total_sessions": terms.total_sessions,
        "duration_minutes": terms.duration_minutes,
        "price": terms.price,
        "currency": terms.currency,
        "timezone": zone,
    }
    db.lock(_OFFERS_LOCK, coach.id)  # a double click is two requests at once
    require(rules.may_repeat(_waiting(offer)))
    proposal = Proposal(**offer, created_at=now)
    db.session.add(proposal)
    db.session.flush()
    events.append(
        f"proposal:{proposal.id}",
        "proposal.sent",
        at=now,
        actor=actor,
        role="coach",
        proposal_id=proposal.id,
        status_to=proposal.status,
    )
    return proposal


_OFFERS_LOCK = 2


def _waiting(offer: dict[str, Any]) -> int | None:
    """The number of a pending proposal that says the very same."""
    return db.session.scalars(
        select(Proposal.id).filter_by(**offer, status=ProposalStatus.PENDING).limit(1)
    ).first()


def find_proposal_for(actor: Actor, proposal_id: int) -> Proposal:
    """The proposal, locked, if it was sent by or to this actor. Raises ``NotFound``."""
    found = db.session.scalars(
        select(Proposal)
        .where(
            Proposal.id == proposal_id,
            or_(Proposal.coach_id == actor.id, Proposal.student_id == actor.id),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("proposal")
    return found
