"""What an operator sees of the worker, and what machines are told."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from skileez import __version__, db, heartbeat, outbox
from skileez.config import ConfigError, Settings
from skileez.events import Event
from skileez.notifications import letters, rules, samples
from skileez.notifications.models import Delivery, Standing
from skileez.outbox import Waiting
from skileez.sessions.models import Session
from skileez.sessions.rules import Policy
from skileez.web import operations, probes
from tests.cast import DAY, HOUR, NOW
from tests.doors.stage import Stage
from tests.doors.visitor import Visitor, text_of

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
TOKEN = "a token that only the test knows"


@pytest.fixture
def admin(stage: Stage) -> Visitor:
    return stage["admin"]


def beat(ago: timedelta = SECOND, name: str = "host:1", version: str = __version__) -> None:
    """A worker was last heard of so long before NOW."""
    figures = {"events": 12, "sent": 7, "retried": 0, "lapsed": 2}
    heartbeat.beat(name, version, figures, NOW - ago)


def nothing_due() -> None:
    """What the stage's own verbs left in the outbox is done."""
    with db.transaction():
        db.session.execute(text("DELETE FROM outbox"))


def park_event(stage: Stage, why: str = "KeyError: 'x'") -> int:
    """The event of a booking, after too many failures."""
    session = stage.book(2 * DAY)
    with db.transaction():
        one = db.session.scalars(select(Event.id).where(Event.session_id == session)).one()
        db.session.execute(
            update(Waiting)
            .where(Waiting.event_id == one)
            .values(due_at=None, failures=5, error=why)
        )
    return one


def post(stage: Stage, number: int = 1, **columns: object) -> int:
    """A message to the student, due a minute ago if nothing else is said."""
    values = {
        "occasion": f"made up:{number}",
        "kind": "session.booked",
        "channel": "mail",
        "recipient_id": stage.cast.student.id,
        "at": NOW - HOUR,
        "due_at": NOW - MINUTE,
        "failures": 0,
        **columns,
    }
    with db.transaction():
        one = Delivery(**values)
        db.session.add(one)
        db.session.flush()
        return one.id


def park(stage: Stage, number: int = 1) -> int:
    return post(
        stage,
        number,
        status=Standing.PARKED,
        failures=7,
        error="550 there is nobody here of that name",
    )


def standing(delivery: int) -> tuple[str, int]:
    db.session.remove()
    one = db.session.get_one(Delivery, delivery)
    return one.status, one.failures


# The page


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


# The messages


def test_every_kind_of_message_is_listed(admin: Visitor) -> None:
    page = admin.get("/admin/messages")
    assert set(re.findall(r'href="/admin/messages/([\w.]+)"', page.text)) == set(rules.KINDS)
    assert "It cannot be written" not in text_of(page)


def test_every_message_has_a_preview_for_everybody_who_gets_it(admin: Visitor) -> None:
    for kind in rules.KINDS:
        for variant in samples.variants(kind):
            page = admin.get(f"/admin/messages/{kind}?to={variant}")
            assert page.status_code == 200
            assert "It cannot be written" not in page.text, (kind, variant)


def test_student_and_coach_read_their_own(admin: Visitor) -> None:
    path = "/admin/messages/session.booked"
    assert "Hello Lina Sommer" in admin.get(f"{path}?to=student").text
    to_coach = admin.get(f"{path}?to=coach").text
    assert "Hello Daniel Okafor" in to_coach
    assert "Please confirm it." in to_coach


def test_a_preview_asks_no_database() -> None:
    """Nothing here asks for one, so a query would fail."""
    for kind in rules.KINDS:
        for variant in samples.variants(kind):
            assert samples.letter(kind, variant, NOW, Policy()).subject


def test_the_frame_takes_styles_and_nothing_else(admin: Visitor) -> None:
    page = admin.get("/admin/messages/session.booked")
    assert "sandbox></iframe>" in page.text
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    frame = admin.get("/admin/messages/session.booked/page?to=coach")
    assert frame.headers.getlist("Content-Security-Policy") == [operations.PREVIEW_POLICY]
    assert frame.headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]
    assert frame.headers["X-Content-Type-Options"] == "nosniff"
    assert "<a href=" not in frame.text


def test_a_message_that_is_not_there_is_404(admin: Visitor) -> None:
    for path in ("nothing", "session.booked?to=itself", "digest.daily?to=student"):
        assert admin.get(f"/admin/messages/{path}").status_code == 404


def test_a_template_that_fails_is_told_and_hides_no_other(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = letters.word

    def fail(delivery: Delivery, *given: object) -> letters.Letter:
        if delivery.kind == "session.booked":
            raise KeyError("gone")
        return real(delivery, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(letters, "word", fail)
    listed = text_of(admin.get("/admin/messages"))
    assert listed.count("It cannot be written") == 1
    assert "confirmed session 3" in listed
    assert "KeyError: 'gone'" in text_of(admin.get("/admin/messages/session.booked"))
    assert admin.get("/admin/messages/session.booked/page").status_code == 404


# What machines ask


def test_ready_when_the_schema_is_new_a_worker_lives_and_nothing_waits(stage: Stage) -> None:
    nothing_due()
    beat()
    answer = Visitor(stage.app).get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")
    assert answer.mimetype == "text/plain"


def no_worker(stage: Stage) -> None:
    beat(2 * MINUTE)


def late_message(stage: Stage) -> None:
    beat()
    post(stage, due_at=NOW - 3 * MINUTE)


def late_event(stage: Stage) -> None:
    beat()
    stage.book(2 * DAY)
    stage.after(3 * MINUTE)
    heartbeat.beat("host:1", __version__, {}, NOW + 3 * MINUTE)


def behind(stage: Stage) -> None:
    _schema("0001")


def ahead(stage: Stage) -> None:
    _schema("9999")


def _schema(number: str) -> None:
    beat()
    with db.transaction():
        db.session.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": number})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_worker, "no worker"),
        (late_message, "late: the oldest that is due has waited 3 min"),
        (late_event, "late: the oldest that is due has waited 3 min"),
        (behind, "the database is behind this version: run skileez migrate"),
        (ahead, "the database is ahead of this version"),
    ],
)
def test_not_ready_and_why(stage: Stage, spoil: Callable[[Stage], None], said: str) -> None:
    nothing_due()
    spoil(stage)
    for path in ("/healthz", "/readyz"):
        answer = Visitor(stage.app).get(path)
        assert answer.status_code == 503
        assert said in answer.text
    assert Visitor(stage.app).get("/livez").status_code == 200, "its pages can still be shown"


def test_two_minutes_late_is_still_ready_and_parked_is_not_late(stage: Stage) -> None:
    nothing_due()
    beat()
    post(stage, 1, due_at=NOW - 2 * MINUTE)
    park(stage, 2)
    visitor = Visitor(stage.app)
    answers = [visitor.get(path) for path in ("/livez", "/healthz", "/readyz")]
    assert [one.status_code for one in answers] == [200, 200, 200]
    assert [one.text for one in answers] == ["ok\n", "ok\n", "ready\n"]


def test_without_its_database_nothing_is_ready(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(stage.app)

    def away(*given: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("away"))

    monkeypatch.setattr(db.session, "execute", away)
    for path in ("/livez", "/healthz", "/readyz"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.text) == (503, "database unreachable\n")


def test_a_database_without_tables_is_told_apart(bare_database: str, settings: Settings) -> None:
    db.bind(bare_database)
    assert probes._schema_problem() == "the database has no tables: run skileez migrate"


@pytest.fixture
def metrics(stage: Stage) -> Iterator[Callable[..., dict[str, float]]]:
    """The figures by name and labels, as Prometheus reads them."""
    object.__setattr__(stage.app.config["SKILEEZ"], "metrics_token", TOKEN)

    def read() -> dict[str, float]:
        answer = Visitor(stage.app).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        return {
            " ".join([sample.name, *sorted(sample.labels.values())]): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    yield read
    object.__setattr__(stage.app.config["SKILEEZ"], "metrics_token", "")


def test_prometheus_reads_how_it_stands(
    stage: Stage, metrics: Callable[..., dict[str, float]]
) -> None:
    nothing_due()
    beat()
    beat(2 * MINUTE, "host:2")
    post(stage, 1, due_at=NOW - 90 * SECOND)
    park(stage, 2)
    park_event(stage)
    read = metrics()
    assert read["skileez_workers_alive"] == 1
    assert read["skileez_due messages"] == 1
    assert read["skileez_lag_seconds messages"] == 90
    assert read["skileez_due events"] == 0
    assert (read["skileez_parked messages"], read["skileez_parked events"]) == (1, 1)
    assert read["skileez_deliveries_total host:1 sent"] == 7
    assert read["skileez_events_total host:1"] == 12
    assert read["skileez_settled_total host:2 lapsed"] == 2
    assert read["skileez_job_errors_total host:1"] == 0
    assert read[f"skileez_build_info {__version__}"] == 1


def test_the_figures_are_not_there_for_who_has_no_token(
    stage: Stage, metrics: Callable[..., dict[str, float]]
) -> None:
    visitor = Visitor(stage.app)
    for given in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ü"):
        answer = visitor.get("/metrics", headers={"Authorization": given})
        assert answer.status_code == 404, given
        assert "skileez_" not in answer.text


def test_without_the_setting_there_are_no_figures_for_anybody(stage: Stage) -> None:
    visitor = Visitor(stage.app)
    for given in ("", "Bearer ", "Bearer None"):
        assert visitor.get("/metrics", headers={"Authorization": given}).status_code == 404


def test_a_token_that_could_be_guessed_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="METRICS_TOKEN"):
        Settings(skileez_demo=True, metrics_token="guess me")


def test_open_pages_tell_nothing_private(stage: Stage) -> None:
    beat(name="secret-host:1")
    park(stage)
    said = Visitor(stage.app).get("/readyz").text
    assert not re.search(rf"secret-host|{stage.cast.student.email}|session\.booked", said)


def test_page_and_figures_name_the_same_things_of_a_worker() -> None:
    assert {*probes.SENT, *probes.SETTLED, "events", "errors"} == set(operations.DID)
