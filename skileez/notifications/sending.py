"""Sending what is due: claimed by a lease, checked to be still true, sent, marked.

A crash between sending and marking sends a message once more (with the same id); a crash
anywhere else sends it later. Neither loses it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import Table, bindparam, func, literal_column, null, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload

from skileez import db, logs
from skileez.errors import Refused
from skileez.notifications import about, channels, letters, rules
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
        outcome = _send_one(claimed.pop(0), now, enough)
        if outcome is not None:
            setattr(done, outcome, getattr(done, outcome) + 1)
    if claimed:
        _give_back(claimed, now)
    return done


def _send_one(delivery_id: int, now: datetime, enough: Callable[[], bool]) -> str | None:
    """``send``, but whatever goes wrong with one delivery, the rest of the post goes on."""
    try:
        return send(delivery_id, now, enough)
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
    given = {"now": now, "limit": limit}
    if db.session.scalar(_DUE, {**given, "limit": 1}) is None:
        return []  # most of the time, and whoever writes need not wait for us to find out
    with db.transaction():
        taken = list(db.session.scalars(_DUE_FREE, given))
        if taken:
            db.session.execute(_TAKE, {"ids": taken, "until": now + LEASE})
    return taken


def _give_back(delivery_ids: Sequence[int], now: datetime) -> None:
    with db.transaction():
        db.session.execute(_GIVE_BACK, {"ids": delivery_ids, "lease": now + LEASE})


_T: Final = cast(Table, Delivery.__table__)
# As the index's own condition has it, with no parameter, or a plan made beforehand cannot use it.
_IS_WAITING = _T.c.status == literal_column("'waiting'")
_DUE = (
    select(_T.c.id)
    .where(
        _IS_WAITING,
        _T.c.due_at <= bindparam("now"),
        or_(_T.c.lease_until.is_(None), _T.c.lease_until <= bindparam("now")),
    )
    .order_by(_T.c.due_at)
    .limit(bindparam("limit"))
)
_DUE_FREE = _DUE.with_for_update(skip_locked=True)
_WAITING = update(_T).where(_IS_WAITING)
_THOSE = _WAITING.where(_T.c.id.in_(bindparam("ids", expanding=True)))
_TAKE = _THOSE.values(lease_until=bindparam("until"))
_GIVE_BACK = _THOSE.where(_T.c.lease_until == bindparam("lease")).values(lease_until=null())


def send(delivery_id: int, now: datetime, enough: Callable[[], bool] = lambda: False) -> str | None:
    """Send a delivery claimed at ``now``: "sent", "dropped", "retried", "parked".

    None: it is not ours any more; somebody else took it when our lease had run out, or we gave
    it back because of ``enough``.
    """
    with db.transaction():
        delivery = _find(delivery_id)
        if delivery is None or not _is_ours(delivery, now):
            return None
        found = about.find(delivery)
        if not about.is_wanted(delivery, found, now):
            return _drop(delivery, now)
        if delivery.channel == channels.APP:
            return _sent(delivery_id, now)  # it is its own message, and leaves the house nowhere
        letter = letters.write(delivery, found, now)
        recipient = delivery.recipient
    if enough():
        # Asked again at the last moment: where we stood still since, what we read may be over.
        _give_back([delivery_id], now)
        return None
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
        if failure is None:
            return _sent(delivery_id, now)
        delivery = _find(delivery_id)
        if delivery is None or not _is_ours(delivery, now):
            return None
        return _failed(delivery, failure, now)


def _find(delivery_id: int) -> Delivery | None:
    return db.session.scalars(_FOUND, {"id": delivery_id}).one_or_none()


_FOUND = (
    select(Delivery)
    .options(joinedload(Delivery.recipient, innerjoin=True), joinedload(Delivery.event))
    .where(Delivery.id == bindparam("id"))
    .with_for_update(of=Delivery)
    .execution_options(populate_existing=True)
)


def _sent(delivery_id: int, now: datetime) -> str | None:
    marked = db.session.execute(_MARK_SENT, {"delivery": delivery_id, "now": now}).one_or_none()
    if marked is None:
        return None
    _follow(marked.kind, marked.recipient_id, now)
    return "sent"


_MARK_SENT = (
    _WAITING.where(_T.c.id == bindparam("delivery"))
    .values(status=Standing.SENT, sent_at=bindparam("now"), lease_until=null(), error=null())
    .returning(_T.c.kind, _T.c.recipient_id)
)


def _drop(delivery: Delivery, now: datetime) -> str:
    delivery.status, delivery.lease_until = Standing.DROPPED, None
    _follow(delivery.kind, delivery.recipient_id, now)
    return "dropped"


def _failed(delivery: Delivery, failure: Failed, now: datetime) -> str:
    delivery.failures += 1
    # A mail server may say anything, and PostgreSQL keeps no zero character.
    delivery.error = str(failure).replace("\0", "\N{REPLACEMENT CHARACTER}")[:500]
    delivery.lease_until = None
    wait = None if failure.for_good else rules.retry_after(delivery.failures)
    if wait is None:
        delivery.status = Standing.PARKED
        _follow(delivery.kind, delivery.recipient_id, now)
        log.warning("delivery.parked", delivery=delivery.id, kind=delivery.kind, why=str(failure))
        return "parked"
    delivery.due_at = now + wait
    log.info("delivery.retried", delivery=delivery.id, kind=delivery.kind, why=str(failure))
    return "retried"


def _follow(kind: str, recipient_id: int, now: datetime) -> None:
    """A digest that came to its end, whichever, is followed by the next."""
    if kind in rules.DIGESTS:
        plan_digests(recipient_id, now)


def parked(limit: int = 100) -> Sequence[Delivery]:
    """Deliveries that failed too often, the newest first, with their recipients."""
    return db.session.scalars(
        select(Delivery)
        .options(joinedload(Delivery.recipient, innerjoin=True))
        .where(Delivery.status == Standing.PARKED)
        .order_by(Delivery.id.desc())
        .limit(limit)
    ).all()


def failing(now: datetime, limit: int = 1000) -> tuple[int, str]:
    """How many deliveries failed and wait to be tried again, as far as ``limit``; and why the
    next of them did.
    """
    errors = db.session.scalars(
        select(Delivery.error)
        .where(
            Delivery.status == Standing.WAITING,
            Delivery.due_at <= now + rules.BACKOFF[-1],
            Delivery.failures > 0,
        )
        .order_by(Delivery.due_at)
        .limit(limit)
    ).all()
    return len(errors), (errors[0] or "") if errors else ""


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
