"""What pages show of series. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from skileez import db
from skileez.contracts.models import Contract
from skileez.errors import NotFound
from skileez.sessions.models import Session
from skileez.sessions.rules import Role, Status
from skileez.sessions.series import Series, SeriesRequest
from skileez.sessions.series_moving import is_at_its_place


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """A series for one of the two: its sessions, whatever became of them, by their places."""

    series: Series
    role: str
    sessions: Sequence[Session]

    @property
    def contract(self) -> Contract:
        """The contract that it is of, with its people."""
        return self.series.contract

    @property
    def places(self) -> list[str]:
        """The places of its sessions, in order: "3 of 8" counts in them."""
        return sorted({one.series_place for one in self.sessions if one.series_place})

    def coming(self, now: datetime) -> list[Session]:
        """Those that are to come: scheduled, and not started."""
        return [
            one
            for one in self.sessions
            if one.status == Status.SCHEDULED
            and (one.scheduled_at is None or one.scheduled_at > now)
        ]

    def moved(self, session: Session) -> bool:
        """Whether this one is not where the series has it."""
        return not is_at_its_place(session, self.series)


def of_person(person_id: int, series_id: int) -> SeriesPage:
    """The series, for a participant. Raises ``NotFound``."""
    given = {"series": series_id, "person": person_id}
    series = db.session.scalars(_OF_PERSON, given).one_or_none()
    if series is None:
        raise NotFound("series")
    sessions = db.session.scalars(_SESSIONS, {"series": series_id}).all()
    role = series.contract.role_of(person_id)
    assert role is not None
    return SeriesPage(series, role, sessions)


def of_contract(contract_id: int) -> Sequence[Series]:
    """The series of a contract, the newest first."""
    return db.session.scalars(_OF_CONTRACT, {"contract": contract_id}).all()


@dataclass(frozen=True, slots=True)
class Part:
    """A session's part in its series: the ``number``-th of ``total`` places."""

    series: Series
    number: int
    total: int


def part_of(session: Session) -> Part | None:
    """The part that a session has in its series, if it is of one; in one query."""
    if session.series_id is None:
        return None
    given = {"series": session.series_id, "place": session.series_place}
    return Part(*db.session.execute(_PART_OF, given).one())


def waiting(person_id: int) -> Sequence[Series]:
    """The series that this person is asked to let move, the most urgent first."""
    return db.session.scalars(_WAITING, {"person": person_id}).all()


_OF_PERSON = (
    select(Series)
    .join(Series.contract)
    .options(
        contains_eager(Series.contract).joinedload(Contract.coach),
        contains_eager(Series.contract).joinedload(Contract.student),
        joinedload(Series.request),
    )
    .where(
        Series.id == bindparam("series"),
        or_(Contract.coach_id == bindparam("person"), Contract.student_id == bindparam("person")),
    )
)
_SESSIONS = (
    select(Session)
    .options(selectinload(Session.proposed))
    .where(Session.series_id == bindparam("series"))
    .order_by(Session.series_place, Session.id)
)
_OF_CONTRACT = (
    select(Series)
    .options(joinedload(Series.request))
    .where(Series.contract_id == bindparam("contract"))
    .order_by(Series.id.desc())
)
_places = select(func.count(Session.series_place.distinct())).where(
    Session.series_id == bindparam("series")
)
_PART_OF = (
    select(
        Series,
        _places.where(Session.series_place <= bindparam("place")).scalar_subquery(),
        _places.scalar_subquery(),
    )
    .options(joinedload(Series.request))
    .where(Series.id == bindparam("series"))
)
_WAITING = (
    select(Series)
    .join(Series.contract)
    .join(Series.request)
    .options(
        contains_eager(Series.request),
        contains_eager(Series.contract).joinedload(Contract.coach),
        contains_eager(Series.contract).joinedload(Contract.student),
    )
    .where(
        or_(
            (Contract.coach_id == bindparam("person")) & (SeriesRequest.asked_by == Role.STUDENT),
            (Contract.student_id == bindparam("person")) & (SeriesRequest.asked_by == Role.COACH),
        )
    )
    .order_by(SeriesRequest.deadline)
)
