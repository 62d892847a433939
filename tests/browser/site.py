"""The application, served to a real browser; its clock stands still until a test moves it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import pytest
from axe_playwright_python.sync_playwright import Axe
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from skileez import db, zones
from skileez.accounts import actions as accounts
from skileez.accounts.actions import Checked
from skileez.availability.models import Availability
from skileez.availability.rules import Hours
from skileez.config import Settings
from skileez.events import Actor
from skileez.sessions import actions as sessions
from skileez.web.access import TOKEN
from tests import cast

if TYPE_CHECKING:
    from flask import Flask
    from jinja2 import BytecodeCache
    from playwright.sync_api import BrowserContext

AXE = "/axe.js"
"""Where pages find the checks for accessibility."""

PATIENCE = 15
"""Seconds that a request may take on a machine that does much else."""


class Clock:
    """In place of ``skileez.clock.now``."""

    def __init__(self) -> None:
        self.at = cast.NOW

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, time: timedelta) -> None:
        """Let time pass."""
        self.at += time

    def strike(self, instant: datetime) -> None:
        """Be at ``instant``."""
        self.at = instant


@dataclass(frozen=True)
class Someone:
    """Somebody with an account on the site."""

    id: int
    name: str
    email: str
    zone: str

    def typed(self, instant: datetime) -> str:
        """An instant as a datetime-local input takes it, in this person's zone."""
        return f"{zones.local(instant, self.zone):%Y-%m-%dT%H:%M}"

    def shown(self, instant: datetime) -> str:
        """The time of day as this person's pages show it."""
        return f"{zones.local(instant, self.zone):%H:%M}"

    def shown_long(self, instant: datetime) -> str:
        """Day and time as this person's lists and timelines show them."""
        there = zones.local(instant, self.zone)
        return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"


@dataclass
class Site:
    """One running server with a database of its own, for all tests of a module."""

    url: str
    app: "Flask"
    clock: Clock
    made: int = field(default=0)

    def person(self, part: str, name: str, zone: str) -> Someone:
        """A new account; ``part`` is student, coach, stranger or admin."""
        self.made += 1
        with db.transaction():
            one = cast.person(f"{part}{self.made}", name, zone)
            one.is_admin = part == "admin"
            someone = Someone(one.id, one.display_name, one.email, one.zone)
        db.session.remove()
        return someone

    def find(self, email: str) -> Someone:
        """Somebody who is there already."""
        one = accounts.find_by_email(email)
        assert one
        return Someone(one.id, one.display_name, one.email, one.zone)

    def contract(self, coach: Someone, student: Someone, total: int = 4, **terms: Any) -> int:
        """A contract between them, from a month ago; its id."""
        from skileez.accounts.models import Person

        with db.transaction():
            pair = [db.session.get_one(Person, one.id) for one in (coach, student)]
            made = cast.contract(*pair, total, **terms).id
        db.session.remove()
        return made

    def session(
        self, contract: int, by: Someone, start: datetime, *, confirmed: bool = True
    ) -> int:
        """A session of the contract, booked by ``by`` at this hour; its id."""
        with db.transaction():
            found = sessions.find_contract_for(Actor("person", by.id), contract)
            role = found.role_of(by.id)
            assert role is not None
            one = sessions.book(
                found, start, by=role, actor=Actor("person", by.id), now=self.clock()
            )
            if confirmed and not one.confirmed_by_coach:
                one.confirm("coach", actor=Actor("person", found.coach_id), now=self.clock())
            made = one.id
        db.session.remove()
        return made

    def hours(self, coach: Someone, hours: Hours) -> None:
        """When this coach may be booked from now on."""
        with db.transaction():
            row = Availability(coach_id=coach.id, changed_at=self.clock())
            row.take(hours)
            db.session.add(row)
        db.session.remove()

    def verb(self, who: Someone, session: int, name: str, *args: Any, **given: Any) -> None:
        """What somebody does to a session elsewhere, while the browser looks at a page."""
        with db.transaction():
            actor = Actor("person", who.id)
            one = sessions.find_for(actor, session)
            getattr(one, name)(*args, actor=actor, now=self.clock(), **given)
        db.session.remove()

    def sweep(self) -> None:
        """What time alone decides, settled."""
        sessions.sweep(self.clock())
        db.session.remove()

    def cookie(self, someone: Someone) -> dict[str, Any]:
        """The cookie of a browser in which this person has signed in."""
        with db.transaction():
            person = accounts.find_person(someone.id)
            checked = Checked(person.id, person.password_hash)
            _row, token = accounts.sign_in(
                checked, now=self.clock(), lasts=timedelta(days=300), agent="Chromium, Linux"
            )
        db.session.remove()
        signer = self.app.session_interface.get_signing_serializer(self.app)
        return {
            "name": self.app.config["SESSION_COOKIE_NAME"],
            "value": signer.dumps({TOKEN: token, "_permanent": True}),
            "url": self.url,
            "httpOnly": True,
            "sameSite": "Lax",
        }


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # one connection for a page and its thirty files

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class _Threads(ThreadedWSGIServer):
    """Every connection has a thread, and the end waits for each."""

    daemon_threads = False

    def __init__(self, app: Any) -> None:
        super().__init__("127.0.0.1", 0, app, _Handler)
        self.connections: WeakSet[socket.socket] = WeakSet()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection, as its thread waits for the next request until it ends."""
        self.connections.add(request)
        super().process_request(request, client_address)


def _axe(environ: Any, start_response: Any) -> Any:
    """As a file that the browser keeps, compiled: it is half a megabyte."""
    kept = [("Content-Type", "text/javascript"), ("Cache-Control", "max-age=86400, immutable")]
    start_response("200 OK", kept)
    return [Axe().axe_script.encode()]


class Server:
    """One address for the whole run, so that browsers keep their copies of the files."""

    def __init__(self) -> None:
        self.watch = Watch()
        self._app: Flask | None = None
        self._asked = 0
        self._quiet = threading.Condition()
        self._server = _Threads(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == AXE:
            return _axe(environ, start_response)
        with self._quiet:
            assert self._app, "a page outlived its test"
            app = self._app
            self._asked += 1

        def answer(status: str, *rest: Any) -> Any:
            self.watch.answered(environ["PATH_INFO"], int(status[:3]))
            return start_response(status, *rest)

        try:
            return app(environ, answer)
        finally:
            with self._quiet:
                self._asked -= 1
                self._quiet.notify_all()

    @contextmanager
    def showing(self, app: "Flask") -> Iterator[None]:
        """Serve ``app``; at the end nothing is at work in it any more, nor in its database."""
        self._app = app
        try:
            yield
        finally:
            with self._quiet:
                self._app = None
                assert self._quiet.wait_for(lambda: not self._asked, PATIENCE), "still at work"

    def close(self) -> None:
        """Stop serving, and let every thread end."""
        self._server.shutdown()
        self._thread.join()
        for one in list(self._server.connections):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._server.server_close()


@contextmanager
def serving(
    server: Server, database: str, cache: "BytecodeCache", **changed: Any
) -> Iterator[Site]:
    """The site on the SQLite file ``database``, until the block ends."""
    from skileez.app import create_app

    settings = Settings(
        # Plain http, as the demo is.
        skileez_demo=True,
        database_url=f"sqlite:///{database}",
        password_time_cost=1,
        password_memory_kib=8,
        log_level="ERROR",
        **changed,
    )
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skileez.clock.now", clock)
        # A stream says how it stands and ends: none is held longer than its test.
        patch.setattr("skileez.web.stopping.wait", lambda seconds: True)
        app = create_app(settings)
        app.jinja_env.bytecode_cache = cache
        with server.showing(app):
            yield Site(server.url, app, clock)


class Watch:
    """Notes what no page may ever do: complain, break, or ask another host.

    Browsers find no other host, and complain of each. What the site answers is seen where it
    answers: a browser that tells of every file takes as long to tell as to show a page.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.may_break = False

    def over(self, context: "BrowserContext") -> None:
        """Watch all pages of ``context``."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.seen.append(f"script: {error.error}"))

    def answered(self, path: str, status: int) -> None:
        """Note a page that breaks, and a file that is not there."""
        too_bad = status >= 500 and not self.may_break
        if too_bad or (path.startswith("/static/") and status >= 400):
            self.seen.append(f"{status}: {path}")

    def _console(self, message: Any) -> None:
        # A refused form is answered 4xx, and Chromium tells of each.
        answered = message.text.startswith("Failed to load resource: the server responded with")
        # A question that a later one replaced: htmx tells of it as of an error.
        replaced = message.text.startswith(("htmx:afterRequest,", "htmx:sendAbort,"))
        if message.type in ("error", "warning") and not answered and not replaced:
            self.seen.append(f"console: {message.text}")
