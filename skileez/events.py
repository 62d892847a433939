"""What happened: one append-only row for every verb, written with the change it tells of.

The rows of a *stream* (a contract, a proposal, a person) form a chain: each carries the hash of
the one before it, so that an edited, removed or inserted row shows. The database refuses UPDATE
and DELETE on the table by trigger; the chain is for whoever gets past that.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from skileez import db
from skileez.db import Model, UTCDateTime

ActorKind = Literal["person", "system", "api"]

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
via: ContextVar[str | None] = ContextVar("via", default=None)
"""What a person acted through who was not signed in: "mail", a link in one."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a person (with their ``id``), the system itself, or an API client."""

    kind: ActorKind
    id: int | None = None


SYSTEM = Actor("system")


class Event(Model):
    """One thing that happened. Instants in UTC; ``details`` holds what no column names."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("stream", "position"),
        Index("ix_event_session_id_id", "session_id", "id"),
        Index("ix_event_contract_id_id", "contract_id", "id"),
        Index("ix_event_actor_id", "actor_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    verb: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str | None] = mapped_column(String(20))
    proposal_id: Mapped[int | None] = mapped_column(ForeignKey("proposal.id"))
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contract.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id"))
    status_from: Mapped[str | None] = mapped_column(String(20))
    status_to: Mapped[str | None] = mapped_column(String(20))
    old_time: Mapped[datetime | None] = mapped_column(UTCDateTime)
    new_time: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    def digest(self) -> str:
        """The hash of everything this row says, the one before it included (SHA-256, hex)."""
        return _digest({key: getattr(self, key) for key in _HASHED})


_TABLE: Final = cast(Table, Event.__table__)
_HASHED: Final = tuple(column.key for column in _TABLE.columns if column.key not in ("id", "hash"))


def _digest(said: Mapping[str, Any]) -> str:
    plain = {key: _plain(value) for key, value in said.items()}
    return hashlib.sha256(
        json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def append(
    stream: str,
    verb: str,
    *,
    at: datetime,
    actor: Actor,
    role: str | None = None,
    proposal_id: int | None = None,
    contract_id: int | None = None,
    session_id: int | None = None,
    status_from: str | None = None,
    status_to: str | None = None,
    old_time: datetime | None = None,
    new_time: datetime | None = None,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add one event at the end of ``stream``, in the transaction that is open.

    ``details`` must be plain JSON. Two writers of one stream must take turns (the verbs lock the
    contract's row); the unique position stops whoever did not.
    """
    db.session.flush()
    last = db.session.execute(_LAST, {"stream": stream}).first()
    through = via.get()
    said = {
        "stream": stream,
        "position": last.position + 1 if last else 1,
        "verb": verb,
        "at": at,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "role": role,
        "proposal_id": proposal_id,
        "contract_id": contract_id,
        "session_id": session_id,
        "status_from": status_from,
        "status_to": status_to,
        "old_time": old_time,
        "new_time": new_time,
        "reason": reason,
        "request_id": request_id.get(),
        "details": {**(details or {}), **({"via": through} if through else {})},
        "previous_hash": last.hash if last else "",
    }
    db.session.execute(_APPEND, {**said, "hash": _digest(said)})


# A row and no object of it, which nobody would look at again: every verb appends.
_APPEND: Final = insert(_TABLE)
_LAST = (
    select(Event.position, Event.hash)
    .where(Event.stream == bindparam("stream"))
    .order_by(Event.position.desc())
    .limit(1)
)


def latest() -> datetime | None:
    """When the last thing happened; None before the first."""
    return db.session.scalar(select(Event.at).order_by(Event.id.desc()).limit(1))


def broken_links() -> Iterator[Event]:
    """Every event whose hash, predecessor or position is not what the chain says it must be."""
    stream, position, hashed = "", 0, ""
    rows = db.session.scalars(
        select(Event).order_by(Event.stream, Event.position).execution_options(yield_per=1000)
    )
    for event in rows:
        if event.stream != stream:
            stream, position, hashed = event.stream, 0, ""
        if (
            event.position != position + 1
            or event.previous_hash != hashed
            or event.hash != event.digest()
        ):
            yield event
        position, hashed = event.position, event.hash
