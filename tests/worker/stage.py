"""A channel that keeps what it is given, what is due in tests of the worker, and what is left."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from skileez import db, worker
from skileez.accounts.models import Person
from skileez.notifications import channels
from skileez.notifications.letters import Letter
from skileez.notifications.models import Standing, Wishes
from skileez.notifications.rules import DIGESTS
from skileez.sessions import actions
from skileez.sessions.models import Session
from tests import engines
from tests.cast import NOW, WHY, Cast, enter
from tests.sessions.stage import at


class Post:
    """In place of mail. ``before`` and ``after`` are called with each letter that it takes."""

    name = channels.MAIL

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.digests = False
        self.before: Callable[[Letter], object] = lambda letter: None
        self.after: Callable[[Letter], object] = lambda letter: None

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        return wishes.mail and (kind not in DIGESTS or self.digests)

    def send(self, letter: Letter, to: Person) -> None:
        self.before(letter)
        self.letters.append(letter)
        self.after(letter)

    @property
    def times(self) -> Counter[str]:
        """How often each letter came, by its id."""
        return Counter(letter.id for letter in self.letters)


_begun: dict[Callable[[Cast], object], tuple[Cast, bytes]] = {}


def begin(url: str, prepare: Callable[[Cast], object], total: int = 4) -> Cast:
    """The cast on the database ``url`` after ``prepare``, which is played once for each SQLite
    file of the same: the next begin with a copy of the first one's rows.
    """
    if prepare not in _begun or not url.startswith("sqlite"):
        cast = enter(url, total)
        prepare(cast)
        if not url.startswith("sqlite"):
            return cast
        db.session.remove()
        engines.bind(url)  # with nothing open any more, all rows are in the one file
        _begun[prepare] = cast, _file(url).read_bytes()
    cast, rows = _begun[prepare]
    _file(url).write_bytes(rows)
    engines.bind(url)
    return cast


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def ask(cast: Cast, session: Session, by: str, *hours: float, now: datetime = NOW) -> None:
    """Ask to move it to one of these hours from NOW."""
    with db.transaction():
        actions.find_for(cast.actor(by), session.id).request_reschedule(
            by, WHY, proposed_times=[at(one) for one in hours], actor=cast.actor(by), now=now
        )


def drain(now: datetime) -> None:
    """Do all that is due at ``now``."""
    while worker.once(now):
        pass


KEPT = ("session", "contract", "proposed_time", "booked_time", "event", "delivery", "outbox")
KEPT += ("worker_beat",)
MOVING = {"hash", "previous_hash", "sent_at", "lease_until", "failures", "error", "figures"}
"""What may differ from one run to another: when a message was sent, and how often it was tried."""


def left() -> dict[str, list[dict[str, Any]]]:
    """Every row that a worker could touch, as the database has it now; events by their place."""
    db.session.remove()
    connection = db.session.connection()
    rows = {
        table: [
            dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()
        ]
        for table in KEPT
    }
    db.session.remove()
    places = {one["id"]: f"{one['stream']} {one['position']}" for one in rows["event"]}
    for table, those in rows.items():
        rows[table] = sorted((_told(table, one, places) for one in those), key=repr)
    return rows


def _told(table: str, row: dict[str, Any], places: dict[int, str]) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name not in MOVING}
    if table != "session":
        told.pop("id", None)
    if table == "delivery" and row["status"] == Standing.SENT:
        del told["due_at"]
    if event := places.get(row.get("event_id") or 0):
        told["event_id"] = event
        if "occasion" in told:
            told["occasion"] = f"event {event}"
    return told
