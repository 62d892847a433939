"""The centre in the pages: what a person was told there, and what of it they have read.

A page of it is one statement, whatever stands on it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import aliased, joinedload

from skileez import db, logs
from skileez.accounts.models import Person
from skileez.contracts.models import Contract, Proposal
from skileez.cursor import Cursor
from skileez.errors import NotFound
from skileez.events import Event
from skileez.notifications import letters
from skileez.notifications.about import About
from skileez.notifications.channels import APP
from skileez.notifications.models import Delivery, Standing
from skileez.sessions.models import Session

PAGE: Final = 20

log = logs.logger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One message in the centre. ``told_at`` is when it came, ``path`` where it leads."""

    id: int
    kind: str
    told_at: datetime
    unread: bool
    text: str
    path: str
    title: str
    other_name: str
    old: datetime | None
    new: datetime | None
    proposed: tuple[datetime, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the centre, and the place where the next one begins."""

    lines: list[Line]
    next: Cursor | None


def unread(person: Person) -> int:
    """How many messages they have not read; loaded already with whoever is signed in."""
    return int(person.unread)  # type: ignore[attr-defined]


def page(
    reader: Person, cursor: Cursor | None = None, *, only_unread: bool = False, size: int = PAGE
) -> Page:
    """One page of a person's messages, the newest first."""
    wanted = _shown(reader.id).order_by(Delivery.due_at.desc(), Delivery.id.desc())
    if only_unread:
        wanted = wanted.where(Delivery.read_at.is_(None))
    if cursor is not None:
        wanted = wanted.where(tuple_(Delivery.due_at, Delivery.id) < tuple_(cursor.at, cursor.id))
    rows = db.session.execute(wanted.limit(size + 1)).all()
    lines = [_line(row, reader) for row in rows[:size]]
    return Page(lines, Cursor(lines[-1].told_at, lines[-1].id) if len(rows) > size else None)


_student, _coach = aliased(Person), aliased(Person)


def _shown(person_id: int) -> Any:
    student_id = func.coalesce(Contract.student_id, Proposal.student_id)
    coach_id = func.coalesce(Contract.coach_id, Proposal.coach_id)
    return (
        select(Delivery, Event, Session, Contract, Proposal, _student, _coach)
        .outerjoin(Event, Event.id == Delivery.event_id)
        .outerjoin(Session, Session.id == Delivery.session_id)
        .outerjoin(Contract, Contract.id == Delivery.contract_id)
        .outerjoin(Proposal, Proposal.id == Delivery.proposal_id)
        .outerjoin(_student, _student.id == student_id)
        .outerjoin(_coach, _coach.id == coach_id)
        .where(
            Delivery.recipient_id == person_id,
            Delivery.channel == APP,
            Delivery.status == Standing.SENT,
        )
    )


def _line(row: Any, reader: Person) -> Line:
    delivery: Delivery = row[0]
    found = About(
        recipient=reader,
        event=row[1],
        session=row[2],
        contract=row[3],
        # A contract's proposal says nothing that the contract does not.
        proposal=None if row[3] else row[4],
        student=row[5],
        coach=row[6],
    )
    event, about = found.event, found.contract or found.proposal
    details = event.details if event else {}
    old, new = _times(delivery, found)
    return Line(
        id=delivery.id,
        kind=delivery.kind,
        told_at=delivery.due_at,
        unread=delivery.read_at is None,
        text=_text(delivery, found),
        path=path(delivery, event),
        title=about.title if about else "",
        other_name=found.other.display_name if found.other else "",
        old=old,
        new=new,
        proposed=tuple(datetime.fromisoformat(one) for one in details.get("proposed_times") or ()),
        reason=event.reason if event else None,
    )


def _times(delivery: Delivery, found: About) -> tuple[datetime | None, datetime | None]:
    """The time that a move left, and the one that a message speaks of."""
    event = found.event
    if event is None:
        return None, delivery.start
    if event.old_time and event.new_time and event.old_time != event.new_time:
        return event.old_time, event.new_time
    now = found.session.scheduled_at if found.session else None
    return None, event.new_time or event.old_time or now


def _text(delivery: Delivery, found: About) -> str:
    try:
        # As it was when it was told: "starts in 1 h" stays what it said.
        return letters.line(delivery, found, delivery.due_at)
    except Exception:
        log.exception("centre.unwritten", delivery=delivery.id, kind=delivery.kind)
        about = found.contract or found.proposal
        return about.title if about else ""


def path(delivery: Delivery, event: Event | None) -> str:
    """The page about what a message tells of."""
    if event is not None and event.verb.startswith("series."):
        return letters.SERIES_PATH.format(event.details["series_id"])
    if delivery.session_id is not None:
        return letters.SESSION_PATH.format(delivery.session_id)
    if delivery.contract_id is not None:
        return letters.CONTRACT_PATH.format(delivery.contract_id)
    if delivery.proposal_id is not None:
        return letters.PROPOSAL_PATH.format(delivery.proposal_id)
    return letters.DASHBOARD_PATH


def read(person_id: int, delivery_id: int, now: datetime) -> str:
    """Mark one message read; where it leads. Raises NotFound for anybody else's."""
    delivery = db.session.scalars(
        select(Delivery)
        .options(joinedload(Delivery.event))
        .where(
            Delivery.id == delivery_id,
            Delivery.recipient_id == person_id,
            Delivery.channel == APP,
            Delivery.status == Standing.SENT,
        )
    ).one_or_none()
    if delivery is None:
        raise NotFound
    delivery.read_at = delivery.read_at or now
    return path(delivery, delivery.event)


def read_all(person_id: int, until: datetime, now: datetime) -> int:
    """Mark everything read that was there at ``until``; how many."""
    done = db.session.execute(
        update(Delivery)
        .where(
            Delivery.recipient_id == person_id,
            Delivery.channel == APP,
            Delivery.status == Standing.SENT,
            Delivery.read_at.is_(None),
            Delivery.sent_at <= until,
        )
        .values(read_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]
