"""The life of a session through its pages: every verb, every refusal, nothing lost."""

from datetime import timedelta

import pytest

from skileez.sessions.actions import sweep
from skileez.sessions.rules import Status
from tests.cast import DAY, HOUR, MINUTE, NOW, WHY
from tests.doors.stage import Stage, hidden_fields
from tests.doors.visitor import text_of


def wall(ahead: timedelta, zone_hours: int) -> str:
    """NOW plus ``ahead`` as a browser types it, so many hours from UTC."""
    return f"{NOW + ahead + timedelta(hours=zone_hours):%Y-%m-%dT%H:%M}"


BERLIN, NEW_YORK = 1, -5
"""Hours from UTC at NOW, on 2 March 2026: the student's and the coach's."""


def book(stage: Stage, ahead: timedelta = 60 * HOUR, **fields: str) -> int:
    path = f"/contracts/{stage.cast.contract.id}/schedule"
    typed = {"scheduled_at": wall(ahead, BERLIN), "timezone": "Europe/Berlin"}
    answer = stage.send("student", path, path, **{**typed, "duration_minutes": "60", **fields})
    assert answer.status_code == 303, text_of(answer)
    return int(answer.headers["Location"].rsplit("/", 1)[1])


def test_a_session_lives_from_booking_to_its_notes(stage: Stage) -> None:
    one = book(stage)
    page = f"/sessions/{one}"
    assert "Scheduled" in text_of(stage["coach"].get(page))

    stage.send("coach", page, f"{page}/confirm")
    assert "Confirmed" in text_of(stage["student"].get(page))

    answer = stage.send(
        "student",
        f"{page}/reschedule",
        f"{page}/reschedule",
        **{
            "reason": WHY,
            "proposed_times-0": wall(70 * HOUR, BERLIN),
            "proposed_times-1": wall(71 * HOUR, BERLIN),
            "proposed_times-2": wall(72 * HOUR, BERLIN),
        },
    )
    assert answer.status_code == 303, text_of(answer)
    assert "Reschedule requested" in text_of(stage["coach"].get(page))

    answer = stage.send(
        "coach",
        f"{page}/reschedule-approval",
        f"{page}/counter-reschedule",
        **{"proposed_times-0": wall(80 * HOUR, NEW_YORK)},
    )
    assert answer.status_code == 303, text_of(answer)

    answer = stage.send(
        "student",
        f"{page}/reschedule-approval",
        f"{page}/approve-reschedule",
        new_scheduled_at=f"{NOW + 80 * HOUR:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert answer.status_code == 303, text_of(answer)
    moved = stage.session(one)
    assert moved.scheduled_at == NOW + 80 * HOUR
    assert moved.confirmed_by_coach, "the coach proposed that time"

    stage.after(81 * HOUR)
    answer = stage.send(
        "coach",
        f"{page}/complete-form",
        f"{page}/complete",
        notes="Breathing.",
        actual_minutes="55",
    )
    assert answer.status_code == 303, text_of(answer)
    stage.send("student", page, f"{page}/notes", notes="I felt calm.")
    told = text_of(stage["coach"].get(page))
    assert "Completed" in told
    assert "I felt calm." in told
    assert "1 of 6 completed" in told
    assert stage.verbs(one) == [
        "session.booked",
        "session.confirmed",
        "session.reschedule_requested",
        "session.reschedule_countered",
        "session.reschedule_approved",
        "session.completed",
        "session.notes_changed",
    ]


def test_each_sees_their_own_zone_and_the_others_beside_it(stage: Stage) -> None:
    page = f"/sessions/{book(stage)}"
    seen_by_student, seen_by_coach = (text_of(stage[who].get(page)) for who in ("student", "coach"))
    assert "01:00 Thursday 5 March 2026 Your time: Berlin, GMT+1" in seen_by_student
    assert "19:00 , Wednesday 4 March 2026 (New York, GMT-5)" in seen_by_student
    assert "19:00 Wednesday 4 March 2026 Your time: New York, GMT-5" in seen_by_coach


@pytest.mark.parametrize("name", ["stranger", "admin"])
def test_who_is_not_part_of_the_contract_finds_no_verb_of_its_sessions(
    stage: Stage, name: str
) -> None:
    one = stage.book(60 * HOUR)
    token = stage[name].token("/sessions")
    adapter = stage.app.url_map.bind("localhost")
    for rule in stage.app.url_map.iter_rules():
        if not rule.endpoint.startswith("sessions.") or "<" not in rule.rule:
            continue
        path = adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, one), method=None)
        settles = name == "admin" and rule.endpoint in (
            "sessions.show",
            "sessions.approve_correction",
            "sessions.decline_correction",
        )
        for method in rule.methods & {"GET", "POST"}:
            data = {"csrf_token": token} if method == "POST" else None
            answer = stage[name].client.open(path, method=method, data=data)
            assert (answer.status_code == 404) is not settles, (method, path, answer.status_code)
    assert stage.verbs(one) == ["session.booked"]


def test_another_contract_is_not_there_to_be_booked(stage: Stage) -> None:
    path = f"/contracts/{stage.cast.contract.id}/schedule"
    assert stage["stranger"].get(path).status_code == 404
    token = stage["stranger"].token("/sessions")
    assert stage["stranger"].client.post(path, data={"csrf_token": token}).status_code == 404


def test_reading_changes_nothing(stage: Stage) -> None:
    stage.book(60 * HOUR)
    past = stage.book(2 * HOUR)
    stage.after(4 * HOUR)
    before = stage.session(past).version, len(stage.verbs(past))
    for name in ("student", "coach", "admin"):
        for tail in ("", "/reschedule", "/reschedule-approval", "/complete-form", "/cancel-form"):
            stage[name].get(f"/sessions/{past}{tail}")
    assert (stage.session(past).version, len(stage.verbs(past))) == before


@pytest.mark.parametrize(
    "verb",
    [
        "confirm",
        "approve-reschedule",
        "decline-reschedule",
        "counter-reschedule",
        "withdraw-reschedule",
        "complete",
        "cancel",
        "missed",
        "approve-correction",
    ],
)
def test_no_verb_can_be_followed_as_a_link(stage: Stage, verb: str) -> None:
    assert stage["coach"].get(f"/sessions/{stage.book(60 * HOUR)}/{verb}").status_code == 405


LONG = "x" * 501
REQUEST = {"reason": WHY, "proposed_times-0": wall(70 * HOUR, BERLIN)}


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
        ({"scheduled_at": wall(60 * HOUR, BERLIN)}, 409, "already has another session"),
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


def test_a_double_press_does_it_once(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}/cancel-form"
    page = stage["student"].get(path).text
    data = {**hidden_fields(page, f"/sessions/{one}/cancel"), "reason": WHY}
    first, second = (
        stage["student"].client.post(f"/sessions/{one}/cancel", data=data) for _press in range(2)
    )
    assert (first.status_code, second.status_code) == (303, 409)
    assert "changed since you opened the page" in text_of(second)
    assert stage.verbs(one) == ["session.booked", "session.cancelled"]


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


@pytest.mark.parametrize(
    ("place", "to", "fields"),
    [
        ("/reschedule-approval", "counter-reschedule", "proposed_times-0 counter_reason"),
        ("/reschedule-approval", "decline-reschedule", "decline_reason"),
        ("", "meeting-link", "meeting_url"),
    ],
)
def test_what_was_typed_comes_back_where_its_form_is_gone(
    stage: Stage, place: str, to: str, fields: str
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
    assert "changed since you opened the page" in text_of(answer)
    assert all(said in text_of(answer) for said in typed.values())


def test_a_finished_session_takes_no_form(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}"
    stage.send("student", f"{path}/cancel-form", f"{path}/cancel", reason=WHY)
    for form in ("reschedule", "complete-form", "cancel-form", "missed-form"):
        answer = stage["student"].get(f"{path}/{form}")
        assert answer.status_code == 409
        assert "This session is cancelled" in text_of(answer)


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


def test_hostile_text_stays_text_on_every_page_and_in_the_file(stage: Stage) -> None:
    hostile = "<script>alert(1)</script>\"'&{{7*7}}=1+1"
    one = stage.book(2 * HOUR)
    path = f"/sessions/{one}"
    stage.after(4 * HOUR)
    stage.send("coach", f"{path}/complete-form", f"{path}/complete", notes=hostile)
    other = stage.book(80 * HOUR)
    stage.send(
        "student", f"/sessions/{other}/cancel-form", f"/sessions/{other}/cancel", reason=hostile
    )
    for page in (path, f"/sessions/{other}", "/sessions?view=all", "/dashboard"):
        html = stage["student"].get(page).text
        assert "<script>alert" not in html
        assert "{{7*7}}" in html or "49=1" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in stage["student"].get(path).text


def test_the_file_holds_all_my_sessions_and_no_formula(stage: Stage) -> None:
    from skileez import db

    with db.transaction() as session:
        for person in (stage.cast.coach, stage.cast.student):
            session.merge(person).display_name = "=HYPERLINK(1); @SUM(2);\uff1d3"
    stage.book(60 * HOUR)
    file = stage["student"].get("/sessions.csv?view=all")
    assert file.mimetype == "text/csv"
    assert ",'=HYPERLINK(1); '@SUM(2);'\uff1d3," in file.text
    assert ",=HYPERLINK" not in file.text
    assert "2026-03-05T00:00:00Z" in file.text
    assert stage["stranger"].get("/sessions.csv").text.count("\n") == 1


def test_the_file_is_whole_on_a_site_with_several_languages(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader's language is asked for while the request lasts, not while it is sent."""
    monkeypatch.setattr("skileez.web.language.LANGUAGES", ("en", "de"))
    stage.book(60 * HOUR)
    assert stage["student"].get("/sessions.csv?view=all").text.count("\n") == 2


def test_a_missed_session_is_corrected_by_the_others_yes(stage: Stage) -> None:
    one = stage.book(2 * HOUR)
    path = f"/sessions/{one}"
    stage.after(4 * HOUR)
    answer = stage.send(
        "coach", f"{path}/missed-form", f"{path}/missed", reason=WHY, absent="student"
    )
    assert answer.status_code == 303, text_of(answer)
    stage.send("student", f"{path}/correction", f"{path}/correction", reason=WHY)
    own = stage.send("student", path, f"{path}/approve-correction")
    assert own.status_code == 403
    assert stage.session(one).status == Status.MISSED
    stage.send("coach", path, f"{path}/approve-correction")
    assert stage.session(one).status == Status.COMPLETED


def test_an_administrator_settles_a_dispute_and_nothing_else(stage: Stage) -> None:
    one = stage.book(2 * HOUR)
    path = f"/sessions/{one}"
    stage.after(4 * HOUR)
    stage.send("coach", f"{path}/missed-form", f"{path}/missed", reason=WHY, absent="student")
    stage.send("student", f"{path}/correction", f"{path}/correction", reason=WHY)
    assert "Did it take place?" in text_of(stage["admin"].get(path))
    answer = stage.send("admin", path, f"{path}/approve-correction")
    assert answer.status_code == 303
    assert stage.session(one).status == Status.COMPLETED


def test_the_sweep_is_the_administrators(stage: Stage) -> None:
    one = stage.book(60 * HOUR)
    path = f"/sessions/{one}"
    stage.send("student", f"{path}/reschedule", f"{path}/reschedule", **REQUEST)
    assert stage["coach"].get("/admin/due").status_code == 403
    stage.after(25 * HOUR)
    assert "Speaking with confidence" in text_of(stage["admin"].get("/admin/due"))
    answer = stage.send("admin", "/admin/due", "/admin/due")
    assert answer.status_code == 303
    assert stage.session(one).scheduled_at == NOW + 70 * HOUR
