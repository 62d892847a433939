"""The links of a mail, without the mail: made as for the worker that writes one."""

from datetime import datetime, timedelta

from skileez import db
from skileez.accounts.models import Person
from skileez.notifications import channels, links
from skileez.notifications.models import Delivery
from skileez.notifications.rules import OVERDUE
from skileez.sessions import actions
from skileez.sessions.models import Session
from tests.cast import HOUR, NOW, WHY, Cast

REQUESTED, COUNTERED = "session.reschedule_requested", "session.reschedule_countered"
BOOKED = "session.booked"
WANTED = (NOW + 70 * HOUR, NOW + 71 * HOUR)


def tokens(session: Session, kind: str, to: Person, now: datetime = NOW) -> dict[str, str]:
    """What a mail of this kind offers: its token by the act, "approve 2" for the second time."""
    with db.transaction():
        session = db.session.get_one(Session, session.id)
        delivery = Delivery(
            occasion=f"{kind}:{session.id}:{now:%H%M}",
            kind=kind,
            channel=channels.MAIL,
            recipient_id=to.id,
            session_id=session.id,
            contract_id=session.contract_id,
            at=now,
            due_at=now,
            status="waiting",
        )
        db.session.add(delivery)
        db.session.flush()
        found: dict[str, str] = {}
        for one, path in links.make(delivery, session, session.role_of(to.id), now):
            name = str(one.act) if one.act not in found else f"{one.act} {len(found) + 1}"
            found[name] = path.removeprefix(links.PATH.format(""))
    db.session.remove()
    return found


def ask(cast: Cast, session: Session, by: str = "student", now: datetime = NOW) -> None:
    """One side asks to move it, to one of two times."""
    with db.transaction():
        actions.find_any(session.id).request_reschedule(
            by, WHY, proposed_times=WANTED, actor=cast.actor(by), now=now
        )


def requested(
    cast: Cast, by: str = "student", ahead: timedelta = 60 * HOUR
) -> tuple[Session, dict[str, str]]:
    """A session that one side asks to move, and the links of the other side's mail."""
    session = cast.book(ahead, by="coach")
    ask(cast, session, by)
    return session, tokens(session, REQUESTED, cast.coach if by == "student" else cast.student)


def booked(cast: Cast) -> tuple[Session, dict[str, str]]:
    """A session that the coach has to confirm, and the links of their mail."""
    session = cast.book()
    return session, tokens(session, BOOKED, cast.coach)


def overdue(cast: Cast) -> tuple[Session, dict[str, str], dict[str, str]]:
    """A session that ended an hour ago, and the links of the coach's and the student's mails."""
    session, now = cast.book(2 * HOUR, by="coach"), NOW + 4 * HOUR
    mine, theirs = (tokens(session, OVERDUE, one, now) for one in (cast.coach, cast.student))
    return session, mine, theirs
