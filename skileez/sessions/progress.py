"""How far a contract has come, number by number: pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from skileez.sessions.rules import LIVE, State, Status


class Segment(StrEnum):
    """What became of one number of a contract; missed and cancelled ones are open again."""

    COMPLETED = "completed"
    BOOKED = "booked"
    REQUESTED = "requested"
    MISSED = "missed"
    CANCELLED = "cancelled"
    OPEN = "open"


class Row(Protocol):
    """A session as far as progress is concerned."""

    @property
    def id(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def state(self) -> State: ...


@dataclass(frozen=True, slots=True)
class Part:
    """One number of a contract: how it stands, and the session to look at, if there is one."""

    number: int
    segment: Segment
    session_id: int | None = None


_SHOWN = {
    State.COMPLETED: Segment.COMPLETED,
    State.SCHEDULED: Segment.BOOKED,
    State.RESCHEDULE_REQUESTED: Segment.REQUESTED,
    State.MISSED: Segment.MISSED,
    State.CANCELLED: Segment.CANCELLED,
}


def parts(rows: Iterable[Row], total: int) -> list[Part]:
    """One part for each of 1…``total``: its live session, else the latest of its history."""
    latest: dict[int, Row] = {}
    for row in rows:
        before = latest.get(row.number)
        if before is None or not is_live(before.state):
            latest[row.number] = row
    return [_part(number, latest.get(number)) for number in range(1, total + 1)]


def _part(number: int, row: Row | None) -> Part:
    return Part(number, _SHOWN[row.state], row.id) if row else Part(number, Segment.OPEN)


def is_live(state: State) -> bool:
    """Whether a session in this state holds its number."""
    return state is State.RESCHEDULE_REQUESTED or Status(state) in LIVE
