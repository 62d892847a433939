"""One session of which both sides tell different things, for the administrator."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from skileez import db
from skileez.contracts.models import Contract
from skileez.contracts.rules import ContractStatus
from skileez.events import Actor
from skileez.sessions import outcome_check
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import Outcome
from skileez.sessions.rules import Role, Status

DISPUTED_WITHIN: Final = timedelta(hours=60)
BROKE_OFF: Final = "The line broke off after ten minutes, and we could not get it back."


def dispute(now: datetime) -> None:
    """The student of the latest completed session says that it was not held after all."""
    held = db.session.scalars(
        select(Session)
        .join(Session.contract)
        .where(
            Session.status == Status.COMPLETED,
            Session.completed_date > now - DISPUTED_WITHIN,
            Contract.status == ContractStatus.ACTIVE,
        )
        .order_by(Session.completed_date.desc())
        .limit(1)
    ).first()
    if held is not None:
        outcome_check.say_outcome(
            held,
            Role.STUDENT,
            Outcome.TECHNICAL,
            BROKE_OFF,
            actor=Actor("person", held.student_id),
            now=now,
        )
