"""One message to one person on one channel, and how each person wants to be told."""

from datetime import datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from skileez.accounts.models import FOR_READERS, Person
from skileez.db import Model, UTCDateTime, one_of
from skileez.events import Event
from skileez.notifications.rules import REMINDERS


class Standing(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"
    """To be sent at ``due_at``, or once more after a failure."""
    SENT = "sent"
    DROPPED = "dropped"
    """No longer true when its time came, or no longer wanted."""
    PARKED = "parked"
    """Failed too often, or for good; an administrator may send it again."""


_WAITING = text("status = 'waiting'")
_PARKED = text("status = 'parked'")
_UNREAD = text("channel = 'app' AND status = 'sent' AND read_at IS NULL")


class Delivery(Model):
    """One message to one person on one channel; unique by ``occasion``, recipient and channel.

    ``occasion`` names what it is sent for: "event:812", "session.reminder:60:55:2027-03-01T…".
    ``start`` is the session's start that it speaks of, ``lease_until`` who sends it just now.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("occasion", "recipient_id", "channel"),
        CheckConstraint(one_of("status", Standing), name="status"),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        CheckConstraint("failures >= 0", name="failures"),
        Index("ix_delivery_due_at", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_delivery_parked", "id", sqlite_where=_PARKED, postgresql_where=_PARKED),
        Index(
            "ix_delivery_unread",
            # All that its condition names: SQLite prefers a longer index to a partial one.
            *("recipient_id", "channel", "status", "read_at"),
            sqlite_where=_UNREAD,
            postgresql_where=_UNREAD,
        ),
        Index("ix_delivery_recipient_id", "recipient_id", "channel", "status", "due_at", "id"),
        Index("ix_delivery_session_id", "session_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    occasion: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(60))
    channel: Mapped[str] = mapped_column(String(20))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    proposal_id: Mapped[int | None] = mapped_column(ForeignKey("proposal.id"))
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("contract.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("session.id"))
    start: Mapped[datetime | None] = mapped_column(UTCDateTime)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When what it tells of happened, or is due."""
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    status: Mapped[str] = mapped_column(String(10), default=Standing.WAITING)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    recipient: Mapped[Person] = relationship(lazy="raise")
    event: Mapped[Event | None] = relationship(lazy="raise")


# Asked with every page's reader, so by the partial index: its words must stand as they are.
Person.unread = column_property(
    select(func.count())
    .where(Delivery.recipient_id == Person.id, _UNREAD)
    .correlate(Person)
    .scalar_subquery(),
    deferred=True,
    group=FOR_READERS,
)


class Wishes(Model):
    """How somebody wants to be told; whoever has no row wants the defaults.

    Quiet hours are minutes of the day on the person's own clock, both or neither.
    """

    __tablename__ = "notification_wishes"
    __table_args__ = (
        CheckConstraint("(quiet_from IS NULL) = (quiet_to IS NULL)", name="quiet_both"),
        CheckConstraint("quiet_from IS NULL OR quiet_from BETWEEN 0 AND 1439", name="quiet_from"),
        CheckConstraint("quiet_to IS NULL OR quiet_to BETWEEN 0 AND 1439", name="quiet_to"),
    )

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    mail: Mapped[bool] = mapped_column(default=True)
    reminders: Mapped[list[int]] = mapped_column(JSON)
    quiet_from: Mapped[int | None]
    quiet_to: Mapped[int | None]
    daily: Mapped[bool] = mapped_column(default=True)
    weekly: Mapped[bool] = mapped_column(default=True)

    def __init__(self, **columns: Any) -> None:
        """With the defaults for what is not given."""
        for name, value in (("mail", True), ("daily", True), ("weekly", True)):
            columns.setdefault(name, value)
        columns.setdefault("reminders", list(REMINDERS))
        super().__init__(**columns)

    @property
    def quiet(self) -> tuple[time, time] | None:
        """From and to, on the person's own clock; None when they have none."""
        if self.quiet_from is None or self.quiet_to is None:
            return None
        return _clock(self.quiet_from), _clock(self.quiet_to)


def _clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


class AnswerLink(Model):
    """One act that a mail's link allows without signing in: once, until it expires.

    ``token_hash`` is the SHA-256 of the token in the link; ``asked_at`` the request it answers,
    so that a link of an earlier request does nothing to a later one.
    """

    __tablename__ = "answer_link"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("expires_at > created_at", name="expires_later"),
        Index("ix_answer_link_session_id", "session_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    act: Mapped[str] = mapped_column(String(20))
    new_time: Mapped[datetime | None] = mapped_column(UTCDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
