"""The forms of a session: every refusal says why, and what was typed is not lost."""

from datetime import timedelta

import pytest

from skileez import zones
from tests.cast import DAY, HOUR, MINUTE, NOW, WHY
from tests.doors.stage import BERLIN, NEW_YORK, REQUEST, Stage, hidden_fields, wall
from tests.doors.visitor import text_of

LONG = "x" * 501


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({}, 422, "Give a reason of at least 10 characters; this one has 0."),
        ({**REQUEST, "reason": " short "}, 422, "at least 10 characters; this one has 5."),
        ({**REQUEST, "reason": LONG}, 422, "Keep the reason to 500 characters; this one has 501."),
        ({"reason": WHY}, 422, "Propose at least one time."),
        ({**REQUEST, "proposed_times-0": "tomorrow"}, 422, "Write the date and time like"),
        (
            {**REQUEST, "proposed_times-0": wall(30 * MINUTE, BERLIN)},
            422,
            "is 30 min from now; a new time must be at least 1 h ahead.",
        ),
        ({**REQUEST, "proposed_times-0": wall(-DAY, BERLIN)}, 422, "is in the past"),
        ({**REQUEST, "proposed_times-0": wall(400 * DAY, BERLIN)}, 422, "is too far ahead"),
        (
            {**REQUEST, "proposed_times-1": REQUEST["proposed_times-0"]},
            422,
            "must differ from one another",
        ),
        ({**REQUEST, "proposed_times-0": wall(60 * HOUR, BERLIN)}, 422, "already at"),
        (
            {**REQUEST, "proposed_times-0": "2026-03-29T02:30"},
            422,
            "does not exist in Europe/Berlin",
        ),
        ({**REQUEST, "proposed_times-0": "2026-10-25T02:30"}, 422, "comes twice in Europe/Berlin"),
        ({**REQUEST, "proposed_times-1": "2026-03-06"}, 422, "Write the date and time like"),
        (
            {
                **REQUEST,
                **{f"proposed_times-{n}": wall((70 + n) * HOUR, BERLIN) for n in (1, 2, 3)},
            },
            422,
            "Propose one to 3 times; you gave 4.",
        ),
        ({**REQUEST, "timezone": "Mars/Olympus"}, 422, "no time zone called “Mars/Olympus”"),
        ({**REQUEST, "version": "77"}, 409, "This changed since you opened the page."),
    ],
)
def test_a_refused_request_says_why_and_keeps_what_was_typed(
    stage: Stage, fields: dict[str, str], status: int, sentence: str
) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}/reschedule"
    answer = stage.send("student", path, path, **fields)
    assert answer.status_code == status
    assert sentence in text_of(answer)
    for name, typed in fields.items():
        if name != "version":
            assert typed.strip() in answer.text, name
    assert stage.verbs(one) == ["session.booked"]


@pytest.mark.parametrize("row", ["²", "٣", "100", "9" * 5000])
def test_a_row_that_no_page_has_is_not_read(stage: Stage, row: str) -> None:
    path = f"/sessions/{stage.book(60 * HOUR)}/reschedule"
    time = REQUEST["proposed_times-0"]
    answer = stage.send("student", path, path, **{"reason": WHY, f"proposed_times-{row}": time})
    assert answer.status_code == 422
    assert "Propose at least one time." in text_of(answer)


def test_a_time_that_daylight_saving_repeats_is_asked_about_and_then_taken(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}/reschedule"
    asked = stage.send(
        "student", path, path, **{"reason": WHY, "proposed_times-0": "2026-10-25T02:30"}
    )
    assert 'value="2026-10-25T02:30:00+02:00"' in asked.text
    assert 'value="2026-10-25T02:30:00+01:00"' in asked.text
    answer = stage.send(
        "student",
        path,
        path,
        **{
            "reason": WHY,
            "proposed_times-0": ["2026-10-25T02:30", "2026-10-25T02:30:00+01:00"],
        },
    )
    assert answer.status_code == 303
    (proposed,) = stage.session(one).proposed_times
    assert proposed.isoformat() == "2026-10-25T01:30:00+00:00"


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"scheduled_at": ""}, 422, "Choose a date and time."),
        ({"scheduled_at": "   "}, 422, "Choose a date and time."),
        ({"scheduled_at": wall(-HOUR, BERLIN)}, 422, "is in the past"),
        ({"scheduled_at": "2026-13-40T99:99"}, 422, "Write the date and time like"),
        ({"scheduled_at": "2026-03-05"}, 422, "Write the date and time like"),
        ({"scheduled_at": "9999-12-31T23:59"}, 422, "Choose a date between"),
        ({"scheduled_at": "9999-12-31T23:59+00:00"}, 422, "Choose a date between"),
        ({"scheduled_at": "0001-01-01T00:00+01:00"}, 422, "This date cannot be used"),
        ({"scheduled_at": "2026-03-29T02:30"}, 422, "does not exist in Europe/Berlin"),
        ({"duration_minutes": ""}, 422, "A session lasts 15 to 480 minutes; say how many."),
        ({"duration_minutes": "14"}, 422, "you asked for 14"),
        ({"duration_minutes": "481"}, 422, "you asked for 481"),
        ({"duration_minutes": "an hour"}, 422, "Write a whole number."),
        ({"timezone": "Mars/Olympus"}, 422, "Mars/Olympus"),
        ({"timezone": ""}, 422, "zone"),
        ({"scheduled_at": wall(60.5 * HOUR, BERLIN)}, 409, "already has another session"),
    ],
)
def test_a_refused_booking_says_why_and_keeps_what_was_typed(
    stage: Stage, fields: dict[str, str], status: int, sentence: str
) -> None:
    stage.book(60 * HOUR)
    path = f"/contracts/{stage.cast.contract.id}/schedule"
    typed = {
        "scheduled_at": wall(90 * HOUR, BERLIN),
        "duration_minutes": "45",
        "timezone": "Europe/Berlin",
        **fields,
    }
    answer = stage.send("student", path, path, **typed)
    assert answer.status_code == status, text_of(answer)
    assert sentence in text_of(answer)
    if "duration_minutes" not in fields:
        assert 'value="45"' in answer.text
    assert len(stage.session(1).contract.proposal.contract.title) > 0
    from skileez.sessions.models import live_numbers

    assert live_numbers(stage.cast.contract.id) == {1}


@pytest.mark.parametrize(
    ("lead", "words"),
    [
        (60.5 * HOUR, "already has another session"),
        (MINUTE, "from now"),
        (-HOUR, "is in the past"),
        (800 * DAY, "too far ahead"),
    ],
)
def test_a_refusal_tells_the_time_in_the_zone_it_was_typed_in(
    stage: Stage, lead: timedelta, words: str
) -> None:
    stage.book(60 * HOUR)
    path = f"/contracts/{stage.cast.contract.id}/schedule"
    for zone, named in (("Asia/Tokyo", " (Asia/Tokyo)"), ("Europe/Berlin", "")):
        there = zones.local(NOW + lead, zone)
        typed = {"scheduled_at": f"{there:%Y-%m-%dT%H:%M}", "timezone": zone}
        answer = stage.send("student", path, path, **typed, duration_minutes="60")
        said = text_of(answer)
        told = f"{there:%a} {there.day} {there:%b %Y, %H:%M}{named}"
        assert words in said
        assert f"{told} " in said


@pytest.mark.parametrize(
    "typed",
    ["10.03.2026 10:00", "2026-03-10T10:00 in the morning", "2026-13-40 99:99", "2026-03-10"],
)
def test_a_time_that_cannot_be_read_comes_back_as_it_was_typed(stage: Stage, typed: str) -> None:
    path = f"/contracts/{stage.cast.contract.id}/schedule"
    fields = {"scheduled_at": typed, "duration_minutes": "60", "timezone": "Europe/Berlin"}
    answer = stage.send("student", path, path, **fields)
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text


@pytest.mark.parametrize(
    ("path", "to", "fields", "status", "sentence"),
    [
        ("cancel-form", "cancel", {"reason": ""}, 422, "at least 10 characters"),
        ("cancel-form", "cancel", {"reason": LONG}, 422, "to 500 characters"),
        ("missed-form", "missed", {"reason": WHY}, 422, "Say who was absent"),
        ("missed-form", "missed", {"reason": WHY, "absent": "dog"}, 422, "Not a valid choice"),
        ("complete-form", "complete", {"notes": "n" * 1001}, 422, "to 1000 characters"),
        ("complete-form", "complete", {"actual_minutes": "-5"}, 422, "1 to 1440 minutes"),
        ("complete-form", "complete", {"actual_minutes": "long"}, 422, "Write a whole number."),
        ("complete-form", "complete", {"notes": "fine", "version": "9"}, 409, "changed since"),
    ],
)
def test_a_refused_outcome_says_why_and_keeps_what_was_typed(
    stage: Stage, path: str, to: str, fields: dict[str, str], status: int, sentence: str
) -> None:
    one = stage.book(2 * HOUR)
    stage.after(4 * HOUR)
    answer = stage.send("coach", f"/sessions/{one}/{path}", f"/sessions/{one}/{to}", **fields)
    assert answer.status_code == status
    assert sentence in text_of(answer)
    for name in ("reason", "notes"):
        assert fields.get(name, "") in answer.text
    assert stage.verbs(one) == ["session.booked"]


@pytest.mark.parametrize(
    ("name", "verb", "status", "sentence"),
    [
        ("student", "confirm", 403, "Only the coach confirms a session."),
        ("coach", "withdraw-reschedule", 409, "No request to move this session is waiting."),
        ("coach", "decline-reschedule", 409, "No request to move this session is waiting."),
        ("coach", "complete", 409, "It has not started yet"),
        ("coach", "approve-correction", 409, "only a missed one can be corrected"),
    ],
)
def test_a_verb_that_is_not_possible_is_refused_with_its_figure(
    stage: Stage, name: str, verb: str, status: int, sentence: str
) -> None:
    one = stage.book(60 * HOUR)
    answer = stage.send(name, f"/sessions/{one}", f"/sessions/{one}/{verb}")
    assert answer.status_code == status
    assert sentence in text_of(answer)
    assert stage.verbs(one) == ["session.booked"]


@pytest.mark.parametrize(
    ("place", "to", "fields", "why"),
    [
        (
            "/reschedule-approval",
            "counter-reschedule",
            "proposed_times-0 counter_reason",
            "changed since you opened the page",
        ),
        (
            "/reschedule-approval",
            "decline-reschedule",
            "decline_reason",
            "changed since you opened the page",
        ),
        ("", "meeting-link", "meeting_url", "only a scheduled session can be changed"),
    ],
)
def test_what_was_typed_comes_back_where_its_form_is_gone(
    stage: Stage, place: str, to: str, fields: str, why: str
) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}"
    stage.send("student", f"{path}/reschedule", f"{path}/reschedule", **REQUEST)
    seen = hidden_fields(stage["coach"].get(path + place).text, f"{path}/{to}")
    stage.send("student", f"{path}/cancel-form", f"{path}/cancel", reason=WHY)
    typed = {name: f"2026-03-05 10:00, kept in {name}" for name in fields.split()}
    if "proposed_times-0" in typed:
        typed["proposed_times-0"] = wall(90 * HOUR, NEW_YORK)
    if "meeting_url" in typed:
        typed["meeting_url"] = "https://meet.example.org/kept"
    answer = stage["coach"].client.post(f"{path}/{to}", data={**seen, **typed})
    assert answer.status_code == 409
    assert why in text_of(answer)
    assert all(said in text_of(answer) for said in typed.values())


def test_a_finished_session_takes_no_form(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}"
    stage.send("student", f"{path}/cancel-form", f"{path}/cancel", reason=WHY)
    for form in ("reschedule", "complete-form", "cancel-form", "missed-form"):
        answer = stage["student"].get(f"{path}/{form}")
        assert answer.status_code == 409
        assert "This session is cancelled" in text_of(answer)
