"""What the pages show of sessions. Reads only; each list costs the same number of queries.

Statements are made once, with named places for what differs: to put one together, and to find
its compiled form again, takes longer than to run it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    Row,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased, defer
from sqlalchemy.orm.attributes import set_committed_value

from skileez import db
from skileez.accounts.models import Person
from skileez.contracts.models import Contract
from skileez.cursor import Cursor
from skileez.db import UTCDateTime
from skileez.errors import NotFound
from skileez.events import Event
from skileez.sessions.lines import Line, joined, line_of, read
from skileez.sessions.models import Session
from skileez.sessions.rules import State, Status

PAGE = 20
"""Rows on one page of a list."""

# Lists and histories are columns, and asked of the tables: the ORM takes twice as long for them.
_contracts, _people = Contract.__table__, Person.__table__
_coaches, _students = _people.alias("coach"), _people.alias("student")
_s, _c, _e, _p = Session.__table__.c, _contracts.c, Event.__table__.c, _people.c
_coach, _student = _coaches.c, _students.c


class View(StrEnum):
    """Which part of the list: still to come, behind us, or everything."""

    UPCOMING = "upcoming"
    PAST = "past"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person asked to see of their own sessions."""

    view: View = View.UPCOMING
    state: State | None = None
    contract_id: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Lines and the cursors beside them; None where the list ends."""

    lines: Sequence[Line]
    previous: Cursor | None = None
    next: Cursor | None = None


def page(
    person_id: int, wanted: Filter, now: datetime, cursor: Cursor | None = None, size: int = PAGE
) -> Page:
    """One page of a person's own sessions: to come in order, the rest newest first."""
    ascending = (wanted.view is View.UPCOMING) != (cursor is not None and cursor.back)
    rows = read(
        _page_of(
            wanted.view, wanted.state, bool(wanted.contract_id), bool(cursor), ascending, size + 1
        ),
        {
            "person": person_id,
            "now": now,
            "contract": wanted.contract_id,
            "at": cursor.at if cursor else None,
            "id": cursor.id if cursor else None,
        },
    ).all()
    more, lines = len(rows) > size, [line_of(row, person_id) for row in rows[:size]]
    if cursor and cursor.back:
        lines.reverse()
        before, after = more, True
    else:
        before, after = cursor is not None, more
    if not lines:
        return Page(lines)
    first, last = lines[0], lines[-1]
    return Page(
        lines,
        Cursor(first.listed_at, first.id, back=True) if before else None,
        Cursor(last.listed_at, last.id) if after else None,
    )


def every(person_id: int, wanted: Filter, now: datetime, size: int = 500) -> Iterator[Line]:
    """All of a person's sessions that the filter lets through, a page at a time."""
    cursor: Cursor | None = None
    while True:
        found = page(person_id, wanted, now, cursor, size)
        yield from found.lines
        if found.next is None:
            return
        cursor = found.next


_PERSON: BindParameter[int] = bindparam("person")
_NOW = bindparam("now", type_=UTCDateTime)


@cache
def _page_of(
    view: View, state: State | None, one_contract: bool, onwards: bool, ascending: bool, limit: int
) -> Any:
    conditions: list[ColumnElement[bool]] = []
    if view is View.UPCOMING:
        to_come = or_(_s.ends_at > _NOW, _s.scheduled_at.is_(None))
        conditions += [_s.status == Status.SCHEDULED, to_come]
    elif view is View.PAST:
        conditions.append(or_(_s.status != Status.SCHEDULED, _s.ends_at <= _NOW))
    if state is State.RESCHEDULE_REQUESTED:
        conditions += [_s.status == Status.SCHEDULED, _s.reschedule_requested.is_(True)]
    elif state is State.SCHEDULED:
        conditions += [_s.status == Status.SCHEDULED, _s.reschedule_requested.is_(False)]
    elif state:
        conditions.append(_s.status == state)
    if one_contract:
        conditions.append(_s.contract_id == bindparam("contract"))
    if onwards:
        place = tuple_(_s.listed_at, _s.id)
        here = tuple_(bindparam("at", type_=UTCDateTime), bindparam("id"))
        conditions.append(place > here if ascending else place < here)
    return _own(conditions, ascending=ascending, limit=limit)


def _own(conditions: Sequence[ColumnElement[bool]], *, ascending: bool, limit: int) -> Any:
    """A person's rows in either role: two walks along an index, merged, however many there are."""
    # Written into the statement: PostgreSQL plans one whose LIMIT it cannot see anew each time.
    most: ColumnClause[int] = literal_column(str(limit))

    def order(at: Any, key: Any) -> tuple[Any, Any]:
        return (at.asc(), key.asc()) if ascending else (at.desc(), key.desc())

    halves = [
        select(
            select(_s.id.label("id"))
            .where(mine == _PERSON, *conditions)
            .order_by(*order(_s.listed_at, _s.id))
            .limit(most)
            .subquery()
        )
        for mine in (_s.coach_id, _s.student_id)
    ]
    ids = union_all(*halves).subquery()
    return (
        joined()
        .where(_s.id.in_(select(ids.c.id)))
        .order_by(*order(_s.listed_at, _s.id))
        .limit(most)
    )


def of_contract(contract_id: int, person_id: int | None) -> list[Line]:
    """Every session of a contract, history included, by number and then by age."""
    rows = read(_OF_CONTRACT, {"contract": contract_id})
    return [line_of(row, person_id) for row in rows]


_OF_CONTRACT = (
    joined().where(_s.contract_id == bindparam("contract")).order_by(_s.session_number, _s.id)
)


MOST_WAITING = 50


def waiting(person_id: int, now: datetime) -> list[Line]:
    """A person's open sessions about which somebody should do something, the soonest first.

    A superset: whether it is this person's move, the rules say.
    """
    given = {"person": person_id, "now": now}
    rows = [*read(_UNSETTLED, given), *read(_DISPUTED, given)]
    return [line_of(row, person_id) for row in rows]


_UNSETTLED = _own(
    [
        _s.status == Status.SCHEDULED,
        or_(
            _s.reschedule_requested,
            _s.scheduled_at.is_(None),
            _s.ends_at <= _NOW,
            ~_s.confirmed_by_coach,
        ),
    ],
    ascending=True,
    limit=MOST_WAITING,
)
_DISPUTED = _own(
    [_s.status == Status.MISSED, _s.correction_by.is_not(None)],
    ascending=False,
    limit=MOST_WAITING,
)


def lines(session_ids: Sequence[int], person_id: int | None = None) -> list[Line]:
    """These sessions, the earliest first, as this person sees them; else as neither side does."""
    rows = read(joined().where(_s.id.in_(session_ids)).order_by(_s.listed_at, _s.id))
    return [line_of(row, person_id) for row in rows]


def disputed(limit: int = 100) -> list[Line]:
    """Missed sessions that a participant says did take place, for the administrator."""
    rows = read(
        joined()
        .where(_s.status == Status.MISSED, _s.correction_by.is_not(None))
        .order_by(_s.missed_at)
        .limit(limit)
    )
    return [line_of(row, None) for row in rows]


def seen_by(person_id: int, session_id: int, *, admin: bool = False) -> Session:
    """A session with its contract and both people, for looking. Raises ``NotFound``."""
    found = db.session.execute(
        _SEEN if admin else _SEEN_BY, {"session": session_id, "person": person_id}
    ).one_or_none()
    if found is None:
        raise NotFound("session")
    session: Session
    session, contract, coach, student = found
    # As contains_eager() would, which costs as much as one more query.
    set_committed_value(session, "contract", contract)
    set_committed_value(contract, "coach", coach)
    set_committed_value(contract, "student", student)
    return session


_Coach, _Student = aliased(Person), aliased(Person)
_SEEN = (
    select(Session, Contract, _Coach, _Student)
    .join(Contract, Contract.id == Session.contract_id)
    .join(_Coach, _Coach.id == Contract.coach_id)
    .join(_Student, _Student.id == Contract.student_id)
    .options(defer(_Coach.password_hash), defer(_Student.password_hash))
    .where(Session.id == bindparam("session"))
)
_SEEN_BY = _SEEN.where(or_(Session.coach_id == _PERSON, Session.student_id == _PERSON))


def history(session_id: int) -> Sequence[tuple[Any, str | None]]:
    """Everything that happened to a session, oldest first, with the name of who did it
    (None where it was the system).
    """
    rows = read(_HISTORY, {"session": session_id})
    return [(row, row.display_name) for row in rows]


_HISTORY = (
    select(
        *(_e.verb, _e.at, _e.role, _e.old_time, _e.new_time, _e.reason),
        *(_e.details, _p.display_name),
    )
    .outerjoin(_people, _p.id == _e.actor_id)
    .where(_e.session_id == bindparam("session"))
    .order_by(_e.id)
)


def did_last(session_id: int, role: str, verb: str) -> datetime | None:
    """When this role did ``verb`` to a session; None where that is not the last that happened."""
    return next(
        (
            event.at
            for event, _name in history(session_id)[-1:]
            if (event.verb, event.role) == (verb, role)
        ),
        None,
    )


def starting_at(contract_id: int, start: datetime) -> tuple[int, int] | None:
    """The id and the number of the contract's scheduled session that starts just then."""
    found = read(_STARTING_AT, {"contract": contract_id, "start": start})
    return next(((row.id, row.session_number) for row in found), None)


_STARTING_AT = select(_s.id, _s.session_number).where(
    _s.contract_id == bindparam("contract"),
    _s.status == Status.SCHEDULED,
    _s.scheduled_at == bindparam("start"),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """A person's sessions by state."""

    by_state: dict[str, int] = field(default_factory=dict)
    cancelled_after_start: int = 0
    moved: int = 0
    actual_minutes: float | None = None
    planned_minutes: float | None = None

    def __getitem__(self, state: str) -> int:
        return self.by_state.get(state, 0)


def counts(person_id: int) -> Counts:
    """How many of a person's sessions are in which state, and what the averages need."""
    rows = read(_COUNTS, {"person": person_id}).all()
    completed = next((row for row in rows if row.state == Status.COMPLETED), None)
    return Counts(
        by_state={row.state: row.n for row in rows},
        cancelled_after_start=sum(int(row.after_start or 0) for row in rows),
        moved=sum(int(row.moved or 0) for row in rows),
        actual_minutes=float(completed.actual) if completed and completed.actual else None,
        planned_minutes=float(completed.planned) if completed and completed.planned else None,
    )


_STATE = case(
    (
        and_(_s.status == Status.SCHEDULED, _s.reschedule_requested),
        State.RESCHEDULE_REQUESTED.value,
    ),
    else_=_s.status,
).label("state")
_HELD = _s.status == Status.COMPLETED
_DODGED = (_s.cancelled_at >= _s.scheduled_at) & _s.cancelled_by.is_not(None)
_COUNTS = (
    select(
        _STATE,
        func.count().label("n"),
        func.sum(case((_DODGED, 1), else_=0)).label("after_start"),
        func.sum(case((_s.scheduled_at != _s.scheduled_date, 1), else_=0)).label("moved"),
        func.avg(case((_HELD, _s.actual_minutes))).label("actual"),
        func.avg(case((_HELD & _s.actual_minutes.is_not(None), _s.duration_minutes))).label(
            "planned"
        ),
    )
    .where(or_(_s.coach_id == _PERSON, _s.student_id == _PERSON))
    .group_by(_STATE)
)


def live_counts(contract_ids: Sequence[int]) -> dict[int, int]:
    """How many live sessions each contract has: booked or completed."""
    rows = read(_LIVE_COUNTS, {"contracts": contract_ids})
    return {row.contract_id: row.live for row in rows}


_LIVE_COUNTS = (
    select(_s.contract_id, func.count().label("live"))
    .where(
        _s.contract_id.in_(bindparam("contracts", expanding=True)),
        _s.status.in_((Status.SCHEDULED, Status.COMPLETED)),
    )
    .group_by(_s.contract_id)
)


def contracts_of(person_id: int) -> Sequence[Row[Any]]:
    """A person's contracts for a filter: id, title, number and the other's name."""
    return read(_CONTRACTS_OF, {"person": person_id}).all()


_CONTRACTS_OF = (
    select(
        _c.id,
        _c.title,
        _c.number,
        case((_c.coach_id == _PERSON, _student.display_name), else_=_coach.display_name).label(
            "other_name"
        ),
    )
    .join(_coaches, _coach.id == _c.coach_id)
    .join(_students, _student.id == _c.student_id)
    .where(or_(_c.coach_id == _PERSON, _c.student_id == _PERSON))
    .order_by(_c.id.desc())
    .limit(200)
)
