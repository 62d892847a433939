"""After a change of the zones' rules: sessions keep the time on the wall, at its new instant."""

import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from skileez import db, zones
from skileez.availability.models import TimeOff
from skileez.events import Event
from skileez.sessions import actions, recurrence, refresh, series_booking
from skileez.sessions.models import Session
from skileez.sessions.refresh import Why
from tests.cast import DAY, HOUR, NOW, WHY, Cast, contract, person
from tests.sessions.stage import columns, events_of, told
from tests.zone_files import tzif

BERLIN = "Europe/Berlin"
Rule = Callable[..., None]


@pytest.fixture
def rules_change(tmp_path: Path) -> Iterator[Rule]:
    """Gives Berlin other rules: so many hours from Greenwich from an instant on, one before it."""

    def change(hours: int, since: datetime = NOW, before: int = 1) -> None:
        file = tmp_path / "zones" / BERLIN
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(tzif(before * HOUR, since, hours * HOUR))
        zoneinfo.reset_tzpath(to=[str(tmp_path / "zones")])
        zones.reload()

    yield change
    zoneinfo.reset_tzpath(to=[])
    zones.reload()


def book(cast: Cast, wall: str, **told: object) -> Session:
    start = zones.resolve(datetime.fromisoformat(wall), BERLIN)
    return cast.book(start - NOW, by="coach", **told)


def walls() -> list[str]:
    """What the clocks of Berlin show at each session, in the order of their numbers."""
    db.session.remove()
    return [
        f"{zones.local(one.scheduled_at, one.timezone):%Y-%m-%dT%H:%M}"
        for one in Session.query.order_by(Session.id)
        if one.scheduled_at
    ]


def test_a_session_keeps_its_time_on_the_wall(cast: Cast, rules_change: Rule) -> None:
    session = book(cast, "2026-03-05T18:00")
    before = columns(Session, session.id)
    rules_change(2)
    done = refresh.run(NOW)
    after = columns(Session, session.id)
    start = datetime(2026, 3, 5, 16, tzinfo=UTC)
    assert [one.session_id for one in done.moved] == [session.id]
    assert (done.left, done.away) == ([], 0)
    assert {name for name in after if after[name] != before[name]} == {
        *("scheduled_at", "ends_at", "listed_at", "version")
    }
    assert (after["scheduled_at"], after["ends_at"]) == (start, start + HOUR)
    assert after["wall_at"] == "2026-03-05T18:00"
    event = events_of(session.id)[-1]
    assert told(event)["verb"] == "session.zone_rules_changed"
    assert (event.old_time, event.new_time) == (start + HOUR, start)
    assert (event.actor_kind, event.role) == ("system", None)
    agreed = "2026-03-05T18:00"
    assert event.details == {"zone": BERLIN, "wall": agreed, "kept": agreed}


def test_a_second_run_and_one_under_the_same_rules_change_nothing(
    cast: Cast, rules_change: Rule
) -> None:
    session = book(cast, "2026-03-05T18:00")
    assert not refresh.run(NOW).moved
    rules_change(2)
    assert refresh.run(NOW).moved
    events = len(events_of(session.id))
    assert not refresh.run(NOW).moved
    assert len(events_of(session.id)) == events


@pytest.mark.parametrize("hours", [0, 2])
def test_a_whole_calendar_shifts_without_a_collision(
    cast: Cast, rules_change: Rule, hours: int
) -> None:
    """Each session stands where its neighbour belongs."""
    agreed = [f"2026-03-05T{hour:02}:00" for hour in (12, 10, 11, 13)]
    for wall in agreed:
        book(cast, wall)
    rules_change(hours)
    done = refresh.run(NOW, batch=3)
    assert len(done.moved) == 4
    assert not done.left
    assert walls() == agreed


def test_what_cannot_be_moved_is_named_with_what_is_in_its_way_and_told_once(
    cast: Cast, rules_change: Rule
) -> None:
    in_berlin = book(cast, "2026-03-05T18:00")
    with db.transaction():
        student = person("other")
        theirs = contract(cast.coach, student, timezone="UTC")
    other = cast.book(datetime(2026, 3, 5, 15, 30, tzinfo=UTC) - NOW, by="coach", contract=theirs)
    rules_change(2)
    for _twice in range(2):
        done = refresh.run(NOW)
        assert not done.moved
        (left,) = done.left
        assert (left.why, left.stray.session_id, left.other_id) == (
            *(Why.TAKEN, in_berlin.id),
            other.id,
        )
    assert columns(Session, in_berlin.id)["scheduled_at"] == datetime(2026, 3, 5, 17, tzinfo=UTC)
    verbs = [one.verb for one in events_of(in_berlin.id)]
    assert verbs.count("session.zone_rules_collided") == 1
    with db.transaction():
        actions.find_any(other.id).cancel_session(by="coach", reason=WHY, now=NOW)
    assert len(refresh.run(NOW).moved) == 1
    assert walls()[0] == "2026-03-05T18:00"


def test_a_time_that_the_new_rules_jump_over_moves_behind_the_jump(
    cast: Cast, rules_change: Rule
) -> None:
    session = book(cast, "2026-03-05T18:30")
    rules_change(2, since=datetime(2026, 3, 5, 17, tzinfo=UTC))
    refresh.run(NOW)
    event = events_of(session.id)[-1]
    assert walls() == ["2026-03-05T19:30"]
    assert event.details["wall"] == "2026-03-05T18:30"
    assert event.details["kept"] == "2026-03-05T19:30"
    assert not refresh.run(NOW).moved


def test_a_time_that_the_new_rules_have_twice_stays(cast: Cast, rules_change: Rule) -> None:
    book(cast, "2026-03-05T18:30")
    rules_change(0, since=datetime(2026, 3, 5, 18, tzinfo=UTC))
    assert not refresh.run(NOW).moved


def test_a_request_waits_no_longer_than_the_new_start_and_a_yes_stays(
    cast: Cast, rules_change: Rule
) -> None:
    session = book(cast, "2026-03-03T11:00")
    with db.transaction():
        found = actions.find_for(cast.actor("student"), session.id)
        found.request_reschedule("student", WHY, now=NOW)
    rules_change(2)
    refresh.run(NOW)
    row = columns(Session, session.id)
    assert row["scheduled_at"] == row["reschedule_deadline"] == NOW + 21 * HOUR
    assert row["confirmed_by_coach"]
    assert row["reschedule_requested"]


def test_what_has_begun_by_the_new_rules_stays_and_is_named(cast: Cast, rules_change: Rule) -> None:
    soon = NOW + 2 * HOUR
    session = book(cast, "2026-03-02T15:00")
    rules_change(3)
    done = refresh.run(soon - HOUR)
    assert [(one.why, one.stray.session_id) for one in done.left] == [(Why.PAST, session.id)]


def test_what_is_over_or_has_no_time_on_a_wall_is_left_alone(
    cast: Cast, rules_change: Rule
) -> None:
    past, gone, raw = (book(cast, f"2026-03-0{day}T18:00") for day in (3, 5, 6))
    with db.transaction():
        actions.find_any(gone.id).cancel_session(by="coach", reason=WHY, now=NOW)
        actions.find_any(raw.id).wall_at = None
    rules_change(2)
    done = refresh.run(NOW + 2 * DAY)
    assert (done.moved, done.left) == ([], [])
    assert columns(Session, past.id)["scheduled_at"] == datetime(2026, 3, 3, 17, tzinfo=UTC)


def test_a_series_is_told_once_and_not_each_session_of_it(cast: Cast, rules_change: Rule) -> None:
    pattern = recurrence.starting(BERLIN, date(2026, 3, 5), time(18), [3], 60, count=3)
    with db.transaction():
        agreed = actions.find_contract_for(cast.actor("coach"), cast.contract.id)
        series = series_booking.book_series(agreed, pattern, by="coach", now=NOW).id
    rules_change(2)
    assert len(refresh.run(NOW).moved) == 3
    assert walls() == [f"2026-03-{day}T18:00" for day in ("05", "12", "19")]
    events = Event.query.filter(Event.verb.endswith(".zone_rules_changed")).order_by(Event.id)
    assert [(one.verb.split(".")[0], one.details.get("with_series")) for one in events] == [
        ("series", None),
        *[("session", series)] * 3,
    ]
    assert all(one.wall_at == one.series_place for one in Session.query)


def test_days_away_stay_the_same_days(cast: Cast, rules_change: Rule) -> None:
    with db.transaction():
        away = TimeOff(
            coach_id=cast.coach.id,
            starts_at=datetime(2026, 3, 9, 23, tzinfo=UTC),
            ends_at=datetime(2026, 3, 12, 23, tzinfo=UTC),
            zone=BERLIN,
            wall_start="2026-03-10T00:00",
            wall_end="2026-03-13T00:00",
            created_at=NOW,
        )
        db.session.add(away)
    rules_change(2)
    assert refresh.run(NOW).away == 1
    row = columns(TimeOff, away.id)
    assert row["starts_at"] == datetime(2026, 3, 9, 22, tzinfo=UTC)
    assert row["ends_at"] == datetime(2026, 3, 12, 22, tzinfo=UTC)
    event = Event.query.filter_by(verb="time_off.zone_rules_changed").one()
    assert event.stream == f"person:{cast.coach.id}"
    assert refresh.run(NOW).away == 0


def test_a_rehearsal_tells_the_same_and_leaves_nothing(cast: Cast, rules_change: Rule) -> None:
    session = book(cast, "2026-03-05T18:00")
    before = columns(Session, session.id)
    rules_change(2)
    told = refresh.rehearse(NOW)
    assert columns(Session, session.id) == before
    assert [one.verb for one in events_of(session.id)] == ["session.booked"]
    assert refresh.run(NOW) == told
