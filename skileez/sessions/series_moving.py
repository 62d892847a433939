"""Moving the pattern of a series: one request, one answer, for all sessions from a place on.

Those that move are to come, not started, and at their place: a session that was moved on its own
stays where it is. All of them move, or none. Deadline and notice are those of a session's request
(``skileez.sessions.reschedule_rules``), by the first session that would move. Silence approves a
standard request if every new time is free at the deadline; otherwise the request lapses and the
series stays as it is. There is no counter-proposal: who wants other days declines and asks.
"""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from skileez.availability.slots import Against
from skileez.contracts.rules import check_reason
from skileez.errors import Refused, require
from skileez.events import SYSTEM, Actor
from skileez.sessions import meeting, recurrence, reschedule_rules, series_rules
from skileez.sessions import policy as policies
from skileez.sessions.clock_rules import in_order
from skileez.sessions.models import Session
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.rules import Policy, Role
from skileez.sessions.series import Series, SeriesProposedTime, SeriesRequest
from skileez.sessions.series_ending import Scope, coming, places
from skileez.sessions.series_planning import MovePlan, plan_moves


def is_at_its_place(session: Session, series: Series) -> bool:
    """Whether it is where the series has it, and was not moved on its own."""
    if session.scheduled_at is None or session.series_place is None:
        return False
    kept = (session.timezone, session.wall_at) == (series.zone, session.series_place)
    return kept or (
        recurrence.at_place(session.series_place, series.zone).start == session.scheduled_at
    )


def preview_move(
    series: Series,
    from_place: str,
    *,
    weekdays: Iterable[int],
    clock: time,
    interval: int | None = None,
    by: str,
    now: datetime,
    policy: Policy | None = None,
) -> MovePlan:
    """What another pattern would make of each session from ``from_place`` on. Reads only.

    Raises ``Refused`` for what is no pattern, and where no session would move.
    """
    return _plan(
        series,
        from_place,
        tuple(weekdays),
        clock,
        interval or series.pattern.interval,
        meeting.against(by),
        now,
        policy or policies.in_force(),
    )


def waiting_plan(series: Series, *, now: datetime, policy: Policy | None = None) -> MovePlan:
    """What the waiting request comes to now, if it is approved. Reads only.

    Raises ``Refused`` where none waits, and where no session is left to move.
    """
    return _of_request(series, Against.TAKEN, now, policy or policies.in_force())


def request_move(
    series: Series,
    from_place: str,
    *,
    weekdays: Iterable[int],
    clock: time,
    interval: int | None = None,
    reason: str,
    by: str,
    actor: Actor = SYSTEM,
    now: datetime,
    policy: Policy | None = None,
) -> None:
    """Ask to move the pattern from ``from_place`` on; until the answer everything stays.

    Raises ``Refused`` for a stopped series, while another request waits, for what is no pattern
    or the present one, at too short a notice, and where any new time cannot be had.
    """
    policy = policy or policies.in_force()
    require(series_rules.may_request_move(series.facts, by))
    require(check_reason(reason))
    meeting.lock_people(series.contract.coach_id, series.contract.student_id)
    plan = preview_move(
        series,
        from_place,
        weekdays=weekdays,
        clock=clock,
        interval=interval,
        by=by,
        now=now,
        policy=policy,
    )
    require(
        series_rules.check_changes(
            [one.session.series_place or "" for one in plan.moves],
            [one.place for one in plan.moves],
        )
    )
    first = min((one.session for one in plan.moves), key=lambda one: one.listed_at)
    require(series_rules.check_first(first.facts, by, now, policy))
    _require_free(plan)
    assert first.scheduled_at is not None
    asked = SeriesRequest(
        asked_by=by,
        kind=series_rules.move_kind(by, first.scheduled_at, now, policy),
        reason=reason.strip(),
        from_place=from_place,
        dtstart=recurrence.place_of(plan.pattern.dtstart),
        rrule=plan.pattern.rrule,
        asked_at=now,
        deadline=reschedule_rules.answer_deadline(first.scheduled_at, now, policy),
        proposed=[
            SeriesProposedTime(session_id=one.session.id, starts_at=one.new) for one in plan.moves
        ],
    )
    series.request = asked
    series.changed()
    series.say(
        "series.move_requested",
        actor=actor,
        role=by,
        now=now,
        reason=asked.reason,
        details={
            **_told(plan),
            "from_place": from_place,
            "kind": str(asked.kind),
            "deadline": asked.deadline.isoformat(),
        },
    )


def approve_move(
    series: Series,
    *,
    by: str,
    actor: Actor = SYSTEM,
    now: datetime,
    policy: Policy | None = None,
) -> list[Session]:
    """The other participant agrees: the pattern moves; the sessions that moved.

    Raises ``Refused`` for who asked, after the deadline, and where any new time is gone.
    """
    policy = policy or policies.in_force()
    require(series_rules.may_answer_move(series.facts, by, now))
    meeting.lock_people(series.contract.coach_id, series.contract.student_id)
    # What the student proposed has the coach's yes.
    plan = _of_request(series, Against.TAKEN, now, policy, lock=True)
    _require_free(plan)
    return _move(series, plan, by, "series.move_approved", actor, now)


def decline_move(
    series: Series,
    *,
    by: str,
    reason: str | None = None,
    actor: Actor = SYSTEM,
    now: datetime,
) -> None:
    """The other participant says no, a reason is optional; the series stays as it is."""
    require(series_rules.may_answer_move(series.facts, by, now))
    said = (reason or "").strip() or None
    if said:
        require(check_reason(said))
    _close(series, "series.move_declined", actor, by, now, said)


def withdraw_move(series: Series, *, by: str, actor: Actor = SYSTEM, now: datetime) -> None:
    """Who asked takes it back; the series stays as it is."""
    require(series_rules.may_withdraw_move(series.facts, by))
    _close(series, "series.move_withdrawn", actor, by, now, None)


def settle_move(series: Series, *, now: datetime, policy: Policy | None = None) -> Silence | None:
    """Do what silence decides, if the time to answer is over; None when it is not.

    A session that began meanwhile is not moved any more; the others are.
    """
    policy = policy or policies.in_force()
    facts = series.facts
    if not series_rules.is_move_due(facts, now):
        return None
    assert facts.pending is not None
    meeting.lock_people(series.contract.coach_id, series.contract.student_id)
    against = Against.AWAY if facts.pending.by == Role.STUDENT else Against.TAKEN
    try:
        plan = _of_request(series, against, now, policy, lock=True)
    except Refused:
        plan = None  # nothing is left to move
    all_free = plan is not None and not plan.refused
    outcome = series_rules.settle_move(facts.pending, all_free=all_free)
    if plan and outcome is Silence.APPROVED:
        _move(series, plan, None, "series.move_auto_approved", SYSTEM, now)
    else:
        _close(series, "series.move_lapsed", SYSTEM, None, now, None)
    return outcome


# Shared by the verbs


def _of_request(
    series: Series, against: Against, now: datetime, policy: Policy, *, lock: bool = False
) -> MovePlan:
    asked = series.request
    require(series_rules.check_waiting(series.facts))
    assert asked is not None
    new = asked.pattern(series)
    return _plan(
        series,
        asked.from_place,
        new.weekdays,
        new.clock,
        new.interval,
        against,
        now,
        policy,
        lock=lock,
    )


def _plan(
    series: Series,
    from_place: str,
    weekdays: tuple[int, ...],
    clock: time,
    interval: int,
    against: Against,
    now: datetime,
    policy: Policy,
    *,
    lock: bool = False,
) -> MovePlan:
    known = places(series, from_place)
    require(series_rules.check_places({from_place}, set(known)))
    meant = [
        one
        for one in coming(series, Scope.FOLLOWING, from_place, now, lock=lock)
        if is_at_its_place(one, series)
    ]
    require(series_rules.check_meant(len(meant)))
    # Also places of what was held or cancelled: where each goes depends on no other's fate. Those
    # that an earlier pattern gave, and from which nothing moves, are not of this one.
    current, moving = series.pattern, {one.series_place for one in meant}
    known = [one for one in known if one in moving or recurrence.has_place(current, one)]
    pattern, new = recurrence.move(current, known, weekdays, clock, interval)
    goes = dict(zip(known, new, strict=True))
    return plan_moves(
        pattern,
        meant,
        [goes[one.series_place or ""] for one in meant],
        against,
        now=now,
        policy=policy,
    )


def _require_free(plan: MovePlan) -> None:
    if plan.refused:
        raise Refused(
            series_rules.move_conflicts(len(plan.refused), len(plan.moves), plan.refused[0].new)
        )


def _move(
    series: Series,
    plan: MovePlan,
    approved_by: str | None,
    verb: str,
    actor: Actor,
    now: datetime,
) -> list[Session]:
    assert series.request is not None
    asked_by = series.request.asked_by
    told = _told(plan)
    for one in in_order(plan.moves):
        one.session.move_with_series(
            one.new,
            one.place,
            asked_by=asked_by,
            approved_by=approved_by,
            actor=actor,
            now=now,
        )
    before = {"dtstart": series.dtstart, "rrule": series.rrule}
    series.close_request()
    series.pattern, series.clocks_at = plan.pattern, now
    details = {**told, "asked_by": asked_by, "before": before}
    series.say(verb, actor=actor, role=approved_by, now=now, details=details)
    return [one.session for one in plan.moves]


def _close(
    series: Series, verb: str, actor: Actor, role: str | None, now: datetime, reason: str | None
) -> None:
    closed = series.close_request()["closed_request"]
    details = {"asked_by": closed["by"], "from_place": closed["from_place"]}
    series.say(verb, actor=actor, role=role, now=now, reason=reason, details=details)


def _told(plan: MovePlan) -> dict[str, Any]:
    return {
        "dtstart": recurrence.place_of(plan.pattern.dtstart),
        "rrule": plan.pattern.rrule,
        "moves": [
            {
                "number": one.session.session_number,
                "from": one.old.isoformat(),
                "to": one.new.isoformat(),
            }
            for one in plan.moves
        ],
    }
