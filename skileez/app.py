"""The only wiring: settings, database, doors and their safety, put together."""

import gc
import os
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import structlog
from flask import Flask, Response, g, request
from flask_login import LoginManager
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from skileez import clock, db, events, logs, startup
from skileez.accounts import actions
from skileez.accounts.models import Person
from skileez.config import Settings
from skileez.web import (
    access,
    assets,
    display,
    errors,
    language,
    probes,
    security,
    stopping,
    stream,
    throttle,
)
from skileez.web.absence import absence
from skileez.web.answers import answers
from skileez.web.auth import auth
from skileez.web.availability import availability
from skileez.web.calendar import calendar
from skileez.web.cases import cases
from skileez.web.contracts import contracts
from skileez.web.dashboard import dashboard
from skileez.web.demo_mail import demo_mail
from skileez.web.notifications import notifications
from skileez.web.operations import operations
from skileez.web.people import people
from skileez.web.profile import profile
from skileez.web.proposals import proposals
from skileez.web.series import series
from skileez.web.sessions import sessions
from skileez.web.sweeps import sweeps
from skileez.web.templating import Templates

LARGEST_ID = 2**31 - 1
log = logs.logger(__name__)


def create_app(settings: Settings | None = None) -> Flask:
    """The application. Raises ConfigError for a setting that cannot be used, RuntimeError for a
    route that does not say who may enter.
    """
    settings = settings or Settings.from_environ(os.environ)
    app = _Flask("skileez", static_folder=None, template_folder="web/templates")
    app.config["SKILEEZ"] = settings
    configure(settings)
    _keep_sessions(app, settings)
    _trace_requests(app)
    # In this order before every request: from where, what, who, then the form's token.
    app.before_request(_only_read)
    app.before_request(security.refuse_other_sites)
    app.before_request(security.refuse_nul)
    app.before_request(access.guard)
    tokens = CSRFProtect(app)
    security.init_app(app)
    throttle.init_app(app, settings)
    errors.init_app(app)
    language.init_app(app)
    display.init_app(app)
    _add_pages(app)
    access.check_every_route(app)
    stopping.listen()
    for view in access.links(app):
        tokens.exempt(view)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        proxied = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = proxied  # type: ignore[method-assign]
    return app


def serve() -> Flask:
    """The application, for a process that does nothing but serve it.

    The collector of garbage leaves alone what stays, and comes once in some requests instead of
    several times in each.
    """
    app = create_app()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    return app


def configure(settings: Settings) -> None:
    """What the process goes by, and what its pages go by beside it."""
    startup.configure(settings, readable=settings.skileez_demo)
    stream.configure(settings)


class _Flask(Flask):
    """Nothing here is asynchronous, which Flask would look up anew at every call."""

    jinja_environment = Templates

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def _keep_sessions(app: Flask, settings: Settings) -> None:
    """Who is signed in: a token in a signed cookie, its sign-in on the server."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        # The demo is plain http, where browsers refuse both the prefix and Secure.
        SESSION_COOKIE_NAME="skileez" if settings.skileez_demo else "__Host-skileez",
        SESSION_COOKIE_SECURE=not settings.skileez_demo,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.sign_in_days),
        # The token dies with the sign-in, so a form left open over lunch can still be sent.
        WTF_CSRF_TIME_LIMIT=None,
        # Its job is done by Sec-Fetch-Site and the __Host- cookie; proxies drop the Referer.
        WTF_CSRF_SSL_STRICT=False,
    )
    login = _Logins(app)
    login.session_protection = None
    login.user_loader(_signed_in)


class _Logins(LoginManager):  # type: ignore[misc]  # Flask-Login has no types
    """Without its "remember me" cookie, for which it would look into every session: so files
    would vary by cookie.
    """

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


def _signed_in(token: str) -> Person | None:
    return actions.find_signed_in(str(token), now=clock.now())


def _only_read() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        db.read_only()


def _trace_requests(app: Flask) -> None:
    """One log line for a request, and its id on the line, on the answer and on its events."""

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = logs.request_id(request.headers.get("X-Request-ID"))
        events.request_id.set(g.request_id)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        started = g.get("started")
        if request.endpoint not in ("assets.show", *probes.ENDPOINTS):
            log.info(
                "request",
                method=request.method,
                route=request.url_rule.rule if request.url_rule else None,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1) if started else None,
            )
        return response

    @app.teardown_request
    def end(error: BaseException | None) -> None:
        events.request_id.set(None)
        structlog.contextvars.clear_contextvars()

    @app.teardown_appcontext
    def let_go(error: BaseException | None) -> None:
        db.session.remove()


class _Id(IntegerConverter):
    """``<int:…>`` in a path: a number that no id can have is nothing here (404)."""

    def __init__(self, url_map: object, *args: object, **options: object) -> None:
        super().__init__(url_map, *args, **{"max": LARGEST_ID, **options})  # type: ignore[arg-type]


def _add_pages(app: Flask) -> None:
    app.url_map.converters["int"] = _Id
    probes.init_app(app)
    assets.init_app(app)
    for module in ("attendance", "booking", "outcome", "reschedule"):
        import_module(f"skileez.web.{module}")  # adds its routes to the pages of sessions
    for module in ("series_booking", "series_clocks", "series_moving"):
        import_module(f"skileez.web.{module}")  # and these to those of series
    for pages in (
        absence,
        answers,
        auth,
        profile,
        people,
        calendar,
        dashboard,
        availability,
        notifications,
        demo_mail,
        sessions,
        series,
        sweeps,
        cases,
        contracts,
        proposals,
        operations,
    ):
        app.register_blueprint(pages)
