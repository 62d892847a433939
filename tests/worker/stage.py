"""A channel that keeps what it is given, what is due in tests of the worker, and what is left."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, Table, func, insert, select, text

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


_begun: dict[tuple[Callable[[Cast], object], bool], tuple[Cast, Callable[[str], None]]] = {}


def begin(url: str, prepare: Callable[[Cast], object], total: int = 4) -> Cast:
    """The cast on the empty database ``url`` after ``prepare``, which is played once for each kind
    of database: the next begin with the rows of the first one.
    """
    kind = prepare, url.startswith("sqlite")
    if kind in _begun:
        cast, put_back = _begun[kind]
        put_back(url)
    else:
        cast = enter(url, total)
        prepare(cast)
        _begun[kind] = cast, kept(url)
    return cast


def kept(url: str) -> Callable[[str], None]:
    """What puts all rows as they are now into another empty database of the same kind."""
    db.session.remove()
    engines.bind(url)  # with nothing open any more, all rows are in the one file
    if url.startswith("sqlite"):
        return partial(_write_file, _file(url).read_bytes())
    found = {}
    for table in db.Model.metadata.sorted_tables:
        columns = (one for one in table.c if one.computed is None)
        found[table] = db.session.execute(select(*columns)).mappings().all()
    db.session.remove()
    return partial(_write_rows, {table: rows for table, rows in found.items() if rows})


def _write_file(content: bytes, url: str) -> None:
    _file(url).write_bytes(content)
    engines.bind(url)


def _write_rows(rows: dict[Table, Sequence[RowMapping]], url: str) -> None:
    engines.bind(url)
    with db.transaction() as session:
        # Off go the triggers, of which one would write the outbox a second time.
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for table, those in rows.items():
            session.execute(insert(table), [dict(one) for one in those])
            if "id" in table.c:
                last = func.setval(f"{table.name}_id_seq", max(one["id"] for one in those))
                session.execute(select(last))
    db.session.remove()


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
