"""Setting a coach's hours, and doing without them. Callers open the transaction."""

from datetime import datetime
from typing import Any

from skileez import db, events, zones
from skileez.accounts.models import Person
from skileez.availability import rules
from skileez.availability.models import Availability, document
from skileez.availability.queries import to_come
from skileez.availability.rules import Hours
from skileez.errors import NotFound, require
from skileez.events import Actor


def set_hours(coach_id: int, hours: Hours, *, actor: Actor, version: int, now: datetime) -> None:
    """Make ``hours`` the ones that hold; dates and stays that are over are not kept.

    ``version`` is the one that the page showed, 0 for none. The same hours again change nothing.
    No booked session changes. Raises Refused ``hours_without_coaching``, ``hours_changed``,
    ``unknown_zone`` and those of ``rules.faults``; NotFound.
    """
    require(rules.check_hours(hours))
    for zone in (hours.zone, *(stay.zone for stay in hours.stays)):
        zones.zone(zone)
    row = _lock(coach_id)
    hours = to_come(hours, now)
    before = document(to_come(row.hours, now)) if row else None
    if before == document(hours):
        return
    require(rules.check_unchanged(version, row.version if row else 0))
    if row is None:
        row = Availability(coach_id=coach_id)
        db.session.add(row)
    row.take(hours)
    row.changed_at = now
    _tell(coach_id, before, document(hours), actor, now)


def clear_hours(coach_id: int, *, actor: Actor, version: int, now: datetime) -> None:
    """Be bookable at any time again; days away stay. Without hours nothing changes.

    Raises Refused ``hours_without_coaching``, ``hours_changed``; NotFound.
    """
    row = _lock(coach_id)
    if row is None:
        return
    require(rules.check_unchanged(version, row.version))
    before = document(row.hours)
    db.session.delete(row)
    _tell(coach_id, before, None, actor, now)


def _lock(coach_id: int) -> Availability | None:
    """The row, while nobody else changes it. The coach is locked, whom a first save has too."""
    coach = db.session.get(Person, coach_id, with_for_update=True)
    if coach is None:
        raise NotFound("person")
    require(rules.may_set_hours(offers_coaching=coach.offers_coaching))
    return db.session.get(Availability, coach_id, populate_existing=True)


def _tell(
    coach_id: int,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    actor: Actor,
    now: datetime,
) -> None:
    events.append(
        f"availability:{coach_id}",
        "availability.changed",
        at=now,
        actor=actor,
        details={"before": before, "after": after},
    )
