"""The session's row: its columns, what it copies from its contract, and its facts.

Columns named in the product's source document keep their names. The pending request *is* the
``reschedule_*`` columns and the rows of ``proposed_time``; its history is in the events.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Computed,
    ForeignKey,
    String,
    Text,
    false,
    select,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    Mapped,
    declared_attr,
    mapped_column,
    relationship,
    validates,
)

from skileez import clock, db, events
from skileez.contracts.meeting_link_rules import URL_MAX
from skileez.contracts.models import Contract
from skileez.db import Model, UTCDateTime
from skileez.events import Actor
from skileez.sessions import meeting
from skileez.sessions import policy as policies
from skileez.sessions.clock_rules import wall_text
from skileez.sessions.rules import Facts, Pending, Policy, State, Status

STATE_SQL = (
    "CASE WHEN status = 'scheduled' AND reschedule_requested THEN 'reschedule_requested' "
    "ELSE status END"
)


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC, where adding and subtracting is elapsed time."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone; give an aware datetime")
    return instant.astimezone(UTC)


class ProposedTime(Model):
    """One start proposed by the pending request of a session, in the order of preference."""

    __tablename__ = "proposed_time"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class SessionRow(Model):
    """Columns and facts of a session; the verbs are in ``Rescheduling`` and ``Session``."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposal.id"))
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"))
    coach_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    student_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    session_number: Mapped[int]
    scheduled_date: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The start first agreed; it never changes."""
    scheduled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The current start; NULL = "to be scheduled"."""
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    listed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """Its place in lists: the start, or while it has none the last start it had."""
    duration_minutes: Mapped[int]
    timezone: Mapped[str] = mapped_column(String(50), default="UTC")
    wall_at: Mapped[str | None] = mapped_column(String(16))
    """The start as clocks of ``timezone`` show it ("2027-03-01T18:00"), which stays what was
    agreed should the zone's rules change; NULL where it is not known.
    """
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"))
    series_place: Mapped[str | None] = mapped_column(String(16))
    """The start that its series gave it (RFC 5545's RECURRENCE-ID), wherever it moved since."""
    status: Mapped[str] = mapped_column(String(20), default=Status.SCHEDULED)
    stored_state: Mapped[str] = mapped_column(
        "state", String(30), Computed(STATE_SQL, persisted=True), deferred=True
    )
    confirmed_by_coach: Mapped[bool] = mapped_column(default=False)
    scheduling_by: Mapped[str | None] = mapped_column(String(20))
    """Who picks the time while it is to be scheduled; NULL = either."""
    meeting_url: Mapped[str | None] = mapped_column(String(URL_MAX))
    heard: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether, while open, a person did anything about it since its start, or checked in."""

    reschedule_requested: Mapped[bool] = mapped_column(default=False)
    reschedule_requested_by: Mapped[str | None] = mapped_column(String(20))
    reschedule_reason: Mapped[str | None] = mapped_column(Text)
    reschedule_deadline: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reschedule_kind: Mapped[str | None] = mapped_column(String(10))
    reschedule_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    completed_date: Mapped[datetime | None] = mapped_column(UTCDateTime)
    student_notes: Mapped[str | None] = mapped_column(Text)
    coach_notes: Mapped[str | None] = mapped_column(Text)
    actual_minutes: Mapped[int | None]

    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancelled_by: Mapped[str | None] = mapped_column(String(20))
    cancel_reason: Mapped[str | None] = mapped_column(Text)
    cancelled_late: Mapped[bool] = mapped_column(default=False)

    missed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    missed_by: Mapped[str | None] = mapped_column(String(20))
    missed_reason: Mapped[str | None] = mapped_column(Text)
    absent: Mapped[str | None] = mapped_column(String(10))

    correction_by: Mapped[str | None] = mapped_column(String(20))
    correction_reason: Mapped[str | None] = mapped_column(Text)

    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    @declared_attr
    def contract(cls) -> Mapped[Contract]:
        return relationship(Contract)

    @declared_attr
    def proposed(cls) -> Mapped[list[ProposedTime]]:
        return relationship(
            ProposedTime,
            order_by=ProposedTime.position,
            cascade="all, delete-orphan",
            passive_deletes=True,
        )

    def __init__(self, **columns: Any) -> None:
        """``Session(proposal_id=…, session_number=…, scheduled_at=…)`` is enough."""
        columns.setdefault("status", Status.SCHEDULED)
        columns.setdefault("created_at", clock.now())
        for flag in ("reschedule_requested", "confirmed_by_coach", "cancelled_late"):
            columns.setdefault(flag, False)
        contract = columns.get("contract") or _contract_of(columns.get("proposal_id"))
        if contract:
            columns["contract"] = contract
            for name in ("proposal_id", "coach_id", "student_id", "duration_minutes", "timezone"):
                if columns.get(name) is None:
                    columns[name] = getattr(contract, name)
            columns.setdefault("contract_id", contract.id)
        columns.setdefault("scheduled_date", columns.get("scheduled_at"))
        self.listed_at = columns["created_at"]
        super().__init__(**columns)

    @validates("scheduled_at", "duration_minutes", "timezone")
    def _keep_end(self, key: str, value: Any) -> Any:
        if key == "timezone":
            self._keep_wall(self.scheduled_at, value)
            return value
        start = value if key == "scheduled_at" else self.scheduled_at
        minutes = value if key == "duration_minutes" else self.duration_minutes
        if start is not None:
            start = self.listed_at = in_utc(start)
        if key == "scheduled_at":
            self.heard = False
            self._keep_wall(start, self.timezone)
        self.ends_at = start + timedelta(minutes=minutes) if start is not None and minutes else None
        return start if key == "scheduled_at" else minutes

    def _keep_wall(self, start: datetime | None, zone: str | None) -> None:
        self.wall_at = wall_text(start, zone) if start is not None and zone else None

    @hybrid_property
    def state(self) -> str:
        """One of the five states: the status, or "reschedule_requested"."""
        if self.status == Status.SCHEDULED and self.reschedule_requested:
            return State.RESCHEDULE_REQUESTED
        return State(self.status)

    @state.inplace.expression
    @classmethod
    def _state_expression(cls) -> Any:
        return cls.stored_state

    @property
    def proposed_times(self) -> tuple[datetime, ...]:
        """The starts proposed by the pending request, first choice first."""
        if not self.reschedule_requested:
            return ()  # there are none to ask the database for
        return tuple(one.starts_at for one in self.proposed)

    @property
    def facts(self) -> Facts:
        """This session as the rules see it."""
        pending = None
        if self.reschedule_requested:
            assert self.reschedule_deadline
            pending = Pending(
                self.reschedule_requested_by or "",
                self.reschedule_kind or "",
                self.reschedule_deadline,
                self.proposed_times,
            )
        return Facts(
            status=self.status,
            start=self.scheduled_at,
            minutes=self.duration_minutes,
            contract_status=self.contract.status,
            confirmed=self.confirmed_by_coach,
            pending=pending,
            scheduling_by=self.scheduling_by,
            completed_at=self.completed_date,
            missed_at=self.missed_at,
            correction_by=self.correction_by,
        )

    @property
    def link(self) -> str | None:
        """Where it is held: its own meeting link, or its contract's."""
        return self.meeting_url or self.contract.meeting_url

    def role_of(self, person_id: int | None) -> str | None:
        """This person's part in the session's contract: "student", "coach" or None."""
        if person_id is None:
            return None
        return {self.student_id: "student", self.coach_id: "coach"}.get(person_id)

    @property
    def has_communicated(self) -> bool:
        """Whether a person did anything about it since its start, checked in, or left a note."""
        return bool(self.heard or self.student_notes or self.coach_notes)

    def taken_at(self, *starts: datetime) -> list[str | None]:
        """For each start, whose time is taken then by another session: "coach", "student" or
        None; for looking.
        """
        return meeting.taken(self.coach_id, self.student_id, starts, self._length, self.id)

    def say(self, verb: str, *, actor: Actor, role: str | None, now: datetime, **what: Any) -> None:
        """Append an event about this session to its contract's stream."""
        started = self.scheduled_at is not None and now >= self.scheduled_at
        if started and actor.kind == "person" and self.status == Status.SCHEDULED:
            self.heard = True
        db.session.flush()
        events.append(
            f"contract:{self.contract_id}",
            verb,
            at=now,
            actor=actor,
            role=role,
            proposal_id=self.proposal_id,
            contract_id=self.contract_id,
            session_id=self.id,
            **what,
        )

    @property
    def _length(self) -> timedelta:
        return timedelta(minutes=self.duration_minutes)

    def _when(self, now: datetime | None) -> datetime:
        return in_utc(now) if now else clock.now()

    def _policy(self, policy: Policy | None) -> Policy:
        return policy or policies.in_force()


def _contract_of(proposal_id: int | None) -> Contract | None:
    if proposal_id is None:
        return None
    with db.session.no_autoflush:
        return db.session.scalars(
            select(Contract).where(Contract.proposal_id == proposal_id)
        ).one_or_none()
