"""The page of a coach's hours: shown, tried out, saved, told of, and nobody else's."""

import re
from html import unescape
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from skileez import db
from skileez.availability import queries
from skileez.availability.models import Availability
from skileez.availability.rules import USUAL, Hours
from skileez.events import Event
from tests.cast import DAY, HOUR
from tests.doors.stage import Stage
from tests.doors.test_query_counts import counted
from tests.doors.visitor import Visitor, text_of

PAGE = "/availability"
_INPUT = re.compile(r"<(?:input|button)[^>]*>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


_tokens: WeakKeyDictionary[Visitor, str] = WeakKeyDictionary()


def typed(**told: Any) -> dict[str, Any]:
    """A form as a browser sends it: a span is its two inputs, one after the other."""
    return {
        "version": "0",
        "zone": "Europe/Berlin",
        "MO": ["09:00", "12:00", "13:00", "17:00"],
        "buffer_before": "0",
        "buffer_after": "15",
        "notice": "12",
        "notice_unit": "60",
        "horizon": "90",
        "step": "30",
        "per_day": "",
        "per_week": "",
        **told,
    }


def send(stage: Stage, who: str = "coach", to: str = PAGE, **told: Any) -> TestResponse:
    token = _tokens.get(stage[who]) or _tokens.setdefault(stage[who], stage[who].token("/profile"))
    data = {"csrf_token": token, **typed(**told)}
    return stage[who].client.post(to, data=data, buffered=True)


def kept(stage: Stage) -> Hours | None:
    db.session.remove()
    return queries.of_coach(stage.cast.coach.id)


def values(page: TestResponse, name: str) -> list[str]:
    """The values of all inputs of that name that are on the page, but those to copy from."""
    html = re.sub(r"<template\b.*?</template>", "", page.text, flags=re.S)
    found = [dict(_ATTRIBUTE.findall(one)) for one in _INPUT.findall(html)]
    return [unescape(one.get("value", "")) for one in found if one.get("name") == name]


def test_a_coach_without_hours_is_told_so_and_saves_usual_ones_at_once(stage: Stage) -> None:
    page = stage["coach"].get(PAGE)
    assert "Without hours you may be booked at any time" in text_of(page)
    assert values(page, "MO") == ["09:00", "12:00", "13:00", "17:00"]
    assert values(page, "SA") == []
    offered: dict[str, Any] = {
        name: values(page, name) for name in ("version", "MO", "TU", "WE", "TH", "FR")
    }
    answer = send(stage, **offered, zone="America/New_York")
    assert (answer.status_code, answer.location) == (303, PAGE)
    hours = kept(stage)
    assert hours
    assert (hours.weekly, hours.zone, hours.notice) == (USUAL, "America/New_York", 720)
    page = stage["coach"].get(PAGE)
    assert "Your hours are saved." in text_of(page)
    assert "Without hours you may be booked" not in text_of(page)
    assert values(page, "version") == ["1"]


def test_everything_is_kept_and_shown_again(stage: Stage) -> None:
    told: dict[str, Any] = {
        "SU": ["00:00", "00:00"],
        "dates-0-day": "2026-03-10",
        "dates-0-spans": ["", ""],
        "dates-7-day": "2026-04-06",
        "dates-7-spans": ["10:00", "00:00"],
        "stays-0-zone": "Asia/Tokyo",
        "stays-0-first": "2026-05-01",
        "stays-0-last": "2026-05-09",
        "per_day": "4",
    }
    empty: dict[str, Any] = {"dates-9-day": "", "dates-9-spans": ["", ""], "stays-1-zone": "UTC"}
    assert send(stage, **told, **empty).status_code == 303
    page = stage["coach"].get(PAGE)
    assert values(page, "SU") == ["00:00", "00:00"]
    assert values(page, "dates-0-day") == ["2026-03-10"]
    assert values(page, "dates-0-spans") == []
    assert values(page, "dates-1-spans") == ["10:00", "00:00"]
    assert values(page, "stays-0-last") == ["2026-05-09"]
    assert values(page, "notice") == ["12"]
    hours = kept(stage)
    assert hours
    assert hours.weekly[6] == ((0, 1440),)
    assert hours.zone_on(hours.stays[0].first) == "Asia/Tokyo"


def test_what_the_page_shows_says_the_same_hours_when_it_is_sent(stage: Stage) -> None:
    told: dict[str, Any] = {
        "MO": ["00:00", "08:15", "20:00", "00:00"],
        "dates-0-day": "2026-03-10",
        "dates-1-day": "2026-04-06",
        "dates-1-spans": ["10:00", "11:00", "12:00", "13:00"],
        "stays-0-zone": "Asia/Tokyo",
        "stays-0-first": "2026-05-01",
        "stays-0-last": "2026-05-09",
        "notice": "3",
        "notice_unit": "1440",
        "step": "45",
        "per_week": "9",
    }
    send(stage, **told)
    saved = kept(stage)
    page = stage["coach"].get(PAGE).text
    html = re.sub(r"<template\b.*?</template>", "", page, flags=re.S)
    fields = MultiDict(
        (one["name"], unescape(one.get("value", "")))
        for one in (dict(_ATTRIBUTE.findall(tag)) for tag in re.findall(r"<input[^>]*>", html))
        if "name" in one
    )
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
        chosen = [one for one in re.findall(r"<option[^>]*>", options) if " selected" in one]
        fields.add(name, dict(_ATTRIBUTE.findall(chosen[0]))["value"])
    assert stage["coach"].client.post(PAGE, data=fields, buffered=True).status_code == 303
    assert kept(stage) == saved
    events = db.session.query(Event).filter_by(verb="availability.changed")
    assert events.count() == 1


def test_a_browser_without_scripts_adds_removes_and_copies_and_loses_nothing(stage: Stage) -> None:
    half = {"TU": ["10:0", ""], "notice": "soon"}

    def press(do: str, **told: Any) -> TestResponse:
        page = send(stage, do=do, **{**half, **told})
        assert page.status_code == 200
        assert values(page, "TU")[:2] == ["10:0", ""]
        assert values(page, "notice") == ["soon"]
        return page

    assert values(press("add:SA"), "SA") == ["", ""]
    assert values(press("remove:MO:0"), "MO") == ["13:00", "17:00"]
    copied = press("copy", copy_from="MO", copy_to=["WE", "SU", "nonsense"])
    assert values(copied, "SU") == values(copied, "WE") == ["09:00", "12:00", "13:00", "17:00"]
    row = {"dates-0-day": "2026-03-10", "dates-0-spans": ["", ""]}
    assert values(press("add:dates", **row), "dates-1-spans") == ["", ""]
    assert values(press("add:dates-0-spans", **row), "dates-0-spans") == [""] * 4
    assert values(press("remove:dates-0", **row), "dates-0-day") == []
    assert values(press("add:stays"), "stays-0-first") == [""]
    for nonsense in ("add", "add:", "add:XX", "remove:MO:99", "remove:MO:²", "remove:x", "fly:MO"):
        assert values(press(nonsense), "MO") == ["09:00", "12:00", "13:00", "17:00"]
    assert kept(stage) is None


def test_each_error_stands_at_its_field_and_nothing_is_lost(stage: Stage) -> None:
    wrong: dict[str, Any] = {
        "TU": ["17:00", "09:00"],
        "WE": ["09:00", "12:00", "11:00", "14:00"],
        "TH": ["22:00", "02:00"],
        "horizon": "0",
        "stays-0-zone": "Asia/Tokyo",
        "stays-0-first": "2026-05-09",
        "stays-0-last": "2026-05-01",
        "dates-0-day": "2026-03-10",
        "dates-0-spans": ["12:00", "11:00"],
    }
    page = send(stage, **wrong)
    assert page.status_code == 422
    words = text_of(page)
    for link, sentence in (
        ("#TU", "17:00 to 09:00 ends before it starts."),
        ("#WE", "11:00–14:00 overlaps the hours before it"),
        ("#TH", "22:00 to 02:00 ends before it starts. For hours over midnight"),
        ("#horizon", "Choose a number from 1 to 365; this is 0."),
        ("#stays-0-last", "This stay ends on 2026-05-01"),
        ("#dates-0-spans", "12:00 to 11:00 ends before it starts."),
    ):
        assert f'<a href="{link}">' in page.text, link
        assert page.text.count(f'id="{link[1:]}"') == 1, link
        assert words.count(sentence) == 2, sentence
    assert values(page, "TH") == ["22:00", "02:00"]
    assert values(page, "dates-0-day") == ["2026-03-10"]
    for unread, sentence in (
        ({"MO": ["09:00", ""]}, "Give every span its start and its end"),
        ({"MO": ["25:00", "26:00"]}, "Give every span its start and its end"),
        ({"zone": "Mars/Olympus"}, "There is no time zone called “Mars/Olympus”."),
        ({"notice": ""}, "Write a number."),
        ({"notice": "9" * 30}, "Ask for a notice of at most 30 days"),
        ({"horizon": "many"}, "Write a whole number."),
        ({"step": "7"}, "Choose one of the offered distances."),
        ({"dates-0-day": "", "dates-0-spans": ["09:00", ""]}, "Choose a date."),
        ({"stays-0-zone": "UTC", "stays-0-last": "2026-05-01"}, "Choose a date."),
        ({"per_week": "0", "notice": "?"}, "Choose a number from 1 to 100; this is 0."),
        ({"dates-0-day": "2026-03-10", "dates-1-day": "2026-03-10"}, "stands here twice"),
    ):
        page = send(stage, **unread)
        assert page.status_code == 422, unread
        assert sentence in text_of(page), unread
    assert kept(stage) is None


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "²", "🙂" * 300])
def test_hostile_text_stays_text(stage: Stage, hostile: str) -> None:
    told: dict[str, Any] = {
        **dict.fromkeys(("zone", "horizon", "notice_unit", "step", "week"), hostile),
        "MO": [hostile, "12:00"],
        "dates-0-day": hostile,
        "stays-0-zone": hostile,
    }
    for to, status in ((PAGE, 422), (f"{PAGE}/preview", 200)):
        page = send(stage, to=to, **told)
        assert page.status_code == status
        assert "<script>alert" not in page.text
    assert stage["coach"].get(PAGE, query_string={"week": hostile}).status_code == 200


def test_a_week_is_previewed_as_typed_and_nothing_is_written(stage: Stage) -> None:
    stage.book(60 * HOUR, by="coach")
    words = text_of(stage["coach"].get(PAGE))
    assert "2 to 8 March 2026" in words
    assert "booked 19:00–20:00" in words
    # The clocks go forward in New York on 8 March, in Berlin on the 29th.
    assert "Sun 8 Mar: the clocks in New York jump over 02:00–03:00." in words
    page = send(stage, to=f"{PAGE}/preview", do="week:2026-03-25", SU=["01:00", "04:00"])
    assert page.status_code == 200
    words = text_of(page)
    assert "<html" not in page.text
    assert "Sun 29 Mar 01:00–02:00, 03:00–04:00" in words
    assert "the clocks in Berlin jump over 02:00–03:00" in words
    assert "starting times of 60 minutes in this week" in words
    stay: dict[str, Any] = {
        "stays-0-zone": "Asia/Tokyo",
        "stays-0-first": "2026-03-26",
        "stays-0-last": "2026-12-01",
    }
    page = send(stage, do="week:2026-03-25", **stay)
    assert "From Thu 26 Mar to Sun 29 Mar the clocks are those of Tokyo." in text_of(page)
    page = send(stage, do="week:2026-10-25", horizon="30")
    assert "Sun 25 Oct: the clocks in Berlin show 02:00–03:00 twice." in text_of(page)
    assert "further ahead than you take bookings" in text_of(page)
    assert kept(stage) is None
    page = send(stage, to=f"{PAGE}/preview", MO=["12:00", "09:00"])
    assert page.status_code == 200
    assert "as soon as it can be read" in text_of(page)


def test_the_second_of_two_windows_is_told_and_may_then_replace(stage: Stage) -> None:
    assert send(stage, horizon="60").status_code == 303
    page = send(stage, horizon="30")
    assert page.status_code == 409
    assert "changed in another window" in text_of(page)
    assert values(page, "horizon") == ["30"]
    assert values(page, "version") == ["1"]
    assert send(stage, horizon="30", version="1").status_code == 303
    hours = kept(stage)
    assert hours
    assert hours.horizon == 30


def test_what_is_booked_outside_is_named_with_its_student_and_stays(stage: Stage) -> None:
    night = stage.book(60 * HOUR)  # Wednesday, 19:00 in New York
    inside: dict[str, Any] = {"zone": "America/New_York", "WE": ["19:00", "20:00"], "MO": []}
    send(stage, **inside)
    assert "outside your hours" not in text_of(stage["coach"].get(PAGE))
    send(stage, version="1")
    page = stage["coach"].get(PAGE)
    words = text_of(page)
    assert "1 booked session is outside your hours" in words
    assert "Wed 4 Mar, 19:00 Amara Okafor" in words
    assert f'href="/sessions/{night}"' in page.text
    assert 'href="/availability/outside"' in page.text
    assert stage.session(night).status == "scheduled"
    with counted() as few:
        stage["coach"].get(PAGE)
    for later in (62, 64, 66):
        stage.book(later * HOUR, by="coach")
    with counted() as many:
        assert "4 booked sessions are outside" in text_of(stage["coach"].get(PAGE))
    assert len(many) == len(few) == 6
    stage.after(4 * DAY)
    assert "outside your hours" not in text_of(stage["coach"].get(PAGE))


def test_doing_without_hours_asks_first(stage: Stage) -> None:
    send(stage)
    assert "Do without hours" in text_of(stage["coach"].get(PAGE))
    where = f"{PAGE}/any-time"
    assert "Students may book you at any time" in text_of(stage["coach"].get(where))
    assert kept(stage)
    stale = stage.send("coach", where, where, version="9")
    assert stale.status_code == 409
    assert kept(stage)
    assert stage.send("coach", where, where).status_code == 303
    assert kept(stage) is None
    assert "You have no hours: you may be booked at any time" in text_of(stage["coach"].get(where))


def test_hours_are_nobody_elses(stage: Stage) -> None:
    send(stage, horizon="77")
    for who in ("student", "stranger", "admin"):
        for path in (PAGE, f"{PAGE}/any-time"):
            page = stage[who].get(path)
            assert page.status_code == 403, (who, path)
            assert "Hours are for coaches" in text_of(page)
        assert send(stage, who, version="1").status_code == 403
        assert send(stage, who, to=f"{PAGE}/preview").status_code == 403
        assert send(stage, who, to=f"{PAGE}/any-time", version="1").status_code == 403
        assert ">Hours<" not in stage[who].get("/profile").text
    assert ">Hours<" in stage["coach"].get("/profile").text
    with db.transaction():
        stage.cast.student.offers_coaching = True
        db.session.merge(stage.cast.student)
    page = stage["student"].get(PAGE)
    assert values(page, "horizon") == ["365"]
    assert send(stage, "student").status_code == 303
    db.session.remove()
    assert {one.horizon for one in db.session.query(Availability)} == {77, 90}
