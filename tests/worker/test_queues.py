"""The queue that wakes the worker: in SQLite, PostgreSQL or Redis by a setting; and if it is away.

Redis takes part where there is a ``redis-server`` on the path.
"""

import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from skileez import worker
from skileez.config import ConfigError, Settings
from tests import postgres
from tests.cast import NOW
from tests.worker.smtp import free_port

REDIS = shutil.which("redis-server")
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=["sqlite"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """What happens here does not hang on the application's database."""
    return str(request.param)


@pytest.fixture(params=[*KINDS, "redis"] if REDIS else KINDS)
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'here' / 'queue.db'}"
    elif request.param == "postgresql":
        server: postgres.Server = request.getfixturevalue("postgresql_server")
        yield server.create("queue")
        server.drop("queue")
    else:
        with redis(tmp_path) as address:
            yield address


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis of our own, up in a moment, gone at the end."""
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert any("Ready to accept" in line for line in process.stdout), "no Redis"
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()


def test_the_jobs_run_whatever_the_queue_is_kept_in(
    settings: Settings, queue_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, datetime]] = []

    def job(name: str) -> worker.Job:
        return worker.Job(name, 1, lambda now: bool(ran.append((name, now))))

    monkeypatch.setattr(worker, "SCHEDULE", (job("one"), job("other")))
    huey = worker._empty_queue(replace(settings, queue_url=queue_url))
    try:
        worker.wire(huey, lambda: NOW)
        for task in huey.read_periodic(NOW.replace(tzinfo=None)):
            huey.enqueue(task)
        while huey.storage.queue_size():
            huey.execute(huey.dequeue())
        assert sorted(ran) == [("one", NOW), ("other", NOW)]
    finally:
        huey.storage.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{}/0", "postgresql://127.0.0.1:{}/queue"])
def test_a_queue_that_is_not_there_is_told_with_its_setting(settings: Settings, url: str) -> None:
    with pytest.raises(ConfigError, match=r"QUEUE_URL: the queue cannot be used: .*refused"):
        worker._empty_queue(replace(settings, queue_url=url.format(free_port())))


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [("redis://127.0.0.1", "Redis", "redis"), ("postgres:///queue", "psycopg", "postgres")],
)
def test_a_queue_whose_package_is_missing_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str, module: str, extra: str
) -> None:
    monkeypatch.setattr(f"huey.storage.{module}", None)
    with pytest.raises(ConfigError, match=rf"QUEUE_URL: .* pip install '\.\[{extra}\]'"):
        worker._empty_queue(replace(settings, queue_url=url))


def test_a_queue_that_goes_away_is_told_in_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = [0.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: 1000 + times[-1])
    told: list[str] = []
    monkeypatch.setattr(worker.log, "error", lambda event, why: told.append(f"{event}: {why}"))
    brief = worker._Briefly()

    def complain(message: str) -> bool:
        try:
            raise ConnectionError("the server is away")
        except ConnectionError:
            why = sys.exc_info()
        return bool(brief.filter(logging.LogRecord("x", logging.ERROR, "x", 1, message, None, why)))

    for after in (0, 1, 2, worker.COMPLAINT_SECONDS, worker.COMPLAINT_SECONDS + 1):
        times.append(after)
        assert not complain("Error reading from queue")
    assert told == ["worker.queue_unreachable: the server is away"] * 2
    assert complain("Unhandled error during execution of task %s.")
