"""A series: sessions of one contract that recur at one wall-clock time of one zone.

Names are RFC 5545's: ``rrule`` ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10") counts on from
``dtstart``, the first start as clocks show it. A session's ``series_place`` is its RECURRENCE-ID:
the wall-clock start that the rule gave it, which it keeps wherever it moves.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from skileez.contracts.models import Contract
from skileez.contracts.rules import MAX_MINUTES, MIN_MINUTES
from skileez.db import Model, UTCDateTime, one_of
from skileez.sessions.rules import PARTICIPANTS


class Series(Model):
    """One pattern of a contract. A pattern that moves from a date on is a new row that follows."""

    __tablename__ = "series"
    __table_args__ = (
        CheckConstraint("length(zone) BETWEEN 1 AND 64", name="zone_length"),
        CheckConstraint(
            f"duration_minutes BETWEEN {MIN_MINUTES} AND {MAX_MINUTES}", name="duration"
        ),
        CheckConstraint(one_of("created_by", PARTICIPANTS), name="created_by"),
        Index("ix_series_contract_id", "contract_id"),
        Index("ix_series_follows_id", "follows_id"),
        Index(
            "ix_series_clocks_at",
            "clocks_at",
            sqlite_where=text("clocks_at IS NOT NULL"),
            postgresql_where=text("clocks_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"))
    """The series that this one continues with another pattern."""
    zone: Mapped[str] = mapped_column(String(64))
    dtstart: Mapped[str] = mapped_column(String(16))
    """The first start as clocks of ``zone`` show it: "2027-03-01T18:00"."""
    rrule: Mapped[str] = mapped_column(String(200))
    duration_minutes: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    clocks_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When to look next whether clocks change its time for one of the two; NULL = not again."""
    version: Mapped[int] = mapped_column(default=1)

    contract: Mapped[Contract] = relationship()
    request: Mapped["SeriesRequest | None"] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy's own way)


class SeriesRequest(Model):
    """The one question that waits: may the pattern move, from ``from_place`` on?"""

    __tablename__ = "series_request"
    __table_args__ = (
        CheckConstraint(one_of("asked_by", PARTICIPANTS), name="asked_by"),
        CheckConstraint("deadline > asked_at", name="deadline"),
        Index("ix_series_request_deadline", "deadline"),
    )

    series_id: Mapped[int] = mapped_column(
        ForeignKey("series.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    asked_by: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    from_place: Mapped[str] = mapped_column(String(16))
    dtstart: Mapped[str] = mapped_column(String(16))
    rrule: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    deadline: Mapped[datetime] = mapped_column(UTCDateTime)
