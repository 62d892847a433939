"""What the tests of the verbs look at: every column of a row, and what its events tell."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from skileez import db
from skileez.contracts.models import Contract
from skileez.errors import Refused
from skileez.events import Event
from skileez.sessions import actions
from skileez.sessions.models import BookedTime, ProposedTime, Session
from skileez.sessions.series import Series, SeriesProposedTime, SeriesRequest
from tests.cast import HOUR, NOW, Cast

Do = Callable[[Session], object]


def columns(model: type[db.Model], ident: int) -> dict[str, Any]:
    """Every column of one row, as the database has it now."""
    row = db.session.get(model, ident, populate_existing=True)
    return {name: getattr(row, name) for name in row.__mapper__.column_attrs.keys()}  # noqa: SIM118


def events_of(session_id: int) -> list[Event]:
    return list(Event.query.filter_by(session_id=session_id).order_by(Event.position))


def told(event: Event) -> dict[str, Any]:
    """What an event tells: everything but its place in the chain."""
    place = {"id", "stream", "position", "previous_hash", "hash"}
    place |= {"proposal_id", "contract_id", "session_id"}
    return {
        name: getattr(event, name)
        for name in event.__mapper__.column_attrs.keys()  # noqa: SIM118
        if name not in place
    }


def tells(verb: str, **what: Any) -> dict[str, Any]:
    """What an event must tell, to the last column; what is not named must be empty."""
    empty = ["actor_id", "role", "status_from", "status_to", "old_time", "new_time", "reason"]
    return {
        **dict.fromkeys(empty),
        "verb": verb,
        "at": NOW,
        "actor_kind": "person",
        "request_id": None,
        "details": {},
        **what,
    }


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows that a verb could touch, past the models."""
    with db.transaction() as current:
        return {
            table.name: [
                tuple(row)
                for row in current.execute(table.select().order_by(*table.primary_key.columns))
            ]
            for table in EVERYTHING
        }


EVERYTHING = [
    db.Model.metadata.tables[model.__tablename__]
    for model in (
        *(Session, Contract, ProposedTime, BookedTime, Event),
        *(Series, SeriesRequest, SeriesProposedTime),
    )
]


def do(cast: Cast, session: Session, who: str, verb: Do) -> tuple[dict[str, Any], list[Event]]:
    """Have ``who`` do it as a door would; the columns that changed, and the events added."""
    before, known = columns(Session, session.id), len(events_of(session.id))
    with db.transaction():
        verb(actions.find_for(cast.actor(who), session.id))
    after = columns(Session, session.id)
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed.pop("version", before["version"]) - before["version"] == bool(changed)
    return changed, events_of(session.id)[known:]


def refuses(cast: Cast, session: Session, who: str, verb: Do, code: str) -> None:
    """It is refused with ``code``, and nothing is left behind even if the caller commits."""
    before = everything()
    with db.transaction():
        found = actions.find_for(cast.actor(who), session.id)
        with pytest.raises(Refused) as refused:
            verb(found)
        assert refused.value.code == code
        assert str(refused.value)
        assert not db.session.dirty
        assert not db.session.new
        assert not db.session.deleted
    assert everything() == before


def at(hours: float) -> datetime:
    """So many hours from NOW."""
    return NOW + hours * HOUR


def iso(hours: float) -> str:
    return at(hours).isoformat()


CLOSED = {
    "state": "scheduled",
    "stored_state": "scheduled",
    "reschedule_requested": False,
    "reschedule_requested_by": None,
    "reschedule_reason": None,
    "reschedule_kind": None,
    "reschedule_asked_at": None,
    "reschedule_deadline": None,
}
"""The columns of a request, once it is answered."""


def closed(**more: object) -> dict[str, object]:
    return {**{name: value for name, value in CLOSED.items() if name != "state"}, **more}
