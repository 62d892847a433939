"""Kill -9 a real worker at random moments of its work: ``python -m bench.kill --help``.

The mail server is a real one on the loopback, the clock the real one. Before each start some work
is put in front of the worker; at the end one more does what is left. Then every event must have
its messages, every message must have come, and one that came twice must be the last that a worker
handed over before it died.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from bench.__main__ import databases
from skileez import clock, db
from skileez.contracts.models import Proposal
from skileez.events import Actor, Event, broken_links
from skileez.notifications import rules
from skileez.notifications.models import Delivery, Standing
from skileez.outbox import Waiting
from skileez.sessions import actions
from skileez.sessions.models import Session
from skileez.sessions.rules import Policy
from tests.cast import DAY, HOUR, WHY, person
from tests.worker.smtp import Peer

KILLS, AT_WORK_SECONDS, PATIENCE_SECONDS = 200, 2.0, 1800
SETTLED = {"session.reschedule_auto_approved", "session.reschedule_lapsed"}


@dataclass
class Found:
    """What the run found."""

    kills: int = 0
    at_work: int = 0
    requests: int = 0
    events: int = 0
    messages: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)
    """What was lost, done twice or left half done, a line for each."""


def work(number: int) -> int:
    """Put some work before the worker; how many requests wait for what silence decides."""
    now = clock.now()
    asked_at = now - 25 * HOUR
    with db.transaction():
        coach, student = person(f"coach-{number}"), person(f"student-{number}")
        offer = Proposal(
            coach_id=coach.id,
            student_id=student.id,
            title="Speaking with confidence",
            total_sessions=10,
            duration_minutes=60,
            price=45_00,
            currency="EUR",
            timezone="UTC",
            created_at=asked_at,
        )
        db.session.add(offer)
        db.session.flush()
        contract = offer.accept(actor=Actor("person", student.id), now=asked_at)
        # Three are approved by silence; one was asked too late, lapses, and is missed.
        starts = [now + 30 * DAY, now + 31 * DAY, now + 32 * DAY, asked_at + 20 * HOUR]
        for n, start in enumerate(starts):
            one = actions.book(contract, start, by="student", now=asked_at)
            times = [now + (60 + n) * DAY]
            one.request_reschedule("student", WHY, proposed_times=times, now=asked_at)
        actions.book(contract, now + 90 * DAY, by="coach", now=now)
    db.session.remove()
    return len(starts)


def is_at_work() -> bool:
    """Whether anything is due."""
    now = clock.now()
    due = (
        select(Waiting.event_id).limit(1),
        select(Delivery.id)
        .where(Delivery.status == Standing.WAITING, Delivery.due_at <= now)
        .limit(1),
    )
    found = any(db.session.scalar(one) is not None for one in due)
    found = found or bool(actions.due_requests(now, 1) or actions.due_no_shows(now, Policy(), 1))
    db.session.remove()
    return found


def let_leases_run_out() -> None:
    """As if the minutes had passed in which a dead worker's messages are nobody else's."""
    with db.transaction():
        db.session.execute(
            update(Delivery)
            .where(Delivery.lease_until.is_not(None))
            .values(lease_until=clock.now() - timedelta(seconds=1))
        )
    db.session.remove()


class Worker:
    """The command ``skileez worker``, as an operator starts it."""

    def __init__(self, url: str, port: int, folder: Path) -> None:
        self.log = folder / "log"
        self.environ = {
            **os.environ,
            "DATABASE_URL": url,
            "QUEUE_URL": f"sqlite:///{folder / 'queue.db'}",
            "SECRET_KEY": "a secret that is only good for this test",
            "SMTP_URL": f"smtp://127.0.0.1:{port}",
            "MAIL_FROM": "sessions@sessions.example",
            "PUBLIC_URL": "https://sessions.example",
        }

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """It is up; at the end it is dead, whatever happened."""
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "skileez", "worker"],
                env=self.environ,
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: b"worker.started" in self.log.read_bytes() or process.poll() is not None)
            if process.poll() is not None:
                raise RuntimeError(f"the worker ended by itself:\n{self.log.read_text()}")
            yield process
        finally:
            process.kill()
            process.wait()


def until(condition: Callable[[], bool], every: float = 0.02) -> None:
    """Wait for it, looking so often (in seconds)."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the worker did not come to the end of its work")
        time.sleep(every)


def run(
    url: str, folder: Path, *, kills: int, seed: int, say: Callable[[str], object] = str
) -> Found:
    """The whole run on the migrated, empty database ``url``."""
    chance, found, peer = random.Random(seed), Found(), Peer()
    db.bind(url)
    with peer.listening() as port:
        worker = Worker(url, port, folder)
        while found.kills < kills:
            found.requests += work(found.kills)
            with worker.running() as process:
                time.sleep(chance.uniform(0, AT_WORK_SECONDS))
                process.send_signal(signal.SIGKILL)
                process.wait()
            time.sleep(0.05)  # what it wrote before it died may still be on its way
            peer.life += 1
            found.kills += 1
            found.at_work += is_at_work()
            if chance.random() < 0.3:
                let_leases_run_out()
            if found.kills % 20 == 0:
                say(f"{found.kills} kills, {len(peer.came)} messages came")
        let_leases_run_out()
        with worker.running() as process:
            until(lambda: not is_at_work(), every=0.1)
            process.terminate()
            if code := process.wait(PATIENCE_SECONDS):
                found.wrong.append(f"told to stop, the worker ended with {code}")
    check(found, peer)
    return found


def check(found: Found, peer: Peer) -> None:
    """Compare what happened with what came."""
    events = list(db.session.scalars(select(Event).order_by(Event.id)))
    deliveries = list(db.session.scalars(select(Delivery)))
    found.events = len(events)
    found.wrong += [
        *_wrong_requests(found, events),
        *_wrong_news(events, deliveries),
        *_wrong_messages(found, deliveries, peer),
    ]
    db.session.remove()


def _wrong_requests(found: Found, events: list[Event]) -> Iterator[str]:
    settled = Counter(one.session_id for one in events if one.verb in SETTLED)
    if len(settled) != found.requests or set(settled.values()) != {1}:
        yield f"{found.requests} requests, settled: {settled}"
    if Session.query.filter_by(reschedule_requested=True).count():
        yield "a request is still open"
    for one in broken_links():
        yield f"event {one.id} is broken"


def _wrong_news(events: list[Event], deliveries: list[Delivery]) -> Iterator[str]:
    told = Counter((one.event_id, one.channel) for one in deliveries if one.event_id)
    for event in events:
        hear = len(rules.audience(event.verb, event.role))
        if event.details.get("with_contract"):
            hear = 0
        for channel in ("app", "mail"):
            if told[event.id, channel] != hear:
                yield f"event {event.id} ({event.verb}) was not told on {channel}"


def _wrong_messages(found: Found, deliveries: list[Delivery], peer: Peer) -> Iterator[str]:
    lives: dict[str, list[int]] = {}
    for name, life in peer.came:
        lives.setdefault(name, []).append(life)
    last = {life: name for name, life in peer.came}
    found.messages = len(lives)
    found.twice = len(peer.came) - len(lives)
    for one in deliveries:
        name = f"delivery-{one.id}"
        came = lives.pop(name, [])
        said = f"{name} ({one.kind}, {one.status})"
        if one.status == Standing.SENT and one.channel == "mail" and not came:
            yield f"{said} never came"
        if one.status == Standing.PARKED:
            yield f"{said}: {one.error}"
        if one.status == Standing.WAITING and one.due_at < clock.now():
            yield f"{said} is left"
        if len(set(came)) != len(came) or any(last[life] != name for life in came[:-1]):
            yield f"{said} came in the lives {came}, not for a death"
    yield from lives


def main() -> None:
    """Run it and say what it found; exits with 1 when anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skileez-kill-")))
        url = stack.enter_context(databases(given.engine, folder))("kill")
        db.migrate(url)
        found = run(url, folder, kills=given.kills, seed=given.seed, say=print)
        db.session.get_bind().dispose()
    print(
        f"{given.engine}, seed {given.seed}: {found.kills} kills, {found.at_work} of them in work; "
        f"{found.requests} requests, {found.events} events, {found.messages} messages; "
        f"{len(found.wrong)} lost or wrong, {found.twice} twice; "
        f"{time.monotonic() - began:.0f} s"
    )
    for line in found.wrong:
        print(line)
    sys.exit(bool(found.wrong))


if __name__ == "__main__":
    main()
