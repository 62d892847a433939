"""Proposal and contract: what a coach offers, and what both then hold to."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from skileez import db, events
from skileez.accounts.models import Person
from skileez.contracts import rules, standing_rules
from skileez.contracts.meeting_link_rules import URL_MAX, check_meeting_url, may_set_meeting_link
from skileez.contracts.rules import ContractStatus, ProposalStatus
from skileez.db import Model, UTCDateTime, one_of
from skileez.errors import require
from skileez.events import Actor


class Proposal(Model):
    """A coach's offer to one student; ``price`` is per session, in minor units of ``currency``."""

    __tablename__ = "proposal"
    __table_args__ = (
        CheckConstraint(one_of("status", ProposalStatus), name="status"),
        CheckConstraint("coach_id <> student_id", name="two_people"),
        CheckConstraint(f"total_sessions BETWEEN 1 AND {rules.MAX_SESSIONS}", name="total"),
        CheckConstraint(f"price BETWEEN 0 AND {rules.MAX_PRICE}", name="price"),
        CheckConstraint(
            f"duration_minutes BETWEEN {rules.MIN_MINUTES} AND {rules.MAX_MINUTES}",
            name="duration",
        ),
        CheckConstraint("length(currency) = 3", name="currency"),
        Index("ix_proposal_coach_id_status_id", "coach_id", "status", "id"),
        Index("ix_proposal_student_id_status_id", "student_id", "status", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    coach_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    student_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    title: Mapped[str] = mapped_column(String(rules.TITLE_MAX))
    message: Mapped[str] = mapped_column(Text, default="")
    total_sessions: Mapped[int]
    duration_minutes: Mapped[int]
    price: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    timezone: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(20), default=ProposalStatus.PENDING)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    coach: Mapped[Person] = relationship(foreign_keys=[coach_id])
    student: Mapped[Person] = relationship(foreign_keys=[student_id])
    contract: Mapped["Contract | None"] = relationship(back_populates="proposal")

    __mapper_args__: Mapping[str, Any] = {"version_id_col": version}

    def accept(self, *, actor: Actor, now: datetime) -> "Contract":
        """The student says yes: a contract starts on the same terms. Raises ``Refused``."""
        require(rules.may_answer_proposal(self.status, is_student=actor.id == self.student_id))
        self._close(ProposalStatus.ACCEPTED, now)
        contract = Contract(
            proposal=self,
            number=f"C-{self.id:06d}",
            coach_id=self.coach_id,
            student_id=self.student_id,
            title=self.title,
            total_sessions=self.total_sessions,
            duration_minutes=self.duration_minutes,
            rate=self.price,
            currency=self.currency,
            timezone=self.timezone,
            status=ContractStatus.ACTIVE,
            starts_on=now.date(),
            created_at=now,
        )
        db.session.add(contract)
        self._say("proposal.accepted", actor, "student", now)
        contract.say("contract.started", actor=actor, role="student", now=now)
        return contract

    def decline(self, *, actor: Actor, now: datetime, reason: str | None = None) -> None:
        """The student says no; a reason is optional. Raises ``Refused``."""
        require(rules.may_answer_proposal(self.status, is_student=actor.id == self.student_id))
        reason = _reason(reason)
        self._close(ProposalStatus.DECLINED, now)
        self._say("proposal.declined", actor, "student", now, reason)

    def withdraw(self, *, actor: Actor, now: datetime) -> None:
        """The coach takes it back before an answer. Raises ``Refused``."""
        require(rules.may_withdraw_proposal(self.status, is_coach=actor.id == self.coach_id))
        self._close(ProposalStatus.WITHDRAWN, now)
        self._say("proposal.withdrawn", actor, "coach", now)

    def _close(self, status: ProposalStatus, now: datetime) -> None:
        self.status, self.answered_at = status, now

    def _say(
        self, verb: str, actor: Actor, role: str, now: datetime, reason: str | None = None
    ) -> None:
        events.append(
            f"proposal:{self.id}",
            verb,
            at=now,
            actor=actor,
            role=role,
            proposal_id=self.id,
            status_from=ProposalStatus.PENDING,
            status_to=self.status,
            reason=reason or None,
        )


class Contract(Model):
    """What coach and student agreed on. ``rate`` is per session, in minor units.

    ``completed_sessions`` changes in the transaction that completes a session.
    """

    __tablename__ = "contract"
    __table_args__ = (
        UniqueConstraint("proposal_id"),
        UniqueConstraint("number"),
        CheckConstraint(one_of("status", ContractStatus), name="status"),
        CheckConstraint("coach_id <> student_id", name="two_people"),
        CheckConstraint("completed_sessions BETWEEN 0 AND total_sessions", name="completed"),
        CheckConstraint(f"total_sessions BETWEEN 1 AND {rules.MAX_SESSIONS}", name="total"),
        CheckConstraint(f"rate BETWEEN 0 AND {rules.MAX_PRICE}", name="rate"),
        CheckConstraint(
            f"duration_minutes BETWEEN {rules.MIN_MINUTES} AND {rules.MAX_MINUTES}",
            name="duration",
        ),
        CheckConstraint("meeting_url IS NULL OR meeting_url LIKE 'https://%'", name="meeting_url"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
        Index("ix_contract_coach_id_status_id", "coach_id", "status", "id"),
        Index("ix_contract_student_id_status_id", "student_id", "status", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposal.id"))
    number: Mapped[str] = mapped_column(String(20))
    coach_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    student_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    title: Mapped[str] = mapped_column(String(rules.TITLE_MAX))
    total_sessions: Mapped[int]
    completed_sessions: Mapped[int] = mapped_column(default=0)
    duration_minutes: Mapped[int]
    rate: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    timezone: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(20), default=ContractStatus.ACTIVE)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    meeting_url: Mapped[str | None] = mapped_column(String(URL_MAX))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    proposal: Mapped[Proposal] = relationship(back_populates="contract")
    coach: Mapped[Person] = relationship(foreign_keys=[coach_id])
    student: Mapped[Person] = relationship(foreign_keys=[student_id])

    @property
    def progress_percentage(self) -> float:
        """Completed ÷ total × 100, between 0 and 100."""
        return rules.progress_percentage(self.completed_sessions, self.total_sessions)

    @property
    def remaining_sessions(self) -> int:
        """Total minus completed."""
        return rules.remaining_sessions(self.completed_sessions, self.total_sessions)

    def role_of(self, person_id: int | None) -> str | None:
        """This person's part in the contract: "student", "coach" or None."""
        if person_id is None:
            return None
        return {self.student_id: "student", self.coach_id: "coach"}.get(person_id)

    def count_completed(self, *, actor: Actor, now: datetime) -> None:
        """One more session is completed; the last one completes a contract that is not over."""
        # Counted by the database: a contract that was read without its lock may be old news.
        completed, status = db.session.execute(_COUNT_COMPLETED, {"contract": self.id}).one()
        set_committed_value(self, "completed_sessions", completed)
        set_committed_value(self, "status", status)
        finished = rules.is_finished(self.completed_sessions, self.total_sessions)
        if finished and standing_rules.may_end(self.status) is None:
            self._become(ContractStatus.COMPLETED, "contract.completed", actor, None, now)
            self.ends_on = max(self.starts_on, now.date())

    def pause(self, *, actor: Actor, role: str, now: datetime, reason: str | None = None) -> None:
        """No booking and no completing until it is resumed; a reason is optional.

        Raises ``Refused``.
        """
        require(standing_rules.may_pause(self.status))
        said = _reason(reason)
        self._become(ContractStatus.PAUSED, "contract.paused", actor, role, now, said)

    def resume(self, *, actor: Actor, role: str, now: datetime) -> None:
        """Active again. Raises ``Refused``."""
        require(standing_rules.may_resume(self.status))
        self._become(ContractStatus.ACTIVE, "contract.resumed", actor, role, now)

    def end(self, *, actor: Actor, role: str, reason: str, now: datetime) -> None:
        """End it before its last session; its sessions are cancelled beside it, by the action.

        Raises ``Refused`` for a contract that is over and for a reason out of bounds.
        """
        require(standing_rules.may_end(self.status))
        require(rules.check_reason(reason))
        self._become(
            ContractStatus.CANCELLED, "contract.cancelled", actor, role, now, reason.strip()
        )
        self.ends_on = max(self.starts_on, now.date())

    def set_meeting_url(self, url: str | None, *, actor: Actor, role: str, now: datetime) -> None:
        """Where its sessions are held, unless one says otherwise; https only, or None.

        Raises ``Refused`` for anybody but the coach and for a contract that is over.
        """
        require(may_set_meeting_link(self.status, is_coach=role == "coach"))
        url = (url or "").strip() or None
        require(check_meeting_url(url))
        if url != self.meeting_url:
            self.meeting_url = url
            self.say(
                "contract.meeting_link_set",
                actor=actor,
                role=role,
                now=now,
                details={"meeting_url": url},
            )

    def _become(
        self,
        status: ContractStatus,
        verb: str,
        actor: Actor,
        role: str | None,
        now: datetime,
        reason: str | None = None,
    ) -> None:
        before, self.status = self.status, status
        self.say(
            verb,
            actor=actor,
            role=role,
            now=now,
            status_from=before,
            status_to=status,
            reason=reason,
        )

    def say(self, verb: str, *, actor: Actor, role: str | None, now: datetime, **what: Any) -> None:
        """Append an event to this contract's stream."""
        events.append(
            f"contract:{self.id}",
            verb,
            at=now,
            actor=actor,
            role=role,
            proposal_id=self.proposal_id,
            contract_id=self.id,
            **what,
        )


_COUNT_COMPLETED = (
    update(Contract)
    .where(Contract.id == bindparam("contract"))
    .values(completed_sessions=Contract.completed_sessions + 1)
    .returning(Contract.completed_sessions, Contract.status)
    .execution_options(synchronize_session=False)
)


def _reason(said: str | None) -> str | None:
    """An optional reason, trimmed; if there is one it has the length of any other."""
    said = (said or "").strip() or None
    if said:
        require(rules.check_reason(said))
    return said
