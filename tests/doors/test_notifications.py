"""The centre, its bell, the wishes, the end of a digest, and the demo's mailbox."""

import dataclasses
import json
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from sqlalchemy import delete, select, update

from skileez import db, worker
from skileez.config import Settings
from skileez.notifications import letters, unsubscribing, wishes
from skileez.notifications.mail import demo_mailbox
from skileez.notifications.models import Delivery
from skileez.notifications.rules import DAILY, WEEKLY
from skileez.notifications.wishes import Choice
from skileez.sessions import actions
from skileez.web import stopping, stream
from tests import applications
from tests.cast import DAY, HOUR, MINUTE, NOW, WHY
from tests.doors.stage import Stage
from tests.doors.test_query_counts import counted
from tests.doors.visitor import Visitor, text_of


def pass_on() -> None:
    """Let the worker tell what happened."""
    worker.dispatch(NOW)
    db.session.remove()


@pytest.fixture
def asked(stage: Stage) -> int:
    """A session that the student booked and then asked to move: two things to tell the coach."""
    pass_on()
    with db.transaction():
        db.session.execute(delete(Delivery))
    session = stage.book(60 * HOUR)
    with db.transaction():
        actor = stage.cast.actor("student")
        actions.find_for(actor, session).request_reschedule(
            "student", WHY, proposed_times=[NOW + 80 * HOUR], actor=actor, now=NOW
        )
    pass_on()
    return session


def messages(stage: Stage, who: str = "coach") -> list[Delivery]:
    db.session.remove()
    return list(
        db.session.scalars(
            select(Delivery)
            .filter_by(recipient_id=getattr(stage.cast, who).id, channel="app", status="sent")
            .order_by(Delivery.id.desc())
        )
    )


def bell(visitor: Visitor, path: str = "/profile") -> str:
    """What the bell of a page says."""
    page = visitor.get(path).text
    return page.partition('data-bell="')[2].partition('"')[0]


def test_the_centre_tells_who_did_what_and_when_the_newest_first(stage: Stage, asked: int) -> None:
    page = text_of(stage["coach"].get("/notifications"))
    assert page.index("Amara Okafor asks to move session 1") < page.index("booked session 1")
    # In the coach's own zone, where the student's reason is told, too.
    assert "Wed 4 Mar, 19:00" in page
    assert "Proposed: Thu 5 Mar, 15:00" in page
    assert WHY in page
    assert "Today" in page
    assert page.count("Unread:") == 2


def test_a_move_shows_the_old_and_the_new_time(stage: Stage, asked: int) -> None:
    with db.transaction():
        actor = stage.cast.actor("coach")
        actions.find_for(actor, asked).approve_reschedule(
            NOW + 80 * HOUR, by="coach", actor=actor, now=NOW
        )
    pass_on()
    page = text_of(stage["student"].get("/notifications"))
    assert "From Thu 5 Mar, 01:00" in page
    assert "To Thu 5 Mar, 21:00" in page


def test_nothing_yet_is_said_kindly(stage: Stage) -> None:
    page = text_of(stage["stranger"].get("/notifications"))
    assert "Nothing yet" in page
    assert "Mark all read" not in page
    assert "Everything is read" in text_of(stage["stranger"].get("/notifications?show=unread"))


def test_looking_marks_nothing_and_a_press_marks_one(stage: Stage, asked: int) -> None:
    coach = stage["coach"]
    for path in ("/notifications", "/notifications/unread", f"/sessions/{asked}"):
        coach.get(path)
    first, second = messages(stage)
    assert first.read_at is second.read_at is None
    for _ in range(2):
        answer = coach.post(f"/notifications/{first.id}/read", "/notifications")
        assert (answer.status_code, answer.location) == (303, f"/sessions/{asked}")
        stage.after(MINUTE)
    first, second = messages(stage)
    assert (first.read_at, second.read_at) == (NOW, None)
    page = text_of(coach.get("/notifications"))
    assert page.count("Unread:") == 1
    assert coach.get("/notifications?show=unread").text.count("news-unread") == 1


def test_nobody_reads_for_somebody_else(stage: Stage, asked: int) -> None:
    one = messages(stage)[0]
    for who in ("student", "stranger", "admin"):
        assert stage[who].post(f"/notifications/{one.id}/read", "/sessions").status_code == 404
    mail = db.session.scalars(select(Delivery.id).filter_by(channel="mail")).first()
    assert stage["coach"].post(f"/notifications/{mail}/read", "/sessions").status_code == 404
    assert messages(stage)[0].read_at is None


def test_all_that_the_page_showed_is_marked_read_and_nothing_newer(
    stage: Stage, asked: int
) -> None:
    until = NOW.isoformat()
    newer = messages(stage)[0].id
    with db.transaction():
        db.session.execute(
            update(Delivery).where(Delivery.id == newer).values(sent_at=NOW + MINUTE)
        )
    stage.after(2 * MINUTE)
    coach = stage["coach"]
    assert coach.post("/notifications/read", "/notifications", until=until).status_code == 303
    assert [one.read_at is None for one in messages(stage)] == [True, False]
    assert "1 is marked read." in text_of(coach.get("/notifications"))
    for nonsense in (
        *("0001-01-01T00:00+23:59", "", "soon", "2026-03-02T12:00"),
        "9999-01-01T00:00:00+00:00",
    ):
        answer = coach.post("/notifications/read", "/notifications", until=nonsense)
        assert answer.status_code == 303, nonsense
    assert bell(coach) == "0"
    assert messages(stage, "student") == []


def fill(stage: Stage, count: int) -> None:
    """So many more of the same messages, a minute apart, to the coach."""
    one = messages(stage)[0]
    columns = {name.key: getattr(one, name.key) for name in Delivery.__table__.columns}
    with db.transaction():
        for number in range(count):
            told = NOW - (number + 1) * MINUTE
            given = {**columns, "id": None, "occasion": f"again:{number}", "due_at": told}
            db.session.add(Delivery(**given))
    db.session.remove()


def test_a_page_costs_two_statements_and_leads_to_the_next(stage: Stage, asked: int) -> None:
    coach = stage["coach"]

    def cost(path: str) -> tuple[int, str]:
        with counted() as seen:
            page = coach.get(path)
        assert page.status_code == 200
        return len(seen), page.text

    few, _page = cost("/notifications")
    fill(stage, 45)
    seen: list[int] = []
    path = "/notifications"
    while path:
        many, page = cost(path)
        assert many == few == 2
        seen.append(page.count('<li class="news '))
        path = page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        path = path if 'rel="next"' in page else ""
        path = path.replace("&amp;", "&")
    assert seen == [20, 20, 7]
    assert coach.get("/notifications?before=nonsense").status_code == 422


def test_a_message_that_cannot_be_written_keeps_nobody_from_the_others(
    stage: Stage, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = messages(stage)[0]
    with db.transaction():
        db.session.execute(
            update(Delivery).where(Delivery.id == one.id).values(kind="session.from_the_future")
        )
    page = stage["coach"].get("/notifications")
    assert page.status_code == 200
    assert "booked session 1" in text_of(page)


# --- the bell ------------------------------------------------------------------------------


def test_the_bell_of_every_page_counts_what_is_unread(stage: Stage, asked: int) -> None:
    for path in ("/dashboard", "/sessions", f"/sessions/{asked}", "/profile", "/notifications"):
        assert bell(stage["coach"], path) == "2"
    assert bell(stage["student"]) == "0"
    assert 'aria-label="Notifications, 2 unread"' in stage["coach"].get("/profile").text
    answer = stage["coach"].get("/notifications/unread")
    assert answer.json == {"unread": 2, "words": "Notifications, 2 unread"}


def test_the_count_costs_no_statement_of_its_own(stage: Stage, asked: int) -> None:
    stage["coach"].get("/notifications/unread")
    with counted() as seen:
        stage["coach"].get("/notifications/unread")
    assert len(seen) == 1
    with db.session.get_bind().connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {seen[0]}", ("a token", "2026-03-02")
        ).all()
    assert "COVERING INDEX ix_delivery_unread" in str(plan)


def test_programs_that_are_signed_out_are_told(app: Flask) -> None:
    answer = Visitor(app).get("/notifications/unread", headers={"Accept": "application/json"})
    assert answer.status_code == 401


class Told:
    """What a stream said, event by event."""

    def __init__(self, visitor: Visitor) -> None:
        self.answer = visitor.client.get("/notifications/stream")
        assert self.answer.mimetype == "text/event-stream"
        assert self.answer.headers["Cache-Control"] == "no-store"
        self.parts = iter(self.answer.iter_encoded())

    def counts(self) -> Iterator[int]:
        for part in self.parts:
            for line in part.decode().splitlines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))["unread"]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> threading.BoundedSemaphore:
    room = threading.BoundedSemaphore(2)
    monkeypatch.setattr(stream, "_room", room)
    return room


def free(room: threading.BoundedSemaphore) -> int:
    return room._value


def test_a_stream_tells_each_change_and_ends(
    stage: Stage, asked: int, room: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        assert not db.session.registry.has(), "something is open on the database meanwhile"
        assert free(room) == 1
        pauses.append(seconds)
        if len(pauses) == 3:
            with db.transaction():
                db.session.execute(
                    update(Delivery).where(Delivery.channel == "app").values(read_at=NOW)
                )
            db.session.remove()

    stage["coach"].get("/profile")
    monkeypatch.setattr(stopping, "wait", pause)
    with counted() as seen:
        assert list(Told(stage["coach"]).counts()) == [2, 0]
    assert sum(pauses) == pytest.approx(stream.HOLD_SECONDS, abs=2)
    assert len(seen) <= len(pauses) + 2
    assert free(room) == 2


def test_a_stream_ends_with_its_sign_in(
    stage: Stage, asked: int, room: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = stage["coach"]
    token = visitor.token("/sessions")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        stage.after(60 * DAY)

    monkeypatch.setattr(stopping, "wait", pause)
    assert token
    assert list(Told(visitor).counts()) == [2]
    assert len(pauses) == 1
    assert free(room) == 2


def test_where_there_is_no_room_a_stream_answers_at_once_and_asks_for_patience(
    stage: Stage, asked: int, room: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "wait", lambda seconds: pytest.fail("it waited"))
    with room, room:
        answer = stage["coach"].get("/notifications/stream")
    assert f"retry: {stream.LATER_MS}" in answer.text
    assert '"unread": 2' in answer.text


def test_a_stream_whose_browser_goes_away_gives_its_room_back(
    stage: Stage, asked: int, room: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "wait", lambda seconds: None)
    told = Told(stage["coach"])
    assert next(told.counts()) == 2
    assert free(room) == 1
    told.answer.close()
    assert free(room) == 2
    # Nor does one that was never read take any.
    stage["coach"].client.head("/notifications/stream").close()
    assert free(room) == 2


def test_a_stream_ends_when_the_server_is_told_to_stop(
    stage: Stage, asked: int, room: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "wait", lambda seconds: True)
    assert list(Told(stage["coach"]).counts()) == [2]
    assert free(room) == 2


def test_a_signal_ends_a_wait_whoever_handles_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_pipe", None)
    monkeypatch.setattr(stopping, "_told", threading.Event())
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGUSR1)}
    woken = signal.set_wakeup_fd(-1)
    try:
        stopping.listen()
        for one in before:
            signal.signal(one, lambda number, frame: None)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert not stopping.wait(60)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.wait(60)
        assert stopping.wait(60)
    finally:
        os.close(signal.set_wakeup_fd(woken))
        os.close(stopping._pipe or 0)
        for one, handler in before.items():
            signal.signal(one, handler)


# --- wishes --------------------------------------------------------------------------------

WISHES = "/profile/notifications"


def test_wishes_are_saved_and_shown(stage: Stage) -> None:
    coach = stage["coach"]
    assert "each morning" in text_of(coach.get(WISHES)).lower()
    fields = {"reminders": ["15", "180"], "quiet_from": "22:30", "quiet_to": "07:00"}
    answer = coach.post(WISHES, WISHES, weekly="y", **fields)
    assert (answer.status_code, answer.location) == (303, WISHES)
    assert wishes.of(stage.cast.coach.id) == Choice(
        mail=False,
        reminders=(180, 15),
        quiet_from=22 * 60 + 30,
        quiet_to=7 * 60,
        daily=False,
        weekly=True,
    )
    page = coach.get(WISHES)
    assert "You are told like this from now on." in text_of(page)
    assert 'value="22:30"' in page.text
    assert page.text.count(" checked") == 3
    assert "New York, where it is 07:00 now" in text_of(page)


def test_digests_are_for_those_who_coach(stage: Stage) -> None:
    student = stage["student"]
    assert "morning" not in text_of(student.get(WISHES))
    student.post(WISHES, WISHES, mail="y")
    assert wishes.of(stage.cast.student.id) == Choice(reminders=())


REFUSED = [
    ({"quiet_from": "22:00"}, "need a beginning and an end"),
    ({"quiet_from": "22:00", "quiet_to": "22:00"}, "cannot last the whole day"),
    ({"quiet_from": "25:00", "quiet_to": "07:00"}, "Write a time of the day"),
    ({"quiet_from": "late", "quiet_to": "07:00"}, "Write a time of the day"),
    ({"reminders": ["61"]}, "61 minutes before is not offered"),
    ({"reminders": ["soon"]}, "0 minutes before is not offered"),
]


def test_a_wish_that_cannot_be_kept_says_why_and_what_was_typed_stays(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    token = stage["coach"].token(WISHES)
    for fields, says in REFUSED:
        with subtests.test(says, **fields):
            answer = stage["coach"].client.post(WISHES, data={"csrf_token": token, **fields})
            assert answer.status_code == 422
            assert says in text_of(answer)
            assert f'value="{fields.get("quiet_from", "")}"' in answer.text
    assert wishes.of(stage.cast.coach.id) == Choice()


def test_the_letters_lead_to_pages_that_there_are(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    for path, endpoint in (
        (letters.WISHES_PATH, "notifications.choose"),
        (unsubscribing.PATH.format("x"), "notifications.unsubscribe"),
        (letters.SESSION_PATH.format(1), "sessions.show"),
        (letters.ANSWER_PATH.format(1), "sessions.approval"),
        (letters.OUTCOME_PATH.format(1), "sessions.outcome_form"),
        (letters.CONTRACT_PATH.format(1), "contracts.show"),
        (letters.SCHEDULE_PATH.format(1), "sessions.book"),
        (letters.PROPOSAL_PATH.format(1), "proposals.show"),
        (letters.SERIES_PATH.format(1), "series.show"),
        (letters.SERIES_ANSWER_PATH.format(1), "series.answer"),
        (letters.SERIES_MOVE_PATH.format(1, "", "").partition("?")[0], "series.move"),
        (letters.DASHBOARD_PATH, "dashboard.show"),
    ):
        assert adapter.match(path)[0] == endpoint


# --- the end of a digest -------------------------------------------------------------------


def test_looking_at_the_link_of_a_digest_ends_nothing(stage: Stage, app: Flask) -> None:
    path = unsubscribing.path(stage.cast.coach.id, WEEKLY)
    answer = Visitor(app).get(path)
    assert answer.status_code == 200
    assert "No weekly overview any more?" in text_of(answer)
    assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
    assert wishes.of(stage.cast.coach.id) == Choice()


def test_a_mail_program_ends_a_digest_without_a_page(stage: Stage, app: Flask) -> None:
    path = unsubscribing.path(stage.cast.coach.id, DAILY)
    for _ in range(2):
        answer = app.test_client().post(
            path,
            data={"List-Unsubscribe": "One-Click"},
            headers={"Origin": "https://mail.example.org", "Sec-Fetch-Site": "cross-site"},
        )
        assert answer.status_code == 200
        assert "coach@example.org gets no daily overview any more." in text_of(answer)
    assert wishes.of(stage.cast.coach.id) == Choice(daily=False)


def test_the_button_on_the_page_does_the_same_whoever_is_signed_in(stage: Stage) -> None:
    path = unsubscribing.path(stage.cast.coach.id, DAILY)
    page = stage["student"].get(path)
    assert "Amara" not in page.text
    assert stage["student"].client.post(path).status_code == 200
    assert wishes.of(stage.cast.coach.id) == Choice(daily=False)
    assert wishes.of(stage.cast.student.id) == Choice()


def test_a_link_that_we_did_not_make_is_nothing_here(stage: Stage, app: Flask) -> None:
    path = unsubscribing.path(stage.cast.coach.id, DAILY)
    for spoiled in (path[:-1], path.replace("daily", "weekly"), "/unsubscribe/x", f"{path}/x"):
        assert Visitor(app).get(spoiled).status_code == 404
        assert app.test_client().post(spoiled).status_code == 404
    nobody = unsubscribing.path(10_000, DAILY)
    assert app.test_client().post(nobody).status_code == 404
    assert wishes.of(stage.cast.coach.id) == Choice()


# --- the demo's mailbox --------------------------------------------------------------------


def letter(to: str, subject: str, minutes: int, thread: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Skileez Sessions <sessions@demo.example>"
    message["To"] = f"Somebody <{to}>"
    message["Subject"] = subject
    message["Date"] = NOW + timedelta(minutes=minutes)
    message["In-Reply-To"] = f"<{thread}@demo.example>"
    message.set_content(f"{subject}, <b>said</b> plainly")
    message.add_alternative(
        f"<!doctype html><html><head><title>x</title></head><body><p>{subject}</p></body></html>",
        subtype="html",
    )
    return message


@pytest.fixture
def demo(settings: Settings, compiled_templates: BytecodeCache) -> Visitor:
    """Somebody in front of a demo with three messages in its mailbox."""
    settings = dataclasses.replace(settings, skileez_demo=True)
    box = demo_mailbox(settings)
    box.add(letter("amara@demo.example", "First <script>", 1, "session-1"))
    box.add(letter("jonas@demo.example", "Second, in Zürich", 2, "session-1"))
    box.add(letter("amara@demo.example", "Third", 3, "contract-9"))
    app = applications.start(settings)
    app.jinja_env.bytecode_cache = compiled_templates
    return Visitor(app)


def test_the_mailbox_lists_the_newest_first_and_of_one_or_one_thread(demo: Visitor) -> None:
    page = text_of(demo.get("/demo/mail"))
    assert page.index("Third") < page.index("Second, in Zürich") < page.index("First <script>")
    assert "session-1" in page
    assert "<script>First" not in demo.get("/demo/mail").text
    amara = text_of(demo.get("/demo/mail?to=amara@demo.example"))
    assert "Third" in amara
    assert "Second" not in amara
    assert "Third" not in text_of(demo.get("/demo/mail?thread=session-1"))
    assert "No mail yet" in text_of(demo.get("/demo/mail?to=nobody"))
    assert "/demo/mail" in demo.get("/sign-in").text


def test_a_message_is_shown_as_text_and_its_html_in_a_frame_of_its_own(
    demo: Visitor, settings: Settings
) -> None:
    box = demo_mailbox(settings)
    (key,) = (key for key, one in box.items() if "First" in str(one["Subject"]))
    page = demo.get(f"/demo/mail/{key}")
    assert "First &lt;script&gt;, &lt;b&gt;said&lt;/b&gt; plainly" in page.text
    assert 'sandbox="allow-top-navigation-by-user-activation allow-popups"' in page.text
    assert "style-src" not in page.headers["Content-Security-Policy"]
    frame = demo.get(f"/demo/mail/{key}/html")
    (policy,) = frame.headers.getlist("Content-Security-Policy")
    assert "default-src 'none'; style-src 'unsafe-inline'" in policy
    assert "sandbox" in policy
    assert frame.headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]
    assert '<base target="_top">' in frame.text


def test_a_message_that_is_not_there_is_nothing_here(demo: Visitor) -> None:
    for key in ("nothing", "..", "../demo.db", "%2e%2e%2fdemo.db"):
        assert demo.get(f"/demo/mail/{key}").status_code == 404
        assert demo.get(f"/demo/mail/{key}/html").status_code == 404


def test_only_a_demo_shows_its_mail(app: Flask) -> None:
    for path in ("/demo/mail", "/demo/mail/x", "/demo/mail/x/html"):
        assert Visitor(app).get(path).status_code == 404
    assert "/demo/mail" not in Visitor(app).get("/sign-in").text
