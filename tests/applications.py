"""One application for each kind of settings: starting one takes longer than most tests."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from flask import Flask

from skileez.app import configure, create_app
from skileez.config import Settings
from skileez.web.throttle import limiter
from tests import engines


@dataclass
class _Started:
    app: Flask
    config: dict[str, Any]
    views: dict[str, Any]
    wsgi_app: Any
    counts: object


_started: dict[Settings, _Started] = {}


def start(settings: Settings) -> Flask:
    """Like ``create_app``, but with the application that an earlier test warmed up."""
    # What a test changes about it (its settings, a view, what is around it) is put right again.
    kind = dataclasses.replace(settings, database_url="sqlite://")
    one = _started.get(kind)
    # A start counts failures anew for the whole process, so an application before it has no counts.
    if one is None or one.counts is not limiter.storage:
        app = create_app(settings)
        one = _Started(
            app, dict(app.config), dict(app.view_functions), app.wsgi_app, limiter.storage
        )
        _started[kind] = one
    else:
        configure(settings)
        one.app.config.clear()
        one.app.config.update(one.config, SKILEEZ=settings)
        one.app.view_functions.update(one.views)
        one.app.wsgi_app = one.wsgi_app  # type: ignore[method-assign]
        limiter.storage.reset()
    engines.bind(settings.database_url)
    return one.app
