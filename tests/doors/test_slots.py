"""The slot picker: what its fragments show; its links do without scripts what scripts do."""

import re
from datetime import UTC, date, datetime
from html import unescape

import pytest

from skileez import db
from skileez.availability.models import Availability
from skileez.availability.rules import Hours
from skileez.sessions import actions
from tests.cast import HOUR, MINUTE, NOW, WHY
from tests.doors.stage import Stage
from tests.doors.test_query_counts import counted
from tests.doors.visitor import text_of

# NOW is Monday, 2 March 2026. The coach is in New York, the student in Berlin, six hours on.
THURSDAYS = Hours("America/New_York", weekly={3: [(540, 720)]}, step=60)
NIGHTS = Hours("Europe/Berlin", weekly={6: [(0, 240)]}, step=30)
HTMX = {"HX-Request": "true"}
_LINK = re.compile(
    r'<a class="(?:slot|slots-cell)[^"]*"[^>]*href="([^"]+)"[^>]*aria-label="([^"]+)"'
)


def set_hours(hours: Hours) -> None:
    with db.transaction():
        row = Availability(coach_id=2, changed_at=NOW)
        row.take(hours)
        db.session.add(row)
    db.session.remove()


def links(page: str) -> dict[str, str]:
    """The days and times that can be pressed: their addresses by what they are called."""
    return {unescape(label): unescape(href) for href, label in _LINK.findall(page)}


def test_a_fragment_shows_the_month_s_counts_and_the_times_of_one_day_in_three_queries(
    stage: Stage,
) -> None:
    set_hours(THURSDAYS)
    booked = stage.book(68 * HOUR, by="coach")  # Thursday 5 March, before the hours
    with db.transaction():
        one = actions.find_for(stage.cast.actor("student"), booked)
        held = [datetime(2026, 3, 12, 14, tzinfo=UTC)]
        one.request_reschedule("student", WHY, proposed_times=held, now=NOW)
    db.session.remove()
    for path in ("/contracts/1/slots", f"/sessions/{booked}/slots"):
        student = stage["student"]
        with counted() as seen:
            page = student.get(f"{path}?month=2026-03&day=2026-03-12", headers=HTMX)
        assert (page.status_code, len(seen)) == (200, 3)
        assert "Thursday 5 March 2026: 3 free times" in links(page.text)
        assert "no-store" in page.headers["Cache-Control"]
        times = [label for label in links(page.text) if "free" not in label]
        # New York is on summer time by then, and Berlin not; 15:00 is held by the request.
        free = [f"Thursday 12 March 2026, {at}:00; {at - 5:02}:00 in New York" for at in (14, 16)]
        own = "Thursday 12 March 2026, 15:00; 10:00 in New York"
        assert times == (free if "contracts" in path else [free[0], own, free[1]])


def test_who_is_no_participant_finds_no_times(stage: Stage) -> None:
    booked = stage.book(60 * HOUR)
    for path in ("/contracts/1/slots", f"/sessions/{booked}/slots", "/sessions/99/slots"):
        assert stage["stranger"].get(path).status_code == 404


@pytest.mark.parametrize("hours", [THURSDAYS, None], ids=["hours", "no hours"])
def test_an_address_that_means_nothing_shows_what_there_is(
    stage: Stage, hours: Hours | None
) -> None:
    if hours:
        set_hours(hours)
    for said in (
        "month=0000-00&day=2026-02-30&minutes=x&zone=Mars/Base&at=never",
        "month=1-1&day=0001-01-01&minutes=-5&zone=../etc/passwd&at=0001-01-01T00:00Z",
        "month=9999-12&day=9999-12-31&minutes=99999&at=9999-12-31T23:59-23:59",
        "month=²⁰²⁶-03&day=<b>&minutes=٦٠&zone=%00&at=2026-13-01T00:00Z&for=nothing",
        "month=2025-01&day=2025-01-01&minutes=480&zone=Pacific/Apia&at=" + "9" * 500,
        "month=2026-04&day=2026-03-05&zone=&at=&at=&at=&for=counter",
    ):
        for path in ("/contracts/1/slots", "/contracts/1/schedule"):
            page = stage["student"].get(f"{path}?{said}")
            assert page.status_code in (200, 400), f"{path}?{said}"
            assert page.status_code == 200 or "%00" in said


def test_without_scripts_a_time_is_chosen_by_a_link_and_booked(stage: Stage) -> None:
    set_hours(THURSDAYS)
    page = stage["student"].get("/contracts/1/schedule?minutes=90")
    time = links(page.text)["Thursday 5 March 2026, 16:00; 10:00 in New York"]
    page = stage["student"].get(time)
    assert 'value="2026-03-05T16:00"' in page.text
    assert 'name="duration_minutes"' in page.text
    assert 'value="90"' in page.text
    assert "Thursday 5 March 2026, 16:00; 10:00 in New York" in text_of(page)
    fields = {"scheduled_at": "2026-03-05T16:00", "timezone": "Europe/Berlin"}
    stage.send("student", time, "/contracts/1/schedule", duration_minutes="90", **fields)
    assert stage.session(1).scheduled_at == datetime(2026, 3, 5, 15, tzinfo=UTC)


def test_times_that_come_twice_are_told_apart_and_kept_apart(stage: Stage) -> None:
    set_hours(NIGHTS)
    day = "/contracts/1/schedule?day=2026-10-25"
    page = stage["student"].get(day)
    assert "The clocks go back on this day, from 03:00 to 02:00." in text_of(page)
    offered = links(page.text)
    assert "Sunday 25 October 2026, 02:30 GMT+2; 20:30 in New York" not in offered  # Sat
    assert "Sunday 25 October 2026, 02:30 GMT+2; Sat 20:30 in New York" in offered
    second = offered["Sunday 25 October 2026, 02:30 GMT+1; Sat 21:30 in New York"]
    page = stage["student"].get(second)
    chosen = re.search(r'type="radio" name="scheduled_at" value="([^"]+)" checked', page.text)
    assert chosen
    assert chosen[1] == "2026-10-25T02:30:00+01:00"
    page = stage["coach"].get("/contracts/1/slots?day=2026-03-08")
    assert "The clocks go forward on this day, from 02:00 to 03:00." in text_of(page)


def test_up_to_three_times_are_proposed_by_links(stage: Stage) -> None:
    set_hours(THURSDAYS)
    path = f"/sessions/{stage.book(80 * HOUR, by='coach')}/reschedule"
    page = stage["student"].get(path)
    assert "Best times for both" in text_of(page)
    three = [label for label in links(page.text) if "," in label][:3]
    for time in three:
        page = stage["student"].get(links(page.text)[time])
    for row in range(3):
        assert re.search(rf'name="proposed_times-{row}"[^>]*value="2026-', page.text)
    assert page.text.count("data-slot-remove aria-label") == 4  # and one in the template


def test_a_time_taken_meanwhile_comes_back_with_the_nearest_free_ones(stage: Stage) -> None:
    set_hours(THURSDAYS)
    start = datetime(2026, 3, 5, 15, tzinfo=UTC)
    stage.book(start + 30 * MINUTE - NOW)
    fields = {"scheduled_at": "2026-03-05T16:00:00+01:00", "timezone": "Europe/Berlin"}
    path = "/contracts/1/schedule"
    page = stage.send("student", path, path, duration_minutes="60", **fields)
    assert page.status_code == 409
    told = text_of(page)
    assert "already has another session" in told
    assert "The nearest free times Thu 5 Mar 15:00 09:00 in New York" in told
    assert 'value="2026-03-05T16:00"' in page.text


def test_without_hours_any_time_can_be_chosen_and_an_empty_month_names_the_next(
    stage: Stage,
) -> None:
    path = "/contracts/1/slots?month=2026-05&day=2026-05-04"
    page = stage["student"].get(path)
    assert "The coach has not set hours; any time can be chosen." in text_of(page)
    assert "Monday 4 May 2026: 48 free times" in links(page.text)
    set_hours(Hours("America/New_York", dates={date(2026, 4, 2): [(540, 660)]}, horizon=100))
    page = stage["student"].get("/contracts/1/slots?month=2026-03")
    told = text_of(page)
    assert "No free time in March 2026" in told
    assert "Next free time: Thursday 2 April 2026, 15:00; 09:00 in New York" in told
    assert "Nothing later is free" in text_of(
        stage["coach"].get("/contracts/1/slots?month=2026-06")
    )


def test_a_time_pressed_again_is_taken_back(stage: Stage) -> None:
    set_hours(THURSDAYS)
    time = "Thursday 5 March 2026, 16:00; 10:00 in New York"
    page = stage["student"].get("/contracts/1/schedule?day=2026-03-05")
    page = stage["student"].get(links(page.text)[time])
    assert 'value="2026-03-05T16:00"' in page.text
    page = stage["student"].get(links(page.text)[time])
    assert 'value="2026-03-05T16:00"' not in page.text


def test_of_three_times_the_one_that_was_taken_meanwhile_is_named(stage: Stage) -> None:
    path = f"/sessions/{stage.book(80 * HOUR)}/reschedule"
    stage.book(90 * HOUR)
    times = {f"proposed_times-{row}": f"{NOW + at * HOUR}" for row, at in enumerate((85, 90, 95))}
    page = stage.send("student", path, path, reason=WHY, **times)
    assert page.status_code == 409
    assert '<a href="#proposed_times-1">Proposed time: At Fri 6 Mar 2026, 07:00' in page.text
    assert 'data-refused="proposed_times-1"' in page.text
    assert re.findall(r'data-slot-for="(proposed[^"]+)"', page.text) == [
        "proposed_times-0",
        "proposed_times-2",
    ]


def test_a_time_in_the_address_that_cannot_be_had_says_why(stage: Stage) -> None:
    stage.book(80 * HOUR)
    for at, why in ((80, "already has another session"), (-1, "is in the past")):
        told = f"/contracts/1/schedule?at={(NOW + at * HOUR).isoformat()[:-6]}Z"
        assert why in text_of(stage["coach"].get(told))
