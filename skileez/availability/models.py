"""A coach's hours, and the days a coach is away.

Hours are one row with a document in it: they are read whole for every slot and every booking,
edited whole on one page, and have a version that tells two edits apart.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from skileez.accounts.models import Person
from skileez.availability import rules
from skileez.availability.rules import WEEKDAYS, Hours, Span, Stay
from skileez.db import Model, UTCDateTime


class Availability(Model):
    """When a coach may be booked. ``weekly``: {"MO": [[540, 720]]}, minutes since midnight;
    ``dates``: {"2027-03-10": [[600, 720]]}, an empty list closes it; ``stays``: [{"zone": …,
    "first": "2027-03-01", "last": …}]. A coach without a row may be booked at any time.
    """

    __tablename__ = "availability"
    __table_args__ = (
        CheckConstraint("length(zone) BETWEEN 1 AND 64", name="zone_length"),
        CheckConstraint(
            f"buffer_before BETWEEN 0 AND {rules.MAX_BUFFER} "
            f"AND buffer_after BETWEEN 0 AND {rules.MAX_BUFFER}",
            name="buffers",
        ),
        CheckConstraint(f"notice BETWEEN 0 AND {rules.MAX_NOTICE}", name="notice"),
        CheckConstraint(f"horizon BETWEEN 1 AND {rules.MAX_HORIZON}", name="horizon"),
        CheckConstraint(f"step BETWEEN {min(rules.STEPS)} AND {max(rules.STEPS)}", name="step"),
        CheckConstraint("per_day IS NULL OR per_day >= 1", name="per_day"),
        CheckConstraint("per_week IS NULL OR per_week >= 1", name="per_week"),
    )

    coach_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    zone: Mapped[str] = mapped_column(String(64))
    weekly: Mapped[dict[str, Any]] = mapped_column(JSON)
    dates: Mapped[dict[str, Any]] = mapped_column(JSON)
    stays: Mapped[list[Any]] = mapped_column(JSON)
    buffer_before: Mapped[int] = mapped_column(default=0)
    buffer_after: Mapped[int] = mapped_column(default=0)
    notice: Mapped[int] = mapped_column(default=60)
    horizon: Mapped[int] = mapped_column(default=rules.MAX_HORIZON)
    step: Mapped[int] = mapped_column(default=rules.STEP)
    per_day: Mapped[int | None]
    per_week: Mapped[int | None]
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy's own way)

    @property
    def hours(self) -> Hours:
        """These hours as the rules see them."""
        return hours_of(self)

    def take(self, hours: Hours) -> None:
        """Make ``hours`` the ones that hold."""
        for name, value in document(hours).items():
            setattr(self, name, value)


FIGURES = (
    "buffer_before",
    "buffer_after",
    "notice",
    "horizon",
    "step",
    "per_day",
    "per_week",
)


def document(hours: Hours) -> dict[str, Any]:
    """The columns that say these hours, as plain JSON."""
    open_days = ((day, spans) for day, spans in sorted(hours.weekly.items()) if spans)
    return {
        "zone": hours.zone,
        "weekly": {WEEKDAYS[day]: _lists(spans) for day, spans in open_days},
        "dates": {day.isoformat(): _lists(spans) for day, spans in sorted(hours.dates.items())},
        "stays": [
            {"zone": one.zone, "first": one.first.isoformat(), "last": one.last.isoformat()}
            for one in sorted(hours.stays, key=lambda one: one.first)
        ],
        **{name: getattr(hours, name) for name in FIGURES},
    }


def hours_of(row: Any) -> Hours:
    """The hours in a row of this table, be it an object or columns."""
    return Hours(
        zone=row.zone,
        weekly={WEEKDAYS.index(day): _spans(spans) for day, spans in row.weekly.items()},
        dates={date.fromisoformat(day): _spans(spans) for day, spans in row.dates.items()},
        stays=tuple(
            Stay(one["zone"], date.fromisoformat(one["first"]), date.fromisoformat(one["last"]))
            for one in row.stays
        ),
        **{name: getattr(row, name) for name in FIGURES},
    )


def _spans(kept: list[list[int]]) -> tuple[Span, ...]:
    return tuple((start, end) for start, end in kept)


def _lists(spans: Any) -> list[list[int]]:
    return [list(span) for span in sorted(spans)]


class TimeOff(Model):
    """Time that a coach is away: instants, and the wall-clock text they came from.

    The text is kept so that the days stay the same days should the zone's rules change.
    """

    __tablename__ = "time_off"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_later"),
        Index("ix_time_off_coach_id_starts_at", "coach_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    coach_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    zone: Mapped[str] = mapped_column(String(64))
    wall_start: Mapped[str] = mapped_column(String(16))
    wall_end: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(rules.REASON_MAX), default="")
    """For the coach alone; students read only that the coach is away."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    coach: Mapped[Person] = relationship(lazy="raise")
