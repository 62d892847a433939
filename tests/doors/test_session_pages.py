"""The life of a session through its pages: who finds them, and what they show."""

from datetime import timedelta

import pytest

from skileez.sessions.rules import Status
from tests.cast import HOUR, NOW, WHY
from tests.doors.stage import BERLIN, NEW_YORK, REQUEST, Stage, wall
from tests.doors.visitor import text_of


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
