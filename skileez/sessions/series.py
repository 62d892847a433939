"""A series: sessions of one contract that recur at one wall-clock time of one zone.

Names are RFC 5545's: ``rrule`` ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10") counts on from
``dtstart``, the first start as clocks show it. A session's ``series_place`` is its RECURRENCE-ID:
the wall-clock start that the rule gave it, which it keeps wherever it moves.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import flag_modified

from skileez.contracts.models import Contract
from skileez.contracts.rules import MAX_MINUTES, MIN_MINUTES
from skileez.db import Model, UTCDateTime, one_of
from skileez.events import Actor
from skileez.sessions.recurrence import Pattern, from_text, place_of
from skileez.sessions.rules import PARTICIPANTS, Pending, RequestKind
from skileez.sessions.series_rules import SeriesFacts


class Series(Model):
    """One pattern of a contract. Where it moves, the row says the new one from then on; sessions
    from before keep the places that the old one gave them, and the events tell it.
    """

    __tablename__ = "series"
    __table_args__ = (
        CheckConstraint("length(zone) BETWEEN 1 AND 64", name="zone_length"),
        CheckConstraint(
            f"duration_minutes BETWEEN {MIN_MINUTES} AND {MAX_MINUTES}", name="duration"
        ),
        CheckConstraint(one_of("created_by", PARTICIPANTS), name="created_by"),
        Index("ix_series_contract_id", "contract_id"),
        Index(
            "ix_series_clocks_at",
            "clocks_at",
            sqlite_where=text("clocks_at IS NOT NULL"),
            postgresql_where=text("clocks_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
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

    @property
    def pattern(self) -> Pattern:
        """The rule of the dates to come."""
        return from_text(self.zone, self.dtstart, self.rrule, self.duration_minutes)

    @pattern.setter
    def pattern(self, pattern: Pattern) -> None:
        self.zone, self.duration_minutes = pattern.zone, pattern.minutes
        self.dtstart, self.rrule = place_of(pattern.dtstart), pattern.rrule

    @property
    def facts(self) -> SeriesFacts:
        """This series as the rules see it."""
        asked = self.request
        pending = Pending(asked.asked_by, asked.kind, asked.deadline) if asked else None
        return SeriesFacts(stopped=self.stopped_at is not None, pending=pending)

    def changed(self) -> None:
        """Make pages of the series from before stale, also where only its request changed."""
        flag_modified(self, "rrule")

    def close_request(self) -> dict[str, Any]:
        """Forget the waiting request, if there is one; what an event should tell of it."""
        if self.request is None:
            return {}
        closed = {"by": self.request.asked_by, "from_place": self.request.from_place}
        self.request = None
        self.changed()
        return {"closed_request": closed}

    def say(self, verb: str, *, actor: Actor, role: str | None, now: datetime, **what: Any) -> None:
        """Append an event about this series to its contract's stream."""
        details = {"series_id": self.id, **what.pop("details", {})}
        self.contract.say(verb, actor=actor, role=role, now=now, details=details, **what)


class SeriesProposedTime(Model):
    """The start that the waiting request would give a session: held, as it was when it was asked.

    It goes with the request.
    """

    __tablename__ = "series_proposed_time"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    series_id: Mapped[int] = mapped_column(
        ForeignKey("series_request.series_id", ondelete="CASCADE"), index=True
    )
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class SeriesRequest(Model):
    """The one question that waits: may the pattern move, from ``from_place`` on?"""

    __tablename__ = "series_request"
    __table_args__ = (
        CheckConstraint(one_of("asked_by", PARTICIPANTS), name="asked_by"),
        CheckConstraint(one_of("kind", RequestKind), name="kind"),
        CheckConstraint("deadline > asked_at", name="deadline"),
        Index("ix_series_request_deadline", "deadline"),
    )

    series_id: Mapped[int] = mapped_column(
        ForeignKey("series.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    asked_by: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    from_place: Mapped[str] = mapped_column(String(16))
    dtstart: Mapped[str] = mapped_column(String(16))
    rrule: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    deadline: Mapped[datetime] = mapped_column(UTCDateTime)

    proposed: Mapped[list[SeriesProposedTime]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )

    def pattern(self, series: Series) -> Pattern:
        """The rule that is asked for, for the dates from ``from_place`` on."""
        return from_text(series.zone, self.dtstart, self.rrule, series.duration_minutes)
