"""What the demo's people have been told already, so that its centre and mailbox look lived in."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update

from skileez import db
from skileez.events import Event
from skileez.notifications import outgoing
from skileez.notifications.models import Delivery, Standing
from skileez.outbox import Waiting
from skileez.reactions import react

TOLD_FOR: Final = timedelta(days=10)
"""Older news are in nobody's centre."""
READ_AFTER: Final = timedelta(days=2)


def settle(now: datetime) -> None:
    """Take everything planted out of the outbox: recent news are told, coming sessions planned.

    News of the last two days stay unread, and their mails are left for the worker to send.
    """
    planted = db.session.scalars(
        select(Event).join(Waiting, Waiting.event_id == Event.id).order_by(Event.at, Event.id)
    ).all()
    for event in planted:
        if event.at > now - TOLD_FOR:
            react(event, event.at)
        elif event.new_time is not None and event.new_time > now:
            outgoing.plan(event, event.at)
    db.session.execute(delete(Waiting))
    old = now - READ_AFTER
    db.session.execute(
        update(Delivery)
        .where(Delivery.status == Standing.WAITING, Delivery.due_at < old)
        .values(status=Standing.SENT, sent_at=Delivery.due_at)
    )
    db.session.execute(
        update(Delivery)
        .where(Delivery.status == Standing.SENT, Delivery.at < old)
        .values(read_at=Delivery.sent_at)
    )
