"""The times to offer: for a contract's next session, and for a session that is to move.

Two queries whatever is asked: who is to meet and by which hours, and what is taken. For looking;
the verbs ask ``skileez.sessions.meeting`` again, with both people's time held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal, or_, select

from skileez import db
from skileez.accounts.models import Person
from skileez.availability.choosing import best
from skileez.availability.models import Availability, hours_of
from skileez.availability.rules import Hours
from skileez.availability.slots import Opening
from skileez.contracts.models import Contract
from skileez.errors import NotFound
from skileez.sessions import meeting
from skileez.sessions import policy as policies
from skileez.sessions.models import Session
from skileez.sessions.rules import Policy


@dataclass(frozen=True, slots=True)
class Meeting:
    """Who is to meet and for how many minutes; ``session_id`` is the one that is to move."""

    contract_id: int
    coach_id: int
    student_id: int
    coach_zone: str
    student_zone: str
    minutes: int
    hours: Hours | None
    session_id: int | None = None
    start: datetime | None = None

    def role_of(self, person_id: int) -> str:
        """This participant's part: "coach" or "student"."""
        return "coach" if person_id == self.coach_id else "student"

    @property
    def zones(self) -> tuple[str, str]:
        """The coach's zone and the student's."""
        return self.coach_zone, self.student_zone

    def opening(
        self,
        first: datetime,
        last: datetime,
        *,
        now: datetime,
        policy: Policy | None = None,
        minutes: int | None = None,
    ) -> Opening:
        """The times between two instants at which the two can meet, held times known."""
        policy = policy or policies.in_force()
        return Opening(
            self.hours,
            minutes or self.minutes,
            meeting.taken_between(
                self.coach_id,
                self.student_id,
                first,
                last,
                self.session_id,
                hours=self.hours,
                held=True,
            ),
            now=now,
            earliest=now + policy.min_lead,
            latest=now + policy.horizon,
            zone=self.coach_zone,
        )

    def best(self, starts: Sequence[datetime], count: int = 3) -> list[datetime]:
        """The starts among ``starts`` that suit both best."""
        return best(starts, self.start, self.zones, count)


def of_contract(person_id: int, contract_id: int) -> Meeting:
    """For a contract's next session, for a participant. Raises ``NotFound``."""
    return _meeting(_OF_CONTRACT, {"person": person_id, "contract": contract_id})


def of_session(person_id: int, session_id: int) -> Meeting:
    """For a session that is to move or has no time, for a participant. Raises ``NotFound``."""
    return _meeting(_OF_SESSION, {"person": person_id, "session": session_id})


def _meeting(statement: Any, given: dict[str, int]) -> Meeting:
    row = db.session.connection().execute(statement, given).one_or_none()
    if row is None:
        raise NotFound("contract")
    return Meeting(
        contract_id=row.contract_id,
        coach_id=row.of_coach,
        student_id=row.of_student,
        coach_zone=row.coach_zone,
        student_zone=row.student_zone,
        minutes=row.minutes,
        hours=hours_of(row) if row.coach_id else None,
        session_id=row.session_id,
        start=row.start,
    )


_people = Person.__table__
_coach, _student = _people.alias("coach"), _people.alias("student")
_c, _s = Contract.__table__.c, Session.__table__.c
_hours = Availability.__table__


def _asked(of: Any, *columns: Any) -> Any:
    return (
        select(
            *columns,
            of.coach_id.label("of_coach"),
            of.student_id.label("of_student"),
            of.duration_minutes.label("minutes"),
            _coach.c.zone.label("coach_zone"),
            _student.c.zone.label("student_zone"),
            _hours,
        )
        .join(_coach, _coach.c.id == of.coach_id)
        .join(_student, _student.c.id == of.student_id)
        .outerjoin(_hours, _hours.c.coach_id == of.coach_id)
        .where(or_(of.coach_id == bindparam("person"), of.student_id == bindparam("person")))
    )


_OF_CONTRACT = _asked(
    _c, _c.id.label("contract_id"), literal(None).label("session_id"), literal(None).label("start")
).where(_c.id == bindparam("contract"))
_OF_SESSION = _asked(
    _s,
    _s.contract_id.label("contract_id"),
    _s.id.label("session_id"),
    _s.scheduled_at.label("start"),
).where(_s.id == bindparam("session"))
