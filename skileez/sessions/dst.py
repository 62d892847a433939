"""Telling both, two weeks before, that clocks change the time of their series for one of them.

``series.clocks_at`` says when to look at a series next; whatever places its sessions anew sets it
to that moment (``look_again``), and looking sets it to when the next change is due.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, or_, select, update

from skileez import db, logs
from skileez.accounts.models import Person
from skileez.contracts.models import Contract
from skileez.errors import NotFound, Refused, require
from skileez.events import SYSTEM, Actor, Event
from skileez.sessions import actions, dst_rules
from skileez.sessions.dst_rules import CLOCK_CHANGE, CLOCK_KEPT, Notice, Told
from skileez.sessions.models import Session
from skileez.sessions.rules import LIVE, Role, Status
from skileez.sessions.series import Series
from skileez.sessions.series_moving import is_at_its_place

log = logs.logger(__name__)


def tell_due(now: datetime, *, enough: Callable[[], bool] = lambda: False) -> int:
    """Tell what is due, found by index; how many series were looked at.

    Safe to run again and beside another. One that fails is looked at again, and stops no other.
    """
    looked = 0
    for series_id in due(now):
        if enough():
            break
        try:
            tell(series_id, now)
            looked += 1
        except (Refused, NotFound):
            log.info("clock_change.later", series_id=series_id)
        except Exception:
            log.exception("clock_change.failed", series_id=series_id)
    return looked


def due(now: datetime, limit: int = 100) -> list[int]:
    """Ids of series to look at, the longest waiting first."""
    return list(db.session.scalars(_DUE, {"now": now, "limit": limit}))


_DUE = (
    select(Series.id)
    .where(literal_column("series.clocks_at IS NOT NULL"), Series.clocks_at <= bindparam("now"))
    .order_by(Series.clocks_at)
    .limit(bindparam("limit"))
)


def tell(series_id: int, now: datetime) -> int:
    """Tell both what is due of one series, in a transaction of its own; how many changes.

    Each change is told once, and anew where the series or a person's zone moved meanwhile.
    """
    with db.transaction():
        series = actions.find_any_series(series_id)
        told, next_look = 0, None
        if series.stopped_at is None:
            known = _told(series)
            for one in _coming(series, now):
                if one.due > now:
                    next_look = one.due
                    break
                change = _change(one)
                if change not in known:
                    place, start = one.start
                    series.say(
                        CLOCK_CHANGE,
                        actor=SYSTEM,
                        role=None,
                        now=now,
                        new_time=start,
                        details={"zone": series.zone, "place": place, "change": change},
                    )
                    told += 1
        # Beside the row's version: pages of the series stay as good as they were.
        _look_at(Series.id == series_id, next_look)
    return told


@dataclass(frozen=True, slots=True)
class Last:
    """What both were told last: the details of that event, and as the rules see it."""

    details: Mapping[str, Any]
    facts: Told


def last_told(series: Series) -> Last | None:
    """What both were told last of clocks that change for one; None when nothing is to be said."""
    if series.stopped_at is not None:
        return None
    told: Event | None = None
    kept: set[str] = set()
    for event in db.session.scalars(_SAID, {"contract": series.contract_id}):
        if event.details["series_id"] != series.id:
            continue
        if event.verb == CLOCK_CHANGE:
            told, kept = event, set()
        elif event.role:
            kept.add(event.role)
    if told is None or told.new_time is None:
        return None
    sides = frozenset(told.details["change"]["sides"])
    return Last(told.details, Told(sides, told.new_time, frozenset(kept)))


_SAID = (
    select(Event)
    .where(Event.contract_id == bindparam("contract"), Event.verb.in_((CLOCK_CHANGE, CLOCK_KEPT)))
    .order_by(Event.id)
)


def keep(series: Series, *, by: str, actor: Actor, now: datetime) -> None:
    """Say that the time that clocks bring suits; the other is told. Again it changes nothing."""
    last = last_told(series)
    require(dst_rules.may_keep(last.facts if last else None, by, now))
    assert last is not None
    if by not in last.facts.kept:
        details = {name: last.details[name] for name in ("zone", "place", "change")}
        series.say(CLOCK_KEPT, actor=actor, role=by, now=now, details=details)


def look_again(event: Event, now: datetime) -> None:
    """After what may have placed a series' dates anew: look at it, when its turn comes."""
    if event.verb in (CLOCK_CHANGE, CLOCK_KEPT):
        return
    if event.verb == "person.profile_changed" and "zone" in event.details:
        person_id = int(event.stream.removeprefix("person:"))
        theirs = select(Contract.id).where(
            or_(Contract.coach_id == person_id, Contract.student_id == person_id)
        )
        _look_at(Series.contract_id.in_(theirs), now)
    elif series_id := event.details.get("series_id"):
        _look_at(Series.id == series_id, now)
    elif event.verb in _PLACES and event.session_id is not None:
        session = db.session.get_one(Session, event.session_id)
        if session.series_id is not None:
            _look_at(Series.id == session.series_id, now)


def look_at_all(now: datetime) -> None:
    """Look at every series anew: the zones' rules have changed."""
    _look_at(Series.stopped_at.is_(None), now)


_PLACES = frozenset(
    {
        "session.scheduled",
        "session.reschedule_approved",
        "session.reschedule_auto_approved",
        "session.cancelled",
    }
)
"""After these verbs another session may be the first that is at another time."""


def _look_at(those: Any, when: datetime | None) -> None:
    db.session.execute(
        update(Series)
        .where(those)
        .values(clocks_at=when)
        .execution_options(synchronize_session=False)
    )


def _coming(series: Series, now: datetime) -> list[Notice]:
    """What is to be told of it, now or later, in the order of its first sessions."""
    starts, coming = [], set()
    for one in db.session.scalars(_SESSIONS, {"series": series.id}):
        if one.series_place and one.scheduled_at and is_at_its_place(one, series):
            starts.append((one.series_place, one.scheduled_at))
            if one.status == Status.SCHEDULED and one.scheduled_at > now:
                coming.add(one.series_place)
    ids = {Role.STUDENT: series.contract.student_id, Role.COACH: series.contract.coach_id}
    found = db.session.execute(select(Person.id, Person.zone).where(Person.id.in_(ids.values())))
    zone_of = {one.id: one.zone for one in found}
    people = {str(role): zone_of[person_id] for role, person_id in ids.items()}
    found_all = dst_rules.notices(starts, series.zone, people)
    return sorted((one for one in found_all if one.start[0] in coming), key=lambda one: one.due)


_SESSIONS = (
    select(Session)
    .where(Session.series_id == bindparam("series"), Session.status.in_(LIVE))
    .order_by(Session.series_place)
)


def _told(series: Series) -> list[dict[str, Any]]:
    said = db.session.scalars(
        select(Event.details).where(
            Event.contract_id == series.contract_id, Event.verb == CLOCK_CHANGE
        )
    )
    return [one["change"] for one in said if one["series_id"] == series.id]


def _change(notice: Notice) -> dict[str, Any]:
    """As an event keeps it; of one change always the same, whichever session is the first."""
    return {
        "day": notice.day.isoformat(),
        "sides": {
            role: {
                "usual": f"{one.usual:%H:%M}",
                "becomes": f"{one.becomes:%H:%M}",
                "first": one.first.isoformat(),
                "last": one.last and one.last.isoformat(),
            }
            for role, one in notice.sides.items()
        },
    }
