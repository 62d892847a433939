"""Cancelling sessions of a series, and stopping it. What was held, missed or cancelled stays."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select

from skileez import db
from skileez.contracts.models import Contract
from skileez.contracts.rules import check_reason
from skileez.errors import require
from skileez.events import SYSTEM, Actor, Event
from skileez.sessions import series_rules
from skileez.sessions.models import Session
from skileez.sessions.recurrence import Pattern, from_text
from skileez.sessions.rules import Policy, Status
from skileez.sessions.series import Series

MOVED = ("series.move_approved", "series.move_auto_approved")
"""The events after which a series has another rule; they say which it had before."""


class Scope(StrEnum):
    """Which sessions of a series are meant."""

    THIS = "this"
    FOLLOWING = "following"
    """This one and those whose place in the series comes after it."""
    ALL = "all"


def coming(
    series: Series, scope: Scope, place: str | None, now: datetime, *, lock: bool = False
) -> list[Session]:
    """The sessions that are meant, as far as they are to come: scheduled, and not started.

    In the order of their places, wherever they were moved. ``place`` says which is "this one".
    """
    wanted = select(Session).where(
        Session.series_id == series.id,
        Session.status == Status.SCHEDULED,
        or_(Session.scheduled_at.is_(None), Session.scheduled_at > now),
    )
    if scope is Scope.THIS:
        wanted = wanted.where(Session.series_place == place)
    elif scope is Scope.FOLLOWING:
        wanted = wanted.where(Session.series_place >= place)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalars(wanted.order_by(Session.id)).all()
    return sorted(found, key=lambda one: (one.series_place or "", one.id))


def places(series: Series, since: str = "") -> list[str]:
    """The places of all its sessions, whatever became of them, from ``since`` on, in order."""
    found = db.session.scalars(
        select(Session.series_place)
        .where(Session.series_id == series.id, Session.series_place >= since)
        .distinct()
        .order_by(Session.series_place)
    )
    return [place for place in found if place is not None]


def cancel(
    series: Series,
    scope: Scope,
    place: str | None = None,
    *,
    by: str,
    reason: str,
    actor: Actor = SYSTEM,
    now: datetime,
    policy: Policy | None = None,
) -> list[Session]:
    """Cancel what is meant, each at once and for good; the sessions that were.

    Of more than one the other side is told once. A series with nothing left to come is stopped.
    Raises ``Refused`` for a stopped series, a reason out of bounds, a place that it does not
    have, and where nothing is meant.
    """
    require(series_rules.may_cancel_series(series.facts, by))
    require(check_reason(reason))
    if scope is not Scope.ALL:
        require(series_rules.check_places({place or ""}, set(places(series))))
    meant = coming(series, scope, place, now, lock=True)
    require(series_rules.check_meant(len(meant)))
    together = None if scope is Scope.THIS else series.id
    starts = _starts(meant)
    for session in meant:
        session.cancel_session(
            by=by, reason=reason, actor=actor, now=now, policy=policy, with_series=together
        )
    if scope is Scope.THIS:
        return meant
    details: dict[str, Any] = {"starts": starts, "from_place": meant[0].series_place}
    asked = series.request
    if asked and (meant[0].series_place or "") <= asked.from_place:
        details |= series.close_request()
    if coming(series, Scope.ALL, None, now):
        _end_before(series, meant[0].series_place or "")
    else:
        details |= _stop(series, now)
    series.say(
        "series.cancelled", actor=actor, role=by, now=now, reason=reason.strip(), details=details
    )
    return meant


def stop(
    series: Series,
    *,
    keep: bool,
    by: str,
    reason: str | None = None,
    actor: Actor = SYSTEM,
    now: datetime,
    policy: Policy | None = None,
) -> list[Session]:
    """End the series: its sessions to come stay as single ones (``keep``), or are cancelled.

    A reason is required where they are cancelled. Answers with the sessions that were to come.
    Raises ``Refused`` for a series that is stopped, and a reason out of bounds.
    """
    require(series_rules.may_stop(series.facts, by))
    said = (reason or "").strip() or None
    if said or not keep:
        require(check_reason(said))
    meant = coming(series, Scope.ALL, None, now, lock=True)
    starts = _starts(meant)
    if not keep:
        for session in meant:
            session.cancel_session(
                by=by, reason=said, actor=actor, now=now, policy=policy, with_series=series.id
            )
    details = {"starts": starts, "kept": keep, **_stop(series, now)}
    series.say("series.stopped", actor=actor, role=by, now=now, reason=said, details=details)
    return meant


def stop_with_contract(contract: Contract, *, actor: Actor, role: str, now: datetime) -> None:
    """End what recurs under a contract that ends, whose sessions are cancelled beside it."""
    running = select(Series).where(Series.contract_id == contract.id, Series.stopped_at.is_(None))
    for series in db.session.scalars(running.order_by(Series.id).with_for_update()):
        details = {"with_contract": True, **_stop(series, now)}
        series.say("series.stopped", actor=actor, role=role, now=now, details=details)


def _stop(series: Series, now: datetime) -> dict[str, Any]:
    series.stopped_at, series.clocks_at = now, None
    return series.close_request()


def _end_before(series: Series, place: str) -> None:
    """The rule goes on to say what is true: it ends before ``place``, where it began before.

    Where the series moved only after that, it is the rule from before the move again.
    """
    day = datetime.fromisoformat(place).date() - timedelta(days=1)
    pattern = next((one for one in _patterns(series) if one.dtstart.date() <= day), None)
    if pattern:
        series.pattern = replace(pattern, count=None, until=day)
    series.changed()


def _patterns(series: Series) -> Iterator[Pattern]:
    """The rule that the series has, and those that it had, the last first."""
    yield series.pattern
    moves = db.session.scalars(
        select(Event.details)
        .where(Event.contract_id == series.contract_id, Event.verb.in_(MOVED))
        .order_by(Event.id.desc())
    )
    for told in moves:
        if told["series_id"] == series.id:
            before = told["before"]
            yield from_text(
                series.zone, before["dtstart"], before["rrule"], series.duration_minutes
            )


def _starts(sessions: list[Session]) -> list[str]:
    return [one.scheduled_at.isoformat() for one in sessions if one.scheduled_at]
