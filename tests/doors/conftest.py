"""Fixtures of the doors' tests."""

import pytest
from flask import Flask

from skileez.config import Settings
from tests.doors.stage import Stage


@pytest.fixture(params=["sqlite"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Doors hold no rules and no SQL of their own: one engine is enough to see them answer."""
    return str(request.param)


@pytest.fixture
def stage(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The cast, signed in, with a contract of six sessions; the clock stands at NOW."""
    return Stage(app, settings.database_url, monkeypatch)
