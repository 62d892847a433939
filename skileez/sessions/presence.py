"""Who was there, and what each side says became of it: the rows."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from skileez.contracts.rules import REASON_MAX, REASON_MIN
from skileez.db import Model, UTCDateTime, one_of
from skileez.sessions.presence_rules import OUTCOME_NOTE_MAX, Outcome, Way
from skileez.sessions.rules import PARTICIPANTS


class CheckIn(Model):
    """The first time a participant showed their presence in each way."""

    __tablename__ = "check_in"
    __table_args__ = (
        UniqueConstraint("session_id", "role", "way"),
        CheckConstraint(one_of("role", PARTICIPANTS), name="role"),
        CheckConstraint(one_of("way", Way), name="way"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    role: Mapped[str] = mapped_column(String(20))
    way: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class OutcomeSaid(Model):
    """What one side says; they may change it until both agree or a case is decided."""

    __tablename__ = "outcome_said"
    __table_args__ = (
        CheckConstraint(one_of("role", PARTICIPANTS), name="role"),
        CheckConstraint(one_of("outcome", Outcome), name="outcome"),
        CheckConstraint(f"length(note) <= {OUTCOME_NOTE_MAX}", name="note"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(Text)
    said_at: Mapped[datetime] = mapped_column(UTCDateTime)


_OPEN_CASE = text("closed_at IS NULL")


class OutcomeCase(Model):
    """Two accounts of one session that do not agree, for an administrator to decide."""

    __tablename__ = "outcome_case"
    __table_args__ = (
        UniqueConstraint("session_id"),
        CheckConstraint(f"decision IS NULL OR {one_of('decision', Outcome)}", name="decision"),
        CheckConstraint("(closed_at IS NULL) = (decision IS NULL)", name="closed"),
        CheckConstraint(f"length(note) BETWEEN {REASON_MIN} AND {REASON_MAX}", name="note"),
        Index(
            "ix_outcome_case_open",
            "opened_at",
            sqlite_where=_OPEN_CASE,
            postgresql_where=_OPEN_CASE,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decision: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(Text)
