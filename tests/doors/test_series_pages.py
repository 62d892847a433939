"""The pages of series: booking after a look at every date, then changing what is to come."""

import re
from datetime import date, time, timedelta
from html import unescape
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from werkzeug.test import TestResponse

from skileez import db
from skileez.sessions import actions
from skileez.sessions.models import Session
from skileez.sessions.recurrence import starting
from skileez.sessions.series import Series
from skileez.sessions.series_booking import book_series
from tests.cast import DAY, HOUR, NOW, WHY
from tests.doors.stage import Stage
from tests.doors.test_query_counts import counted
from tests.doors.visitor import Visitor, text_of, token_of

NEW = "/contracts/1/series/new"
# The student lives in Berlin, the coach in New York, whose clocks go forward on 8 March 2026.
FIRST = "2026-03-04T18:00"
_ROW = re.compile(r'name="(on-[0-9-]+-seen)" value="([^"]*)"')
_HIDDEN = re.compile(r'<input type="hidden" name="(shown|promised)" value="([^"]*)"')
_tokens: WeakKeyDictionary[Visitor, str] = WeakKeyDictionary()


def typed(**changed: Any) -> dict[str, Any]:
    """A weekly series of four, as typed in Berlin."""
    return {
        "first": FIRST,
        "timezone": "Europe/Berlin",
        "interval": "1",
        "ends": "count",
        "count": "4",
        "until": "",
        "duration_minutes": "60",
        "do": "look",
        **changed,
    }


def send(stage: Stage, name: str, path: str, **fields: Any) -> TestResponse:
    visitor = stage[name]
    if visitor not in _tokens:
        _tokens[visitor] = token_of(visitor.get("/notifications"))
    token = _tokens[visitor]
    return visitor.client.post(path, data={"csrf_token": token, **fields}, buffered=True)


def seen_on(page: TestResponse) -> dict[str, str]:
    """What the page tells the next one: the pattern, the dates as they were, the promise."""
    return {
        name: unescape(value)
        for name, value in (*_ROW.findall(page.text), *_HIDDEN.findall(page.text))
    }


def booked(stage: Stage, **changed: Any) -> str:
    """The path of a series that was booked through the pages."""
    fields = typed(**changed)
    page = send(stage, "student", NEW, **fields)
    answer = send(stage, "student", NEW, **{**fields, **seen_on(page), "do": "book"})
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["Location"])


def starts(path: str) -> list[str]:
    """When the sessions of a series that are on start, by their places."""
    db.session.remove()
    found = db.session.scalars(
        db.session.query(Session)
        .filter_by(series_id=int(path.rsplit("/", 1)[1]), status="scheduled")
        .order_by(Session.series_place)
        .statement
    )
    return [f"{one.scheduled_at:%d %b %H:%M}" for one in found if one.scheduled_at]


# Booking


def test_every_date_is_shown_before_any_is_booked(stage: Stage) -> None:
    page = send(stage, "student", NEW, **typed())
    words = text_of(page)
    assert page.status_code == 200
    assert "Every Wednesday at 18:00" in words
    assert "Book 4 sessions" in words
    assert "Wed 11 Mar, 18:00 Free Clocks change For Jonas Lindqvist: 13:00" in words
    assert "For Jonas Lindqvist 12:00 becomes 13:00 from here on." in words
    assert Session.query.count() == 0


def test_a_series_is_booked_as_chosen_and_shown_to_both(stage: Stage) -> None:
    taken = stage.book(timedelta(days=9, hours=5))  # Wed 11 March, 18:00 in Berlin
    fields = typed(**{"on-2026-03-18-choice": "skip", "on-2026-03-25-choice": "pick"})
    page = send(stage, "student", NEW, **fields)
    words = text_of(page)
    assert "Not free" in words
    assert "Left out" in words
    refused = send(stage, "student", NEW, **{**fields, **seen_on(page), "do": "book"})
    assert refused.status_code == 422
    assert "2 dates need a choice" in text_of(refused)
    assert "Choose a date and time." in text_of(refused)

    fields |= {"on-2026-03-25-at": "2026-03-26T09:30"}
    page = send(stage, "student", NEW, **{**fields, "do": "next-taken"})
    free = re.search(r'<option value="([^"]+)" selected>Next free: ', page.text)
    assert free, text_of(page)
    fields |= {"on-2026-03-11-choice": free[1]}
    answer = send(stage, "student", NEW, **{**fields, **seen_on(page), "do": "book"})
    assert answer.status_code == 303
    path = answer.headers["Location"]
    assert len(starts(path)) == 3
    assert starts(path)[0] == "04 Mar 17:00"
    assert starts(path)[2] == "26 Mar 08:30"
    for name in ("student", "coach"):
        words = text_of(stage[name].get(path))
        assert "Every Wednesday at 18:00" in words
        assert "Moved on its own" in words
    assert stage.session(taken).series_id is None


def test_what_changed_meanwhile_is_marked_and_every_choice_kept(stage: Stage) -> None:
    fields = typed(**{"on-2026-03-18-choice": "skip"})
    page = send(stage, "student", NEW, **fields)
    stage.book(timedelta(days=9, hours=5))
    again = send(stage, "student", NEW, **{**fields, **seen_on(page), "do": "book"})
    assert again.status_code == 409
    assert "Changed since you looked" in text_of(again)
    assert '<option value="skip" selected>' in again.text
    assert Series.query.count() == 0


def test_nothing_is_booked_that_the_page_did_not_say(stage: Stage) -> None:
    fields = typed()
    page = send(stage, "student", NEW, **fields)
    others = {**fields, **seen_on(page), "do": "book"}
    unseen = send(stage, "student", NEW, **{**fields, "do": "book"})
    later = send(stage, "student", NEW, **{**others, "first": "2026-03-04T19:00"})
    fewer = send(stage, "student", NEW, **{**others, "on-2026-03-11-choice": "skip"})
    for answer, said in (
        (unseen, "The pattern is another one now"),
        (later, "The pattern is another one now"),
        (fewer, "With your choices, 3 sessions will be booked"),
    ):
        assert answer.status_code == 409
        assert said in text_of(answer)
    assert Series.query.count() == 0


BAD = [
    ({"first": ""}, "Choose a date and time."),
    ({"first": "   "}, "Choose a date and time."),
    ({"first": "soon"}, "Write the date and time like"),
    ({"first": "2026-02-25T18:00"}, "is in the past"),
    ({"first": "2026-03-29T02:30"}, "does not exist in Europe/Berlin"),
    ({"first": "9999-12-31T23:00"}, "between the years"),
    ({"timezone": "Mars/Olympus"}, "no time zone called"),
    ({"interval": "7"}, "every week or every second week"),
    ({"count": ""}, "Say how many sessions."),
    ({"count": "0"}, "at least one date"),
    ({"count": "10000"}, "leaves 6 sessions to book, and the series has 10000 dates"),
    ({"count": "many"}, "Write a whole number."),
    ({"ends": "until", "until": "2026-03-01"}, "No date is left"),
    ({"ends": "until", "until": "31 March"}, "Write the date like 2027-03-31."),
    ({"ends": "until", "until": "2999-01-01"}, "which last until"),
    ({"duration_minutes": "5"}, "15 to 480 minutes"),
]


def test_bad_input_is_a_clear_sentence_and_nothing_typed_is_lost(stage: Stage) -> None:
    for changed, said in BAD:
        answer = send(stage, "student", NEW, **typed(**changed))
        assert answer.status_code == 422, changed
        assert said in text_of(answer), (changed, text_of(answer))
        assert f'value="{changed.get("first", FIRST).strip()[:16]}"' in answer.text, changed
    assert Session.query.count() == 0


def test_nothing_can_be_booked_where_nothing_is_left(stage: Stage) -> None:
    booked(stage, ends="contract")
    for answer in (
        stage["student"].get(NEW),
        send(stage, "student", NEW, **typed()),
        send(stage, "student", NEW, **typed(ends="contract")),
    ):
        assert answer.status_code in (409, 422)
        assert "All 6 sessions of this contract are booked or completed." in text_of(answer)


# Changing


@pytest.fixture
def path(stage: Stage) -> str:
    """The path of a series of four sessions, from 4 March on."""
    who = stage.cast.actor("student")
    pattern = starting("Europe/Berlin", date(2026, 3, 4), time(18), [2], 60, count=4)
    with db.transaction():
        contract = actions.find_contract_for(who, stage.cast.contract.id)
        made = book_series(contract, pattern, by="student", actor=who, now=NOW).id
    db.session.remove()
    return f"/series/{made}"


def version(path: str) -> str:
    db.session.remove()
    return str(db.session.get_one(Series, int(path.rsplit("/", 1)[1])).version)


def test_the_coach_confirms_a_whole_series_with_one_press(stage: Stage, path: str) -> None:
    board = stage["coach"].get("/dashboard")
    assert text_of(board).count("waits for your confirmation") == 1
    assert "4 sessions of a series" in text_of(board)
    assert f'href="{path}"' in board.text
    assert "Confirm 4 sessions" in text_of(stage["coach"].get(path))
    assert "Confirm 4 sessions" not in text_of(stage["student"].get(path))
    assert send(stage, "student", f"{path}/confirm").status_code == 403
    seen = " ".join(f"{one}.1" for one in (1, 2, 3, 4))
    for old in ({"version": "9", "seen": seen}, {"version": "1", "seen": f"{seen} 5.1"}):
        stale = send(stage, "coach", f"{path}/confirm", **old)
        assert stale.status_code == 409
        assert "changed since you opened the page" in text_of(stale)
    assert not stage.session(1).confirmed_by_coach
    answer = stage.send("coach", path, f"{path}/confirm")
    assert answer.status_code == 303
    words = text_of(stage["coach"].get(path))
    assert "4 sessions are confirmed." in words
    assert "Waits for your confirmation" not in words
    assert all(stage.session(one).confirmed_by_coach for one in (1, 2, 3, 4))
    assert "of a series" not in text_of(stage["coach"].get("/dashboard"))
    again = send(stage, "coach", f"{path}/confirm", version=version(path), seen=seen)
    assert again.status_code == 409
    assert "nothing left to do" in text_of(again)


def test_this_and_following_are_cancelled(stage: Stage, path: str) -> None:
    page = stage["student"].get(f"{path}/cancel?from=2026-03-18T18:00")
    assert "2 sessions are meant" in text_of(page)
    unknown = stage["student"].get(f"{path}/cancel?from=2026-03-17")
    assert unknown.status_code == 422
    assert "2026-03-17 is no date of this series." in text_of(unknown)
    fields = {"start_from": "2026-03-18T18:00", "version": version(path)}
    for changed, said in (
        ({"reason": ""}, "at least 10 characters"),
        ({"reason": WHY, "start_from": ""}, "Say which of them you mean."),
    ):
        refused = send(stage, "student", f"{path}/cancel", **{**fields, **changed})
        assert refused.status_code == 422
        assert said in text_of(refused)
    answer = send(stage, "student", f"{path}/cancel", **fields, reason=WHY)
    assert answer.status_code == 303
    assert starts(path) == ["04 Mar 17:00", "11 Mar 17:00"]
    assert "2 sessions are cancelled." in text_of(stage["student"].get(path))


def test_a_series_is_stopped_and_its_sessions_kept_or_cancelled(stage: Stage, path: str) -> None:
    kept = stage.send("coach", f"{path}/stop", f"{path}/stop", keep="cancel", reason="")
    assert kept.status_code == 422
    assert "at least 10 characters" in text_of(kept)
    kept = stage.send("coach", f"{path}/stop", f"{path}/stop", keep="keep", reason="")
    assert kept.status_code == 303
    assert len(starts(path)) == 4
    words = text_of(stage["student"].get(path))
    assert "This series was stopped" in words
    for verb in ("stop", "cancel", "move"):
        assert stage["student"].get(f"{path}/{verb}").status_code == 409


def ask(stage: Stage, path: str, **changed: Any) -> TestResponse:
    """The student asks for Thursdays at 17:00 instead, after a look at each new time."""
    fields = {
        "start_from": "2026-03-11T18:00",
        "weekdays": "3",
        "clock": "17:00",
        "interval": "1",
        "reason": WHY,
        "version": version(path),
        **changed,
    }
    page = send(stage, "student", f"{path}/move", **fields, do="look")
    seen = re.search(r'name="seen" value="([^"]*)"', page.text)
    if page.status_code != 200 or not seen:
        return page
    return send(stage, "student", f"{path}/move", **fields, seen=unescape(seen[1]), do="send")


def test_the_pattern_moves_by_one_request_and_one_answer(stage: Stage, path: str) -> None:
    look = send(
        stage,
        "student",
        f"{path}/move",
        start_from="2026-03-11T18:00",
        weekdays="3",
        clock="17:00",
        interval="1",
        reason="",
        do="look",
    )
    assert "From Wed 11 Mar, 18:00 To Thu 12 Mar, 17:00" in text_of(look)
    unseen = send(
        stage,
        "student",
        f"{path}/move",
        start_from="2026-03-11T18:00",
        weekdays="3",
        clock="17:00",
        interval="1",
        reason=WHY,
        do="send",
    )
    assert unseen.status_code == 409
    assert ask(stage, path).status_code == 303
    assert starts(path)[1] == "11 Mar 17:00"
    assert "asks to move the series" in text_of(stage["coach"].get("/dashboard"))
    assert "asks to move the series" not in text_of(stage["student"].get("/dashboard"))
    assert "Look at it and answer" in text_of(stage["coach"].get(path))
    assert "Approve the new times" in text_of(stage["coach"].get(f"{path}/answer"))
    own = send(stage, "student", f"{path}/approve", version=version(path))
    assert own.status_code == 403
    stale = send(stage, "coach", f"{path}/approve", version="1")
    assert stale.status_code == 409
    answer = stage.send("coach", f"{path}/answer", f"{path}/approve")
    assert answer.status_code == 303
    assert starts(path) == ["04 Mar 17:00", "12 Mar 16:00", "19 Mar 16:00", "26 Mar 16:00"]
    assert "Every Thursday at 17:00" in text_of(stage["student"].get(path))


def test_a_request_is_declined_or_withdrawn(stage: Stage, path: str) -> None:
    ask(stage, path)
    short = stage.send("coach", f"{path}/answer", f"{path}/decline", decline_reason="no")
    assert short.status_code == 422
    assert "no</textarea>" in short.text
    no = stage.send("coach", f"{path}/answer", f"{path}/decline", decline_reason="")
    assert no.status_code == 303
    assert ask(stage, path).status_code == 303
    again = ask(stage, path)
    assert again.status_code == 409
    assert "already asked" in text_of(again)
    back = stage.send("student", path, f"{path}/withdraw")
    assert back.status_code == 303
    assert starts(path)[1] == "11 Mar 17:00"
    assert stage["coach"].get(f"{path}/answer").status_code == 409


def test_an_answer_after_its_time_is_told_what_silence_decided(stage: Stage, path: str) -> None:
    ask(stage, path)
    stage.after(DAY + HOUR)
    late = send(stage, "coach", f"{path}/approve", version=version(path))
    assert late.status_code == 409
    assert "moved as asked" in text_of(late)
    assert starts(path)[1] == "12 Mar 16:00"


BAD_MOVES = [
    ({"clock": ""}, "Choose a time."),
    ({"clock": "25:61"}, "Write the time like 18:00."),
    ({"weekdays": []}, "at least one day of the week"),
    ({"interval": "9"}, "every week or every second week"),
    ({"weekdays": "2", "clock": "18:00"}, "the pattern that the series has"),
    ({"reason": "x"}, "at least 10 characters"),
]


def test_a_bad_pattern_is_refused_at_its_field(stage: Stage, path: str) -> None:
    for changed, said in BAD_MOVES:
        answer = ask(stage, path, **changed)
        assert answer.status_code == 422, changed
        assert said in text_of(answer), (changed, text_of(answer))


def test_a_session_says_of_which_series_it_is(stage: Stage, path: str) -> None:
    page = stage["coach"].get("/sessions/3")
    assert "Part of a weekly series 3 of 4" in text_of(page)
    for form in ("cancel-form", "reschedule"):
        words = text_of(stage["coach"].get(f"/sessions/3/{form}"))
        assert "This one This and following All to come" in words
    assert "Every Wednesday at 18:00" in text_of(stage["coach"].get("/contracts/1"))
    assert "Book a series" in text_of(stage["coach"].get("/contracts/1"))


def test_its_pages_cost_the_same_however_many_requests_wait(stage: Stage, path: str) -> None:
    def cost() -> list[int]:
        costs = []
        for page in ("", "/cancel", "/stop", "/move"):
            with counted() as seen:
                assert stage["student"].get(path + page).status_code == 200
            costs.append(len(seen))
        return costs

    stage["student"].get(path)  # signed in, before anything is counted
    few = cost()
    actor = stage.cast.actor("student")
    for one in (2, 3, 4):
        with db.transaction():
            session = actions.find_for(actor, one)
            proposed = [NOW + (30 + one) * DAY]
            session.request_reschedule(
                "student", WHY, proposed_times=proposed, actor=actor, now=NOW
            )
    db.session.remove()
    assert cost() == few
    assert max(few) <= 5


def test_strangers_find_nothing(stage: Stage, path: str) -> None:
    for page in ("", "/cancel", "/stop", "/move", "/answer"):
        for name in ("stranger", "admin"):
            assert stage[name].get(path + page).status_code == 404, page
    for verb in ("confirm", "cancel", "stop", "move", "approve", "decline", "withdraw"):
        fields = {"reason": WHY, "keep": "keep", "clock": "17:00", "do": "send"}
        answer = send(stage, "stranger", f"{path}/{verb}", **fields)
        assert answer.status_code == 404, verb
    assert stage["stranger"].get(NEW).status_code == 404
    assert send(stage, "stranger", NEW, **typed()).status_code == 404
    assert stage.session(1).scheduled_at > NOW
