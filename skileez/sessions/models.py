"""A coaching session: its table, its life from scheduled to its end, and what it tells of itself.

Method names and positions are the source document's; what they lack (actor, reason, the instant)
are keyword arguments. ``can_x`` stands beside ``x`` and asks the same rule. Nothing here commits.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, Index, bindparam, select, text
from sqlalchemy.orm import declared_attr

from skileez import db
from skileez.contracts.meeting_link_rules import check_meeting_url
from skileez.contracts.rules import (
    MAX_MINUTES,
    MIN_MINUTES,
    check_reason,
    free_number,
    may_add_session,
)
from skileez.db import one_of
from skileez.errors import require
from skileez.events import SYSTEM, Actor
from skileez.sessions import guards, outcome_rules, rules
from skileez.sessions.ending import Ending
from skileez.sessions.meeting import BookedTime
from skileez.sessions.row import ProposedTime
from skileez.sessions.rules import Absent, Policy, RequestKind, State, Status
from skileez.sessions.series import Series

__all__ = ["BookedTime", "ProposedTime", "Series", "Session", "live_numbers"]

guards.install()

_LIVE = text("status IN ('scheduled', 'completed')")
_WAITING = text("reschedule_requested")
_DISPUTED = text("correction_by IS NOT NULL")
_SILENT = text("status = 'scheduled' AND NOT heard")


class Session(Ending):
    """One session of a contract; a make-up is a new row with the number of the one it replaces."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint(one_of("status", Status), name="status"),
        CheckConstraint("session_number >= 1", name="number"),
        CheckConstraint(
            f"duration_minutes BETWEEN {MIN_MINUTES} AND {MAX_MINUTES}", name="duration"
        ),
        CheckConstraint("coach_id <> student_id", name="two_people"),
        CheckConstraint("(scheduled_at IS NULL) = (ends_at IS NULL)", name="end"),
        CheckConstraint(
            "reschedule_requested = (reschedule_deadline IS NOT NULL)", name="deadline"
        ),
        CheckConstraint(
            "reschedule_requested = (reschedule_requested_by IS NOT NULL)", name="asked_by"
        ),
        CheckConstraint("reschedule_requested = (reschedule_reason IS NOT NULL)", name="asked_why"),
        CheckConstraint("reschedule_requested = (reschedule_kind IS NOT NULL)", name="asked_kind"),
        CheckConstraint(
            "NOT reschedule_requested OR (status = 'scheduled' AND scheduled_at IS NOT NULL)",
            name="request_only_while_scheduled",
        ),
        CheckConstraint(
            "reschedule_requested_by IS NULL OR "
            + one_of("reschedule_requested_by", rules.PARTICIPANTS),
            name="asked_by_participant",
        ),
        CheckConstraint(
            f"reschedule_kind IS NULL OR {one_of('reschedule_kind', RequestKind)}", name="kind"
        ),
        CheckConstraint("(status = 'completed') = (completed_date IS NOT NULL)", name="completed"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled"),
        CheckConstraint("status <> 'missed' OR missed_at IS NOT NULL", name="missed"),
        CheckConstraint("correction_by IS NULL OR status = 'missed'", name="correction"),
        CheckConstraint(f"absent IS NULL OR {one_of('absent', Absent)}", name="absent"),
        CheckConstraint("meeting_url IS NULL OR meeting_url LIKE 'https://%'", name="meeting_url"),
        CheckConstraint(
            f"actual_minutes BETWEEN 1 AND {outcome_rules.ACTUAL_MINUTES_MAX}",
            name="actual_minutes",
        ),
        CheckConstraint(
            f"length(student_notes) <= {outcome_rules.NOTES_MAX}", name="student_notes"
        ),
        CheckConstraint(f"length(coach_notes) <= {outcome_rules.NOTES_MAX}", name="coach_notes"),
        Index(
            "uq_session_live_number",
            "contract_id",
            "session_number",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_session_contract_id_number", "contract_id", "session_number", "id"),
        Index("ix_session_proposal_id", "proposal_id"),
        Index("ix_session_coach_id_listed_at", "coach_id", "listed_at", "id"),
        Index("ix_session_student_id_listed_at", "student_id", "listed_at", "id"),
        Index("ix_session_coach_id_status", "coach_id", "status", "listed_at", "id"),
        Index("ix_session_student_id_status", "student_id", "status", "listed_at", "id"),
        Index(
            "ix_session_reschedule_deadline",
            "reschedule_deadline",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index(
            "ix_session_disputed",
            "missed_at",
            sqlite_where=_DISPUTED,
            postgresql_where=_DISPUTED,
        ),
        CheckConstraint("(series_id IS NULL) = (series_place IS NULL)", name="series_place"),
        Index("ix_session_series_id_place", "series_id", "series_place"),
        Index("ix_session_ends_at", "ends_at", sqlite_where=_SILENT, postgresql_where=_SILENT),
    )

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

    # What it tells of itself

    def get_status_display(self) -> str:
        """Its state in words: "Scheduled", "Confirmed", "To be scheduled", "Missed" …"""
        if self.state is State.SCHEDULED:
            if self.scheduled_at is None:
                return "To be scheduled"
            return "Confirmed" if self.confirmed_by_coach else "Scheduled"
        return str(self.state).replace("_", " ").capitalize()

    def get_time_until_session(self, *, now: datetime | None = None) -> timedelta | None:
        """Elapsed time until its start: negative once started, None while to be scheduled."""
        return rules.lead(self.scheduled_at, self._when(now)) if self.scheduled_at else None

    def is_overdue(self, *, now: datetime | None = None) -> bool:
        """Whether its end has passed and nobody has said what became of it."""
        return outcome_rules.is_overdue(self.facts, self._when(now))

    @property
    def counts_as_no_show(self) -> bool:
        """Missed, or cancelled after its start."""
        ahead = None
        if self.cancelled_at and self.scheduled_at:
            ahead = rules.lead(self.scheduled_at, self.cancelled_at)
        return outcome_rules.counts_as_no_show(self.status, ahead, self.cancelled_by)

    # Confirming

    def can_confirm(self, role: str, *, now: datetime | None = None) -> bool:
        """Whether this role may confirm it now."""
        return rules.may_confirm(self.facts, role, self._when(now)) is None

    def confirm(
        self,
        by: str,
        *,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
        with_series: int | None = None,
    ) -> None:
        """The coach says it is on; a second time changes nothing.

        ``with_series``: together with others of this series, which is told once too.
        """
        now = self._when(now)
        require(rules.may_confirm(self.facts, by, now))
        if not self.confirmed_by_coach:
            self.confirmed_by_coach = True
            details = {} if with_series is None else {"with_series": with_series}
            self.say("session.confirmed", actor=actor, role=by, now=now, details=details)

    # Correcting

    def request_correction(
        self,
        by: str,
        reason: str,
        *,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
        policy: Policy | None = None,
    ) -> None:
        """A participant says that a missed session did take place; the other has to agree."""
        now, policy = self._when(now), self._policy(policy)
        require(outcome_rules.may_request_correction(self.facts, by, now, policy))
        require(check_reason(reason))
        self.correction_by, self.correction_reason = by, reason.strip()
        self.say(
            "session.correction_requested", actor=actor, role=by, now=now, reason=reason.strip()
        )

    def approve_correction(
        self, by: str, *, actor: Actor = SYSTEM, now: datetime | None = None
    ) -> None:
        """The other participant or an administrator agrees: it becomes completed.

        Where its number went to a make-up it takes the lowest free one. Raises ``Refused`` when
        the contract has none left, or its time was given to another session.
        """
        now, by = self._when(now), self.role_of(actor.id) or by
        require(outcome_rules.may_answer_correction(self.facts, by))
        taken = live_numbers(self.contract_id)
        require(may_add_session(len(taken), self.contract.total_sessions))
        if self.scheduled_at:
            self._require_free((self.scheduled_at,), "scheduled_at", None, now)
        if self.session_number in taken:
            number = free_number(taken, self.contract.total_sessions)
            assert number is not None
            self.session_number = number
        self.correction_by = None
        self.completed_date = now
        self._become(
            "correct",
            "session.corrected",
            actor,
            by,
            now,
            self.correction_reason,
            {"session_number": self.session_number},
        )
        self.contract.count_completed(actor=actor, now=now)

    def decline_correction(
        self, by: str, *, actor: Actor = SYSTEM, now: datetime | None = None
    ) -> None:
        """The other participant or an administrator disagrees: it stays missed."""
        now, by = self._when(now), self.role_of(actor.id) or by
        require(outcome_rules.may_answer_correction(self.facts, by))
        self.correction_by = None
        self.say("session.correction_declined", actor=actor, role=by, now=now)

    # Its time, length and place

    def schedule(
        self,
        start: datetime | None,
        *,
        by: str | None = None,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Give a session that is "to be scheduled" its time."""
        now, policy = self._when(now), self._policy(policy)
        require(rules.may_schedule(self.facts, by))
        require(rules.check_start(start, now, policy))
        assert start is not None
        self._require_free((start,), "scheduled_at", by, now, policy)
        self.scheduled_at, self.scheduling_by = start, None
        self.scheduled_date = self.scheduled_date or start
        self.confirmed_by_coach = by == rules.Role.COACH
        self.say("session.scheduled", actor=actor, role=by, now=now, new_time=start)

    def set_meeting_url(
        self,
        url: str | None,
        by: str,
        *,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
    ) -> None:
        """Where this one is held, if not where the contract says; https only, or None."""
        url = (url or "").strip() or None
        require(rules.may_set_meeting_url(self.facts, by))
        require(check_meeting_url(url))
        if url != self.meeting_url:
            self.meeting_url = url
            self.say(
                "session.meeting_link_set",
                actor=actor,
                role=by,
                now=self._when(now),
                details={"meeting_url": url},
            )


def live_numbers(contract_id: int) -> set[int]:
    """The numbers of a contract's live sessions."""
    return set(db.session.scalars(_LIVE_NUMBERS, {"contract": contract_id}))


_LIVE_NUMBERS = select(Session.session_number).where(
    Session.contract_id == bindparam("contract"), Session.status.in_(rules.LIVE)
)
