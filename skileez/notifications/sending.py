"""Sending what is due: claimed by a lease, checked to be still true, sent, marked.

A crash between sending and marking sends a message once more (with the same id); a crash
anywhere else sends it later. Neither loses it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, func, literal_column, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from skileez import db, logs
from skileez.errors import Refused
from skileez.notifications import channels, letters, rules
from skileez.notifications.channels import Failed
from skileez.notifications.models import Delivery, Standing
from skileez.notifications.outgoing import plan_digests

LEASE: Final = timedelta(minutes=5)
"""For how long a claimed delivery is nobody else's: longer than a batch and a last slow message
of it can take (``worker.BATCH_SECONDS``, ``mail.PATIENCE_SECONDS``)."""
MARK_TRIES: Final = 3
"""How often to try to write down what became of a message: it cannot be called back."""

log = logs.logger(__name__)


@dataclass(slots=True)
class Sent:
    """What sending did, by count."""

    sent: int = 0
    dropped: int = 0
    retried: int = 0
    parked: int = 0


def send_due(now: datetime, *, limit: int = 50, enough: Callable[[], bool] = lambda: False) -> Sent:
    """Send what is due, until ``enough``; safe beside another process that does the same."""
    done = Sent()
    claimed = claim(now, limit)
    while claimed and not enough():
        outcome = _send_one(claimed.pop(0), now)
        if outcome is not None:
            setattr(done, outcome, getattr(done, outcome) + 1)
    if claimed:
        _give_back(claimed, now)
    return done


def _send_one(delivery_id: int, now: datetime) -> str | None:
    """``send``, but whatever goes wrong with one delivery, the rest of the post goes on."""
    try:
        return send(delivery_id, now)
    except Exception as error:
        log.exception("delivery.failed", delivery=delivery_id)
        failure = Failed(f"{type(error).__name__}: {error}")
    try:
        return _mark(delivery_id, failure, now)
    except Exception:
        # Its lease runs out, and it is tried again.
        log.exception("delivery.unmarked", delivery=delivery_id)
        return None


def claim(now: datetime, limit: int) -> list[int]:
    """Take a lease on deliveries that are due and nobody's; their ids, the longest due first."""
    due = (
        select(Delivery.id)
        .where(
            _IS_WAITING,
            Delivery.due_at <= now,
            or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now),
        )
        .order_by(Delivery.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with db.transaction():
        taken = list(db.session.scalars(due))
        if taken:
            _lease(taken, now + LEASE)
    return taken


def _give_back(delivery_ids: Sequence[int], now: datetime) -> None:
    with db.transaction():
        _lease(delivery_ids, None, Delivery.lease_until == now + LEASE)


def _lease(delivery_ids: Sequence[int], until: datetime | None, *only: Any) -> None:
    db.session.execute(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids), _IS_WAITING, *only)
        .values(lease_until=until)
        .execution_options(synchronize_session=False)
    )


# As the index's own condition has it, with no parameter, or a plan made beforehand cannot use it.
_IS_WAITING = Delivery.status == literal_column("'waiting'")


def send(delivery_id: int, now: datetime) -> str | None:
    """Send a delivery claimed at ``now``: "sent", "dropped", "retried", "parked".

    None: it is not ours any more; somebody else took it when our lease had run out.
    """
    with db.transaction():
        delivery = _find(delivery_id)
        if delivery is None or not _is_ours(delivery, now):
            return None
        found = letters.about(delivery)
        if not letters.is_wanted(delivery, found, now):
            return _drop(delivery, now)
        if delivery.channel == channels.APP:
            return _sent(delivery, now)  # it is its own message, and leaves the house nowhere
        try:
            with db.session.begin_nested():
                letter = letters.write(delivery, found, now)
        except Exception as error:
            # A template that fails is ours to mend: the rest of the post goes on.
            log.exception("delivery.unwritten", delivery=delivery_id, kind=delivery.kind)
            return _failed(delivery, Failed(f"{type(error).__name__}: {error}"), now)
        recipient = delivery.recipient
    try:
        # Outside any transaction: a slow mail server must not hold the database.
        channels.find(delivery.channel).send(letter, recipient)
        failure = None
    except Failed as error:
        failure = error
    except Exception as error:
        log.exception("delivery.unsent", delivery=delivery_id, channel=delivery.channel)
        failure = Failed(f"{type(error).__name__}: {error}")
    for _ in range(MARK_TRIES - 1):
        try:
            return _mark(delivery_id, failure, now)
        except (Refused, DBAPIError):
            log.warning("delivery.mark_again", delivery=delivery_id, exc_info=True)
    return _mark(delivery_id, failure, now)


def _is_ours(delivery: Delivery, now: datetime) -> bool:
    return delivery.status == Standing.WAITING and delivery.lease_until == now + LEASE


def _mark(delivery_id: int, failure: Failed | None, now: datetime) -> str | None:
    """Write down what became of it. What was sent is sent, whoever holds it by now."""
    with db.transaction():
        delivery = _find(delivery_id)
        if delivery is None or delivery.status != Standing.WAITING:
            return None
        if failure is not None:
            return _failed(delivery, failure, now) if _is_ours(delivery, now) else None
        return _sent(delivery, now)


def _find(delivery_id: int) -> Delivery | None:
    return db.session.scalars(_FOUND, {"id": delivery_id}).one_or_none()


_FOUND = (
    select(Delivery)
    .options(joinedload(Delivery.recipient, innerjoin=True), joinedload(Delivery.event))
    .where(Delivery.id == bindparam("id"))
    .with_for_update(of=Delivery)
    .execution_options(populate_existing=True)
)


def _sent(delivery: Delivery, now: datetime) -> str:
    delivery.status, delivery.sent_at = Standing.SENT, now
    delivery.lease_until = delivery.error = None
    _follow(delivery, now)
    return "sent"


def _drop(delivery: Delivery, now: datetime) -> str:
    delivery.status, delivery.lease_until = Standing.DROPPED, None
    _follow(delivery, now)
    return "dropped"


def _failed(delivery: Delivery, failure: Failed, now: datetime) -> str:
    delivery.failures += 1
    delivery.error, delivery.lease_until = str(failure)[:500], None
    wait = None if failure.for_good else rules.retry_after(delivery.failures)
    if wait is None:
        delivery.status = Standing.PARKED
        _follow(delivery, now)
        log.warning("delivery.parked", delivery=delivery.id, kind=delivery.kind, why=str(failure))
        return "parked"
    delivery.due_at = now + wait
    return "retried"


def _follow(delivery: Delivery, now: datetime) -> None:
    """A digest that came to its end, whichever, is followed by the next."""
    if delivery.kind in rules.DIGESTS:
        plan_digests(delivery.recipient_id, now)


def parked(limit: int = 100) -> Sequence[Delivery]:
    """Deliveries that failed too often, the newest first, with their recipients."""
    return db.session.scalars(
        select(Delivery)
        .options(joinedload(Delivery.recipient, innerjoin=True))
        .where(Delivery.status == Standing.PARKED)
        .order_by(Delivery.id.desc())
        .limit(limit)
    ).all()


def send_again(now: datetime, delivery_id: int | None = None) -> int:
    """Let parked deliveries, all or this one, wait once more, from the first try on; how many."""
    those = (
        update(Delivery)
        .where(Delivery.status == Standing.PARKED)
        .values(status=Standing.WAITING, due_at=now, failures=0)
        .execution_options(synchronize_session=False)
    )
    if delivery_id is not None:
        those = those.where(Delivery.id == delivery_id)
    done = db.session.execute(those)
    return int(done.rowcount)  # type: ignore[attr-defined]


def backlog(now: datetime) -> tuple[int, timedelta]:
    """How many deliveries are due, and for how long the oldest has been."""
    row = db.session.execute(
        select(func.count(), func.min(Delivery.due_at)).where(
            Delivery.status == Standing.WAITING, Delivery.due_at <= now
        )
    ).one()
    first: datetime | None = row[1]
    return row[0], timedelta() if first is None else now - first
