"""Booking a series and confirming it: whole or not at all, on a database."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from skileez import db
from skileez.availability.rules import Hours
from skileez.errors import NotFound
from skileez.events import Event, broken_links
from skileez.sessions import actions, series_booking, series_planning, series_queries
from skileez.sessions.recurrence import Note, Pattern
from skileez.sessions.series import Series
from tests.cast import HOUR, NOW, WHY, Cast
from tests.sessions.series.stage import (
    MONDAYS,
    act,
    book,
    last_event,
    pattern,
    refused,
    sessions,
    starts,
    verbs,
)
from tests.sessions.stage import columns
from tests.sessions.test_hours import set_hours
from tests.sessions.test_query_plans import recorded


def look(cast: Cast, one: Pattern | None = None, **told: Any) -> series_planning.Preview:
    told = {"by": "student", "now": NOW, **told}
    return series_planning.preview(cast.contract, one or pattern(), **told)


UTC_STARTS = ["03-09 17:00", "03-16 17:00", "03-23 17:00", "03-30 16:00", "04-06 16:00"]


def test_a_series_keeps_its_time_on_the_wall_and_tells_it_once(cast: Cast) -> None:
    series = book(cast, pattern(count=5))
    found = sessions(series)
    assert starts(found) == UTC_STARTS
    assert [one.session_number for one in found] == [1, 2, 3, 4, 5]
    assert [one.series_place for one in found] == [one.wall_at for one in found]
    assert {one.timezone for one in found} == {"Europe/Berlin"}
    assert not any(one.confirmed_by_coach for one in found)
    assert columns(Series, series.id) == {
        "id": series.id,
        "contract_id": cast.contract.id,
        "zone": "Europe/Berlin",
        "dtstart": "2026-03-09T18:00",
        "rrule": "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;COUNT=5",
        "duration_minutes": 60,
        "created_by": "student",
        "created_at": NOW,
        "stopped_at": None,
        "clocks_at": NOW,
        "version": 1,
    }
    assert verbs(series) == ["session.booked"] * 5 + ["series.booked"]
    booked = Event.query.filter_by(verb="session.booked").all()
    assert {event.details["with_series"] for event in booked} == {series.id}
    told = last_event()
    assert told.session_id is None
    assert told.details == {
        "series_id": series.id,
        "zone": "Europe/Berlin",
        "dtstart": series.dtstart,
        "rrule": series.rrule,
        "duration_minutes": 60,
        "starts": [one.scheduled_at.isoformat() for one in found if one.scheduled_at],
    }
    assert list(broken_links()) == []


def test_the_coachs_own_series_is_confirmed(cast: Cast) -> None:
    assert all(one.confirmed_by_coach for one in sessions(book(cast, by="coach")))


def test_a_preview_marks_what_is_in_the_way_and_what_clocks_do(cast: Cast) -> None:
    cast.book(datetime(2026, 3, 16, 17, 30, tzinfo=UTC) - NOW)
    plan = look(cast)
    assert [one.refusal and one.refusal.code for one in plan.dates] == [
        None, "time_taken", None, None, None, None,
    ]  # fmt: skip
    (blocked,) = plan.refused
    assert blocked.free == datetime(2026, 3, 16, 16, 30, tzinfo=UTC)
    assert plan.left == 7
    # Berlin is the student's zone, New York the coach's, whose clocks changed the day before.
    shifts = [(one.place[5:10], *((s.zone, s.before.hour, s.after.hour) for s in one.shifts))
              for one in plan.dates if one.shifts]  # fmt: skip
    assert shifts == [("03-30", ("America/New_York", 13, 12))]
    assert list(plan.changes) == ["America/New_York", "Europe/Berlin"]


def test_a_preview_asks_three_things_however_many_dates_it_has(cast: Cast) -> None:
    for count in (1, 8):
        with recorded() as seen:
            look(cast, pattern(count=count))
        assert len(seen) == 3


def test_all_is_booked_as_chosen_or_nothing(cast: Cast) -> None:
    cast.book(datetime(2026, 3, 16, 17, 30, tzinfo=UTC) - NOW)
    why = refused("series_conflicts", book, cast)
    assert "1 of the 6" in str(why)
    taken, other = "2026-03-16T18:00", datetime(2026, 3, 17, 9, tzinfo=UTC)
    series = book(cast, None, {taken: other, "2026-03-23T18:00": None})
    found = sessions(series)
    assert starts(found) == [
        "03-09 17:00", "03-17 09:00", "03-30 16:00", "04-06 16:00", "04-13 16:00",
    ]  # fmt: skip
    assert found[1].series_place == taken
    assert [one.session_number for one in found] == [2, 3, 4, 5, 6]


def test_choices_that_cannot_be_are_refused_like_any_date(cast: Cast) -> None:
    places = [one.place for one in look(cast).dates]
    refused("series_all_skipped", book, cast, None, dict.fromkeys(places))
    refused("unknown_place", book, cast, None, {"2026-03-10T18:00": None})
    # Two dates at one time: a series does not run into itself.
    second = datetime(2026, 3, 16, 17, tzinfo=UTC)
    refused("series_conflicts", book, cast, None, {places[0]: second})
    refused("series_conflicts", book, cast, None, {places[0]: NOW - HOUR})


def test_a_series_whose_dates_are_over_or_too_far_ahead_is_not_booked(cast: Cast) -> None:
    over = look(cast, pattern(first=date(2026, 2, 2), count=3))
    assert [one.refusal and one.refusal.code for one in over.dates] == ["time_in_the_past"] * 3
    refused("series_conflicts", book, cast, pattern(first=date(2026, 2, 2), count=3))
    far = look(cast, pattern(first=date(2027, 2, 22), count=3))
    assert [one.refusal and one.refusal.code for one in far.dates] == [
        None, None, "time_too_far",
    ]  # fmt: skip
    gap = look(cast, pattern(4, zone="Pacific/Apia", first=date(2011, 12, 30), count=1))
    assert gap.dates[0].occurrence.note is Note.GAP


def test_the_contract_bounds_a_series(cast: Cast) -> None:
    cast.book()
    assert "7 sessions" in str(refused("series_too_long", book, cast, pattern(count=10_000)))
    assert "7 sessions" in str(refused("series_too_long", book, cast, pattern(until=date.max)))
    book(cast, pattern(count=7))
    refused("quota_used", book, cast, pattern(count=1))
    with db.transaction():
        actions.find_contract_for(cast.actor("coach"), cast.contract.id).pause(
            actor=cast.actor("coach"), role="coach", now=NOW
        )
    refused("contract_not_active", book, cast)


def test_a_student_keeps_to_the_coachs_hours_buffers_and_caps_in_a_series_too(cast: Cast) -> None:
    set_hours(cast, Hours("UTC", {0: [(960, 1080)], 1: [(960, 1080)]}, buffer_after=30, per_week=1))
    plan = look(cast, pattern(0, 1, clock=time(17), count=4, first=date(2026, 3, 30)))
    assert [one.refusal and one.refusal.code for one in plan.dates] == [
        "outside_hours", "outside_hours", "outside_hours", "outside_hours",
    ]  # fmt: skip
    plan = look(cast, pattern(0, 1, count=4, first=date(2026, 3, 30)))
    assert [one.refusal and one.refusal.code for one in plan.dates] == [
        None, "week_full", None, "week_full",
    ]  # fmt: skip
    assert len(sessions(book(cast, pattern(0, 1, count=4), by="coach"))) == 4


def test_strangers_find_no_series(cast: Cast) -> None:
    series = book(cast)
    with db.transaction():
        for who in ("stranger", "admin"):
            with pytest.raises(NotFound):
                actions.find_series_for(cast.actor(who), series.id)
            with pytest.raises(NotFound):
                series_queries.of_person(cast.actor(who).id or 0, series.id)
        assert actions.find_series_for(cast.actor("coach"), series.id) is series


def test_the_coach_confirms_all_that_waits_for_it_at_once(cast: Cast) -> None:
    series = book(cast, pattern(count=5))
    later = datetime(2026, 3, 9, 17, 30, tzinfo=UTC)  # during the first
    with db.transaction():
        one, asked = sessions(series)[1:3]
        one.confirm("coach", now=NOW)
        asked.request_reschedule("student", WHY, now=NOW)
    refused(
        "only_the_coach_confirms", act, cast, series, "student", series_booking.confirm, now=later
    )
    meant = act(cast, series, "coach", series_booking.confirm, now=later)
    assert [one.series_place for one in meant] == MONDAYS[3:5]
    found = sessions(series)
    assert [one.confirmed_by_coach for one in found] == [False, True, False, True, True]
    assert verbs(series)[-3:] == ["session.confirmed"] * 2 + ["series.confirmed"]
    told = last_event()
    assert (told.role, told.session_id, told.at) == ("coach", None, later)
    assert told.details == {
        "series_id": series.id,
        "starts": [one.scheduled_at.isoformat() for one in found[3:] if one.scheduled_at],
    }
    each = Event.query.filter_by(verb="session.confirmed").order_by(Event.id)
    assert [event.details.get("with_series") for event in each] == [None, series.id, series.id]
    assert not list(broken_links())
    refused("nothing_to_confirm", act, cast, series, "coach", series_booking.confirm, now=later)
