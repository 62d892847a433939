"""The calendar: a range of my own time, in my own zone, and of others only what is taken."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from skileez import db
from skileez.availability.models import Availability, TimeOff
from skileez.availability.rules import Hours
from skileez.sessions import actions
from tests import cast
from tests.cast import DAY, HOUR, NOW, WHY
from tests.doors.stage import Stage
from tests.doors.visitor import text_of

WEEK = (NOW - 12 * HOUR, NOW + 156 * HOUR)
BERLIN = Hours("Europe/Berlin", weekly=dict.fromkeys(range(5), ((540, 720),)), notice=60)


def feed(stage: Stage, who: str, first: datetime, last: datetime, **asked: Any) -> Any:
    given = {"start": first.isoformat(), "end": last.isoformat(), **asked}
    return stage[who].client.get("/calendar/feed", query_string=given)


def entries(stage: Stage, who: str, *span: datetime, **asked: Any) -> list[dict[str, Any]]:
    answer = feed(stage, who, *(span or WEEK), **asked)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json["entries"]
    return found


def keep_hours(stage: Stage, hours: Hours = BERLIN) -> None:
    with db.transaction() as session:
        row = Availability(coach_id=stage.cast.coach.id, changed_at=NOW)
        row.take(hours)
        session.add(row)
    db.session.remove()


def go_away(stage: Stage, first: datetime, last: datetime) -> None:
    with db.transaction() as session:
        session.add(
            TimeOff(
                coach_id=stage.cast.coach.id,
                starts_at=first,
                ends_at=last,
                zone="UTC",
                wall_start=f"{first:%Y-%m-%dT%H:%M}",
                wall_end=f"{last:%Y-%m-%dT%H:%M}",
                reason="Surgery, for nobody to read.",
                created_at=NOW,
            )
        )
    db.session.remove()


def ask_to_move(stage: Stage, session_id: int, *times: datetime) -> None:
    with db.transaction():
        one = actions.find_for(stage.cast.actor("student"), session_id)
        who = stage.cast.actor("student")
        one.request_reschedule("student", WHY, proposed_times=times, actor=who, now=NOW)
    db.session.remove()


def test_the_feed_has_what_the_range_touches_and_may_be_moved_as_the_rule_says(
    stage: Stage,
) -> None:
    soon, later, asked = stage.book(5 * HOUR), stage.book(60 * HOUR), stage.book(80 * HOUR)
    stage.book(30 * DAY)
    ask_to_move(stage, asked, NOW + 90 * HOUR)
    found = entries(stage, "coach")
    assert [(one["what"], one["session"], one["move"]) for one in found] == [
        ("session", soon, None),  # a coach asks at least ten hours before
        ("session", later, f"/sessions/{later}/reschedule"),
        ("session", asked, None),
        ("proposed", asked, None),
    ]
    assert found[0]["start"] == "2026-03-02T17:00:00Z"
    assert found[3]["end"] == "2026-03-06T07:00:00Z"
    assert found[0]["with"] == stage.cast.student.display_name
    inside = entries(stage, "coach", NOW + 60 * HOUR + HOUR / 2, NOW + 61 * HOUR)
    assert [one["session"] for one in inside] == [later]


def test_a_student_sees_of_the_coach_when_they_are_open_away_and_busy_and_no_more(
    stage: Stage,
) -> None:
    keep_hours(stage)
    go_away(stage, NOW + DAY, NOW + 2 * DAY)
    with db.transaction() as session:
        one, other = session.merge(stage.cast.coach), session.merge(stage.cast.stranger)
        secret = cast.contract(one, other, 4, title="Nobody else's business")
        who = stage.cast.actor("stranger")
        taken = actions.book(secret, NOW + 69 * HOUR, by="student", actor=who, now=NOW)
        held = [NOW + 93 * HOUR]
        taken.request_reschedule("student", WHY, proposed_times=held, actor=who, now=NOW)
        secret_id, contract_id = secret.id, stage.cast.contract.id
    answer = feed(stage, "student", *WEEK, contract=contract_id)
    found = answer.json["entries"]
    assert [(one["start"], one["what"]) for one in found if one["what"] != "open"] == [
        ("2026-03-03T12:00:00Z", "away"),
        ("2026-03-05T09:00:00Z", "busy"),
        ("2026-03-06T09:00:00Z", "busy"),
    ]
    assert {len(one) for one in found} == {3}  # what, start and end
    # Tuesday's hours are whole, Wednesday's begin before the coach is back.
    assert [one["start"] for one in found if one["what"] == "open"] == [
        "2026-03-02T08:00:00Z",
        "2026-03-03T08:00:00Z",
        "2026-03-05T08:00:00Z",
        "2026-03-06T08:00:00Z",
    ]
    for words in ("Nobody", "Surgery", stage.cast.stranger.display_name):
        assert words not in answer.text
    assert entries(stage, "student") == []  # without the contract not even that
    assert feed(stage, "student", *WEEK, contract=secret_id).status_code == 404
    assert feed(stage, "student", *WEEK, contract="99999999999").status_code == 404


SECOND = timedelta(seconds=1)
BAD = {
    "no time": ("", "", "2027-03-01T00:00:00Z"),
    "a day": ("2026-03-02", "2026-03-09", "2027-03-01T00:00:00Z"),
    "no zone": ("2026-03-02T00:00:00", "2026-03-09T00:00:00", "2027-03-01T00:00:00Z"),
    "the end of days": ("9999-12-31T23:00:00-12:00", "2026-03-09T00:00:00Z", "2027-03-01"),
    "the wrong way round": ("2026-03-09T00:00:00Z", "2026-03-02T00:00:00Z", "ends after"),
    "nothing": ("2026-03-09T00:00:00Z", "2026-03-09T00:00:00Z", "ends after"),
    "too much": ("2026-03-02T00:00:00Z", "2026-05-03T00:00:01Z", "at most 62 d"),
}


def test_bounds_that_are_none_are_refused_in_a_sentence(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    for name, (first, last, words) in BAD.items():
        with subtests.test(name):
            answer = stage["student"].client.get(
                "/calendar/feed",
                query_string={"start": first, "end": last},
                headers={"Accept": "application/json"},
            )
            assert answer.status_code == 422
            assert words in answer.text
    assert entries(stage, "student", NOW, NOW + 62 * DAY) == []
    for at in ("2027-02-30", "0001-01-01", "9999-12-31", "tomorrow"):
        assert stage["student"].get(f"/calendar?at={at}").status_code == 422
    assert stage["student"].get("/calendar?view=year&contract=x").status_code == 200


def test_the_list_needs_no_script_and_can_do_what_the_grid_can(stage: Stage) -> None:
    keep_hours(stage)
    session_id = stage.book(68 * HOUR)
    other = stage.book(93 * HOUR)
    ask_to_move(stage, other, NOW + 92 * HOUR)
    page = stage["student"].get("/calendar?view=list")
    html, text = page.text, text_of(page)
    for words in (
        "2 to 8 March 2026",
        "Thursday 5 March 2026",
        "09:00–10:00 03:00 in New York",
        "Ask to move it",
        "Proposed time",
        "Reschedule requested",
    ):
        assert words in text, words
    # Free is what is open and not taken, booked from its first time on.
    assert f'href="/sessions/{session_id}/reschedule"' in html
    assert 'href="/contracts/1/schedule?at=2026-03-05T09:00:00Z"' in html
    assert 'href="/contracts/1/schedule?at=2026-03-03T08:00:00Z"' in html
    assert "schedule?at=2026-03-02" not in html  # today's hours are over
    later = re.search(r'href="([^"]+)" rel="next"', html)
    assert later
    assert "9 to 15 March" in stage["student"].get(later[1].replace("&amp;", "&")).text


def test_the_view_is_remembered(stage: Stage) -> None:
    assert 'data-view="week"' in stage["coach"].get("/calendar").text
    stage["coach"].get("/calendar?view=month")
    assert "March 2026" in text_of(stage["coach"].get("/calendar"))


ZONES = {
    # zone, day, its clocks, what 17:00 UTC shows on it
    "Berlin springs": ("Europe/Berlin", date(2027, 3, 28), "GMT+1 becomes GMT+2", "19:00"),
    "New York springs": ("America/New_York", date(2027, 3, 14), "GMT-5 becomes GMT-4", "13:00"),
    "Berlin falls back": ("Europe/Berlin", date(2027, 10, 31), "GMT+2 becomes GMT+1", "18:00"),
    "no midnight": ("Africa/Cairo", date(2027, 4, 30), "GMT+2 becomes GMT+3", "20:00"),
}


def test_the_days_are_those_of_the_readers_zone_also_when_its_clocks_change(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    for name, (zone, day, clocks, shown) in ZONES.items():
        with subtests.test(name):
            noon = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
            stage.at(noon - 5 * DAY)
            with db.transaction() as session:
                session.merge(stage.cast.student).zone = zone
            booked = stage.book(noon - NOW, now=noon - 5 * DAY)
            stage["student"].come_in("student@example.org")
            page = stage["student"].get(f"/calendar?view=day&at={day}")
            assert clocks in text_of(page)
            assert f'datetime="{noon:%Y-%m-%dT%H:%M:%SZ}">{shown}' in page.text
            assert f'href="/sessions/{booked}"' in page.text
            before, after = clocks.split(" becomes ")
            for beside, offset in ((-1, before), (1, after)):
                page = stage["student"].get(f"/calendar?view=day&at={day + timedelta(days=beside)}")
                assert f'href="/sessions/{booked}"' not in page.text
                assert f"({offset})" in text_of(page)


def test_only_a_day_of_which_nothing_is_said_takes_one_line(stage: Stage) -> None:
    keep_hours(stage)
    html = stage["coach"].get("/calendar?view=list&at=2026-03-08").text
    assert 'agenda-bare" aria-labelledby="day-2026-03-07"' in html
    assert '"agenda-day" aria-labelledby="day-2026-03-08"' in html  # its clocks change


def test_a_session_over_midnight_stands_on_the_day_it_starts(stage: Stage) -> None:
    booked = stage.book(58 * HOUR + HOUR / 2)  # 23:30 in Berlin
    first = stage["student"].get("/calendar?view=day&at=2026-03-04").text
    assert "23:30–00:30" in first
    # ... and on the next, where that is all one looks at.
    assert f"/sessions/{booked}" in stage["student"].get("/calendar?view=day&at=2026-03-05").text
