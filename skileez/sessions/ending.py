"""The verbs that end a session: complete, cancel, miss; and notes on a completed one."""

from datetime import datetime

from skileez.contracts.rules import check_reason
from skileez.errors import N_, require
from skileez.events import SYSTEM, Actor
from skileez.sessions import outcome_rules, rules
from skileez.sessions.attendance import Attendance
from skileez.sessions.presence_rules import ABSENCES, Outcome
from skileez.sessions.rules import Policy

TECHNICAL_PROBLEM = N_("There was a technical problem.")


class Ending(Attendance):
    """Each closes the pending request, and tells what became of it in one event.

    None commits; each raises ``Refused`` or is done. ``now`` and ``policy`` default to the clock
    and the policy in force; ``actor`` to the system.
    """

    __abstract__ = True

    def can_be_completed(self, *, now: datetime | None = None) -> bool:
        """Whether a participant may complete it now."""
        return outcome_rules.may_complete(self.facts, None, self._when(now)) is None

    def mark_completed(
        self,
        notes: str | None = None,
        by: str | None = None,
        *,
        actual_minutes: int | None = None,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
    ) -> None:
        """It took place. Notes go under the completer's role; a pending request is closed."""
        now = self._when(now)
        require(outcome_rules.may_complete(self.facts, by, now, self.account()))
        require(outcome_rules.check_notes(notes))
        if notes and notes.strip():
            require(rules.refuse_stranger(by))  # notes are somebody's: never lost in silence
        require(outcome_rules.check_actual_minutes(actual_minutes))
        self.actual_minutes = actual_minutes
        self._store_notes(notes, by)
        self._complete(by, actor, now)

    def add_notes(
        self, notes: str, by: str, *, actor: Actor = SYSTEM, now: datetime | None = None
    ) -> None:
        """This participant's own notes on a completed session; what they had is replaced."""
        now = self._when(now)
        require(outcome_rules.may_add_notes(self.facts, by))
        require(outcome_rules.check_notes(notes))
        before = self.student_notes if by == rules.Role.STUDENT else self.coach_notes
        if (notes.strip() or None) != before:
            self._store_notes(notes, by)
            self.say(
                "session.notes_changed",
                actor=actor,
                role=by,
                now=now,
                details={"before": before},
            )

    def _store_notes(self, notes: str | None, by: str | None) -> None:
        said = (notes or "").strip() or None
        if by == rules.Role.STUDENT:
            self.student_notes = said
        elif by == rules.Role.COACH:
            self.coach_notes = said

    def cancel_session(
        self,
        *,
        by: str | None = None,
        reason: str | None = None,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
        policy: Policy | None = None,
        with_contract: bool = False,
        with_series: int | None = None,
    ) -> None:
        """At once and for good; its number is free for a make-up. A participant gives a reason.

        ``with_contract``: because its contract ends, which is told once for all its sessions;
        ``with_series``: together with others of this series, which is told once too.
        """
        now, policy = self._when(now), self._policy(policy)
        require(outcome_rules.may_cancel(self.facts, by))
        said = self._reason(by, reason)
        ahead = rules.lead(self.scheduled_at, now) if self.scheduled_at else None
        self.cancelled_by = by
        self.cancelled_late = outcome_rules.is_late_cancellation(ahead, by, policy)
        details: dict[str, object] = {"with_contract": True} if with_contract else {}
        if with_series is not None:
            details["with_series"] = with_series
        self._cancel(by, said, actor, now, **details)

    def mark_missed(
        self,
        *,
        by: str | None = None,
        reason: str | None = None,
        absent: str | None = None,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
    ) -> None:
        """Nobody held it; a participant says who was absent and why. Its number is free again."""
        now = self._when(now)
        require(outcome_rules.may_mark_missed(self.facts, by, now, self.account()))
        said = self._reason(by, reason)
        if by is not None or absent is not None:
            require(outcome_rules.check_absent(absent))
        self._miss(by, said, absent, actor, now)

    def end_as(
        self,
        outcome: Outcome,
        *,
        by: str,
        reason: str | None = None,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
    ) -> None:
        """As both said, or as an administrator decided (``by`` is "admin"; told with the case).

        A technical problem cancels it, and is nobody's: neither late nor a no-show.
        """
        now = self._when(now)
        details = {"with_case": True} if by == rules.Role.ADMIN else {}
        if outcome is Outcome.HELD:
            require(outcome_rules.may_complete(self.facts, None, now))
            self._complete(by, actor, now, **details)
        elif outcome is Outcome.TECHNICAL:
            require(outcome_rules.may_cancel(self.facts, None))
            self._cancel(by, reason or TECHNICAL_PROBLEM, actor, now, **details)
        else:
            require(outcome_rules.may_mark_missed(self.facts, None, now, self.account()))
            self._miss(by, reason, ABSENCES[outcome], actor, now, **details)

    # Shared by the verbs

    def _complete(self, by: str | None, actor: Actor, now: datetime, **details: object) -> None:
        self.completed_date = now
        details |= self._close_request()
        self._become("complete", "session.completed", actor, by, now, None, details)
        self.contract.count_completed(actor=actor, now=now)

    def _cancel(
        self, by: str | None, said: str | None, actor: Actor, now: datetime, **details: object
    ) -> None:
        ahead = rules.lead(self.scheduled_at, now) if self.scheduled_at else None
        lead = None if ahead is None else int(ahead.total_seconds())
        self.cancelled_at, self.cancel_reason = now, said
        details |= {"lead_seconds": lead, "late": self.cancelled_late, **self._close_request()}
        self._become("cancel", "session.cancelled", actor, by, now, said, details)

    def _miss(
        self,
        by: str | None,
        said: str | None,
        absent: str | None,
        actor: Actor,
        now: datetime,
        **details: object,
    ) -> None:
        self.missed_at, self.missed_by, self.missed_reason = now, by, said
        self.absent = absent
        details |= {"absent": absent, **self._close_request()}
        self._become("miss", "session.missed", actor, by, now, said, details)

    def _reason(self, by: str | None, reason: str | None) -> str | None:
        if by is not None or reason:
            require(check_reason(reason))
        return (reason or "").strip() or None

    def _become(
        self,
        transition: str,
        verb: str,
        actor: Actor,
        by: str | None,
        now: datetime,
        reason: str | None = None,
        details: dict[str, object] | None = None,
    ) -> None:
        before, self.status = rules.TRANSITIONS[transition]
        self.say(
            verb,
            actor=actor,
            role=by,
            now=now,
            status_from=before,
            status_to=self.status,
            old_time=self.scheduled_at,
            reason=reason,
            details=details,
        )
