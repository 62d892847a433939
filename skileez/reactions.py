"""What follows from what happens: each handler is called with every event, in this order.

Handlers write rows in the transaction that takes the event out of the outbox, and nothing else:
what leaves the house is sent from those rows later.
"""

from datetime import datetime
from typing import Final

from skileez.events import Event
from skileez.notifications import outgoing
from skileez.outbox import Reaction
from skileez.sessions import dst

HANDLERS: Final[tuple[Reaction, ...]] = (
    outgoing.tell,
    outgoing.plan,
    dst.look_again,
)


def react(event: Event, now: datetime) -> None:
    """Do all that follows from ``event``."""
    for handler in HANDLERS:
        handler(event, now)
