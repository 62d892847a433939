"""What an operator may find: workers that live or not, and what waits, is late or is put aside."""

from datetime import timedelta

from sqlalchemy import select, text, update

from skileez import __version__, db, heartbeat
from skileez.events import Event
from skileez.notifications.models import Delivery, Standing
from skileez.outbox import Waiting
from tests.cast import DAY, HOUR, MINUTE, NOW, SECOND
from tests.doors.stage import Stage


def beat(ago: timedelta = SECOND, name: str = "host:1", version: str = __version__) -> None:
    """A worker was last heard of so long before NOW."""
    figures = {"events": 12, "sent": 7, "retried": 0, "lapsed": 2}
    heartbeat.beat(name, version, figures, NOW - ago)


def nothing_due() -> None:
    """What the stage's own verbs left in the outbox is done."""
    with db.transaction():
        db.session.execute(text("DELETE FROM outbox"))


def park_event(stage: Stage, why: str = "KeyError: 'x'") -> int:
    """The event of a booking, after too many failures."""
    session = stage.book(2 * DAY)
    with db.transaction():
        one = db.session.scalars(select(Event.id).where(Event.session_id == session)).one()
        db.session.execute(
            update(Waiting)
            .where(Waiting.event_id == one)
            .values(due_at=None, failures=5, error=why)
        )
    return one


def post(stage: Stage, number: int = 1, **columns: object) -> int:
    """A message to the student, due a minute ago if nothing else is said."""
    values = {
        "occasion": f"made up:{number}",
        "kind": "session.booked",
        "channel": "mail",
        "recipient_id": stage.cast.student.id,
        "at": NOW - HOUR,
        "due_at": NOW - MINUTE,
        "failures": 0,
        **columns,
    }
    with db.transaction():
        one = Delivery(**values)
        db.session.add(one)
        db.session.flush()
        return one.id


def park(stage: Stage, number: int = 1) -> int:
    return post(
        stage,
        number,
        status=Standing.PARKED,
        failures=7,
        error="550 there is nobody here of that name",
    )
