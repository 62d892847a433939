"""What must be true of the requests to move a series, replayed from its events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from skileez.db import UTCDateTime
from tests.sim.violation import require


@dataclass(frozen=True)
class Asked:
    """A request that waits, as its event tells it."""

    by: str
    kind: str
    deadline: datetime


class SeriesWatch:
    """At most one request waits, one answer ends it, and silence speaks only at its deadline."""

    def __init__(self) -> None:
        self.waiting: dict[int, Asked] = {}

    def replay(self, event: Row[Any]) -> None:
        """Take in an event about a series."""
        series, verb = event.details["series_id"], event.verb.removeprefix("series.")
        asked = self.waiting.get(series)
        if verb == "move_requested":
            require(asked is None, "a second request is pending", event=event.id)
            deadline = datetime.fromisoformat(event.details["deadline"])
            self.waiting[series] = Asked(event.role, event.details["kind"], deadline)
        elif verb.startswith("move_"):
            require(asked is not None, "no request was pending", event=event.id)
            assert asked
            if verb == "move_withdrawn":
                require(event.role == asked.by, "another withdrew it", event=event.id)
            elif verb in ("move_approved", "move_declined"):
                require(
                    event.role not in (asked.by, None), "the requester answered", event=event.id
                )
                require(event.at < asked.deadline, "answered too late", event=event.id)
            else:
                require(event.at >= asked.deadline, "settled before the deadline", event=event.id)
            if verb == "move_auto_approved":
                require(asked.kind == "standard", "silence approved a late one", event=event.id)
            del self.waiting[series]
        elif event.details.get("closed_request"):
            require(asked is not None, "no request was pending", event=event.id)
            del self.waiting[series]

    def row(self, rows: Connection, series: int) -> None:
        """The row is what was told."""
        found = rows.execute(_REQUEST, {"id": series}).one_or_none()
        told = self.waiting.get(series)
        require(
            tuple(found or ()) == ((told.by, told.kind, told.deadline) if told else ()),
            "the request is not what was told", series=series, told=told,
        )  # fmt: skip


_REQUEST = text(
    "SELECT asked_by, kind, deadline FROM series_request WHERE series_id = :id"
).columns(deadline=UTCDateTime)
