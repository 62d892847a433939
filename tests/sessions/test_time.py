"""Times given in anybody's zone: kept as instants, measured as elapsed time."""

from datetime import UTC, datetime

import pytest

from skileez import db, zones
from skileez.errors import Refused
from skileez.sessions import actions
from skileez.sessions.models import Session
from tests.cast import HOUR, MINUTE, NOW, WHY, Cast
from tests.sessions.stage import at, columns

BERLIN = zones.zone("Europe/Berlin")
KATHMANDU = zones.zone("Asia/Kathmandu")
NEW_YORK = zones.zone("America/New_York")


def book(cast: Cast, start: datetime, **told: int) -> Session:
    with db.transaction():
        contract = actions.find_contract_for(cast.actor("coach"), cast.contract.id)
        return actions.book(contract, start, by="coach", now=NOW, **told)


def test_a_start_of_another_zone_is_kept_as_the_instant_it_is(cast: Cast) -> None:
    session = book(cast, datetime(2026, 3, 10, 9, 15, tzinfo=KATHMANDU))
    row = columns(Session, session.id)
    assert row["scheduled_at"] == row["scheduled_date"] == datetime(2026, 3, 10, 3, 30, tzinfo=UTC)
    assert row["timezone"] == "Europe/Berlin"
    assert session.scheduled_at is not None
    assert session.scheduled_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "end"),
    [
        # The clocks of Berlin go forward at 02:00 and back at 03:00.
        (datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)),
        (
            datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=0),
            datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
        ),
        (
            datetime(2026, 3, 8, 1, 30, tzinfo=NEW_YORK),
            datetime(2026, 3, 8, 3, 30, tzinfo=NEW_YORK),
        ),
    ],
)
def test_an_hour_is_an_hour_where_the_clocks_change(
    cast: Cast, start: datetime, end: datetime
) -> None:
    session = book(cast, start)
    row = columns(Session, session.id)
    assert row["ends_at"] == end.astimezone(UTC)
    assert row["ends_at"] - row["scheduled_at"] == HOUR
    # What follows back to back by the elapsed hour is free, what begins a minute before is not.
    with pytest.raises(Refused):
        book(cast, end.astimezone(UTC) - MINUTE)
    book(cast, end)


def test_the_two_half_past_twos_of_a_night_are_two_sessions(cast: Cast) -> None:
    first = book(cast, datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=0))
    second = book(cast, datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1))
    assert second.scheduled_at - first.scheduled_at == HOUR


def test_an_answer_may_name_the_time_in_its_own_zone(cast: Cast) -> None:
    session = cast.book()
    with db.transaction():
        found = actions.find_for(cast.actor("student"), session.id)
        found.request_reschedule(
            "student", WHY, proposed_times=[at(70).astimezone(BERLIN)], now=NOW
        )
        found.approve_reschedule(at(70).astimezone(KATHMANDU), by="coach", now=NOW)
    assert columns(Session, session.id)["scheduled_at"] == at(70)


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        # 12:00 on the day of the change; a day before by the clock is 23 hours.
        (datetime(2026, 3, 28, 12, tzinfo=BERLIN), "late"),
        (datetime(2026, 3, 28, 11, tzinfo=BERLIN), "standard"),
        (datetime(2026, 3, 28, 11, 0, 1, tzinfo=BERLIN), "late"),
    ],
)
def test_notice_is_elapsed_time(cast: Cast, now: datetime, kind: str) -> None:
    session = book(cast, datetime(2026, 3, 29, 12, tzinfo=BERLIN))
    with db.transaction():
        found = actions.find_for(cast.actor("student"), session.id)
        found.request_reschedule("student", WHY, now=now)
    row = columns(Session, session.id)
    assert row["reschedule_kind"] == kind
    assert row["reschedule_deadline"] - row["reschedule_asked_at"] <= 24 * HOUR
    assert row["reschedule_asked_at"] == now.astimezone(UTC)


def test_a_whole_night_of_hours_is_told_apart(cast: Cast) -> None:
    """Twenty instants around the change, each found by its own time and no other."""
    session = book(cast, datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    for minutes in range(-600, 601, 60):
        instant = datetime(2026, 10, 25, 0, 30, tzinfo=UTC) + minutes * MINUTE
        found = Session.query.filter(Session.scheduled_at == instant.astimezone(BERLIN)).all()
        assert [one.id for one in found] == ([session.id] if minutes == 0 else [])
