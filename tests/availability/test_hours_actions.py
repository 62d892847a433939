"""Setting hours: once, told, by coaches, and never over somebody else's change."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from skileez import db
from skileez.availability import actions, queries
from skileez.availability.models import Availability
from skileez.availability.rules import USUAL, Hours, Stay
from skileez.errors import NotFound, Refused
from skileez.events import Event
from skileez.sessions.models import Session
from skileez.sessions.outside import outside_hours
from tests.cast import HOUR, NOW, Cast

HOURS = Hours(
    "Europe/Berlin",
    weekly=USUAL,
    dates={date(2026, 3, 20): (), date(2026, 4, 6): ((600, 1440),)},
    stays=(Stay("Asia/Tokyo", date(2026, 5, 1), date(2026, 5, 9)),),
    buffer_before=5,
    buffer_after=15,
    notice=180,
    horizon=90,
    step=15,
    per_day=4,
    per_week=None,
)


def save(cast: Cast, hours: Hours, version: int = 0, **told: Any) -> None:
    who = told.get("who", "coach")
    with db.transaction():
        actions.set_hours(
            getattr(cast, who).id,
            hours,
            actor=cast.actor(who),
            version=version,
            now=told.get("now", NOW),
        )
    db.session.remove()


def clear(cast: Cast, version: int) -> None:
    with db.transaction():
        actions.clear_hours(cast.coach.id, actor=cast.actor("coach"), version=version, now=NOW)
    db.session.remove()


def told(cast: Cast) -> list[dict[str, Any]]:
    stream = select(Event).filter_by(stream=f"availability:{cast.coach.id}").order_by(Event.id)
    return [
        {"verb": one.verb, "actor": one.actor_id, **one.details}
        for one in db.session.scalars(stream)
    ]


def version(cast: Cast) -> int:
    db.session.remove()
    return db.session.get_one(Availability, cast.coach.id).version


def test_hours_are_kept_whole_and_told_with_what_was_before(cast: Cast) -> None:
    save(cast, HOURS)
    assert queries.of_coach(cast.coach.id) == replace(HOURS, weekly=dict(USUAL))
    save(cast, replace(HOURS, weekly={6: ((0, 1440),), 0: ()}), version(cast))
    first, second = told(cast)
    assert first["verb"] == "availability.changed"
    assert first["actor"] == cast.coach.id
    assert first["before"] is None
    assert first["after"]["stays"][0]["zone"] == "Asia/Tokyo"
    assert second["before"] == first["after"]
    assert second["after"]["weekly"] == {"SU": [[0, 1440]]}


def test_the_same_hours_again_change_nothing_however_they_are_written(cast: Cast) -> None:
    save(cast, HOURS)
    was = version(cast)
    turned = {day: tuple(reversed(spans)) for day, spans in USUAL.items()}
    save(cast, replace(HOURS, weekly={**turned, 6: ()}), was, now=NOW + HOUR)
    save(cast, HOURS, version=99)
    assert len(told(cast)) == 1
    assert version(cast) == was


def test_dates_and_stays_that_are_over_are_not_kept(cast: Cast) -> None:
    old = replace(HOURS, dates={date(2026, 3, 1): (), date(2026, 3, 2): ()})
    save(cast, old)
    found = queries.of_coach(cast.coach.id)
    assert found
    assert list(found.dates) == [date(2026, 3, 2)]
    # A day later that is over, too: saving what the page shows is no change.
    save(cast, replace(old, dates={}), version(cast), now=NOW + timedelta(days=1))
    assert len(told(cast)) == 1


def test_the_second_of_two_windows_is_told(cast: Cast) -> None:
    save(cast, HOURS)
    was = version(cast)
    save(cast, replace(HOURS, step=60), was)
    for stale in (was, 0):
        with pytest.raises(Refused, match="changed in another window") as refused:
            save(cast, replace(HOURS, step=5), stale)
        assert refused.value.code == "hours_changed"
    with pytest.raises(Refused, match="changed in another window"):
        clear(cast, was)
    assert queries.of_coach(cast.coach.id).step == 60  # type: ignore[union-attr]
    assert len(told(cast)) == 2


def test_only_who_offers_coaching_has_hours_and_nothing_wrong_is_kept(cast: Cast) -> None:
    for who, hours, code in (
        ("student", HOURS, "hours_without_coaching"),
        ("coach", replace(HOURS, zone="Mars/Olympus"), "unknown_zone"),
        ("coach", replace(HOURS, stays=(replace(HOURS.stays[0], zone="?"),)), "unknown_zone"),
        ("coach", replace(HOURS, horizon=0), "horizon_out_of_range"),
        ("coach", replace(HOURS, weekly={0: ((720, 540),)}), "span_ends_first"),
    ):
        with pytest.raises(Refused) as refused:
            save(cast, hours, who=who)
        assert refused.value.code == code
    with pytest.raises(NotFound), db.transaction():
        actions.set_hours(999, HOURS, actor=cast.actor("coach"), version=0, now=NOW)
    assert db.session.scalars(select(Availability)).all() == []
    assert told(cast) == []


def test_a_coach_without_hours_is_open_at_any_time_again(cast: Cast) -> None:
    clear(cast, 0)
    assert told(cast) == []
    save(cast, HOURS)
    clear(cast, version(cast))
    assert queries.of_coach(cast.coach.id) is None
    assert told(cast)[-1]["after"] is None
    assert told(cast)[-1]["before"] == told(cast)[0]["after"]


def test_what_is_booked_stays_booked_and_is_found_where_the_hours_leave_it_out(
    cast: Cast,
) -> None:
    # Thursday 00:00 to 01:00, Thursday 12:00 to 13:00, Friday 12:00 to 13:00 UTC.
    night, noon, friday = (cast.book(ahead * HOUR).id for ahead in (60, 72, 96))
    inside = Hours("UTC", weekly={3: ((720, 780),), 4: ((720, 779),)})
    save(cast, inside)
    assert outside_hours(cast.coach.id, inside, NOW) == [night, friday]
    assert outside_hours(cast.coach.id, inside, NOW + 70 * HOUR) == [friday]
    assert outside_hours(cast.student.id, inside, NOW) == []
    starts = {one: db.session.get_one(Session, one).scheduled_at for one in (night, noon)}
    assert starts == {night: NOW + 60 * HOUR, noon: NOW + 72 * HOUR}
