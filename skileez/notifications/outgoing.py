"""What is to be said, and to whom: deliveries made from events, and planned for later.

Runs in the transaction that takes the event out of the outbox; making a delivery twice changes
nothing, since it is unique by occasion, recipient and channel.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from skileez import db, zones
from skileez.accounts.models import Person
from skileez.contracts.models import Contract, Proposal
from skileez.contracts.rules import ContractStatus
from skileez.events import Event
from skileez.notifications import channels, quiet, rules
from skileez.notifications.models import Delivery, Standing, Wishes
from skileez.sessions.models import Session
from skileez.sessions.rules import Status

WHOLE_DAY = timedelta(days=1)
MORNING = time(7)
"""When a digest is due, on its reader's clock."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is told things, and how they want to be."""

    person: Person
    wishes: Wishes


def readers(people: Iterable[int]) -> dict[int, Reader]:
    """Those of ``people`` whose account is open, by id."""
    rows = db.session.execute(_READERS, {"people": list(people)})
    known: dict[int, Reader] = {}
    for row in rows:
        person: Person = row[0]
        wishes: Wishes | None = row[1]
        known[person.id] = Reader(person, Wishes(person_id=person.id) if wishes is None else wishes)
    return known


_READERS = (
    select(Person, Wishes)
    .outerjoin(Wishes, Wishes.person_id == Person.id)
    .where(Person.id.in_(bindparam("people", expanding=True)), Person.active)
)


def tell(event: Event, now: datetime) -> None:
    """Make the deliveries of one event: for each who hears of it, on each of their channels."""
    roles = rules.audience(event.verb, event.role)
    if not roles or rules.told_with_another(event.details):
        return
    sides = _sides(event)
    hearing = readers(person for role, person in sides.items() if role in roles)
    _make(
        {
            "occasion": f"event:{event.id}",
            "kind": event.verb,
            "channel": channel,
            "recipient_id": reader.person.id,
            "event_id": event.id,
            "proposal_id": event.proposal_id,
            "contract_id": event.contract_id,
            "session_id": event.session_id,
            "start": event.new_time,
            "at": event.at,
            "due_at": _due(reader, channel, event, now),
            # The delivery itself is the message in the centre: it is there with this commit.
            "status": Standing.SENT if channel == channels.APP else Standing.WAITING,
            "sent_at": now if channel == channels.APP else None,
        }
        for reader in hearing.values()
        for channel in channels.wanted(event.verb, reader.wishes)
    )


def plan(event: Event, now: datetime) -> None:
    """Plan what time will ask for after this event: reminders, nudges, the coach's digests."""
    if event.verb in rules.PLACES_TIME and event.new_time is not None:
        _plan_session(event, event.new_time)
    if event.verb in rules.LEAVES_GAP and event.contract_id is not None:
        _plan_nothing_booked(event)
    if event.verb in ("contract.started", "contract.resumed") and event.contract_id is not None:
        contract = db.session.get_one(Contract, event.contract_id)
        plan_digests(contract.coach_id, now)
    if event.verb == "person.profile_changed" and "zone" in event.details:
        replan(int(event.stream.removeprefix("person:")), now)


def replan(person_id: int, now: datetime) -> None:
    """Plan a person's reminders and digests anew: they chose others, or have another clock."""
    db.session.execute(
        update(Delivery)
        .where(
            Delivery.recipient_id == person_id,
            Delivery.kind.in_((rules.REMINDER, *rules.DIGESTS)),
            Delivery.status == Standing.WAITING,
        )
        .values(status=Standing.DROPPED)
        .execution_options(synchronize_session=False)
    )
    reader = readers([person_id]).get(person_id)
    coming = db.session.scalars(
        select(Session).where(
            (Session.coach_id == person_id) | (Session.student_id == person_id),
            Session.status == Status.SCHEDULED,
            Session.scheduled_at > now,
        )
    ).all()
    for session in coming:
        assert session.scheduled_at is not None
        if reader is not None:
            _make(_of_start(reader, session, session.scheduled_at, now), again=True)
    if db.session.scalar(select(Contract.id).where(Contract.coach_id == person_id).limit(1)):
        plan_digests(person_id, now, again=True)


def plan_digests(person_id: int, after: datetime, *, again: bool = False) -> None:
    """Plan a coach's next digests: each morning's, and each Monday's.

    ``again``: also one that was dropped, because its reader wants it after all.
    """
    reader = readers([person_id]).get(person_id)
    if reader is None:
        return
    for kind in rules.DIGESTS:
        due = next_morning(after, reader.person.zone, weekly=kind == rules.WEEKLY)
        rows: Iterable[dict[str, Any]] = (
            {
                "occasion": f"{kind}:{due:%Y-%m-%d}",
                "kind": kind,
                "channel": channel,
                "recipient_id": person_id,
                "at": due,
                "due_at": due,
            }
            for channel in channels.wanted(kind, reader.wishes)
        )
        _make(rows, again=again)


def next_morning(after: datetime, zone: str, *, weekly: bool = False) -> datetime:
    """The next morning (on a Monday, if ``weekly``) in ``zone`` after this instant, in UTC."""
    day = zones.local(after, zone).date()
    while True:
        morning = quiet.at(datetime.combine(day, MORNING), zone)
        if morning > after and (not weekly or day.weekday() == 0):
            return morning
        day += WHOLE_DAY


def _sides(event: Event) -> dict[str, int]:
    about: Contract | Proposal
    if event.contract_id is not None:
        about = db.session.get_one(Contract, event.contract_id)
    elif event.proposal_id is not None:
        about = db.session.get_one(Proposal, event.proposal_id)
    else:
        return {}
    return {"student": about.student_id, "coach": about.coach_id}


def _due(reader: Reader, channel: str, event: Event, now: datetime) -> datetime:
    """Now; or after the reader's quiet hours, if what it asks for can wait so long."""
    if channel == channels.APP:
        return now
    until = quiet.hushed_until(now, reader.wishes.quiet, reader.person.zone)
    deadline = event.details.get("deadline")
    if until is None or (deadline and datetime.fromisoformat(str(deadline)) <= until):
        return now
    return until


def _plan_session(event: Event, start: datetime) -> None:
    assert event.session_id is not None
    session = db.session.get_one(Session, event.session_id)
    both = readers((session.student_id, session.coach_id))
    for reader in both.values():
        # Also one that was dropped: a session may move away from a time and back to it.
        _make(_of_start(reader, session, start, event.at), again=True)


def _of_start(
    reader: Reader, session: Session, start: datetime, told_at: datetime
) -> Iterable[dict[str, Any]]:
    """What a start asks for: its reminders, and the nudge after it."""
    yield from _reminders(reader, session, start, told_at)
    yield from _overdue(reader, session, start)


def _reminders(
    reader: Reader, session: Session, start: datetime, told_at: datetime
) -> Iterable[dict[str, Any]]:
    for due in rules.reminder_times(start, told_at, reader.wishes.reminders):
        minutes = int((start - due).total_seconds()) // 60
        for channel in channels.wanted(rules.REMINDER, reader.wishes):
            when = due
            if channel != channels.APP:
                when = quiet.reminder_at(due, start, reader.wishes.quiet, reader.person.zone)
            yield {
                "occasion": f"{rules.REMINDER}:{minutes}:{session.id}:{start:%Y%m%dT%H%M%S}",
                "kind": rules.REMINDER,
                "channel": channel,
                "recipient_id": reader.person.id,
                "contract_id": session.contract_id,
                "session_id": session.id,
                "start": start,
                "at": due,
                "due_at": max(when, told_at),
            }


def _overdue(reader: Reader, session: Session, start: datetime) -> Iterable[dict[str, Any]]:
    due = start + timedelta(minutes=session.duration_minutes) + rules.OVERDUE_AFTER
    for channel in channels.wanted(rules.OVERDUE, reader.wishes):
        yield {
            "occasion": f"{rules.OVERDUE}:{session.id}:{start:%Y%m%dT%H%M%S}",
            "kind": rules.OVERDUE,
            "channel": channel,
            "recipient_id": reader.person.id,
            "contract_id": session.contract_id,
            "session_id": session.id,
            "start": start,
            "at": due,
            "due_at": due,
        }


def _plan_nothing_booked(event: Event) -> None:
    contract = db.session.get_one(Contract, event.contract_id)
    if contract.status != ContractStatus.ACTIVE or contract.remaining_sessions <= 0:
        return
    due = event.at + rules.NOTHING_BOOKED_AFTER
    for reader in readers((contract.student_id, contract.coach_id)).values():
        _make(
            {
                "occasion": f"{rules.NOTHING_BOOKED}:{contract.id}:{due:%Y-%m-%d}",
                "kind": rules.NOTHING_BOOKED,
                "channel": channel,
                "recipient_id": reader.person.id,
                "contract_id": contract.id,
                "at": due,
                "due_at": due,
            }
            for channel in channels.wanted(rules.NOTHING_BOOKED, reader.wishes)
        )


def _make(rows: Iterable[dict[str, Any]], *, again: bool = False) -> None:
    """Insert deliveries; those there already stay (``again``: a dropped one waits once more)."""
    values = [{"status": Standing.WAITING, "failures": 0, **row} for row in rows]
    if values:
        kind = db.session.get_bind().dialect.name
        db.session.execute(_insert(kind, again=again), values)


@cache
def _insert(kind: str, *, again: bool) -> Any:
    # Into the table and not the class: all rows in one go, whichever of their columns are empty.
    table = cast(Table, Delivery.__table__)
    statement = (postgresql_insert if kind == "postgresql" else sqlite_insert)(table)
    key = ["occasion", "recipient_id", "channel"]
    if not again:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(
        index_elements=key,
        set_={"status": Standing.WAITING, "due_at": statement.excluded.due_at},
        where=table.c.status == Standing.DROPPED,
    )
