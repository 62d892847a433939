"""The session's row: its columns, what it copies from its contract, and its facts.

Columns named in the product's source document keep their names. The pending request *is* the
``reschedule_*`` columns and the rows of ``proposed_time``; its history is in the events.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    bindparam,
    false,
    literal_column,
    select,
    union_all,
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
from skileez.contracts.models import Contract
from skileez.contracts.rules import MAX_MINUTES, URL_MAX
from skileez.db import Model, UTCDateTime
from skileez.events import Actor
from skileez.sessions import policy as policies
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

    @validates("scheduled_at", "duration_minutes")
    def _keep_end(self, key: str, value: Any) -> Any:
        start = value if key == "scheduled_at" else self.scheduled_at
        minutes = value if key == "duration_minutes" else self.duration_minutes
        if start is not None:
            start = self.listed_at = in_utc(start)
        if key == "scheduled_at":
            self.heard = False
        self.ends_at = start + timedelta(minutes=minutes) if start is not None and minutes else None
        return start if key == "scheduled_at" else minutes

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

    def taken_at(self, *starts: datetime) -> list[str | None]:
        """For each start, whose time is taken then by another session: "coach", "student" or
        None; for looking.
        """
        length = timedelta(minutes=self.duration_minutes)
        return _taken_by(self.coach_id, self.student_id, starts, length, besides=self.id)

    def free_for_both(self, start: datetime) -> str | None:
        """None when nobody has another session then; else whose time is taken.

        Holds both people's time, so that the answer stays true until the transaction ends.
        """
        lock_people(self.coach_id, self.student_id)
        return self.taken_at(start)[0]

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

    def _when(self, now: datetime | None) -> datetime:
        return in_utc(now) if now else clock.now()

    def _policy(self, policy: Policy | None) -> Policy:
        return policy or policies.in_force()


class BookedTime(Model):
    """When a person is taken by a live session; kept by triggers on ``session``.

    One row for the coach and one for the student, so that a person who coaches in one contract
    and studies in another is guarded across both. Overlaps are refused here by the database.
    """

    __tablename__ = "booked_time"
    __table_args__ = (Index("ix_booked_time_person_id_starts_at", "person_id", "starts_at"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)


_PEOPLE_LOCKS = 1


def lock_people(coach_id: int, student_id: int) -> None:
    """Hold both people's time until the transaction ends, before a session is placed in it."""
    db.lock(_PEOPLE_LOCKS, coach_id, student_id)


def taken_by(
    coach_id: int, student_id: int, start: datetime, end: datetime, besides: int | None = None
) -> str | None:
    """Whose time is taken between ``start`` and ``end``: "coach", "student" or None."""
    return _taken_by(coach_id, student_id, [start], end - start, besides)[0]


def _taken_by(
    coach_id: int,
    student_id: int,
    starts: Sequence[datetime],
    length: timedelta,
    besides: int | None,
) -> list[str | None]:
    given: dict[str, Any] = {"coach": coach_id, "student": student_id, "besides": besides or 0}
    for place, start in enumerate(starts):
        given |= {
            f"start{place}": start,
            f"end{place}": start + length,
            f"earliest{place}": start - timedelta(minutes=MAX_MINUTES),
        }
    rows = db.session.execute(_taken(len(starts)), given) if starts else ()
    taken = {tuple(row) for row in rows}
    return [
        "coach"
        if (place, coach_id) in taken
        else "student"
        if (place, student_id) in taken
        else None
        for place in range(len(starts))
    ]


@cache
def _taken(starts: int) -> Any:
    return union_all(
        *(
            select(literal_column(str(place)), BookedTime.person_id).where(
                BookedTime.person_id.in_((bindparam("coach"), bindparam("student"))),
                BookedTime.starts_at < bindparam(f"end{place}"),
                BookedTime.starts_at > bindparam(f"earliest{place}"),  # no session is longer
                BookedTime.ends_at > bindparam(f"start{place}"),
                BookedTime.session_id != bindparam("besides"),
            )
            for place in range(starts)
        )
    )


def _contract_of(proposal_id: int | None) -> Contract | None:
    if proposal_id is None:
        return None
    with db.session.no_autoflush:
        return db.session.scalars(
            select(Contract).where(Contract.proposal_id == proposal_id)
        ).one_or_none()
