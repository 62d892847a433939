"""The booked sessions that a coach's hours leave out. They stay booked; here they are found."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from skileez import db
from skileez.availability.rules import Hours
from skileez.availability.slots import Opening
from skileez.sessions.models import Session
from skileez.sessions.rules import Status


def outside_hours(coach_id: int, hours: Hours, now: datetime) -> list[int]:
    """The coach's sessions to come that do not lie within ``hours``, the soonest first."""
    opening = Opening(hours, 1, (), now=now, earliest=now, latest=now)
    rows = db.session.connection().execute(_TO_COME, {"coach": coach_id, "now": now})
    return [
        session_id
        for session_id, start, end in rows
        if opening.open_between(start, end) != [(start, end)]
    ]


_s: Any = Session.__table__.c
_TO_COME = (
    select(_s.id, _s.scheduled_at, _s.ends_at)
    .where(
        _s.coach_id == bindparam("coach"),
        _s.status == Status.SCHEDULED,
        _s.listed_at > bindparam("now"),  # the start, by which there is an index
        _s.scheduled_at.is_not(None),
    )
    .order_by(_s.listed_at, _s.id)
)
