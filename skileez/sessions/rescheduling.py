"""Moving a session by request and answer: ask, approve, counter, decline, withdraw, silence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from skileez.availability.slots import Against
from skileez.contracts.rules import check_reason
from skileez.errors import Refusal, Refused, require
from skileez.events import SYSTEM, Actor
from skileez.sessions import meeting, reschedule_rules, rules
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.row import ProposedTime, SessionRow, in_utc
from skileez.sessions.rules import Policy, RequestKind, Role, State


class Rescheduling(SessionRow):
    """The verbs of a reschedule request. None commits; each raises ``Refused`` or is done.

    ``now`` and ``policy`` default to the clock and the policy in force; ``actor`` to the system.
    """

    __abstract__ = True

    def is_reschedule_allowed(
        self, *, now: datetime | None = None, policy: Policy | None = None
    ) -> bool:
        """The 10-hour rule: whether the minimum notice is still ahead."""
        return reschedule_rules.is_reschedule_allowed(
            self.facts, self._when(now), self._policy(policy)
        )

    def can_request_reschedule(
        self, role: str, *, now: datetime | None = None, policy: Policy | None = None
    ) -> bool:
        """Whether this role may ask to move it now."""
        return (
            reschedule_rules.may_request_reschedule(
                self.facts, role, self._when(now), self._policy(policy)
            )
            is None
        )

    def request_reschedule(
        self,
        by: str,
        reason: str,
        *,
        proposed_times: Sequence[datetime] = (),
        actor: Actor = SYSTEM,
        now: datetime | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Ask to move it; with no ``proposed_times`` any time suits. The original time stands."""
        now, policy = self._when(now), self._policy(policy)
        require(reschedule_rules.may_request_reschedule(self.facts, by, now, policy))
        require(check_reason(reason))
        times = tuple(map(in_utc, proposed_times))
        require(reschedule_rules.check_times(times, now, policy, current=self.scheduled_at))
        self._require_free(times, "proposed_times", by, now, policy)
        assert self.scheduled_at is not None
        kind = reschedule_rules.request_kind(by, rules.lead(self.scheduled_at, now), policy)
        assert kind is not None
        self._ask(by, kind, reason.strip(), times, now, policy)
        self._say_request(
            "session.reschedule_requested", State.SCHEDULED, actor, by, now, reason.strip()
        )

    def approve_reschedule(
        self,
        new_time: datetime | None,
        *,
        by: str | None = None,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
        policy: Policy | None = None,
    ) -> None:
        """The other participant agrees: the session moves to ``new_time``; same row and number."""
        now, policy = self._when(now), self._policy(policy)
        new_time = in_utc(new_time) if new_time else None
        require(reschedule_rules.may_approve(self.facts, by, new_time, now, policy))
        assert new_time is not None
        # A proposed time is the coach's choice or has the coach's yes.
        choice_of = None if self.proposed_times else by
        self._require_free((new_time,), "new_scheduled_at", choice_of, now, policy)
        self._move(new_time, by, "session.reschedule_approved", actor, now)

    def counter_reschedule(
        self,
        by: str,
        proposed_times: Sequence[datetime],
        *,
        reason: str | None = None,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Answer with one to three other times: the request turns round, with a new deadline.

        Without a ``reason`` of its own it keeps the one it answers.
        """
        now, policy = self._when(now), self._policy(policy)
        require(reschedule_rules.may_answer(self.facts, by, now))
        if reason and reason.strip():
            require(check_reason(reason))
        times = tuple(map(in_utc, proposed_times))
        require(
            reschedule_rules.check_times(times, now, policy, least=1, current=self.scheduled_at)
        )
        self._require_free(times, "proposed_times", by, now, policy)
        assert self.scheduled_at is not None
        said = (reason or "").strip() or None
        kind = reschedule_rules.counter_kind(by, rules.lead(self.scheduled_at, now), policy)
        self._ask(by, kind, said or self.reschedule_reason or "", times, now, policy)
        self._say_request(
            "session.reschedule_countered", State.RESCHEDULE_REQUESTED, actor, by, now, said
        )

    def decline_reschedule(
        self,
        *,
        by: str | None = None,
        reason: str | None = None,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
    ) -> None:
        """The other participant says no; the original time stands. A reason is optional."""
        now = self._when(now)
        require(reschedule_rules.may_decline(self.facts, by, now))
        reason = (reason or "").strip() or None
        if reason:
            require(check_reason(reason))
        self._close_request()
        self.say(
            "session.reschedule_declined",
            actor=actor,
            role=by,
            now=now,
            status_from=State.RESCHEDULE_REQUESTED,
            status_to=self.state,
            old_time=self.scheduled_at,
            new_time=self.scheduled_at,
            reason=reason,
        )

    def withdraw_reschedule(
        self, by: str, *, actor: Actor = SYSTEM, now: datetime | None = None
    ) -> None:
        """Who asked takes it back; the original time stands."""
        now = self._when(now)
        require(reschedule_rules.may_withdraw(self.facts, by))
        self._close_request()
        self.say(
            "session.reschedule_withdrawn",
            actor=actor,
            role=by,
            now=now,
            status_from=State.RESCHEDULE_REQUESTED,
            status_to=self.state,
            old_time=self.scheduled_at,
            new_time=self.scheduled_at,
        )

    def settle_silence(
        self, *, now: datetime | None = None, policy: Policy | None = None
    ) -> Silence | None:
        """Do what silence decides, if the time to answer is over; None when it is not."""
        now, policy = self._when(now), self._policy(policy)
        if not reschedule_rules.is_answer_due(self.facts, now):
            return None
        meeting.lock_people(self.coach_id, self.student_id)
        times = self.proposed_times
        by_student = self.reschedule_requested_by == Role.STUDENT
        checked = self._refusals(times, Against.AWAY if by_student else Against.TAKEN, now, policy)
        free = [time for time, refusal in zip(times, checked, strict=True) if refusal is None]
        outcome, new_time = reschedule_rules.settle_silence(
            self.facts, free, now, policy, heard=self.has_communicated
        )
        if new_time is not None:
            self._move(new_time, None, "session.reschedule_auto_approved", SYSTEM, now)
            return outcome
        old_time, asked_by = self.scheduled_at, self.reschedule_requested_by
        self._close_request()
        if outcome is Silence.TO_BE_SCHEDULED:
            self.scheduled_at, self.confirmed_by_coach = None, False
            self.scheduling_by = asked_by
        self.say(
            "session.to_be_scheduled"
            if outcome is Silence.TO_BE_SCHEDULED
            else "session.reschedule_lapsed",
            actor=SYSTEM,
            role=None,
            now=now,
            status_from=State.RESCHEDULE_REQUESTED,
            status_to=self.state,
            old_time=old_time,
            new_time=self.scheduled_at,
            details={"asked_by": asked_by},
        )
        return outcome

    def move_with_series(
        self,
        new_time: datetime,
        place: str,
        *,
        asked_by: str,
        approved_by: str | None,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Its series has another pattern, and gives it this place and start, found to be free.

        A pending request to move it alone is closed by it. It is told with the series.
        """
        state = self.state
        self.confirmed_by_coach = reschedule_rules.keeps_confirmation(
            self.confirmed_by_coach, proposed_by=asked_by, approved_by=approved_by
        )
        closed = self._close_request()
        old_time, self.scheduled_at, self.series_place = self.scheduled_at, new_time, place
        self.say(
            "session.moved",
            actor=actor,
            role=approved_by,
            now=now,
            status_from=state,
            status_to=self.state,
            old_time=old_time,
            new_time=new_time,
            details={"with_series": self.series_id, "series_place": place, **closed},
        )

    def _ask(
        self,
        by: str,
        kind: RequestKind,
        reason: str,
        times: Sequence[datetime],
        now: datetime,
        policy: Policy,
    ) -> None:
        assert self.scheduled_at is not None
        self.reschedule_requested = True
        self.reschedule_requested_by = by
        self.reschedule_reason = reason
        self.reschedule_kind = kind
        self.reschedule_asked_at = now
        self.reschedule_deadline = reschedule_rules.answer_deadline(self.scheduled_at, now, policy)
        self._propose(times)

    def _propose(self, times: Sequence[datetime]) -> None:
        kept = {one.position: one for one in self.proposed}
        for position, time in enumerate(times, 1):
            if position in kept:
                kept.pop(position).starts_at = time
            else:
                self.proposed.append(ProposedTime(position=position, starts_at=time))
        for left in kept.values():
            self.proposed.remove(left)

    def _close_request(self) -> dict[str, Any]:
        """Forget the pending request, if there is one; what an event should tell of it."""
        if not self.reschedule_requested:
            return {}
        closed = {
            "closed_request": {
                "by": self.reschedule_requested_by,
                "proposed_times": [time.isoformat() for time in self.proposed_times],
            }
        }
        self.reschedule_requested = False
        self.reschedule_requested_by = self.reschedule_reason = self.reschedule_kind = None
        self.reschedule_asked_at = self.reschedule_deadline = None
        self._propose(())
        return closed

    def _move(
        self, new_time: datetime, approved_by: str | None, verb: str, actor: Actor, now: datetime
    ) -> None:
        asked_by = self.reschedule_requested_by or ""
        proposed = new_time in self.proposed_times
        self.confirmed_by_coach = reschedule_rules.keeps_confirmation(
            self.confirmed_by_coach,
            proposed_by=asked_by if proposed else "",
            approved_by=approved_by,
        )
        self._close_request()
        old_time, self.scheduled_at = self.scheduled_at, new_time
        self.say(
            verb,
            actor=actor,
            role=approved_by,
            now=now,
            status_from=State.RESCHEDULE_REQUESTED,
            status_to=self.state,
            old_time=old_time,
            new_time=new_time,
            details={"asked_by": asked_by},
        )

    def _require_free(
        self,
        times: Sequence[datetime],
        field: str,
        by: str | None,
        now: datetime,
        policy: Policy | None = None,
    ) -> None:
        """Refuse times at which the two cannot meet, ``by`` being whose choice they are."""
        if times:
            meeting.lock_people(self.coach_id, self.student_id)
        against = meeting.against(by)
        for refusal in self._refusals(times, against, now, self._policy(policy)):
            if refusal:
                raise Refused(replace(refusal, field=field))

    def _refusals(
        self, times: Sequence[datetime], against: Against, now: datetime, policy: Policy
    ) -> list[Refusal | None]:
        return meeting.refusals(
            self.coach_id,
            self.student_id,
            times,
            self.duration_minutes,
            against,
            now=now,
            policy=policy,
            besides=self.id,
        )

    def _say_request(
        self,
        verb: str,
        state_from: State,
        actor: Actor,
        by: str,
        now: datetime,
        reason: str | None,
    ) -> None:
        assert self.reschedule_deadline is not None
        self.say(
            verb,
            actor=actor,
            role=by,
            now=now,
            status_from=state_from,
            status_to=self.state,
            old_time=self.scheduled_at,
            reason=reason,
            details={
                "proposed_times": [time.isoformat() for time in self.proposed_times],
                "kind": str(self.reschedule_kind),
                "deadline": self.reschedule_deadline.isoformat(),
            },
        )
