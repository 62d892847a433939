"""Pages that are older than their session: pressed twice, too late, or after somebody else."""

import pytest
from werkzeug.test import TestResponse

from skileez.sessions.actions import sweep
from skileez.sessions.models import live_numbers
from skileez.sessions.rules import Status
from tests.cast import HOUR, NOW, WHY
from tests.doors.stage import BERLIN, NEW_YORK, REQUEST, Stage, hidden_fields, wall
from tests.doors.visitor import text_of


def test_a_double_press_does_it_once(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}/cancel-form"
    page = stage["student"].get(path).text
    data = {**hidden_fields(page, f"/sessions/{one}/cancel"), "reason": WHY}
    first, second = (
        stage["student"].client.post(f"/sessions/{one}/cancel", data=data) for _press in range(2)
    )
    assert (first.status_code, second.status_code) == (303, 409)
    words = text_of(second)
    assert "You did this already, at Mon 2 Mar 2026, 13:00. Nothing was done a second" in words
    assert "changed since you opened the page" not in words
    assert stage.verbs(one) == ["session.booked", "session.cancelled"]


PRESSES = [
    ("student", "reschedule", "reschedule", REQUEST),
    (
        "coach",
        "reschedule-approval",
        "counter-reschedule",
        {"proposed_times-0": wall(80 * HOUR, NEW_YORK)},
    ),
    (
        "student",
        "reschedule-approval",
        "approve-reschedule",
        {"new_scheduled_at": (NOW + 80 * HOUR).isoformat()},
    ),
    ("coach", "reschedule", "reschedule", REQUEST),
    ("student", "reschedule-approval", "decline-reschedule", {}),
    ("student", "reschedule", "reschedule", REQUEST),
    ("student", "", "withdraw-reschedule", {}),
    ("coach", "complete-form", "complete", {}),
]


def test_whoever_presses_twice_is_told_that_they_did_it_and_not_that_it_changed(
    stage: Stage,
) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}"
    for name, form, to, fields in PRESSES:
        if to == "complete":
            stage.after(100 * HOUR)
        seen = hidden_fields(stage[name].get(f"{path}/{form}".rstrip("/")).text, f"{path}/{to}")
        first, second = (save(stage, name, f"{path}/{to}", seen, **fields) for _press in range(2))
        assert (first.status_code, second.status_code) == (303, 409), (to, text_of(first))
        assert "Nothing was done a second time." in text_of(second), to
    assert stage.verbs(one) == ["session.booked"] + [
        f"session.{verb}"
        for verb in [
            "reschedule_requested",
            "reschedule_countered",
            "reschedule_approved",
            "reschedule_requested",
            "reschedule_declined",
            "reschedule_requested",
            "reschedule_withdrawn",
            "completed",
        ]
    ]


@pytest.mark.parametrize(("name", "booked"), [("student", 0), ("coach", 0), ("student", 5)])
def test_a_booking_sent_twice_is_made_once_and_no_other_time_is_advised(
    stage: Stage, name: str, booked: int
) -> None:
    for day in range(booked):  # all but the last
        stage.book((120 + 24 * day) * HOUR)
    path = f"/contracts/{stage.cast.contract.id}/schedule"
    page = hidden_fields(stage[name].get(path).text, path)
    typed = {
        "scheduled_at": wall(90 * HOUR, BERLIN),
        "duration_minutes": "45",
        "timezone": "Europe/Berlin",
    }
    first, second = (save(stage, name, path, page, **typed) for _press in range(2))
    assert (first.status_code, second.status_code) == (303, 409)
    words = text_of(second)
    assert f"Session {booked + 1} of this contract is already booked at Fri 6 Mar 2026" in words
    assert "Choose a different time" not in words
    assert f"Session {booked + 1} of 6" in words
    assert len(live_numbers(stage.cast.contract.id)) == booked + 1


def test_what_the_other_one_did_just_so_is_a_change(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    path, to = f"/sessions/{one}", f"/sessions/{one}/cancel"
    seen = hidden_fields(stage["coach"].get(f"{path}/cancel-form").text, to)
    stage.send("student", f"{path}/cancel-form", to, reason=WHY)
    answer = save(stage, "coach", to, seen, reason=WHY)
    assert answer.status_code == 409
    assert "changed since you opened the page" in text_of(answer)


@pytest.mark.parametrize("version", ["", "NaN", "-1", "999999999999", "0x1", "1.0", "²", " 1"])
def test_a_version_that_cannot_be_read_is_no_fresh_page(stage: Stage, version: str) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}"
    answer = stage.send("student", path, f"{path}/cancel", reason=WHY, version=version)
    assert answer.status_code == 409
    assert "changed since you opened the page" in text_of(answer)
    assert stage.verbs(one) == ["session.booked"]


def test_a_form_without_a_version_is_taken_as_fresh(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    token = stage["student"].token("/sessions")
    data = {"csrf_token": token, "reason": WHY}
    answer = stage["student"].client.post(f"/sessions/{one}/cancel", data=data)
    assert answer.status_code == 303


def save(stage: Stage, name: str, path: str, seen: dict[str, str], **said: str) -> TestResponse:
    """Send a form from a page that was opened when ``seen`` was read."""
    return stage[name].client.post(path, data={**seen, **said}, buffered=True)


def test_notes_of_another_tab_are_not_overwritten_but_shown_to_be_merged(stage: Stage) -> None:
    one = stage.book(2 * HOUR)
    path, to = f"/sessions/{one}", f"/sessions/{one}/notes"
    stage.after(4 * HOUR)
    stage.send("coach", f"{path}/complete-form", f"{path}/complete")
    old = hidden_fields(stage["coach"].get(path).text, to)
    assert stage.send("coach", path, to, notes="Said in tab B.").status_code == 303
    answer = save(stage, "coach", to, old, notes="Typed in tab A.")
    assert answer.status_code == 409
    words = text_of(answer)
    told = "Your notes were changed since you opened the page."
    assert words.count(told) == 1
    card = answer.text.partition('id="session-notes"')[2]
    assert told in card, "it stands where the browser goes, beside the notes"
    assert "Saved as yours now Said in tab B." in words
    assert "Typed in tab A.</textarea>" in answer.text
    assert stage.session(one).coach_notes == "Said in tab B."
    seen = hidden_fields(answer.text, to)
    assert save(stage, "coach", to, seen, notes="A, and B.").status_code == 303
    assert stage.session(one).coach_notes == "A, and B."


def test_the_notes_of_one_do_not_make_the_page_of_the_other_old(stage: Stage) -> None:
    one = stage.book(2 * HOUR)
    path, to = f"/sessions/{one}", f"/sessions/{one}/notes"
    stage.after(4 * HOUR)
    stage.send("coach", f"{path}/complete-form", f"{path}/complete", notes="One,\r\ntwo.")
    old = hidden_fields(stage["coach"].get(path).text, to)
    stage.send("student", path, to, notes="I felt calm.")
    assert save(stage, "coach", to, old, notes="Three.").status_code == 303
    assert save(stage, "coach", to, old, notes="Three.").status_code == 303, "is there already"
    told = stage.session(one)
    assert (told.coach_notes, told.student_notes) == ("Three.", "I felt calm.")
    assert stage.verbs(one).count("session.notes_changed") == 2


@pytest.mark.parametrize("of", ["sessions", "contracts"])
def test_a_meeting_link_of_another_tab_is_not_overwritten(stage: Stage, of: str) -> None:
    one = stage.book(60 * HOUR)
    path = f"/{of}/{one if of == 'sessions' else stage.cast.contract.id}"
    to, there = f"{path}/meeting-link", "https://meet.example.org"
    old = hidden_fields(stage["coach"].get(path).text, to)
    assert stage.send("coach", path, to, meeting_url=f"{there}/b").status_code == 303
    answer = save(stage, "coach", to, old, meeting_url=f"{there}/a")
    assert answer.status_code == 409
    assert f"it is now {there}/b. Nothing was saved" in text_of(answer)
    assert f'value="{there}/a"' in answer.text
    assert save(stage, "coach", to, old, meeting_url=f"{there}/b").status_code == 303
    now = hidden_fields(answer.text, to)
    assert save(stage, "coach", to, now, meeting_url=f"{there}/a").status_code == 303
    stage.send("coach", path, to, meeting_url="")
    removed = save(stage, "coach", to, now, meeting_url=f"{there}/c")
    assert removed.status_code == 409
    assert "The meeting link was removed since you opened the page." in text_of(removed)


def test_a_confirmation_pressed_twice_is_one(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    for _press in range(2):
        answer = stage.send("coach", f"/sessions/{one}", f"/sessions/{one}/confirm")
        assert answer.status_code == 303
    assert stage.verbs(one) == ["session.booked", "session.confirmed"]


@pytest.mark.parametrize("place", ["/sessions/{}", "/dashboard"])
def test_a_confirmation_is_of_the_time_that_the_page_showed(stage: Stage, place: str) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}"
    seen = hidden_fields(stage["coach"].get(place.format(one)).text, f"{path}/confirm")
    stage.send("student", f"{path}/reschedule", f"{path}/reschedule", **REQUEST)
    stage.after(24 * HOUR)
    sweep(NOW + 24 * HOUR)
    answer = stage["coach"].client.post(f"{path}/confirm", data=seen)
    assert answer.status_code == 409
    assert "changed since you opened the page" in text_of(answer)
    assert stage.verbs(one)[-1] == "session.reschedule_auto_approved"


def test_an_answer_after_the_deadline_settles_the_request_and_says_so(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}"
    stage.send("student", f"{path}/reschedule", f"{path}/reschedule", **REQUEST)
    token = stage["coach"].token("/sessions")
    stage.after(24 * HOUR)
    answer = stage["coach"].client.post(f"{path}/decline-reschedule", data={"csrf_token": token})
    assert answer.status_code == 409
    assert "moved to the first proposed time" in text_of(answer)
    assert stage.session(one).scheduled_at == NOW + 70 * HOUR
    assert stage.verbs(one)[-1] == "session.reschedule_auto_approved"


@pytest.mark.parametrize(
    ("form", "to", "fields"),
    [
        ("complete-form", "complete", {}),
        ("cancel-form", "cancel", {"reason": WHY}),
        ("missed-form", "missed", {"reason": WHY, "absent": "coach"}),
    ],
)
def test_an_end_closes_a_request_that_nobody_answered_in_time(
    stage: Stage, form: str, to: str, fields: dict[str, str]
) -> None:
    one = stage.book(12 * HOUR)
    path = f"/sessions/{one}"
    asked = {"reason": WHY, "proposed_times-0": wall(70 * HOUR, BERLIN)}
    stage.send("student", f"{path}/reschedule", f"{path}/reschedule", **asked)
    stage.after(13 * HOUR)
    answer = stage.send("coach", f"{path}/{form}", f"{path}/{to}", **fields)
    assert answer.status_code == 303, text_of(answer)
    ended = stage.session(one)
    assert ended.status != Status.SCHEDULED
    assert not ended.reschedule_requested
