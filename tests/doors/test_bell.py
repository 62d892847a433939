"""The bell: what it counts, and the streams that tell it of changes."""

import json
import os
import signal
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from skileez import db
from skileez.notifications.models import Delivery
from skileez.web import stopping, stream
from tests.cast import DAY, NOW
from tests.doors.stage import Stage
from tests.doors.test_query_counts import counted
from tests.doors.visitor import Visitor, bell


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
