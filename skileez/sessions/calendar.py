"""What stands in a person's calendar between two instants: one query. Reads only.

Of others' sessions with the same coach it tells that the time is taken, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, case, literal_column, or_, select, true, union_all

from skileez import db
from skileez.availability import queries as availability
from skileez.availability.models import Availability, TimeOff, hours_of
from skileez.availability.rules import Hours
from skileez.availability.slots import Opening, Taken
from skileez.availability.stretches import Stretch
from skileez.contracts.models import Contract
from skileez.contracts.rules import MAX_MINUTES, ContractStatus
from skileez.db import UTCDateTime
from skileez.errors import N_, Kind, NotFound, Refusal
from skileez.sessions.lines import Line, line_of, with_lines
from skileez.sessions.meeting import BookedTime
from skileez.sessions.models import Session
from skileez.sessions.row import ProposedTime
from skileez.sessions.rules import Policy, Status
from skileez.sessions.series import SeriesProposedTime

LONGEST = timedelta(days=62)
"""The longest stretch that is looked at in one go: two months."""

BAD_TIME = Refusal(
    "calendar_time",
    N_("Write the start and the end of the time to show like 2027-03-01T00:00:00Z."),
    kind=Kind.INVALID,
)
BAD_DAY = Refusal("calendar_day", N_("Write the day to show like 2027-03-01."), kind=Kind.INVALID)


class What(StrEnum):
    """What an entry of the calendar is."""

    SESSION = "session"
    PROPOSED = "proposed"
    """A time that a pending request proposes for an own session, alone or with its series."""
    AWAY = "away"
    BUSY = "busy"
    """The coach's, by somebody else's session or request."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stretch of time in the calendar, with its session where it is one's own."""

    what: What
    starts: datetime
    ends: datetime
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Whose:
    """The coach whose time is shown behind the sessions; ``hours`` None = none are set."""

    coach_id: int
    hours: Hours | None

    def open(self, first: datetime, last: datetime, entries: Sequence[Entry]) -> list[Stretch]:
        """The hours between two instants, less the days away among ``entries``."""
        if self.hours is None:
            return []
        away = [Taken(one.starts, one.ends, "away") for one in entries if one.what is What.AWAY]
        opening = Opening(self.hours, 1, away, now=first, earliest=first, latest=last)
        return opening.open_between(first, last)

    def bookable(self, person_id: int, now: datetime, policy: Policy) -> Stretch:
        """From when until when this person may book: a student keeps to the coach's notice and
        horizon, the coach to the platform's alone.
        """
        hours = None if person_id == self.coach_id else self.hours
        earliest, latest = now + policy.min_lead, now + policy.horizon
        opening = Opening(hours, 1, (), now=now, earliest=earliest, latest=latest)
        return opening.earliest, opening.latest


def check_range(first: datetime, last: datetime) -> Refusal | None:
    """Whether the time between the two is one that the calendar shows in one go."""
    if first < last <= first + LONGEST:
        return None
    return Refusal(
        "calendar_range",
        N_("Ask for a time that ends after it starts, and for at most %(most)s at once."),
        {"most": LONGEST},
        Kind.INVALID,
    )


def own(person_id: int) -> Whose:
    """The person's own hours, should they coach."""
    return Whose(person_id, availability.of_coach(person_id))


def of_contract(person_id: int, contract_id: int) -> Whose:
    """The hours of the coach of a running contract, for a participant. Raises ``NotFound``."""
    given = {"person": person_id, "contract": contract_id}
    row = db.session.connection().execute(_OF_CONTRACT, given).one_or_none()
    if row is None:
        raise NotFound("contract")
    return Whose(row.of_coach, hours_of(row) if row.coach_id else None)


def between(person_id: int, coach_id: int, first: datetime, last: datetime) -> list[Entry]:
    """Everything in the calendar of a person that is between two instants, in order.

    Their sessions and what is proposed for them; and when the coach, who may be the person, is
    away or with others.
    """
    given = {
        "person": person_id,
        "coach": coach_id,
        "first": first,
        "before": first - timedelta(minutes=MAX_MINUTES),
        "last": last,
    }
    rows = db.session.connection().execute(_BETWEEN, given)
    found = [
        Entry(
            What(row.what),
            row.starts,
            row.ends or row.starts + timedelta(minutes=row.minutes),
            line_of(row, person_id) if row.session_id else None,
        )
        for row in rows
    ]
    return sorted((one for one in found if one.ends > first), key=_order)


def _order(one: Entry) -> tuple[datetime, datetime]:
    return one.starts, one.ends


_c, _s = Contract.__table__.c, Session.__table__.c
_person: Any = bindparam("person")
_coach: Any = bindparam("coach")
_last: Any = bindparam("last", type_=UTCDateTime)
_before: Any = bindparam("before", type_=UTCDateTime)  # no session is longer
_none: Any = literal_column("NULL")
_mine = or_(_s.coach_id == _person, _s.student_id == _person)

_OF_CONTRACT = (
    select(_c.coach_id.label("of_coach"), Availability.__table__)
    .outerjoin(Availability.__table__, Availability.coach_id == _c.coach_id)
    .where(
        _c.id == bindparam("contract"),
        or_(_c.coach_id == _person, _c.student_id == _person),
        _c.status.in_((ContractStatus.ACTIVE, ContractStatus.PAUSED)),
    )
)


def _kind(what: What) -> Any:
    return literal_column(f"'{what}'").label("what")


def _own_sessions(role: Any) -> Any:
    return select(
        _kind(What.SESSION),
        _s.id.label("session_id"),
        _s.scheduled_at.label("starts"),
        _s.ends_at.label("ends"),
        _s.duration_minutes.label("minutes"),
    ).where(
        role == _person,
        _s.scheduled_at.is_not(None),
        _s.listed_at > _before,
        _s.listed_at < _last,
    )


_both = (_person, _coach)


def _proposed(by: Any, which: Any) -> Any:
    return select(
        case((_mine, What.PROPOSED.value), else_=What.BUSY.value),
        case((_mine, _s.id)),
        by.starts_at,
        _none,
        _s.duration_minutes,
    ).where(
        or_(_s.coach_id.in_(_both), _s.student_id.in_(_both)),
        _s.status == Status.SCHEDULED,
        which,
        by.session_id == _s.id,
        by.starts_at > _before,
        by.starts_at < _last,
    )


_BETWEEN = with_lines(
    union_all(
        _own_sessions(_s.coach_id),
        _own_sessions(_s.student_id),
        select(_kind(What.AWAY), _none, TimeOff.starts_at, TimeOff.ends_at, _none).where(
            TimeOff.coach_id == _coach,
            TimeOff.starts_at < _last,
            TimeOff.ends_at > bindparam("first", type_=UTCDateTime),
        ),
        select(_kind(What.BUSY), _none, BookedTime.starts_at, BookedTime.ends_at, _none).where(
            BookedTime.person_id == _coach,
            BookedTime.starts_at > _before,
            BookedTime.starts_at < _last,
            BookedTime.session_id == _s.id,
            _s.coach_id != _person,
            _s.student_id != _person,
        ),
        _proposed(ProposedTime.__table__.c, _s.reschedule_requested),
        _proposed(SeriesProposedTime.__table__.c, true()),
    ).subquery("times")
)
