"""What a booking needs of its contract, and its row: for one session, and for a series of them."""

from datetime import datetime

from skileez import db
from skileez.contracts.models import Contract
from skileez.contracts.rules import (
    check_duration,
    contract_is_active,
    free_numbers,
    may_add_session,
)
from skileez.errors import require
from skileez.events import Actor
from skileez.sessions import rules
from skileez.sessions.models import Session, live_numbers


def numbers_left(contract: Contract, minutes: int) -> list[int]:
    """The numbers that bookings of so many minutes get, in order; at least one.

    Raises ``Refused`` when the contract is not active, its sessions are used up, or the length
    is out of bounds.
    """
    require(contract_is_active(contract.status))
    taken = live_numbers(contract.id)
    require(may_add_session(len(taken), contract.total_sessions))
    require(check_duration(minutes))
    return free_numbers(taken, contract.total_sessions)


def enter(
    contract: Contract,
    number: int,
    start: datetime,
    minutes: int,
    *,
    by: str,
    actor: Actor,
    now: datetime,
    series_id: int | None = None,
    place: str | None = None,
    zone: str | None = None,
) -> Session:
    """Book the session ``number`` at ``start``, which was found to be free, and tell it.

    The coach's own booking counts as confirmed. One of a series is told with the series.
    """
    session = Session(
        contract=contract,
        session_number=number,
        scheduled_at=start,
        duration_minutes=minutes,
        timezone=zone,
        series_id=series_id,
        series_place=place,
        confirmed_by_coach=by == rules.Role.COACH,
        created_at=now,
    )
    db.session.add(session)
    details: dict[str, object] = {"session_number": number, "duration_minutes": minutes}
    if series_id is not None:
        details |= {"with_series": series_id, "series_place": place}
    session.say(
        "session.booked",
        actor=actor,
        role=by,
        now=now,
        status_to=session.status,
        new_time=start,
        details=details,
    )
    return session
