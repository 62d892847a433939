"""The outcome check: both sides say what became of a session, and who settles it if they differ.

Call inside ``transaction()``, with the session found for changing: its lock makes two answers
take turns.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from skileez import db
from skileez.contracts.rules import check_reason
from skileez.errors import NotFound, require
from skileez.events import SYSTEM, Actor
from skileez.sessions import actions, presence_rules
from skileez.sessions import policy as policies
from skileez.sessions.models import Session
from skileez.sessions.presence import OutcomeCase, OutcomeSaid
from skileez.sessions.presence_rules import Account, Outcome, Unsettled
from skileez.sessions.rules import Policy, Role, Status


def say_outcome(
    session: Session,
    by: str,
    outcome: str,
    note: str | None = None,
    *,
    actor: Actor = SYSTEM,
    now: datetime,
    policy: Policy | None = None,
) -> Outcome | Unsettled:
    """This side says what became of it; what both accounts then come to.

    Agreement ends the session at once, and a case about it; disagreement opens one.
    """
    policy = policy or policies.in_force()
    case = _case_of(session.id)
    account = _account(session, case)
    require(presence_rules.may_say_outcome(session.facts, by, now, policy, account))
    require(presence_rules.check_outcome(outcome, account))
    require(presence_rules.check_outcome_note(note))
    note = (note or "").strip() or None
    _keep(session.id, by, outcome, note, now)
    session.say(
        presence_rules.OUTCOME_SAID,
        actor=actor,
        role=by,
        now=now,
        old_time=session.scheduled_at,
        reason=note,
        details={"outcome": outcome},
    )
    account = account.saying(by, outcome)
    verdict = presence_rules.verdict(session.facts, account)
    if isinstance(verdict, Outcome):
        if session.status == Status.SCHEDULED:
            session.end_as(verdict, by=by, actor=actor, now=now)
        if case is not None:
            _close(case, session, verdict, None, actor=actor, role=by, now=now)
    elif verdict is Unsettled.DISAGREED and case is None:
        db.session.add(OutcomeCase(session_id=session.id, opened_at=now))
        session.say(
            presence_rules.CASE_OPENED,
            actor=actor,
            role=by,
            now=now,
            old_time=session.scheduled_at,
            details={"said": dict(account.said)},
        )
    return verdict


def decide_case(
    session: Session, case: OutcomeCase, outcome: str, note: str, *, actor: Actor, now: datetime
) -> None:
    """An administrator says what became of it, and why; ``find_case`` found both.

    A session that is still open ends with it. One that has ended stays as it is: nothing but a
    correction leaves a final state. The decision is kept and told either way.
    """
    role = session.role_of(actor.id) or Role.ADMIN
    require(presence_rules.may_decide_case(role, closed=case.closed_at is not None))
    require(presence_rules.check_outcome(outcome, _account(session, case)))
    require(check_reason(note))
    if session.status == Status.SCHEDULED:
        session.end_as(Outcome(outcome), by=role, reason=note.strip(), actor=actor, now=now)
    _close(case, session, Outcome(outcome), note.strip(), actor=actor, role=role, now=now)


def find_case(case_id: int) -> tuple[Session, OutcomeCase]:
    """The case and its session, locked, for an administrator. Raises ``NotFound``."""
    session = actions.find_any(seen_case(case_id).session_id)
    case = _case_of(session.id)  # as it is now that nobody else can change it
    assert case is not None
    return session, case


def seen_case(case_id: int) -> OutcomeCase:
    """The case, for looking. Raises ``NotFound``."""
    case = db.session.get(OutcomeCase, case_id)
    if case is None:
        raise NotFound("case")
    return case


def cases(*, closed: bool, limit: int = 100) -> Sequence[Any]:
    """Cases by id, session's id, instant opened and closed, decision: those that wait, the
    oldest first; or those that were closed, the newest first.
    """
    over = OutcomeCase.closed_at.is_not(None)
    return db.session.execute(
        select(
            *(OutcomeCase.id, OutcomeCase.session_id, OutcomeCase.opened_at),
            *(OutcomeCase.closed_at, OutcomeCase.decision),
        )
        .where(over if closed else ~over)
        .order_by(OutcomeCase.id.desc() if closed else OutcomeCase.opened_at)
        .limit(limit)
    ).all()


def said_of(session_id: int) -> dict[str, OutcomeSaid]:
    """What each side says, by role."""
    rows = db.session.scalars(select(OutcomeSaid).where(OutcomeSaid.session_id == session_id))
    return {row.role: row for row in rows}


def _account(session: Session, case: OutcomeCase | None) -> Account:
    decided = case is not None and case.closed_at is not None
    return replace(session.account(), disputed=case is not None, decided=decided)


def _case_of(session_id: int) -> OutcomeCase | None:
    return db.session.scalars(
        select(OutcomeCase)
        .where(OutcomeCase.session_id == session_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _keep(session_id: int, by: str, outcome: str, note: str | None, now: datetime) -> None:
    said = db.session.get(OutcomeSaid, (session_id, by))
    if said is None:
        said = OutcomeSaid(session_id=session_id, role=by)
        db.session.add(said)
    said.outcome, said.note, said.said_at = outcome, note, now


def _close(
    case: OutcomeCase,
    session: Session,
    outcome: Outcome,
    note: str | None,
    *,
    actor: Actor,
    role: str,
    now: datetime,
) -> None:
    case.closed_at, case.decision, case.note = now, outcome, note
    case.closed_by = actor.id if role == Role.ADMIN else None
    session.say(
        presence_rules.CASE_CLOSED,
        actor=actor,
        role=role,
        now=now,
        old_time=session.scheduled_at,
        reason=note,
        details={"outcome": str(outcome)},
    )
