"""The worker: what happens by itself. Jobs hold no logic; ``SCHEDULE`` says what runs when.

The queue (huey) wakes the jobs and runs them in threads. It is not where the truth is: due rows
in our database are, claimed when a job runs, so a job that is lost, repeated or run by two
workers at once changes nothing but the moment.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.consumer import Consumer, Scheduler
from huey.exceptions import ConfigurationError
from sqlalchemy.exc import OperationalError

from skileez import __version__, clock, db, heartbeat, logs, outbox
from skileez.config import ConfigError, Settings
from skileez.notifications import sending
from skileez.reactions import react
from skileez.sessions import actions, dst

log = logs.logger(__name__)
done: Final[Counter[str]] = Counter()
"""What this process did so far, by name; told with every heartbeat."""

THREADS: Final = 4
STOP_SECONDS: Final = 20
"""How long a stop waits for jobs that run."""
BATCH_SECONDS: Final = 20
"""After so long a batch ends, and the next one asks anew what time it is and what is due."""
COMPLAINT_SECONDS: Final = 10
"""How often at most to tell of a queue that cannot be reached."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the schedule: what it is called, how often it runs, what it does at an instant.

    It does one batch; True says that there may be more, which is done at a later instant.
    """

    name: str
    every_seconds: int
    run: Callable[[datetime], bool]


def settle(now: datetime) -> bool:
    """Requests nobody answered, and sessions nobody held."""
    return _count(asdict(actions.sweep(now, enough=_patience())))


def dispatch(now: datetime) -> bool:
    """What follows from committed events."""
    return _count({"events": outbox.dispatch(react, now)})


def clocks(now: datetime) -> bool:
    """Series whose time changes soon for one of the two."""
    return _count({"series": dst.tell_due(now, enough=_patience())})


def send(now: datetime) -> bool:
    """The messages that are due."""
    return _count(asdict(sending.send_due(now, enough=_patience())))


def beat(now: datetime) -> bool:
    """That this worker lives; it stops when its database was migrated to a schema not its own."""
    if problem := db.wrong_schema():
        log.error("worker.wrong_schema", problem=str(problem))
        stopping.set()
    else:
        heartbeat.beat(NAME, __version__, dict(done), now)
    return False


def _count(outcome: Mapping[str, int]) -> bool:
    done.update(outcome)
    return any(outcome.values())


def _patience() -> Callable[[], bool]:
    began, end = clock.now(), time.monotonic() + BATCH_SECONDS
    lease = sending.LEASE * clock.speed()
    # Our clock too: the other one stands still while the machine sleeps.
    return lambda: stopping.is_set() or time.monotonic() > end or clock.now() - began >= lease


SCHEDULE: Final = (
    Job("beat", 5, beat),
    Job("settle", 2, settle),
    Job("dispatch", 1, dispatch),
    Job("clocks", 60, clocks),
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


def _empty_queue(settings: Settings) -> Huey:
    """The queue, with nothing in it. Raises ConfigError where it cannot be used."""
    try:
        huey = queue(settings)
        huey.storage.flush_queue()
    except ConfigurationError:
        extra = "redis" if settings.queue_url.startswith("redis") else "postgres"
        raise ConfigError(
            "QUEUE_URL", f"needs a package that is not installed: pip install '.[{extra}]'"
        ) from None
    except Exception as error:
        raise ConfigError("QUEUE_URL", f"the queue cannot be used: {error}") from error
    return huey


class _Briefly(logging.Filter):
    """In place of a traceback from each thread of the queue at each of its tries, while its
    server is away: one line now and then. They go on by themselves when it is back.
    """

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or not record.msg.startswith("Error "):
            return True
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + COMPLAINT_SECONDS
            log.error("worker.queue_unreachable", why=str(record.exc_info[1]))
        return False


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
            while job.run(now()) and not stopping.is_set():
                pass
        except Exception as error:
            done["errors"] += 1
            # Each job at each of its turns, as long as the database is away: a line will do.
            away = isinstance(error, OperationalError)
            log.error("worker.job_failed", job=job.name, why=str(error)[:500], exc_info=not away)
        finally:
            # In this order: letting go of a connection that broke may fail too.
            running.release()
            db.session.remove()

    return run


def run(settings: Settings, *, beside: bool = False) -> None:
    """Work until SIGTERM or SIGINT; jobs that run are finished first.

    ``beside``: stop also when standard input ends, because who started us is gone. Raises
    ConfigError where the database is migrated meanwhile to a schema that this version does not
    know, and where the queue cannot be used.
    """
    logging.getLogger("huey").setLevel(logging.WARNING)  # it tells of every job, each second
    brief = _Briefly()
    for part in ("Worker", "Scheduler"):
        logging.getLogger(f"huey.consumer.{part}").addFilter(brief)
    huey = _empty_queue(settings)
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
    db.require_schema()


def _stop_with_parent() -> None:
    # Not through sys.stdin: Python cannot end while a thread waits with its lock.
    while os.read(0, 1):
        pass
    stopping.set()


def once(now: datetime) -> dict[str, Any]:
    """Do by hand, once, all that is due: the sweep's command, and tests."""
    before = Counter(done)
    for job in SCHEDULE:
        while job.run is not beat and job.run(now):
            pass
    return dict(done - before)
