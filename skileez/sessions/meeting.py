"""Whether a coach and a student can meet at a time: what is booked, and the coach's hours.

The database refuses what overlaps; this explains it, and keeps students to the coach's hours.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    ForeignKey,
    Index,
    bindparam,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Mapped, mapped_column

from skileez import db
from skileez.availability import queries as availability
from skileez.availability.models import TimeOff
from skileez.availability.rules import Hours, time_taken
from skileez.availability.slots import Against, Opening, Taken, Whose
from skileez.contracts.rules import MAX_MINUTES
from skileez.db import Model, UTCDateTime
from skileez.errors import Refusal
from skileez.sessions.rules import Policy, Role, Status

_DAY = timedelta(days=1)
"""How far from a time sessions count, with their buffers."""
_WEEK = timedelta(days=8)
"""How far they count where a week takes only so many, in any zone."""


class BookedTime(Model):
    """When a person is taken by a live session; kept by triggers on ``session``.

    One row for the coach and one for the student, so that a person who coaches in one contract
    and studies in another is guarded across both. Overlaps are refused here by the database.
    """

    __tablename__ = "booked_time"
    __table_args__ = (Index("ix_booked_time_person_id_starts_at", "person_id", "starts_at"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)


_PEOPLE_LOCKS = 1


def lock_people(coach_id: int, student_id: int) -> None:
    """Hold both people's time until the transaction ends, before a session is placed in it."""
    db.lock(_PEOPLE_LOCKS, coach_id, student_id)


def against(by: str | None) -> Against:
    """What the choice of ``by`` is checked against: students keep to the coach's hours."""
    return Against.HOURS if by == Role.STUDENT else Against.TAKEN


def refusals(
    coach_id: int,
    student_id: int,
    starts: Sequence[datetime],
    minutes: int,
    against: Against,
    *,
    now: datetime,
    policy: Policy,
    besides: int | None = None,
) -> list[Refusal | None]:
    """For each start, why the two cannot meet then; None where they can.

    ``besides`` is the session to be moved, which is not in its own way. Both people's time must
    be held (``lock_people``) for the answer to stay true.
    """
    if not starts:
        return []
    hours = availability.of_coach(coach_id)
    if hours is None or (against is Against.TAKEN and not hours.around):
        length = timedelta(minutes=minutes)
        whose, is_away = _asked(coach_id, student_id, starts, length, besides)
        if against is Against.TAKEN or not is_away:
            return [
                time_taken(one, start) if one else None
                for one, start in zip(whose, starts, strict=True)
            ]
    opening = Opening(
        hours,
        minutes,
        taken_between(coach_id, student_id, min(starts), max(starts), besides, hours=hours),
        now=now,
        earliest=now + policy.min_lead,
        latest=now + policy.horizon,
    )
    return [opening.refusal(start, against) for start in starts]


def taken_between(
    coach_id: int,
    student_id: int,
    first: datetime,
    last: datetime,
    besides: int | None = None,
    *,
    hours: Hours | None = None,
    held: bool = False,
) -> list[Taken]:
    """What is not free for the two between two instants, and around them as far as it may count.

    ``hours`` say how far that is; without them, a week. ``held`` adds the times that pending
    requests propose, of a session or a series, but for those of ``besides``.
    """
    around = _DAY if hours and not hours.capped else _WEEK
    given = {
        "coach": coach_id,
        "student": student_id,
        "first": first - around,
        "last": last + around,
        "besides": besides or 0,
    }
    found = []
    for person, starts, ends, minutes in db.session.connection().execute(_between(held), given):
        whose: Whose = "away" if person is None else "coach" if person == coach_id else "student"
        found.append(Taken(starts, ends + timedelta(minutes=minutes), whose, held=minutes > 0))
    return found


@cache
def _between(held: bool) -> CompoundSelect[Any]:
    """Rows of (whose, from, until, minutes): whose None = the coach is away; ``minutes`` is how
    long a held time lasts, and 0 for what is taken.
    """
    both: tuple[Any, ...] = (bindparam("coach"), bindparam("student"))
    first: Any = bindparam("first")
    last: Any = bindparam("last")
    none: Any = literal_column("NULL")
    zero: Any = literal_column("0")
    booked = select(BookedTime.person_id, BookedTime.starts_at, BookedTime.ends_at, zero).where(
        BookedTime.person_id.in_(both),
        BookedTime.starts_at > first,  # even a day is longer than any session and its buffers
        BookedTime.starts_at < last,
        BookedTime.session_id != bindparam("besides"),
    )
    away = select(none, TimeOff.starts_at, TimeOff.ends_at, zero).where(
        TimeOff.coach_id == bindparam("coach"), TimeOff.starts_at < last, TimeOff.ends_at > first
    )
    if not held:
        return union_all(booked, away)
    tables = db.Model.metadata.tables
    session = tables["session"].c
    pending = (
        select(mine, proposed.starts_at, proposed.starts_at, session.duration_minutes)
        .join(proposed.session_id.table, proposed.session_id == session.id)
        .where(
            mine.in_(both),
            session.status == Status.SCHEDULED,
            which,
            session.id != bindparam("besides"),
        )
        for proposed, which in (
            (tables["proposed_time"].c, session.reschedule_requested),
            (tables["series_proposed_time"].c, true()),
        )
        for mine in (session.coach_id, session.student_id)
    )
    return union_all(booked, away, *pending)


def taken(
    coach_id: int,
    student_id: int,
    starts: Sequence[datetime],
    length: timedelta,
    besides: int | None = None,
) -> list[str | None]:
    """For each start, whose time is taken then by a session: "coach", "student" or None."""
    return _asked(coach_id, student_id, starts, length, besides)[0]


def _asked(
    coach_id: int,
    student_id: int,
    starts: Sequence[datetime],
    length: timedelta,
    besides: int | None,
) -> tuple[list[str | None], bool]:
    """Whose time is taken at each start, and whether the coach is away then; one query."""
    if not starts:
        return [], False
    given: dict[str, Any] = {
        "coach": coach_id,
        "student": student_id,
        "besides": besides or 0,
        "first": min(starts),
        "last": max(starts) + length,
    }
    for place, start in enumerate(starts):
        given |= {
            f"start{place}": start,
            f"end{place}": start + length,
            f"earliest{place}": start - timedelta(minutes=MAX_MINUTES),
        }
    found = {tuple(row) for row in db.session.execute(_taken(len(starts)), given)}
    whose = [
        "coach"
        if (place, coach_id) in found
        else "student"
        if (place, student_id) in found
        else None
        for place in range(len(starts))
    ]
    return whose, (_IS_AWAY, coach_id) in found


_IS_AWAY = -1


@cache
def _taken(starts: int) -> Any:
    return union_all(
        select(literal_column(str(_IS_AWAY)), TimeOff.coach_id).where(
            TimeOff.coach_id == bindparam("coach"),
            TimeOff.starts_at < bindparam("last"),
            TimeOff.ends_at > bindparam("first"),
        ),
        *(
            select(literal_column(str(place)), BookedTime.person_id).where(
                BookedTime.person_id.in_((bindparam("coach"), bindparam("student"))),
                BookedTime.starts_at < bindparam(f"end{place}"),
                BookedTime.starts_at > bindparam(f"earliest{place}"),  # no session is longer
                BookedTime.ends_at > bindparam(f"start{place}"),
                BookedTime.session_id != bindparam("besides"),
            )
            for place in range(starts)
        ),
    )
