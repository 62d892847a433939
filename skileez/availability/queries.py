"""A coach's hours and days away, for looking and for checking. Reads only."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from skileez import db, zones
from skileez.availability.models import Availability, TimeOff, hours_of
from skileez.availability.rules import Hours


def of_coach(coach_id: int) -> Hours | None:
    """The hours that a coach has set; None = none, and may be booked at any time."""
    row = db.session.connection().execute(_HOURS, {"coach": coach_id}).one_or_none()
    return hours_of(row) if row else None


# The columns, for which the ORM takes twice as long: it is asked with every slot.
_HOURS = select(Availability.__table__).where(Availability.coach_id == bindparam("coach"))


def row_of(coach_id: int) -> Availability | None:
    """The same with its version, for changing it."""
    return db.session.get(Availability, coach_id)


def to_come(hours: Hours, now: datetime) -> Hours:
    """The same without the dates and stays that are over."""
    return hours.since(zones.local(now, hours.zone).date())


def time_off(coach_id: int, now: datetime) -> Sequence[TimeOff]:
    """The days away that are not over, the next first."""
    return db.session.scalars(_TIME_OFF, {"coach": coach_id, "now": now}).all()


_TIME_OFF = (
    select(TimeOff)
    .where(TimeOff.coach_id == bindparam("coach"), TimeOff.ends_at > bindparam("now"))
    .order_by(TimeOff.starts_at, TimeOff.id)
    .limit(200)
)
