"""What an operator sees of the worker, and of what it put aside."""

from datetime import timedelta

import pytest

from skileez import __version__, db, heartbeat, outbox
from skileez.notifications.models import Delivery, Standing
from skileez.outbox import Waiting
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, MINUTE, NOW, SECOND
from tests.doors.operating import beat, nothing_due, park, park_event, post
from tests.doors.stage import Stage
from tests.doors.visitor import Visitor, text_of


def standing(delivery: int) -> tuple[str, int]:
    db.session.remove()
    one = db.session.get_one(Delivery, delivery)
    return one.status, one.failures


def test_without_a_worker_the_page_says_so_and_how_to_start_one(admin: Visitor) -> None:
    page = text_of(admin.get("/admin/worker"))
    assert "No worker is running" in page
    assert "skileez worker" in page
    assert "Nothing is lost" in page
    assert "No worker has been heard of" in page
    assert "Nothing is parked" in page


def test_a_worker_that_keeps_up_is_on_time(admin: Visitor) -> None:
    nothing_due()
    beat()
    page = text_of(admin.get("/admin/worker"))
    assert "On time" in page
    assert "host:1" in page
    assert "events acted upon: 12, messages sent: 7, requests lapsed: 2" in page
    assert "another version" not in page


def test_what_has_waited_too_long_makes_it_late_and_the_page_says_how_long(
    stage: Stage, admin: Visitor
) -> None:
    nothing_due()
    beat()
    post(stage, due_at=NOW - 7 * MINUTE)
    page = text_of(admin.get("/admin/worker"))
    assert "It is behind: the oldest has waited for 7 min" in page
    assert "Messages to send 1 the oldest waits: 7 min" in page


@pytest.mark.parametrize(
    ("ago", "end", "said"),
    [(SECOND, False, "Alive"), (2 * MINUTE, False, "Gone"), (SECOND, True, "Stopped")],
)
def test_a_worker_is_alive_gone_or_stopped(
    admin: Visitor, ago: timedelta, end: bool, said: str
) -> None:
    beat(ago)
    if end:
        heartbeat.stopped("host:1", NOW)
    page = text_of(admin.get("/admin/worker"))
    assert said in page
    assert ("No worker is running" in page) == (said != "Alive")


def test_a_worker_that_starts_anew_under_its_old_name_tells_its_own_version(
    admin: Visitor,
) -> None:
    beat(HOUR, version="0.0.1")
    heartbeat.stopped("host:1", NOW - HOUR)
    beat(SECOND)
    (one,) = heartbeat.workers(NOW)
    assert (one.version, one.started_at, one.alive) == (__version__, NOW - SECOND, True)
    assert "another version" not in text_of(admin.get("/admin/worker"))


def test_a_worker_of_another_version_is_warned_of(admin: Visitor) -> None:
    beat(version="0.0.1")
    page = text_of(admin.get("/admin/worker"))
    assert "A worker of another version is running: 0.0.1" in page
    assert f"This site runs {__version__}" in page


def test_what_is_due_is_counted_by_kind(stage: Stage, admin: Visitor) -> None:
    start = NOW + 5 * DAY
    asked = stage.book(5 * DAY)
    stage.book(2 * HOUR)
    with db.transaction():
        session = db.session.get_one(Session, asked)
        session.request_reschedule(
            "student", "My train was cancelled.", proposed_times=[start + DAY], now=NOW
        )
    nothing_due()
    stage.after(26 * HOUR)
    page = text_of(admin.get("/admin/worker"))
    assert "Events to act upon 0 nothing waits" in page
    assert "Requests to settle 1 the oldest waits: 2 h" in page
    assert "No-shows to mark 1 the oldest waits: 22 h 30 min" in page


# Parked


def test_a_parked_message_shows_to_whom_what_why_and_since_when(
    stage: Stage, admin: Visitor
) -> None:
    park(stage)
    page = admin.get("/admin/worker")
    said = text_of(page)
    for part in (
        "session.booked",
        "mail",
        "550 there is nobody here of that name",
        "Tries: 7, since",
    ):
        assert part in said
    assert stage.cast.student.email in said
    assert f"/admin/people/{stage.cast.student.id}" in page.text


def test_messages_that_are_tried_again_show_how_many_and_why(stage: Stage, admin: Visitor) -> None:
    assert "tried again:" not in text_of(admin.get("/admin/worker"))
    for number in (1, 2):
        post(stage, number, due_at=NOW + HOUR, failures=number, error="the mail server is <down>")
    said = text_of(admin.get("/admin/worker"))
    assert "Messages that failed and are tried again: 2" in said
    assert "Why: the mail server is <down>." in said


def test_one_parked_message_is_sent_again_and_the_others_stay(stage: Stage, admin: Visitor) -> None:
    first, second = park(stage, 1), park(stage, 2)
    answer = admin.post(f"/admin/worker/messages/{first}", "/admin/worker")
    assert (answer.status_code, answer.location) == (303, "/admin/worker")
    assert standing(first) == (Standing.WAITING, 0)
    assert standing(second) == (Standing.PARKED, 7)
    assert "Taken up again: 1" in text_of(admin.get("/admin/worker"))


def test_all_parked_messages_are_sent_again_at_once(stage: Stage, admin: Visitor) -> None:
    both = [park(stage, number) for number in (1, 2)]
    sent = post(stage, 3, status=Standing.SENT, sent_at=NOW)
    admin.post("/admin/worker/messages", "/admin/worker")
    assert [standing(one) for one in both] == [(Standing.WAITING, 0)] * 2
    assert standing(sent)[0] == Standing.SENT


def test_pressing_twice_says_that_there_is_nothing_left(stage: Stage, admin: Visitor) -> None:
    one = park(stage)
    for _ in range(2):
        assert admin.post(f"/admin/worker/messages/{one}", "/sessions").status_code == 303
    assert "There is nothing left to take up" in text_of(admin.get("/admin/worker"))


def test_a_parked_event_shows_why_and_is_tried_again(stage: Stage, admin: Visitor) -> None:
    first = park_event(stage)
    said = text_of(admin.get("/admin/worker"))
    assert "session.booked" in said
    assert "KeyError: 'x'" in said
    admin.post(f"/admin/worker/events/{first}", "/admin/worker")
    assert outbox.parked() == []
    assert db.session.get_one(Waiting, first).due_at == NOW


def test_all_parked_events_are_tried_again_at_once(stage: Stage, admin: Visitor) -> None:
    park_event(stage)
    admin.post("/admin/worker/events", "/admin/worker")
    db.session.remove()
    assert outbox.parked() == []


def test_what_failed_may_say_anything_and_stays_text(stage: Stage, admin: Visitor) -> None:
    park_event(stage, "<script>alert(1)</script>")
    assert "<script>alert(1)" not in admin.get("/admin/worker").text


def test_only_administrators_may_look(stage: Stage) -> None:
    stranger = Visitor(stage.app)
    for path in ("worker", "messages", "messages/session.booked", "messages/session.booked/page"):
        assert stage["student"].get(f"/admin/{path}").status_code == 403
        assert stranger.get(f"/admin/{path}").location.startswith("/sign-in")


def test_only_administrators_send_again_and_never_without_a_token(stage: Stage) -> None:
    one = park(stage)
    path = f"/admin/worker/messages/{one}"
    assert stage["student"].post(path, "/sessions").status_code == 403
    assert stage["admin"].client.post(path).status_code == 400
    assert stage["admin"].get(path).status_code == 405
    assert standing(one) == (Standing.PARKED, 7)


def test_the_navigation_leads_there(admin: Visitor) -> None:
    assert 'href="/admin/worker"' in admin.get("/dashboard").text
    due = admin.get("/admin/due").text
    assert all(f'href="{path}"' in due for path in ("/admin/worker", "/admin/messages"))


def test_the_first_page_says_what_waits_for_an_operator(stage: Stage, admin: Visitor) -> None:
    nothing_due()
    board = text_of(admin.get("/dashboard"))
    assert "No worker is running" in board
    assert "reminders and deadlines wait until one runs" in board
    beat()
    assert "All clear" in text_of(admin.get("/dashboard"))
    post(stage, due_at=NOW - 26 * MINUTE)
    park(stage, 2)
    board = text_of(admin.get("/dashboard"))
    assert "The worker is behind" in board
    assert "has waited for 26 min" in board
    assert "1 message or event was put aside" in board
    assert "behind" not in text_of(stage["coach"].get("/dashboard"))
