"""After a change of the zones' rules: each session keeps its wall-clock time, at its new instant.

What was agreed is "18:00 in Berlin". Should Berlin's rules change before that day, 18:00 there is
another instant; ``run`` moves what is to come to it, and says what could not be moved.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnClause, bindparam, literal_column, or_, select

from skileez import db, events, logs, zones
from skileez.accounts.models import Person
from skileez.availability import days_away
from skileez.availability.models import TimeOff
from skileez.contracts.rules import MAX_MINUTES
from skileez.errors import NotFound, Refused
from skileez.events import SYSTEM, Event
from skileez.sessions import actions, clock_rules, dst, meeting
from skileez.sessions.clock_rules import (
    SERIES_RULES_CHANGED,
    ZONE_RULES_CHANGED,
    ZONE_RULES_COLLIDED,
    Agreed,
    Stray,
)
from skileez.sessions.meeting import BookedTime
from skileez.sessions.models import Session
from skileez.sessions.series import Series

log = logs.logger(__name__)

AWAY_MOVED: Final = "time_off.zone_rules_changed"


class Why(StrEnum):
    """Why a session stays at its old instant."""

    TAKEN = "taken"
    """Another session of one of the two stands where it belongs."""
    PAST = "past"
    """By the new rules it has begun already."""
    FAILED = "failed"
    """Somebody else was changing it, or it could not be read; the next run tries again."""


@dataclass(frozen=True, slots=True)
class Left:
    """A session that was not moved; ``other_id`` is the session that is in its way."""

    stray: Stray
    why: Why
    other_id: int | None = None


@dataclass(slots=True)
class Refreshed:
    """What a run did: the sessions that moved, those that could not, and how many times away."""

    moved: list[Stray] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    away: int = 0


def run(now: datetime, *, batch: int = 1000) -> Refreshed:
    """Bring everything to come to the zones' rules of today; again it changes nothing.

    Each session in a transaction of its own, unless one is open. Both sides are told of a move,
    and once of a time that cannot be kept.
    """
    zones.reload()
    done = Refreshed()
    waiting = clock_rules.in_order(list(strays(now, batch)))
    # What stands in the way may itself move: again, until nothing does any more.
    while waiting:
        left = []
        for stray in waiting:
            outcome = _alone(stray, now)
            if isinstance(outcome, Left):
                left.append(outcome)
            elif outcome:
                done.moved.append(stray)
        if len(left) == len(waiting):
            done.left = left
            break
        waiting = [one.stray for one in left]
    for one in done.left:
        if one.why is Why.TAKEN:
            _tell_blocked(one, now)
    done.away = _refresh_time_off(now)
    with db.transaction():
        # Also where no session moved, its time may change for one of the two.
        dst.look_at_all(now)
    return done


# As the index has it (``ix_session_ends_at``). Whoever checked in already is there: it is held.
_TO_COME: ColumnClause[bool] = literal_column("session.status = 'scheduled' AND NOT session.heard")
_BATCH = (
    select(Session.id, Session.ends_at, Session.scheduled_at, Session.timezone, Session.wall_at)
    .where(
        _TO_COME,
        Session.ends_at >= bindparam("ends_at"),
        or_(Session.ends_at > bindparam("ends_at"), Session.id > bindparam("last")),
    )
    .order_by(Session.ends_at, Session.id)
    .limit(bindparam("limit"))
)


def strays(now: datetime, batch: int = 1000) -> Iterator[Stray]:
    """The sessions to come that a run would move, found by index, ``batch`` rows at a time."""
    ends_at, last = now, 0
    while True:
        given = {"ends_at": ends_at, "last": last, "limit": batch}
        rows = db.session.execute(_BATCH, given).all()
        for row in rows:
            stray = _stray(row.id, row.scheduled_at, row.timezone, row.wall_at)
            if stray and stray.old > now:
                yield stray
        if len(rows) < batch:
            return
        ends_at, last = rows[-1].ends_at, rows[-1].id


def _stray(session_id: int, start: datetime | None, zone: str, wall: str | None) -> Stray | None:
    if start is None or wall is None or zone not in zones.VALID:
        return None
    if clock_rules.wall_text(start, zone) == wall:
        return None
    agreed = Agreed(zone, wall)
    return Stray(session_id, agreed, start, clock_rules.instant_of(agreed, start))


def _alone(stray: Stray, now: datetime) -> Left | bool:
    """Move one; whether it was to be moved still, or why it could not be."""
    try:
        with db.transaction():
            return _move(stray, now)
    except (Refused, NotFound):
        return Left(stray, Why.FAILED)
    except Exception:
        log.exception("refresh.failed", session_id=stray.session_id)
        return Left(stray, Why.FAILED)


def _move(stray: Stray, now: datetime) -> Left | bool:
    session = actions.find_any(stray.session_id)
    found = _stray(session.id, session.scheduled_at, session.timezone, session.wall_at)
    if found != stray:
        return False  # somebody moved or ended it meanwhile
    if stray.new <= now:
        return Left(stray, Why.PAST)
    meeting.lock_people(session.coach_id, session.student_id)
    if other := _in_the_way(session, stray.new):
        return Left(stray, Why.TAKEN, other)
    session.scheduled_at = stray.new
    if session.reschedule_deadline:
        session.reschedule_deadline = min(session.reschedule_deadline, stray.new)
    # Another than agreed where clocks jump over that: it is the time behind the jump.
    wall = {"wall": stray.agreed.wall, "kept": session.wall_at}
    details: dict[str, Any] = {"zone": stray.agreed.zone, **wall}
    if session.series_id is not None and session.wall_at == stray.agreed.wall:
        details["with_series"] = session.series_id
        _tell_series(session, now)
    session.say(
        ZONE_RULES_CHANGED,
        actor=SYSTEM,
        role=None,
        now=now,
        old_time=stray.old,
        new_time=stray.new,
        details=details,
    )
    return True


def _tell_series(session: Session, now: datetime) -> None:
    """Tell both once in a run what becomes of all sessions of a series."""
    said = db.session.scalars(
        select(Event.details).where(
            Event.contract_id == session.contract_id,
            Event.verb == SERIES_RULES_CHANGED,
            Event.at == now,
        )
    )
    if session.series_id not in {one["series_id"] for one in said}:
        series = db.session.get_one(Series, session.series_id)
        details = {"zone": series.zone, "place": series.dtstart}
        series.say(SERIES_RULES_CHANGED, actor=SYSTEM, role=None, now=now, details=details)


def _in_the_way(session: Session, start: datetime) -> int | None:
    return db.session.scalar(
        select(BookedTime.session_id)
        .where(
            BookedTime.person_id.in_((session.coach_id, session.student_id)),
            BookedTime.starts_at < start + timedelta(minutes=session.duration_minutes),
            BookedTime.starts_at > start - timedelta(minutes=MAX_MINUTES),  # none is longer
            BookedTime.ends_at > start,
            BookedTime.session_id != session.id,
        )
        .limit(1)
    )


def _tell_blocked(left: Left, now: datetime) -> None:
    """Tell both, once, that the agreed time cannot be kept: it stays where it was."""
    stray = left.stray
    with db.transaction():
        session = actions.find_any(stray.session_id)
        told = db.session.scalars(
            select(Event).where(Event.session_id == session.id).order_by(Event.id.desc()).limit(1)
        ).first()
        details = {
            "zone": stray.agreed.zone,
            "wall": stray.agreed.wall,
            "wanted": stray.new.isoformat(),
            "other_session": left.other_id,
        }
        if told is None or told.verb != ZONE_RULES_COLLIDED or told.details != details:
            session.say(
                ZONE_RULES_COLLIDED,
                actor=SYSTEM,
                role=None,
                now=now,
                old_time=stray.old,
                details=details,
            )


def _refresh_time_off(now: datetime) -> int:
    """Give times away the instants that their days have by today's rules; how many changed."""
    coming = db.session.scalars(select(TimeOff.id).where(TimeOff.ends_at > now)).all()
    changed = 0
    for one in coming:
        with db.transaction():
            changed += _refresh_away(one, now)
    return changed


def _refresh_away(time_off_id: int, now: datetime) -> bool:
    away = db.session.get(TimeOff, time_off_id, populate_existing=True)
    if away is None:
        return False
    db.session.get(Person, away.coach_id, with_for_update=True)  # as everybody who changes it
    first, last = map(datetime.fromisoformat, (away.wall_start, away.wall_end))
    try:
        starts, ends = days_away.instants(first, last, away.zone)
    except Refused as refused:
        log.warning("refresh.time_off_left", time_off_id=away.id, why=str(refused))
        return False
    if (starts, ends) == (away.starts_at, away.ends_at):
        return False
    away.starts_at, away.ends_at = starts, ends
    events.append(
        f"person:{away.coach_id}",
        AWAY_MOVED,
        at=now,
        actor=SYSTEM,
        details={"time_off": away.id, "zone": away.zone, "from": away.wall_start},
    )
    return True


def rehearse(now: datetime) -> Refreshed:
    """What ``run`` would do, found by doing it and taking all of it back."""
    try:
        with db.transaction():
            done = run(now)
            raise _Rehearsed
    except _Rehearsed:
        return done


class _Rehearsed(Exception):
    """Takes back what a rehearsal did."""
