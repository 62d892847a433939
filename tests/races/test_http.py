"""The same races through the web: fifty posts at once, one redirect, 49 conflicts, no error.

The verbs hold on both databases (test_races.py). So one race is run through the web on both, the
others on one of them each.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from skileez import db
from skileez.config import Settings
from skileez.sessions.models import Session
from tests.cast import HOUR, WHY
from tests.doors.stage import Stage, hidden_fields
from tests.races.arena import CLIENTS
from tests.sessions.stage import at

MOVED = 303
CONFLICT = 409


@pytest.fixture
def stage(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(app, settings.database_url, monkeypatch)


class InFlight:
    """Counts the requests that are inside the application at one time."""

    def __init__(self, app: Flask) -> None:
        self._inner: Callable[[dict[str, Any], Any], Iterable[bytes]] = app.wsgi_app
        self._count = threading.Lock()
        self._now = self.most = 0
        app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._count:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self._inner(environ, start_response)
        finally:
            with self._count:
                self._now -= 1


def post_at_once(stage: Stage, send: Callable[[int, Any], TestResponse]) -> Counter[int]:
    """How often each status came; ``send`` gets its number and a browser of its own."""
    browsers = []
    for number in range(CLIENTS):
        browser = stage.app.test_client()
        browser._cookies = dict(stage[("student", "coach")[number % 2]].client._cookies)
        browsers.append(browser)
    db.session.remove()
    flight = InFlight(stage.app)
    line = threading.Barrier(CLIENTS, timeout=60)
    statuses: list[int] = []

    def run(number: int) -> None:
        line.wait()
        statuses.append(send(number, browsers[number]).status_code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == CLIENTS
    assert flight.most >= 16
    return Counter(statuses)


def wall(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M}"


def booking(stage: Stage, hours: Callable[[int], float]) -> Callable[[int, Any], TestResponse]:
    """Posts the booking form as the page gives it, each at its own hour."""
    form = f"/contracts/{stage.cast.contract.id}/schedule"
    hidden = [hidden_fields(stage[who].get(form).text, form) for who in ("student", "coach")]

    def send(number: int, browser: Any) -> TestResponse:
        fields = {
            **hidden[number % 2],
            "scheduled_at": wall(at(hours(number))),
            "duration_minutes": "60",
            "timezone": "UTC",
        }
        answer: TestResponse = browser.post(form, data=fields, buffered=True)
        if answer.status_code == CONFLICT:
            said = ("another session", "are booked", "is already booked")
            assert any(words in answer.text for words in said)
        return answer

    return send


def test_fifty_posts_for_one_slot_book_one_session(stage: Stage) -> None:
    statuses = post_at_once(stage, booking(stage, lambda n: 60 + (n % 2) / 2))
    assert statuses == {MOVED: 1, CONFLICT: CLIENTS - 1}
    assert Session.query.count() == 1


@pytest.mark.parametrize(
    "engine_name", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_fifty_posts_for_the_last_session_book_one(stage: Stage) -> None:
    send = booking(stage, lambda n: 60 + 2 * n)
    for n in range(5):  # of six
        stage.book((40 + 2 * n) * HOUR)
    statuses = post_at_once(stage, send)
    assert statuses == {MOVED: 1, CONFLICT: CLIENTS - 1}
    assert Session.query.count() == 6


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_of_fifty_answers_and_withdrawals_one_stands(stage: Stage) -> None:
    session_id = stage.book(60 * HOUR)
    page = f"/sessions/{session_id}"
    asked = stage.send(
        "student",
        f"{page}/reschedule",
        f"{page}/reschedule",
        **{"reason": WHY, "proposed_times-0": wall(at(71)), "timezone": "UTC"},
    )
    assert asked.status_code == MOVED
    withdraw, decline = f"{page}/withdraw-reschedule", f"{page}/decline-reschedule"
    approval = stage["coach"].get(f"{page}/reschedule-approval")
    sent = [
        (withdraw, hidden_fields(stage["student"].get(page).text, withdraw)),
        (decline, hidden_fields(approval.text, decline)),
    ]

    def answer(number: int, browser: Any) -> TestResponse:
        to, hidden = sent[number % 2]
        answered: TestResponse = browser.post(to, data=hidden, buffered=True)
        return answered

    assert post_at_once(stage, answer) == {MOVED: 1, CONFLICT: CLIENTS - 1}
    answers = {"session.reschedule_withdrawn", "session.reschedule_declined"}
    assert len([verb for verb in stage.verbs(session_id) if verb in answers]) == 1
