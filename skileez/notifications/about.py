"""What a delivery is about, loaded once, and whether it is still true."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import aliased

from skileez import db
from skileez.accounts.models import Person
from skileez.contracts.models import Contract, Proposal
from skileez.events import Event
from skileez.notifications import rules
from skileez.notifications.models import Delivery
from skileez.notifications.rules import Said, Situation
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import OUTCOME_SAID
from skileez.sessions.rules import Status
from skileez.sessions.series import SeriesRequest


@dataclass(frozen=True, slots=True)
class About:
    """What a delivery is about, loaded once."""

    recipient: Person
    session: Session | None = None
    contract: Contract | None = None
    proposal: Proposal | None = None
    student: Person | None = None
    coach: Person | None = None
    event: Event | None = None
    agenda: Sequence[tuple[Session, Person]] = field(default=())

    @property
    def role(self) -> str | None:
        """The recipient's part in it."""
        sides = self.contract or self.proposal
        if sides is None:
            return None
        return "student" if sides.student_id == self.recipient.id else "coach"

    @property
    def other(self) -> Person | None:
        """The other participant."""
        return self.coach if self.role == "student" else self.student


def find(delivery: Delivery) -> About:
    """What ``delivery`` is about. Its recipient and event are loaded already."""
    known: dict[str, Any] = {"recipient": delivery.recipient, "event": delivery.event}
    if delivery.session_id is not None:
        row = db.session.execute(_OF_SESSION, {"id": delivery.session_id}).one()
        known |= dict(zip(("contract", "student", "coach", "session"), row, strict=True))
    elif delivery.contract_id is not None:
        row = db.session.execute(_OF_CONTRACT, {"id": delivery.contract_id}).one()
        known |= dict(zip(("contract", "student", "coach"), row, strict=True))
    elif delivery.proposal_id is not None:
        row = db.session.execute(_OF_PROPOSAL, {"id": delivery.proposal_id}).one()
        known |= dict(zip(("proposal", "student", "coach"), row, strict=True))
    elif delivery.kind in rules.DIGESTS:
        known["agenda"] = _agenda(delivery)
    return About(**known)


_STUDENT, _COACH = aliased(Person), aliased(Person)
_WITH_PEOPLE = (
    select(Contract, _STUDENT, _COACH)
    .join(_STUDENT, _STUDENT.id == Contract.student_id)
    .join(_COACH, _COACH.id == Contract.coach_id)
)
_OF_CONTRACT = _WITH_PEOPLE.where(Contract.id == bindparam("id"))
_OF_SESSION = (
    _WITH_PEOPLE.add_columns(Session)
    .join(Session, Session.contract_id == Contract.id)
    .where(Session.id == bindparam("id"))
)
_OF_PROPOSAL = (
    select(Proposal, _STUDENT, _COACH)
    .join(_STUDENT, _STUDENT.id == Proposal.student_id)
    .join(_COACH, _COACH.id == Proposal.coach_id)
    .where(Proposal.id == bindparam("id"))
)


def _agenda(delivery: Delivery) -> list[tuple[Session, Person]]:
    """The coach's sessions of the digest's day or week, each with its student."""
    days = 1 if delivery.kind == rules.DAILY else 7
    rows = db.session.execute(
        select(Session, Person)
        .join(Person, Person.id == Session.student_id)
        .where(
            Session.coach_id == delivery.recipient_id,
            Session.status == Status.SCHEDULED,
            Session.listed_at >= delivery.at,
            Session.listed_at < delivery.at + timedelta(days=days),
            Session.scheduled_at.is_not(None),
        )
        .order_by(Session.listed_at)
        .limit(50)
    )
    return [(session, student) for session, student in rows]


def is_wanted(delivery: Delivery, found: About, now: datetime) -> bool:
    """Whether it is still true, and its recipient's account still open."""
    if not found.recipient.active:
        return False
    if delivery.kind in rules.DIGESTS and not found.agenda:
        return False
    situation = _situation(delivery.kind, found)
    return rules.still_true(Said(delivery.kind, delivery.start, delivery.at), situation, now)


def _situation(kind: str, found: About) -> Situation:
    known: dict[str, Any] = {}
    if (session := found.session) is not None:
        known |= {
            "status": session.status,
            "start": session.scheduled_at,
            "asked_at": session.reschedule_asked_at,
            "correction_asked": session.correction_by is not None,
            "has_said": kind in (rules.OVERDUE, OUTCOME_SAID)
            and session.status == Status.SCHEDULED
            and found.role in session.account().said,
        }
    elif kind == "series.move_requested" and found.event:
        request = db.session.get(SeriesRequest, found.event.details["series_id"])
        known["asked_at"] = request and request.asked_at
    elif (contract := found.contract) is not None:
        known |= {
            "contract_status": contract.status,
            "sessions_left": contract.remaining_sessions,
            "sessions_to_come": db.session.scalar(
                select(func.count()).where(
                    Session.contract_id == contract.id, Session.status == Status.SCHEDULED
                )
            ),
        }
    elif found.proposal is not None:
        known["proposal_status"] = found.proposal.status
    return Situation(**known)
