"""A coach's days away and the sessions they fall on: whom was asked to move, and what they said."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from skileez.db import Model, UTCDateTime


class AbsenceAsk(Model):
    """That a session's student was asked to move it because of these days away."""

    __tablename__ = "absence_ask"
    __table_args__ = (Index("ix_absence_ask_session_id", "session_id"),)

    time_off_id: Mapped[int] = mapped_column(
        ForeignKey("time_off.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
