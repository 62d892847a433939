"""Time off: whole days, parts of one, ranges, by the clocks of the coach's hours.

Call inside ``transaction()``. Whoever changes a coach's time holds that coach's row, so that two
at once take turns, in the stream of events too.
"""

from datetime import date, datetime, time, timedelta

from sqlalchemy import bindparam, select

from skileez import db, events, zones
from skileez.accounts.models import Person
from skileez.availability import queries, rules
from skileez.availability.models import TimeOff
from skileez.errors import NotFound, Refused, require
from skileez.events import Actor

_DAY = timedelta(days=1)
_MIDNIGHT = time()


def zone_on(coach_id: int, profile_zone: str, day: date) -> str:
    """Whose clocks tell when a coach is away on ``day``: those of the hours, or the profile."""
    hours = queries.of_coach(coach_id)
    return hours.zone_on(day) if hours else profile_zone


def instants(wall_start: datetime, wall_end: datetime, zone: str) -> tuple[datetime, datetime]:
    """From when until when clocks of ``zone`` say so, in UTC; 00:00 is the edge of a day.

    A day begins at its first instant and ends at its last, also where its midnight does not exist
    or comes twice, and even the days beside one that the zone left out. A time of day that comes
    twice is away both times. Raises Refused ``local_time_missing``, ``day_left_out``,
    ``unknown_zone``, ``time_out_of_range``; the end may be the start or before it.
    """
    start = _first_instant(wall_start.date(), zone) if _is_edge(wall_start) else None
    end = _last_instant(wall_end.date() - _DAY, zone) if _is_edge(wall_end) else None
    start = start or zones.resolve(wall_start, zone, fold=0)
    end = end or zones.resolve(wall_end, zone, fold=1)
    if end <= start and wall_end > wall_start:
        raise Refused(rules.day_left_out(zone))
    return start, end


def _is_edge(wall: datetime) -> bool:
    return wall.time() == _MIDNIGHT


def _first_instant(day: date, zone: str) -> datetime:
    there = zones.stretches(day, zone) or zones.stretches(day + _DAY, zone)
    return there[0][0]


def _last_instant(day: date, zone: str) -> datetime:
    there = zones.stretches(day, zone) or zones.stretches(day - _DAY, zone)
    return there[-1][1]


def add(
    actor: Actor,
    first: date,
    last: date,
    *,
    begins: time | None = None,
    ends: time | None = None,
    reason: str = "",
    now: datetime,
) -> TimeOff:
    """Be away from ``first`` to ``last``, both included; ``begins`` on the first day and ``ends``
    on the last make it a part of them. ``reason`` is for the coach alone.

    Raises ``NotFound`` for who does not coach; ``Refused``.
    """
    coach = _hold(actor)
    zone, zone_after = (zone_on(coach.id, coach.zone, day) for day in (first, last))
    require(rules.check_one_zone(zone, zone_after))
    for day in (first, last):
        zones.alternatives(datetime.combine(day, time(12)), zone)  # refuses years without instants
    wall_start = datetime.combine(first, begins or _MIDNIGHT)
    wall_end = datetime.combine(last, ends or _MIDNIGHT) + (timedelta() if ends else _DAY)
    start, end = instants(wall_start, wall_end, zone)
    reason = reason.strip()
    require(rules.check_time_off(start, end, now, reason))
    others = [(one.starts_at, one.ends_at) for one in queries.time_off(coach.id, now)]
    require(rules.check_apart(start, end, others))
    away = TimeOff(
        coach_id=coach.id,
        starts_at=start,
        ends_at=end,
        zone=zone,
        wall_start=_text(wall_start),
        wall_end=_text(wall_end),
        reason=reason,
        created_at=now,
    )
    db.session.add(away)
    db.session.flush()
    _say("availability.away_added", away, actor, now)
    return away


def remove(actor: Actor, time_off_id: int, *, now: datetime) -> None:
    """Be there again; sessions that moved meanwhile stay where they are. Raises ``NotFound``."""
    coach = _hold(actor)
    away = find(coach.id, time_off_id)
    _say("availability.away_removed", away, actor, now)
    db.session.delete(away)


def find(coach_id: int, time_off_id: int) -> TimeOff:
    """One absence of this coach. Raises ``NotFound``."""
    found = db.session.scalars(_MINE, {"coach": coach_id, "id": time_off_id}).one_or_none()
    if found is None:
        raise NotFound("time_off")
    return found


_MINE = select(TimeOff).where(TimeOff.id == bindparam("id"), TimeOff.coach_id == bindparam("coach"))


def _hold(actor: Actor) -> Person:
    """The coach who acts, held until the transaction ends."""
    found = db.session.scalars(_COACH, {"person": actor.id}).one_or_none()
    if found is None:
        raise NotFound("coach")
    return found


_COACH = (
    select(Person)
    .where(Person.id == bindparam("person"), Person.offers_coaching)
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)


def _say(verb: str, away: TimeOff, actor: Actor, now: datetime) -> None:
    events.append(
        f"availability:{away.coach_id}",
        verb,
        at=now,
        actor=actor,
        role="coach",
        old_time=away.starts_at,
        new_time=away.ends_at,
        reason=away.reason or None,
        details={
            "time_off_id": away.id,
            "zone": away.zone,
            "from": away.wall_start,
            "until": away.wall_end,
        },
    )


def _text(wall: datetime) -> str:
    return f"{wall:%Y-%m-%dT%H:%M}"
