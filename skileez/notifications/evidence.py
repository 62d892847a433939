"""What both sides of a session were told of it, for whoever has to judge what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from skileez import db
from skileez.notifications.models import Delivery, Standing
from skileez.sessions.models import Session


@dataclass(slots=True)
class Told:
    """A message that reached one of the two, with when it was sent on which channels.

    ``read_at`` is when they saw it in the pages; of mail nobody knows.
    """

    role: str
    kind: str
    sent: dict[str, datetime] = field(default_factory=dict)
    read_at: datetime | None = None


def told_of(session: Session) -> Sequence[Told]:
    """Every message about the session that was sent, the first one first."""
    rows = db.session.execute(
        select(
            *(Delivery.occasion, Delivery.recipient_id, Delivery.kind, Delivery.channel),
            *(Delivery.sent_at, Delivery.read_at),
        )
        .where(Delivery.session_id == session.id, Delivery.status == Standing.SENT)
        .order_by(Delivery.sent_at, Delivery.id)
    )
    told: dict[tuple[str, str], Told] = {}
    for row in rows:
        role = session.role_of(row.recipient_id)
        if role is not None:
            one = told.setdefault((row.occasion, role), Told(role, row.kind))
            one.sent[row.channel] = row.sent_at
            one.read_at = one.read_at or row.read_at
    return list(told.values())
