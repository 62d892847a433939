"""The cast in front of the application: each with a browser, and a clock that a test sets."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from skileez import clock, db, worker
from skileez.events import Event
from skileez.sessions.models import Session
from tests import cast
from tests.cast import HOUR, NOW, WHY, Cast
from tests.doors.visitor import Visitor, token_of

_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


class Stage:
    """The people of ``tests.cast``, signed in, on the application's own database."""

    def __init__(self, app: Flask, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self._monkeypatch = monkeypatch
        self.at(NOW)
        self.cast: Cast = cast.enter(url, total=6)
        db.session.remove()
        self._visitors: dict[str, Visitor] = {}

    def at(self, now: datetime) -> None:
        """Set the clock."""
        self._monkeypatch.setattr(clock, "now", lambda: now)

    def after(self, time: timedelta) -> None:
        """Set the clock to so long after NOW."""
        self.at(NOW + time)

    def __getitem__(self, name: str) -> Visitor:
        """The browser of this person, signed in."""
        if name not in self._visitors:
            visitor = Visitor(self.app)
            visitor.come_in(f"{name}@example.org")
            self._visitors[name] = visitor
        return self._visitors[name]

    def book(self, ahead: timedelta, **told: Any) -> int:
        """A booked session's id; ``ahead`` counts from NOW."""
        booked = self.cast.book(ahead, **told).id
        db.session.remove()
        return booked

    def send(self, name: str, form: str, to: str, **fields: Any) -> TestResponse:
        """Send the form of the page ``form`` to ``to``, its hidden fields as the page had them."""
        page = self[name].get(form)
        hidden = hidden_fields(page.text, to) or {"csrf_token": token_of(page)}
        return self[name].client.post(to, data={**hidden, **fields}, buffered=True)

    def session(self, session_id: int) -> Session:
        """The session as the database has it now."""
        db.session.remove()
        return db.session.get_one(Session, session_id)

    def verbs(self, session_id: int) -> list[str]:
        """What happened to a session, in order."""
        db.session.remove()
        return list(
            db.session.scalars(
                select(Event.verb).where(Event.session_id == session_id).order_by(Event.id)
            )
        )


def hidden_fields(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form on a page that goes to ``action``."""
    forms = re.findall(r"<form\b.*?</form>", html, re.S)
    for form in forms:
        if f'action="{action}' in form:
            attributes = [dict(_ATTRIBUTE.findall(one)) for one in _HIDDEN.findall(form)]
            return {one["name"]: one.get("value", "") for one in attributes}
    return {}


def pass_on() -> None:
    """Let the worker tell what happened."""
    worker.dispatch(NOW)
    db.session.remove()


def wall(ahead: timedelta, zone_hours: int) -> str:
    """NOW plus ``ahead`` as a browser types it, so many hours from UTC."""
    return f"{NOW + ahead + timedelta(hours=zone_hours):%Y-%m-%dT%H:%M}"


BERLIN, NEW_YORK = 1, -5
"""Hours from UTC at NOW, on 2 March 2026: the student's and the coach's."""

REQUEST = {"reason": WHY, "proposed_times-0": wall(70 * HOUR, BERLIN)}
"""What the student types to ask for ten hours later than a session booked 60 hours ahead."""
