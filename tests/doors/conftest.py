"""Fixtures of the doors' tests."""

import pytest
from flask import Flask
from sqlalchemy import delete

from skileez import db
from skileez.config import Settings
from skileez.notifications.models import Delivery
from skileez.sessions import actions
from tests.cast import HOUR, NOW, WHY
from tests.doors.stage import Stage, pass_on
from tests.doors.visitor import Visitor


@pytest.fixture(params=["sqlite"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Doors hold no rules and no SQL of their own: one engine is enough to see them answer."""
    return str(request.param)


@pytest.fixture
def stage(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The cast, signed in, with a contract of six sessions; the clock stands at NOW."""
    return Stage(app, settings.database_url, monkeypatch)


@pytest.fixture
def admin(stage: Stage) -> Visitor:
    return stage["admin"]


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
