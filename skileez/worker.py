"""The worker: what happens by itself. Jobs hold no logic; ``SCHEDULE`` says what runs when.

The queue (huey) wakes the jobs and runs them in threads. It is not where the truth is: due rows
in our database are, claimed when a job runs, so a job that is lost, repeated or run by two
workers at once changes nothing but the moment.
"""

import logging
import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.consumer import Consumer, Scheduler

from skileez import __version__, clock, db, heartbeat, logs, outbox
from skileez.config import Settings
from skileez.notifications import sending
from skileez.reactions import react
from skileez.sessions import actions

log = logs.logger(__name__)
done: Final[Counter[str]] = Counter()
"""What this process did so far, by name; told with every heartbeat."""

THREADS: Final = 4
STOP_SECONDS: Final = 20
"""How long a stop waits for jobs that run."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the schedule: what it is called, how often it runs, what it does at an instant."""

    name: str
    every_seconds: int
    run: Callable[[datetime], object]


def settle(now: datetime) -> None:
    """Requests nobody answered, and sessions nobody held."""
    done.update(asdict(actions.sweep(now)))


def dispatch(now: datetime) -> None:
    """What follows from committed events."""
    while (taken := outbox.dispatch(react, now)) and not stopping.is_set():
        done["events"] += taken


def send(now: datetime) -> None:
    """The messages that are due."""
    while not stopping.is_set():
        outcome = asdict(sending.send_due(now))
        done.update(outcome)
        if not any(outcome.values()):
            break


def beat(now: datetime) -> None:
    """That this worker lives."""
    heartbeat.beat(NAME, __version__, dict(done), now)


SCHEDULE: Final = (
    Job("beat", 5, beat),
    Job("settle", 2, settle),
    Job("dispatch", 1, dispatch),
    Job("send", 1, send),
)

NAME: Final = f"{socket.gethostname()}:{os.getpid()}"
stopping: Final = threading.Event()


class _EverySecond(Scheduler):  # type: ignore[misc]  # huey has no types
    periodic_task_seconds = 1


class _Consumer(Consumer):  # type: ignore[misc]
    scheduler_class = _EverySecond

    def _set_signal_handlers(self) -> None:
        """``run`` has its own."""


def queue(settings: Settings) -> Huey:
    """The queue: in an SQLite file, or where QUEUE_URL says."""
    url = settings.queue_url
    if url.startswith(("redis://", "rediss://")):
        return RedisHuey("skileez", url=url, results=False)
    if url.startswith(("postgres://", "postgresql://")):
        return PostgresHuey("skileez", dsn=url, results=False)
    path = Path(url.removeprefix("sqlite:///") if url else "instance/queue.db")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Nothing in it has to survive: what is due stands in our own database.
    return SqliteHuey("skileez", filename=str(path), fsync=False, results=False)


def wire(huey: Huey, now: Callable[[], datetime] = clock.now) -> None:
    """Give the queue every job of the schedule; one that comes too late gives way to the next."""
    for job in SCHEDULE:
        huey.periodic_task(_every(job.every_seconds), name=job.name, expires=job.every_seconds)(
            _task(job, now)
        )


def _every(seconds: int) -> Callable[[datetime], bool]:
    return lambda at: int(at.timestamp()) % seconds == 0


def _task(job: Job, now: Callable[[], datetime]) -> Callable[[], None]:
    running = threading.Lock()

    def run() -> None:
        # The last run of it may still be at work: its successor finds what is left.
        if not running.acquire(blocking=False):
            return
        try:
            job.run(now())
        except Exception:
            done["errors"] += 1
            log.exception("worker.job_failed", job=job.name)
        finally:
            db.session.remove()
            running.release()

    return run


def run(settings: Settings, *, beside: bool = False) -> None:
    """Work until SIGTERM or SIGINT; jobs that run are finished first.

    ``beside``: stop also when standard input ends, because who started us is gone.
    """
    logging.getLogger("huey").setLevel(logging.WARNING)  # it tells of every job, each second
    huey = queue(settings)
    huey.storage.flush_queue()
    wire(huey)
    consumer = _Consumer(
        huey, workers=THREADS, initial_delay=0.05, max_delay=0.5, shutdown_timeout=STOP_SECONDS
    )

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, stop)
    if beside:
        threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()
    log.info(
        "worker.started", name=NAME, schedule={job.name: job.every_seconds for job in SCHEDULE}
    )
    beat(clock.now())
    consumer.start()
    stopping.wait()
    consumer.stop(graceful=True)
    heartbeat.stopped(NAME, clock.now())
    log.info("worker.stopped", name=NAME, **done)


def _stop_with_parent() -> None:
    sys.stdin.buffer.read()
    stopping.set()


def once(now: datetime) -> dict[str, Any]:
    """Do by hand, once, all that is due: the sweep's command, and tests."""
    before = Counter(done)
    for job in SCHEDULE:
        if job.run is not beat:
            job.run(now)
    return dict(done - before)
