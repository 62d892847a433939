"""What both sides of a session were told of it, for whoever has to judge what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from skileez import db
from skileez.notifications.models import Delivery, Standing
from skileez.sessions.models import Session


@dataclass(frozen=True, slots=True)
class Told:
    """A message that reached one of the two; ``read_at`` is known of messages in the pages only."""

    role: str
    kind: str
    channel: str
    sent_at: datetime
    read_at: datetime | None


def told_of(session: Session) -> Sequence[Told]:
    """Every message about the session that was sent, the first one first."""
    rows = db.session.execute(
        select(
            *(Delivery.recipient_id, Delivery.kind, Delivery.channel),
            *(Delivery.sent_at, Delivery.read_at),
        )
        .where(Delivery.session_id == session.id, Delivery.status == Standing.SENT)
        .order_by(Delivery.sent_at, Delivery.id)
    )
    return [
        Told(role, row.kind, row.channel, row.sent_at, row.read_at)
        for row in rows
        if (role := session.role_of(row.recipient_id))
    ]
