"""What the pages show of sessions. Reads only; each list costs the same number of queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select, tuple_, union_all
from sqlalchemy.orm import aliased, contains_eager, defer

from skileez import db
from skileez.accounts.models import Person
from skileez.contracts.models import Contract
from skileez.errors import N_, Kind, NotFound, Refusal, Refused
from skileez.events import Event
from skileez.sessions.models import Session
from skileez.sessions.rules import Facts, Pending, State, Status

PAGE = 20
"""Rows on one page of a list."""

Coach, Student = aliased(Person, name="coach"), aliased(Person, name="student")


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
class Cursor:
    """A place in a list, by key: rows behind (or before) it come next."""

    at: datetime
    id: int
    back: bool = False

    def __str__(self) -> str:
        micros = int((self.at - _EPOCH) / timedelta(microseconds=1))
        return f"{'-' if self.back else '+'}{micros}.{self.id}"

    @classmethod
    def parse(cls, said: str | None) -> "Cursor | None":
        """The cursor of a link; None for the first page. Raises ``Refused`` for a broken one."""
        if not said:
            return None
        try:
            micros, row = said[1:].split(".")
            at = _EPOCH + timedelta(microseconds=int(micros))
            if said[0] not in "+- " or not 0 < int(row) < 2**31:
                raise ValueError(said)
        except (ValueError, OverflowError) as error:
            raise Refused(BROKEN_LINK) from error
        return cls(at, int(row), said[0] == "-")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BROKEN_LINK = Refusal(
    "broken_link",
    N_("This link into the list is broken. Open the list again from its start."),
    kind=Kind.INVALID,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One session in a list, as seen by one of its participants."""

    id: int
    role: str
    number: int
    total: int
    contract_id: int
    title: str
    other_name: str
    other_zone: str
    start: datetime | None
    end: datetime | None
    listed_at: datetime
    minutes: int
    state: State
    facts: Facts
    version: int
    cancelled_late: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Lines and the cursors beside them; None where the list ends."""

    lines: Sequence[Line]
    previous: Cursor | None = None
    next: Cursor | None = None


_COLUMNS = (
    Session.id,
    Session.session_number,
    Session.contract_id,
    Session.coach_id,
    Session.student_id,
    Session.scheduled_at,
    Session.ends_at,
    Session.listed_at,
    Session.duration_minutes,
    Session.status,
    Session.confirmed_by_coach,
    Session.scheduling_by,
    Session.reschedule_requested_by,
    Session.reschedule_kind,
    Session.reschedule_deadline,
    Session.missed_at,
    Session.correction_by,
    Session.cancelled_late,
    Session.version,
    Contract.title,
    Contract.total_sessions,
    Contract.status.label("contract_status"),
    Coach.display_name.label("coach_name"),
    Coach.zone.label("coach_zone"),
    Student.display_name.label("student_name"),
    Student.zone.label("student_zone"),
)


def page(
    person_id: int, wanted: Filter, now: datetime, cursor: Cursor | None = None, size: int = PAGE
) -> Page:
    """One page of a person's own sessions: to come in order, the rest newest first."""
    forward = wanted.view is View.UPCOMING
    ascending = forward != (cursor is not None and cursor.back)
    conditions = _conditions(wanted, now)
    if cursor:
        place = tuple_(Session.listed_at, Session.id)
        here = tuple_(cursor.at, cursor.id)
        conditions.append(place > here if ascending else place < here)
    rows = _own(person_id, conditions, ascending=ascending, limit=size + 1)
    more, lines = len(rows) > size, [_line(row, person_id) for row in rows[:size]]
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


def _conditions(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    to_come = and_(
        Session.status == Status.SCHEDULED,
        or_(Session.ends_at > now, Session.scheduled_at.is_(None)),
    )
    conditions: list[ColumnElement[bool]] = []
    if wanted.view is View.UPCOMING:
        conditions.append(to_come)
    elif wanted.view is View.PAST:
        conditions.append(
            or_(Session.status != Status.SCHEDULED, Session.ends_at <= now),
        )
    if wanted.state is State.RESCHEDULE_REQUESTED:
        conditions += [Session.status == Status.SCHEDULED, Session.reschedule_requested.is_(True)]
    elif wanted.state is State.SCHEDULED:
        conditions += [Session.status == Status.SCHEDULED, Session.reschedule_requested.is_(False)]
    elif wanted.state:
        conditions.append(Session.status == wanted.state)
    if wanted.contract_id:
        conditions.append(Session.contract_id == wanted.contract_id)
    return conditions


def _own(
    person_id: int,
    conditions: Sequence[ColumnElement[bool]],
    *,
    ascending: bool,
    limit: int,
) -> Sequence[Row[Any]]:
    """A person's rows in either role: two walks along an index, merged, however many there are."""

    def order(at: Any, key: Any) -> tuple[Any, Any]:
        return (at.asc(), key.asc()) if ascending else (at.desc(), key.desc())

    halves = [
        select(
            select(Session.id.label("id"))
            .where(mine == person_id, *conditions)
            .order_by(*order(Session.listed_at, Session.id))
            .limit(limit)
            .subquery()
        )
        for mine in (Session.coach_id, Session.student_id)
    ]
    ids = union_all(*halves).subquery()
    return db.session.execute(
        _joined()
        .where(Session.id.in_(select(ids.c.id)))
        .order_by(*order(Session.listed_at, Session.id))
        .limit(limit)
    ).all()


def _joined() -> Any:
    return (
        select(*_COLUMNS)
        .join(Contract, Contract.id == Session.contract_id)
        .join(Coach, Coach.id == Session.coach_id)
        .join(Student, Student.id == Session.student_id)
    )


def _line(row: Row[Any], person_id: int | None) -> Line:
    coaching = row.coach_id == person_id
    pending = (
        Pending(row.reschedule_requested_by, row.reschedule_kind, row.reschedule_deadline)
        if row.reschedule_requested_by
        else None
    )
    return Line(
        id=row.id,
        role="coach" if coaching else "student",
        number=row.session_number,
        total=row.total_sessions,
        contract_id=row.contract_id,
        title=row.title,
        other_name=row.student_name if coaching else row.coach_name,
        other_zone=row.student_zone if coaching else row.coach_zone,
        start=row.scheduled_at,
        end=row.ends_at,
        listed_at=row.listed_at,
        minutes=row.duration_minutes,
        state=State.RESCHEDULE_REQUESTED if pending else State(row.status),
        facts=Facts(
            status=row.status,
            start=row.scheduled_at,
            minutes=row.duration_minutes,
            contract_status=row.contract_status,
            confirmed=row.confirmed_by_coach,
            pending=pending,
            scheduling_by=row.scheduling_by,
            missed_at=row.missed_at,
            correction_by=row.correction_by,
        ),
        version=row.version,
        cancelled_late=row.cancelled_late,
    )


def of_contract(contract_id: int, person_id: int | None) -> list[Line]:
    """Every session of a contract, history included, by number and then by age."""
    rows = db.session.execute(
        _joined()
        .where(Session.contract_id == contract_id)
        .order_by(Session.session_number, Session.id)
    )
    return [_line(row, person_id) for row in rows]


def waiting(person_id: int, now: datetime, limit: int = 50) -> list[Line]:
    """A person's open sessions about which somebody should do something, the soonest first.

    A superset: whether it is this person's move, the rules say.
    """
    unsettled = or_(
        Session.reschedule_requested,
        Session.scheduled_at.is_(None),
        Session.ends_at <= now,
        ~Session.confirmed_by_coach,
    )
    open_ones = [Session.status == Status.SCHEDULED, unsettled]
    disputed = [Session.status == Status.MISSED, Session.correction_by.is_not(None)]
    rows = [
        *_own(person_id, open_ones, ascending=True, limit=limit),
        *_own(person_id, disputed, ascending=False, limit=limit),
    ]
    return [_line(row, person_id) for row in rows]


def due(now: datetime, no_show_before: datetime, limit: int = 100) -> list[Line]:
    """What a sweep would look at, for the administrator: overdue answers and silent sessions."""
    rows = db.session.execute(
        _joined()
        .where(
            Session.status == Status.SCHEDULED,
            or_(
                and_(Session.reschedule_requested, Session.reschedule_deadline <= now),
                and_(~Session.reschedule_requested, Session.ends_at <= no_show_before),
            ),
        )
        .order_by(Session.ends_at)
        .limit(limit)
    )
    return [_line(row, None) for row in rows]


def disputed(limit: int = 100) -> list[Line]:
    """Missed sessions that a participant says did take place, for the administrator."""
    rows = db.session.execute(
        _joined()
        .where(Session.status == Status.MISSED, Session.correction_by.is_not(None))
        .order_by(Session.missed_at)
        .limit(limit)
    )
    return [_line(row, None) for row in rows]


def seen_by(person_id: int, session_id: int, *, admin: bool = False) -> Session:
    """A session with its contract and both people, for looking. Raises ``NotFound``."""
    statement = (
        select(Session)
        .join(Session.contract)
        .join(Contract.coach.of_type(Coach))
        .join(Contract.student.of_type(Student))
        .options(
            contains_eager(Session.contract).options(
                contains_eager(Contract.coach.of_type(Coach)).options(defer(Coach.password_hash)),
                contains_eager(Contract.student.of_type(Student)).options(
                    defer(Student.password_hash)
                ),
            )
        )
        .where(Session.id == session_id)
    )
    if not admin:
        statement = statement.where(
            or_(Session.coach_id == person_id, Session.student_id == person_id)
        )
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("session")
    return found


def history(session_id: int) -> Sequence[Row[Event, str]]:
    """Everything that happened to a session, oldest first, with the name of who did it
    (None where it was the system).
    """
    return db.session.execute(
        select(Event, Person.display_name)
        .outerjoin(Person, Person.id == Event.actor_id)
        .where(Event.session_id == session_id)
        .order_by(Event.id)
    ).all()


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
    state = case(
        (
            and_(Session.status == Status.SCHEDULED, Session.reschedule_requested),
            State.RESCHEDULE_REQUESTED.value,
        ),
        else_=Session.status,
    ).label("state")
    after_start = case((Session.cancelled_at >= Session.scheduled_at, 1), else_=0)
    moved = case((Session.scheduled_at != Session.scheduled_date, 1), else_=0)
    held = Session.status == Status.COMPLETED
    rows = db.session.execute(
        select(
            state,
            func.count().label("n"),
            func.sum(after_start).label("after_start"),
            func.sum(moved).label("moved"),
            func.avg(case((held, Session.actual_minutes))).label("actual"),
            func.avg(
                case((held & Session.actual_minutes.is_not(None), Session.duration_minutes))
            ).label("planned"),
        )
        .where(or_(Session.coach_id == person_id, Session.student_id == person_id))
        .group_by(state)
    ).all()
    completed = next((row for row in rows if row.state == Status.COMPLETED), None)
    return Counts(
        by_state={row.state: row.n for row in rows},
        cancelled_after_start=sum(int(row.after_start or 0) for row in rows),
        moved=sum(int(row.moved or 0) for row in rows),
        actual_minutes=float(completed.actual) if completed and completed.actual else None,
        planned_minutes=float(completed.planned) if completed and completed.planned else None,
    )


def live_counts(contract_ids: Sequence[int]) -> dict[int, int]:
    """How many live sessions each contract has: booked or completed."""
    rows = db.session.execute(
        select(Session.contract_id, func.count())
        .where(
            Session.contract_id.in_(contract_ids),
            Session.status.in_((Status.SCHEDULED, Status.COMPLETED)),
        )
        .group_by(Session.contract_id)
    )
    return {row[0]: row[1] for row in rows}


def contracts_of(person_id: int) -> Sequence[Row[Any]]:
    """A person's contracts for a filter: id, title, number and the other's name."""
    return db.session.execute(
        select(
            Contract.id,
            Contract.title,
            Contract.number,
            case(
                (Contract.coach_id == person_id, Student.display_name), else_=Coach.display_name
            ).label("other_name"),
        )
        .join(Coach, Coach.id == Contract.coach_id)
        .join(Student, Student.id == Contract.student_id)
        .where(or_(Contract.coach_id == person_id, Contract.student_id == person_id))
        .order_by(Contract.id.desc())
        .limit(200)
    ).all()
