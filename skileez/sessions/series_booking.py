"""Booking a series: every date as chosen, or none; and confirming what was booked."""

from datetime import datetime

from skileez import db
from skileez.contracts.models import Contract
from skileez.errors import Refused, require
from skileez.events import SYSTEM, Actor
from skileez.sessions import booking, meeting, rules, series_rules
from skileez.sessions.models import Session
from skileez.sessions.recurrence import Pattern
from skileez.sessions.rules import Policy
from skileez.sessions.series import Series
from skileez.sessions.series_ending import Scope, coming
from skileez.sessions.series_planning import Choices, preview


def book_series(
    contract: Contract,
    pattern: Pattern,
    choices: Choices | None = None,
    *,
    by: str,
    actor: Actor = SYSTEM,
    now: datetime,
    policy: Policy | None = None,
) -> Series:
    """Book every date of ``pattern`` as ``choices`` have it; each gets the lowest free number.

    A date that was given another start keeps its place in the series. Raises ``Refused`` as
    ``preview`` does, where nothing is left, and where any date cannot be booked.
    """
    meeting.lock_people(contract.coach_id, contract.student_id)
    plan = preview(contract, pattern, by=by, now=now, choices=choices, policy=policy)
    require(series_rules.check_booked(len(plan.booked)))
    if plan.refused:
        first = plan.refused[0].start
        assert first is not None
        raise Refused(series_rules.conflicts(len(plan.refused), len(plan.booked), first))
    series = Series(contract=contract, created_by=by, created_at=now, clocks_at=now)
    series.pattern = pattern
    db.session.add(series)
    db.session.flush()
    starts = []
    for number, one in zip(plan.numbers, plan.booked, strict=False):
        assert one.start is not None
        booking.enter(
            contract,
            number,
            one.start,
            pattern.minutes,
            by=by,
            actor=actor,
            now=now,
            series_id=series.id,
            place=one.place,
            zone=pattern.zone,
        )
        starts.append(one.start.isoformat())
    series.say(
        "series.booked",
        actor=actor,
        role=by,
        now=now,
        details={
            "zone": series.zone,
            "dtstart": series.dtstart,
            "rrule": series.rrule,
            "duration_minutes": series.duration_minutes,
            "starts": starts,
        },
    )
    return series


def unconfirmed(series: Series, now: datetime, *, lock: bool = False) -> list[Session]:
    """Its sessions that wait for the coach's word, by their places."""
    found = coming(series, Scope.ALL, None, now, lock=lock)
    return [one for one in found if rules.awaits_confirmation(one.facts, now)]


def confirm(series: Series, *, by: str, actor: Actor = SYSTEM, now: datetime) -> list[Session]:
    """Confirm every session of it that waits for that; the sessions that were, told once.

    Also of a series that is stopped. Raises ``Refused`` for anybody but the coach, and where
    none waits.
    """
    meant = unconfirmed(series, now, lock=True)
    require(series_rules.check_unconfirmed(len(meant)))
    for session in meant:
        session.confirm(by, actor=actor, now=now, with_series=series.id)
    starts = [one.scheduled_at.isoformat() for one in meant if one.scheduled_at]
    series.say("series.confirmed", actor=actor, role=by, now=now, details={"starts": starts})
    return meant
