"""A session as one line of a list, and the rows that it is made of.

Asked of the tables: the ORM takes twice as long for columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, Row, Select, Subquery, select

from skileez import db
from skileez.accounts.models import Person
from skileez.contracts.models import Contract
from skileez.sessions.models import Session
from skileez.sessions.rules import Facts, Pending, State

_contracts, _people = Contract.__table__, Person.__table__
_coaches, _students = _people.alias("coach"), _people.alias("student")
_s, _c = Session.__table__.c, _contracts.c
_coach, _student = _coaches.c, _students.c


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
    """The other participant's; both names for who is neither."""
    other_zone: str
    start: datetime | None
    end: datetime | None
    listed_at: datetime
    minutes: int
    state: State
    facts: Facts
    version: int
    cancelled_late: bool = False
    series_id: int | None = None


_COLUMNS: Final = (
    _s.id,
    _s.session_number,
    _s.contract_id,
    _s.coach_id,
    _s.student_id,
    _s.scheduled_at,
    _s.ends_at,
    _s.listed_at,
    _s.duration_minutes,
    _s.status,
    _s.confirmed_by_coach,
    _s.scheduling_by,
    _s.reschedule_requested_by,
    _s.reschedule_kind,
    _s.reschedule_deadline,
    _s.missed_at,
    _s.correction_by,
    _s.cancelled_late,
    _s.series_id,
    _s.version,
    _c.title,
    _c.total_sessions,
    _c.status.label("contract_status"),
    _coach.display_name.label("coach_name"),
    _coach.zone.label("coach_zone"),
    _student.display_name.label("student_name"),
    _student.zone.label("student_zone"),
)


def joined() -> Any:
    """The rows of all sessions, for ``line_of``; to be narrowed and ordered."""
    return (
        select(*_COLUMNS)
        .join(_contracts, _c.id == _s.contract_id)
        .join(_coaches, _coach.id == _s.coach_id)
        .join(_students, _student.id == _s.student_id)
    )


def with_lines(times: Subquery) -> Select[Any]:
    """The rows of ``times``, each beside what ``line_of`` needs of the session that its column
    ``session_id`` names; NULL where it names none.
    """
    return (
        select(times, *_COLUMNS)
        .select_from(times)
        .outerjoin(Session.__table__, _s.id == times.c.session_id)
        .outerjoin(_contracts, _c.id == _s.contract_id)
        .outerjoin(_coaches, _coach.id == _s.coach_id)
        .outerjoin(_students, _student.id == _s.student_id)
    )


def line_of(row: Row[Any], person_id: int | None) -> Line:
    """The session in a row, as this person sees it."""
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
        other_name=_other_name(row, person_id),
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
        series_id=row.series_id,
    )


def _other_name(row: Row[Any], person_id: int | None) -> str:
    if row.coach_id == person_id:
        return str(row.student_name)
    if row.student_id == person_id:
        return str(row.coach_name)
    return f"{row.coach_name}, {row.student_name}"


def read(statement: Any, given: Mapping[str, Any] | None = None) -> CursorResult[Any]:
    """Run a statement past the ORM, on its connection."""
    return db.session.connection().execute(statement, given)
