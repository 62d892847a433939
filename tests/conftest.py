"""Fixtures that every test may use, and the walls around the tests.

``database``        URL of a migrated, empty database; the test runs once on each engine
``bare_database``   an SQLite one before any migration
``settings``        Settings on ``database``, with cheap passwords
``app``, ``client`` the application on them, and a browser-like client (https, cookies)

A test that asks for none of them has no database at all: a query raises. Nothing reaches the
network but loopback.
"""

import dataclasses
import gc
import logging
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import Pool, event

from skileez import db
from skileez.config import Settings
from tests import engines

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from jinja2 import BytecodeCache

    from tests import postgres

# The machine's own settings and zone must not decide a test.
for one in dataclasses.fields(Settings):
    os.environ.pop(one.name.upper(), None)
os.environ["TZ"] = "Asia/Kolkata"
time.tzset()


# A connection that a test left open is collected whenever the collector runs, also while Python
# compiles: its traceback must not be formatted then (CPython 3.11, gh-106905).
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)

# Where nobody set the logs up, a traceback is told in plain words: in colours and with every local
# variable it took longer than the test that asked for it.
structlog.configure(
    processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
)

# No test pulls the plug, and waiting for the disk takes longer than most tests.
db.SQLITE["synchronous"] = "OFF"


# --- the network ---------------------------------------------------------------------------

LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None}


def _stay_on_this_machine(happening: str, arguments: tuple[Any, ...]) -> None:
    if happening == "socket.getaddrinfo":
        host = arguments[0]
    elif happening == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in LOOPBACK and host != socket.gethostname():
        raise PermissionError(f"a test tried to reach {host}; tests stay on this machine")


sys.addaudithook(_stay_on_this_machine)


# --- databases -----------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine of this run of the test."""
    return str(request.param)


@pytest.fixture
def database(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a migrated, empty database."""
    if engine_name == "postgresql":
        url, clean = request.getfixturevalue("postgresql_database")
        clean()
    else:
        template: Path = request.getfixturevalue("sqlite_template")
        url = f"sqlite:///{shutil.copy(template, tmp_path / 'skileez.sqlite3')}"
    with unbound_after():
        yield url


@pytest.fixture
def bare_database(tmp_path: Path) -> Iterator[str]:
    """URL of an SQLite database without a single table, for the doors of the migrations."""
    with unbound_after():
        yield f"sqlite:///{tmp_path / 'bare.sqlite3'}"


@contextmanager
def unbound_after() -> Iterator[None]:
    """Take the database away again at the end, whoever bound it.

    Nobody may be at work on it any more: closing an SQLite connection under a thread that runs
    a statement on it ends the process with a segmentation fault.
    """
    try:
        yield
    finally:
        if reset_mail := sys.modules.get("skileez.web.reset_mail"):
            reset_mail._thread.submit(int).result()
        bound = db.session.session_factory.kw.get("bind")
        db.session.remove()
        db.session.configure(bind=None)
        kept = engines.rest()
        if bound is not None and not engines.keeps(bound):
            bound.dispose()
        # An engine that another one replaced half way has open connections too.
        for one in set(_opened) - kept:
            one.close()
        _opened[:] = kept


_opened: list[Any] = []


@event.listens_for(Pool, "connect")
def _remember(connection: Any, record: object) -> None:
    _opened.append(connection)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; each test gets a copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator["postgres.Server"]:
    """A PostgreSQL of this test process's own (so one for each xdist worker)."""
    from tests import postgres

    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_database(
    postgresql_server: "postgres.Server",
) -> Iterator[tuple[str, Callable[[], None]]]:
    """A migrated database and what empties it between two tests.

    Deleting takes a millisecond, truncating forty, a copy of a template a hundred.
    """
    import psycopg

    url = postgresql_server.create("skileez")
    _migrate(url)

    # Beside the database under test, so that a statement a test left open cannot hold it up.
    with psycopg.connect(url, autocommit=True) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
                " AND tablename <> 'alembic_version'"
            )
        ]
        sequences = connection.execute(
            "SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = 'public'"
        ).fetchall()
        statements = [
            # Off go foreign keys and the triggers that make events append-only.
            "SET session_replication_role = replica",
            (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                f" AND application_name <> '{engines.KEPT}'"
            ),
            *(f"DELETE FROM {name}" for name in tables),
            *(f"SELECT setval('{name}', 1, false)" for (name,) in sequences),
        ]

        def clean() -> None:
            connection.execute(";".join(statements).encode())

        yield url, clean


def _migrate(url: str) -> None:
    with unbound_after():
        db.migrate(url)


# --- the application -----------------------------------------------------------------------


@pytest.fixture
def settings(database: str) -> Settings:
    """Settings as in production, but for passwords, which hash in no time."""
    return Settings(
        database_url=database,
        secret_key="a secret key that is only good for tests",
        password_time_cost=1,
        password_memory_kib=8,
    )


@pytest.fixture(scope="session")
def compiled_templates() -> "BytecodeCache":
    """Templates compiled once, not once for every application: that took 0.2 s a test."""
    from jinja2 import BytecodeCache
    from jinja2.bccache import Bucket

    class InMemory(BytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            bucket.code = kept.get((bucket.key, bucket.checksum))

        def dump_bytecode(self, bucket: Bucket) -> None:
            kept[bucket.key, bucket.checksum] = bucket.code

    kept: dict[tuple[str, str], Any] = {}
    return InMemory()


@pytest.fixture
def app(settings: Settings, compiled_templates: "BytecodeCache") -> "Flask":
    """The application, as production wires it, on the engine that an earlier test warmed up."""
    from tests import applications

    app = applications.start(settings)
    app.config["PREFERRED_URL_SCHEME"] = "https"  # else the client drops the Secure cookie
    app.jinja_env.bytecode_cache = compiled_templates
    return app


@pytest.fixture
def client(app: "Flask") -> "FlaskClient":
    """A client that keeps cookies, on https."""
    return app.test_client()


# --- the browser ---------------------------------------------------------------------------


def find_chromium() -> str | None:
    """The machine's Chromium: $CHROMIUM, or the first of the usual names.

    The shell without a window is the same engine, and a third faster.
    """
    named = os.environ.get("CHROMIUM")
    names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
    names = [named] if named else names
    return next(filter(None, map(shutil.which, names)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_chromium() or os.environ.get("REQUIRE_BROWSER"):
        return
    skip = pytest.mark.skip(reason="no Chromium on this machine")
    for item in items:
        if Path(__file__).parent / "browser" in item.path.parents:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """How pytest-playwright starts the machine's own Chromium, silent towards the network."""
    chromium = find_chromium()
    if chromium is None:
        pytest.fail("REQUIRE_BROWSER is set, and there is no Chromium on this machine")
    return {
        "executable_path": chromium,
        "args": [
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-gpu",
            "--disable-quic",
            "--disable-sync",
            "--no-first-run",
            # One process for all that is one site, and a drawing that needs no process of its own.
            "--process-per-site",
            "--in-process-gpu",
            # A page lives for less time than it takes to optimize its scripts.
            "--js-flags=--no-opt --no-maglev",
            "--disable-features=IsolateOrigins,site-per-process,RenderDocument,PaintHolding",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        ],
    }


# --- the beginning and the end ---------------------------------------------------------------


def pytest_configure() -> None:
    """Give each process of tests a processor of its own, for what it starts as well.

    A test and its database, or its browser, take turns: to wake the other on another processor
    takes a virtual machine longer than most statements.
    """
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not name or not hasattr(os, "sched_setaffinity"):
        return
    processors = sorted(os.sched_getaffinity(0))
    if int(os.environ["PYTEST_XDIST_WORKER_COUNT"]) >= len(processors):
        os.sched_setaffinity(0, {processors[int(name.removeprefix("gw")) % len(processors)]})


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare what costs and serves nobody here."""
    # The collector of garbage need not look at what stays, nor come often: that was a tenth.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    # Without a test of hypothesis its plugin would load it to sum up: a third of a small run.
    if "hypothesis" not in sys.modules:
        session.config.pluginmanager.unregister(name="hypothesispytest")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With NO_SKIPS (in CI) a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("NO_SKIPS is set, and tests were skipped.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not find_chromium():
        terminalreporter.section("no browser tests")
        terminalreporter.write_line(
            "There is no Chromium on this machine, so nothing was tried in a browser. Install one"
            " (Debian: apt install chromium), or name it: CHROMIUM=/path/to/chrome make test"
        )
