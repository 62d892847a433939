"""What spans more than one session: finding through the actor, booking, ending, sweeping.

Call inside ``transaction()``. Locks are taken in one order everywhere: the contract's row and
the session's, then the two people, so that writers queue and never block each other for good.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnClause, Select, bindparam, literal_column, or_, select
from sqlalchemy.orm import contains_eager

from skileez import db, logs
from skileez.contracts.models import Contract
from skileez.contracts.standing_rules import check_open_sessions, may_end
from skileez.errors import NotFound, Refused, require
from skileez.events import SYSTEM, Actor
from skileez.sessions import booking, meeting, outcome_rules, rules, series_ending, series_moving
from skileez.sessions import policy as policies
from skileez.sessions.models import Session
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.row import in_utc
from skileez.sessions.rules import Policy
from skileez.sessions.series import Series, SeriesRequest

T = TypeVar("T")
log = logs.logger(__name__)


def find_for(actor: Actor, session_id: int) -> Session:
    """The session, locked, if this participant may see it. Raises ``NotFound`` otherwise."""
    return _found(_MINE, session_id, actor)


def find_any(session_id: int) -> Session:
    """The session, locked, for an administrator or the system. Raises ``NotFound``."""
    return _found(_ANY, session_id)


_ANY = (
    select(Session)
    .join(Session.contract)
    .options(contains_eager(Session.contract))
    .where(Session.id == bindparam("session"))
    .with_for_update(of=[Contract, Session])
    .execution_options(populate_existing=True)
)
_MINE = _ANY.where(
    or_(Session.coach_id == bindparam("person"), Session.student_id == bindparam("person"))
)


def _found(statement: Select[Session], session_id: int, actor: Actor = SYSTEM) -> Session:
    found = db.session.scalars(statement, {"session": session_id, "person": actor.id}).one_or_none()
    if found is None:
        raise NotFound("session")
    return found


def find_contract_for(actor: Actor, contract_id: int, *, admin: bool = False) -> Contract:
    """The contract, locked, if this actor may act in it. Raises ``NotFound`` otherwise."""
    found = db.session.scalars(
        _ANY_CONTRACT if admin else _MY_CONTRACT, {"contract": contract_id, "person": actor.id}
    ).one_or_none()
    if found is None:
        raise NotFound("contract")
    return found


_ANY_CONTRACT = (
    select(Contract)
    .where(Contract.id == bindparam("contract"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_MY_CONTRACT = _ANY_CONTRACT.where(
    or_(Contract.coach_id == bindparam("person"), Contract.student_id == bindparam("person"))
)


def find_series_for(actor: Actor, series_id: int) -> Series:
    """The series and its contract, locked, for a participant. Raises ``NotFound`` otherwise."""
    return _found_series(_MY_SERIES, series_id, actor)


def find_any_series(series_id: int) -> Series:
    """The series and its contract, locked, for the system. Raises ``NotFound``."""
    return _found_series(_ANY_SERIES, series_id)


_ANY_SERIES = (
    select(Series)
    .join(Series.contract)
    .options(contains_eager(Series.contract))
    .where(Series.id == bindparam("series"))
    .with_for_update(of=[Contract, Series])
    .execution_options(populate_existing=True)
)
_MY_SERIES = _ANY_SERIES.where(
    or_(Contract.coach_id == bindparam("person"), Contract.student_id == bindparam("person"))
)


def _found_series(statement: Select[Series], series_id: int, actor: Actor = SYSTEM) -> Series:
    given = {"series": series_id, "person": actor.id}
    found = db.session.scalars(statement, given).one_or_none()
    if found is None:
        raise NotFound("series")
    return found


def book(
    contract: Contract,
    start: datetime | None,
    *,
    by: str,
    actor: Actor = SYSTEM,
    minutes: int | None = None,
    now: datetime,
    policy: Policy | None = None,
) -> Session:
    """Book the contract's next session at ``start``; it gets the lowest free number.

    The coach's own booking counts as confirmed. Raises ``Refused`` when the contract is not
    active, its sessions are used up, the time is out of bounds or somebody is taken.
    """
    policy = policy or policies.in_force()
    minutes = contract.duration_minutes if minutes is None else minutes
    number, *_ = booking.numbers_left(contract, minutes)
    require(rules.check_start(start, now, policy))
    assert start is not None
    start = in_utc(start)
    meeting.lock_people(contract.coach_id, contract.student_id)
    (refusal,) = meeting.refusals(
        contract.coach_id,
        contract.student_id,
        [start],
        minutes,
        meeting.against(by),
        now=now,
        policy=policy,
    )
    require(refusal)
    return booking.enter(contract, number, start, minutes, by=by, actor=actor, now=now)


def end_contract(
    contract: Contract,
    *,
    by: str,
    actor: Actor,
    reason: str,
    now: datetime,
    shown: Set[int] | None = None,
) -> int:
    """End a contract and cancel its scheduled sessions; how many were cancelled.

    ``shown``: the ids of those that the page said it would cancel. Raises ``Refused`` where they
    are others by now.
    """
    require(may_end(contract.status))  # one that is over has no open sessions to compare
    scheduled = db.session.scalars(
        select(Session)
        .where(Session.contract_id == contract.id, Session.status == rules.Status.SCHEDULED)
        .order_by(Session.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if shown is not None:
        require(check_open_sessions(shown, {session.id for session in scheduled}))
    contract.end(actor=actor, role=by, reason=reason, now=now)
    for session in scheduled:
        session.cancel_session(
            by=by if by in rules.PARTICIPANTS else None,
            reason=reason,
            actor=actor,
            now=now,
            with_contract=True,
        )
    series_ending.stop_with_contract(contract, actor=actor, role=by, now=now)
    return len(scheduled)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, by count."""

    approved: int = 0
    to_be_scheduled: int = 0
    lapsed: int = 0
    missed: int = 0


def sweep(
    now: datetime,
    *,
    policy: Policy | None = None,
    limit: int = 1000,
    enough: Callable[[], bool] = lambda: False,
) -> Swept:
    """Do what time alone decides: unanswered requests, of sessions and of series, then no-shows;
    each on its own.

    Found by index, so it costs what is due. Safe to run again and beside another sweep, and to
    stop half way, when ``enough`` says so.
    """
    policy = policy or policies.in_force()
    outcomes = [
        _unless_it_fails(settle, one, now, policy=policy)
        for one in due_requests(now, limit)
        if not enough()
    ]
    outcomes += [
        _unless_it_fails(settle_series, one, now, policy=policy)
        for one in due_series_requests(now, limit)
        if not enough()
    ]
    missed = [
        _unless_it_fails(mark_no_show, one, now, policy=policy)
        for one in due_no_shows(now, policy, limit)
        if not enough()
    ]
    return Swept(
        approved=outcomes.count(Silence.APPROVED),
        to_be_scheduled=outcomes.count(Silence.TO_BE_SCHEDULED),
        lapsed=outcomes.count(Silence.LAPSED),
        missed=missed.count(True),
    )


# As the index's own condition has it: "= 1", which SQLAlchemy writes for SQLite, would not match.
_WAITING: ColumnClause[bool] = literal_column("session.reschedule_requested")


def due_requests(now: datetime, limit: int = 1000) -> list[int]:
    """Ids of sessions whose request nobody answered in time, the longest waiting first."""
    return list(db.session.scalars(_DUE_REQUESTS, {"now": now, "limit": limit}))


_DUE_REQUESTS = (
    select(Session.id)
    .where(_WAITING, Session.reschedule_deadline <= bindparam("now"))
    .order_by(Session.reschedule_deadline)
    .limit(bindparam("limit"))
)


def due_series_requests(now: datetime, limit: int = 1000) -> list[int]:
    """Ids of series whose request nobody answered in time, the longest waiting first."""
    return list(db.session.scalars(_DUE_SERIES_REQUESTS, {"now": now, "limit": limit}))


_DUE_SERIES_REQUESTS = (
    select(SeriesRequest.series_id)
    .where(SeriesRequest.deadline <= bindparam("now"))
    .order_by(SeriesRequest.deadline)
    .limit(bindparam("limit"))
)


# Again as the index has it.
_SILENT: ColumnClause[bool] = literal_column("session.status = 'scheduled' AND NOT session.heard")


def due_no_shows(now: datetime, policy: Policy, limit: int = 1000) -> list[int]:
    """Ids of sessions whose end and grace have passed while nobody said a word."""
    ended_by = now - policy.no_show_grace
    return list(db.session.scalars(_DUE_NO_SHOWS, {"ended_by": ended_by, "limit": limit}))


_DUE_NO_SHOWS = (
    select(Session.id)
    .where(_SILENT, Session.ends_at <= bindparam("ended_by"), ~Session.reschedule_requested)
    .order_by(Session.ends_at)
    .limit(bindparam("limit"))
)


def settle(session_id: int, now: datetime, *, policy: Policy | None = None) -> Silence | None:
    """Settle one unanswered request in a transaction of its own; None if it is not due."""
    return _alone(session_id, lambda one: one.settle_silence(now=now, policy=policy))


def settle_series(series_id: int, now: datetime, *, policy: Policy | None = None) -> Silence | None:
    """Settle one unanswered request to move a series, in a transaction of its own."""
    with db.transaction():
        return series_moving.settle_move(find_any_series(series_id), now=now, policy=policy)


def mark_no_show(session_id: int, now: datetime, *, policy: Policy | None = None) -> bool:
    """Mark one silent session missed in a transaction of its own; False if it is not due."""
    policy = policy or policies.in_force()

    def mark(session: Session) -> bool:
        communicated = session.has_communicated
        if communicated:
            session.heard = True  # by a note: no sweep needs to look at it again
        due = outcome_rules.is_no_show_due(session.facts, now, policy, communicated=communicated)
        if due:
            session.mark_missed(now=now)
        return due

    return _alone(session_id, mark)


def _unless_it_fails(
    verb: Callable[..., T], one: int, now: datetime, *, policy: Policy
) -> T | None:
    """One that is refused (busy, gone) or fails waits for the next sweep and stops no other."""
    try:
        return verb(one, now, policy=policy)
    except (Refused, NotFound):
        return None
    except Exception:
        log.exception("sweep.failed", verb=verb.__name__, id=one)
        return None


def _alone(session_id: int, verb: Callable[[Session], T]) -> T:
    with db.transaction():
        session = find_any(session_id)
        return verb(session)
