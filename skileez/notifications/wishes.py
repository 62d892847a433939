"""How somebody wants to be told: what they chose, and choosing anew."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from skileez import db, events
from skileez.accounts.models import Person
from skileez.contracts.models import Contract
from skileez.errors import NotFound, require
from skileez.events import Actor
from skileez.notifications import channels, outgoing, rules
from skileez.notifications.models import Delivery, Standing, Wishes


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chooses. Quiet hours are minutes of the day on their own clock."""

    mail: bool = True
    reminders: Sequence[int] = rules.REMINDERS
    quiet_from: int | None = None
    quiet_to: int | None = None
    daily: bool = True
    weekly: bool = True


def of(person_id: int) -> Choice:
    """What this person chose; the defaults if they never did."""
    return _choice(db.session.get(Wishes, person_id))


def gets_digests(person: Person) -> bool:
    """Whether there can be digests for them: of sessions that they coach."""
    if person.offers_coaching:
        return True
    coached = select(Contract.id).where(Contract.coach_id == person.id).limit(1)
    return db.session.scalar(coached) is not None


def choose(person_id: int, wanted: Choice, now: datetime) -> None:
    """Be told like this from now on; what waits to be sent follows it.

    Raises Refused ``reminder_unknown``, ``quiet_half``, ``quiet_no_clock``, ``quiet_all_day``, and
    NotFound.
    """
    require(rules.check_reminders(wanted.reminders))
    require(rules.check_quiet(wanted.quiet_from, wanted.quiet_to))
    _lock(person_id)
    row = db.session.get(Wishes, person_id, populate_existing=True)
    told = asdict(wanted) | {"reminders": sorted(set(wanted.reminders), reverse=True)}
    before = asdict(_choice(row)) | {"reminders": list(_choice(row).reminders)}
    changed = {name: [before[name], value] for name, value in told.items() if before[name] != value}
    if not changed:
        return
    if row is None:
        row = Wishes(person_id=person_id)
        db.session.add(row)
    for name, value in told.items():
        setattr(row, name, value)
    events.append(
        f"person:{person_id}",
        "person.notifications_changed",
        at=now,
        actor=Actor("person", person_id),
        details=changed,
    )
    outgoing.replan(person_id, now)
    _drop_unwanted(person_id, row)


def unsubscribe(person_id: int, kind: str, now: datetime) -> None:
    """End one digest, and nothing else; again it changes nothing. Raises NotFound."""
    _lock(person_id)
    wanted: dict[str, Any] = asdict(of(person_id))
    wanted["daily" if kind == rules.DAILY else "weekly"] = False
    choose(person_id, Choice(**wanted), now)


def _choice(row: Wishes | None) -> Choice:
    if row is None:
        return Choice()
    return Choice(
        mail=row.mail,
        reminders=tuple(row.reminders),
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
        daily=row.daily,
        weekly=row.weekly,
    )


def _lock(person_id: int) -> None:
    # One writer at a time; and there is somebody to tell.
    if db.session.get(Person, person_id, with_for_update=True) is None:
        raise NotFound


def _drop_unwanted(person_id: int, row: Wishes) -> None:
    """What was planned before the change is not sent on ways that are wanted no more."""
    waiting = db.session.execute(
        select(Delivery.id, Delivery.kind, Delivery.channel).where(
            Delivery.recipient_id == person_id, Delivery.status == Standing.WAITING
        )
    ).all()
    dropped = [one.id for one in waiting if one.channel not in channels.wanted(one.kind, row)]
    db.session.execute(
        update(Delivery)
        .where(Delivery.id.in_(dropped))
        .values(status=Standing.DROPPED)
        .execution_options(synchronize_session=False)
    )
