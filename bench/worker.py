"""Time the worker beside its floor, and a tick with nothing due: ``python -m bench.worker``.

The floor is bare SQL that changes the same rows, each thing in a transaction of its own.
"""

import argparse
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.__main__ import databases
from bench.store import Store
from skileez import clock, db, outbox, worker
from skileez.accounts.models import Person
from skileez.config import Settings
from skileez.notifications import channels, letters, sending
from skileez.notifications.letters import Letter
from skileez.notifications.models import Wishes
from skileez.reactions import react
from skileez.sessions import actions, policy
from tests.cast import DAY, HOUR

ROUNDS, DUE, MANY, FEW, TICKS = 5, 10_000, 1_000_000, 1_000, 40
EACH = 200
"""Sessions of a contract."""

LAST = "SELECT position, hash FROM event WHERE stream = ? ORDER BY position DESC LIMIT 1"
EVENT = """
    INSERT INTO event (stream, position, verb, at, actor_kind, actor_id, role, proposal_id,
        contract_id, session_id, status_from, status_to, old_time, new_time, reason, details,
        previous_hash, hash)
    VALUES (?, ?, ?, ?, 'system', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
MOVE = """
    UPDATE session SET scheduled_at = ?, ends_at = ?, listed_at = ?, confirmed_by_coach = false,
        version = version + 1, reschedule_requested = false, reschedule_requested_by = NULL,
        reschedule_reason = NULL, reschedule_kind = NULL, reschedule_asked_at = NULL,
        reschedule_deadline = NULL
    WHERE id = ?
"""


class Nowhere:
    """In place of mail: takes everything and sends nothing."""

    name = channels.MAIL

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        """Everything."""
        return True

    def send(self, letter: Letter, to: Person) -> None:
        """Nothing."""


# --- rows ----------------------------------------------------------------------------------

_PEOPLE = """
    INSERT INTO person (id, email, display_name, password_hash, zone, offers_coaching, is_admin,
        active, created_at)
    SELECT n + 1, 'p' || n || '@example.org', 'P', 'x', 'UTC', n < {half}, false, true, {now}
    FROM ({numbers}) AS numbers
"""
_PROPOSALS = """
    INSERT INTO proposal (id, coach_id, student_id, title, message, total_sessions,
        duration_minutes, price, currency, timezone, status, created_at, version)
    SELECT n + 1, n + 1, n + 1 + {half}, 'T', '', {each}, 60, 1, 'EUR', 'UTC', 'accepted', {now}, 1
    FROM ({numbers}) AS numbers
"""
_CONTRACTS = """
    INSERT INTO contract (id, proposal_id, number, coach_id, student_id, title, total_sessions,
        completed_sessions, duration_minutes, rate, currency, timezone, status, starts_on,
        created_at)
    SELECT n + 1, n + 1, 'C' || n, n + 1, n + 1 + {half}, 'T', {each}, 0, 60, 1, 'EUR', 'UTC',
        'active', '2026-01-01', {now}
    FROM ({numbers}) AS numbers
"""
# Half lie behind us, one in a hundred of them left open to people; half ahead, one in a hundred
# of them with a request that still has time.
_SESSIONS = """
    INSERT INTO session (id, proposal_id, contract_id, coach_id, student_id, session_number,
        scheduled_date, scheduled_at, ends_at, listed_at, duration_minutes, timezone, status,
        confirmed_by_coach, heard, cancelled_late, completed_date, created_at, version,
        reschedule_requested, reschedule_requested_by, reschedule_reason, reschedule_kind,
        reschedule_asked_at, reschedule_deadline)
    SELECT n + 1, n % {half} + 1, n % {half} + 1, n % {half} + 1, n % {half} + 1 + {half},
        n / {half} + 1, start, start, {end}, start, 60, 'UTC',
        CASE WHEN past AND n % 100 <> 0 THEN 'completed' ELSE 'scheduled' END,
        true, past AND n % 100 = 0, false,
        CASE WHEN past AND n % 100 <> 0 THEN {end} END, {now}, 1,
        asked, CASE WHEN asked THEN 'student' END, CASE WHEN asked THEN 'My train is late.' END,
        CASE WHEN asked THEN 'standard' END, CASE WHEN asked THEN {asked_at} END,
        CASE WHEN asked THEN {deadline} END
    FROM (SELECT n, {past} AS past, {asked} AS asked, {start} AS start
          FROM ({numbers}) AS numbers) AS made
"""
_PROPOSED = """
    INSERT INTO proposed_time (session_id, position, starts_at)
    SELECT n + 1, 1, {proposed} FROM ({numbers}) AS numbers
"""
_BOOKED = """
    INSERT INTO booked_time (person_id, session_id, starts_at, ends_at)
    SELECT coach_id, id, scheduled_at, ends_at FROM session
    UNION ALL SELECT student_id, id, scheduled_at, ends_at FROM session
"""
_DELIVERIES = """
    INSERT INTO delivery (occasion, kind, channel, recipient_id, contract_id, session_id, start, at,
        due_at, status, sent_at, failures)
    SELECT 'reminder:' || id, 'session.reminder', 'mail', student_id, contract_id, id, scheduled_at,
        {due}, {due}, CASE WHEN {sent} THEN 'sent' ELSE 'waiting' END,
        CASE WHEN {sent} THEN {due} END, 0
    FROM session
"""


class Words:
    """How an engine says what the rows are made of."""

    def __init__(self, url: str, now: datetime) -> None:
        self.sqlite = url.startswith("sqlite")
        self.now = self.at(now)

    def numbers(self, count: int) -> str:
        """0, 1, 2 …"""
        if not self.sqlite:
            return f"SELECT n FROM generate_series(0, {count - 1}) AS n"
        return (
            "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c "
            f"WHERE n < {count - 1}) SELECT n FROM c"
        )

    def at(self, instant: datetime) -> str:
        """An instant."""
        said = f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        return f"'{said}.000000'" if self.sqlite else f"TIMESTAMPTZ '{said}Z'"

    def later(self, instant: str, hours: str) -> str:
        """So many hours after it."""
        if self.sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f', {instant}, ({hours}) || ' hours') || '000'"
        return f"{instant} + ({hours}) * INTERVAL '1 hour'"


def fill(url: str, now: datetime, sessions: int, *, due: bool) -> None:
    """``sessions`` sessions and as many reminders; all of them due, or none."""
    say = Words(url, now)
    contracts = max(1, sessions // EACH)
    start = say.later(say.now, f"n / {contracts} * 2 " + ("+ 240" if due else f"- {EACH}"))
    words = {
        "half": contracts,
        "each": EACH,
        "now": say.at(now - 30 * DAY),
        "numbers": say.numbers(sessions),
        "start": start,
        "end": say.later("start", "1"),
        "past": "false" if due else f"n / {contracts} * 2 < {EACH}",
        "asked": "true" if due else f"n / {contracts} * 2 > {EACH} AND n % 100 = 1",
        "asked_at": say.at(now - 25 * HOUR if due else now),
        "deadline": say.at(now - HOUR if due else now + 20 * HOUR),
        "proposed": say.later(say.now, f"n / {contracts} * 2 + 2400"),
        "due": say.at(now - HOUR) if due else say.later("scheduled_at", "-1"),
    }
    words["sent"] = "false" if due else f"{words['due']} <= {say.at(now + HOUR)}"
    people = {**words, "numbers": say.numbers(2 * contracts)}
    sides = {**words, "numbers": say.numbers(contracts)}
    statements = [_PEOPLE.format(**people), _PROPOSALS.format(**sides), _CONTRACTS.format(**sides)]
    statements += [_SESSIONS.format(**words), _DELIVERIES.format(**words)]
    if due:
        statements += [_BOOKED, _PROPOSED.format(**words)]
    store = Store(url)
    triggers = []
    if store.sqlite:
        store.run("PRAGMA cache_size = -1000000")  # else a million rows take ten minutes
        store.run("PRAGMA synchronous = OFF")
        triggers = store.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        for trigger in triggers:
            store.run(f"DROP TRIGGER {trigger['name']}")
    else:
        store.run("SET session_replication_role = replica")
    with store.transaction():
        for statement in statements:
            store.run(statement if store.sqlite else statement.replace("%", "%%"))
    for trigger in triggers:
        store.run(trigger["sql"])
    if store.sqlite:
        store.run("ANALYZE")
        store.run("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        for table in ("person", "proposal", "contract", "session", "delivery"):
            store.run(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
        store.run("VACUUM ANALYZE")
    store.connection.close()


# --- floors --------------------------------------------------------------------------------


class Floor:
    """The same changes of the same rows, by hand."""

    def __init__(self, url: str, now: datetime) -> None:
        self.store, self.at = Store(url), now
        self.now = self.store.stamp(now)
        self.lock = "" if self.store.sqlite else " FOR UPDATE"

    def send(self, count: int) -> int:
        """Lease fifty at a time, mark each as sent."""
        store, sent = self.store, 0
        lease = store.stamp(self.at + sending.LEASE)
        while sent < count:
            with store.transaction():
                rows = store.rows(
                    "SELECT id FROM delivery WHERE status = 'waiting' AND due_at <= ? "
                    f"ORDER BY due_at LIMIT 50{self.lock}",
                    self.now,
                )
                for row in rows:
                    store.run("UPDATE delivery SET lease_until = ? WHERE id = ?", lease, row["id"])
            for row in rows:
                with store.transaction():
                    store.run(
                        "UPDATE delivery SET status = 'sent', sent_at = ?, lease_until = NULL "
                        "WHERE id = ?",
                        self.now,
                        row["id"],
                    )
            sent += len(rows)
        return sent

    def settle(self, count: int) -> int:
        """Move each session to the time that was proposed, and say so."""
        store = self.store
        due = store.rows(
            "SELECT id FROM session WHERE reschedule_requested AND reschedule_deadline <= ? "
            "ORDER BY reschedule_deadline LIMIT ?",
            self.now,
            count,
        )
        for row in due:
            with store.transaction():
                one = store.row(
                    "SELECT s.*, p.starts_at FROM session s JOIN proposed_time p "
                    f"ON p.session_id = s.id WHERE s.id = ?{self.lock}",
                    row["id"],
                )
                start = store.instant(one["starts_at"])
                store.run("DELETE FROM proposed_time WHERE session_id = ?", one["id"])
                times = (store.stamp(at) for at in (start, start + HOUR, start))
                store.run(MOVE, *times, one["id"])
                self._say(one)
        return len(due)

    def _say(self, one: Any) -> None:
        store, stream = self.store, f"contract:{one['contract_id']}"
        last = store.row(LAST, stream)
        position, before = (last["position"] + 1, last["hash"]) if last else (1, "")
        row = [stream, position, "session.reschedule_auto_approved", self.now, None, None]
        row += [one["proposal_id"], one["contract_id"], one["id"], "reschedule_requested"]
        row += ["scheduled", one["scheduled_at"], one["starts_at"], None]
        row += [json.dumps({"asked_by": "student"}), before]
        digest = hashlib.sha256(json.dumps(row, default=str).encode()).hexdigest()
        store.run(EVENT, *row, digest)

    def dispatch(self, count: int) -> int:
        """Make the sixteen deliveries of each event, and take it out of the outbox."""
        store = self.store
        waiting = store.rows(
            "SELECT o.event_id, s.coach_id, s.student_id, s.contract_id, s.id, s.scheduled_at "
            "FROM outbox o JOIN event e ON e.id = o.event_id JOIN session s ON s.id = e.session_id "
            "ORDER BY o.event_id LIMIT ?",
            count,
        )
        for one in waiting:
            with store.transaction():
                for person in (one["coach_id"], one["student_id"]):
                    for kind in ("event", "day", "hour", "overdue"):
                        for channel in ("app", "mail"):
                            store.run(
                                "INSERT INTO delivery (occasion, kind, channel, recipient_id, "
                                "event_id, contract_id, session_id, start, at, due_at, status, "
                                "failures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0) "
                                "ON CONFLICT DO NOTHING",
                                *(f"{kind}:{one['event_id']}", kind, channel, person),
                                *(one["event_id"], one["contract_id"], one["id"]),
                                *(one["scheduled_at"], self.now, one["scheduled_at"]),
                            )
                store.run("DELETE FROM outbox WHERE event_id = ?", one["event_id"])
        return len(waiting)


# --- the run -------------------------------------------------------------------------------


def product(now: datetime) -> dict[str, Callable[[int], int]]:
    """The worker's own jobs, by name, each told how many to do."""

    def send(count: int) -> int:
        done = 0
        while done < count:
            done += sending.send_due(now).sent
        return done

    def dispatch(count: int) -> int:
        done = 0
        while done < count:
            done += outbox.dispatch(react, now)
        return done

    return {
        "messages sent": send,
        "requests settled": lambda count: actions.sweep(now, limit=count).approved,
        "events dispatched": dispatch,
    }


def throughput(make: Any, now: datetime, due: int, rounds: int) -> None:
    """``due`` due things of each kind, in ``rounds`` rounds, the two in turns."""
    url = make("due")
    db.migrate(url)
    fill(url, now, due, due=True)
    floor = Floor(make("due_floor", url), now)
    db.bind(url)
    floors = (floor.send, floor.settle, floor.dispatch)
    for (name, ours), its in zip(product(now).items(), floors, strict=True):
        count = due // rounds
        times = [(timed(ours, count), timed(its, count)) for _ in range(rounds)]
        db.session.remove()
        ratio = statistics.median(one / other for one, other in times)
        speeds = [count / statistics.median(side) for side in zip(*times, strict=True)]
        print(
            f"  {name}: {speeds[0]:,.0f} a second, floor {speeds[1]:,.0f}, ratio {ratio:.1f} "
            f"({rounds} rounds of {count:,})",
            flush=True,
        )


def timed(job: Callable[[int], int], count: int) -> float:
    """Seconds that the job took for so many."""
    began = time.perf_counter()
    done = job(count)
    took = time.perf_counter() - began
    if done != count:
        raise RuntimeError(f"{done} instead of {count}")
    return took


def nothing_due(make: Any, now: datetime, many: int, rounds: int) -> None:
    """A tick with nothing due, among many sessions and among few, in turns."""
    engines = {}
    for name, sessions in (("few", FEW), ("many", many)):
        url = make(name)
        db.migrate(url)
        fill(url, now, sessions, due=False)
        engines[name] = db.engine_for(url)
    jobs = {
        "sweep": lambda: actions.sweep(now),
        "whole tick": lambda: [job(now) for job in (worker.settle, worker.dispatch, worker.send)],
    }
    for name, job in jobs.items():
        took: dict[str, list[float]] = {"few": [], "many": []}
        for _ in range(rounds):
            for size, engine in engines.items():
                db.session.remove()
                db.session.configure(bind=engine)
                tries = []
                for _ in range(TICKS):
                    began = time.perf_counter()
                    found = job()
                    tries.append(time.perf_counter() - began)
                    if found not in (actions.Swept(), [False, False, False]):
                        raise RuntimeError(f"something was due: {found}")
                    db.session.remove()
                took[size].append(statistics.median(tries))
        ratio = statistics.median(
            one / other for one, other in zip(took["many"], took["few"], strict=True)
        )
        print(
            f"  {name} with nothing due: {statistics.median(took['many']) * 1000:.2f} ms among "
            f"{many:,} sessions, {statistics.median(took['few']) * 1000:.2f} ms among {FEW:,}, "
            f"ratio {ratio:.2f} (target 2)",
            flush=True,
        )
    for engine in engines.values():
        engine.dispose()


def main() -> None:
    """Run it on both engines and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.worker", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--due", type=int, default=DUE, help="of each kind; 0 leaves them out")
    parser.add_argument("--sessions", type=int, default=MANY, help="0 leaves the tick out")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    settings = Settings(skileez_demo=True)
    policy.configure(settings)
    letters.configure("https://sessions.example")
    channels.forget()
    channels.add(Nowhere())
    now = clock.now().replace(microsecond=0)
    for engine in ("sqlite", "postgresql") if given.engine == "both" else (given.engine,):
        print(engine, flush=True)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="skileez-bench-")))
            make = stack.enter_context(databases(engine, folder))
            if given.sessions:
                nothing_due(make, now, given.sessions, given.rounds)
            if given.due:
                throughput(make, now, given.due, given.rounds)
            db.session.remove()
            db.session.get_bind().dispose()


if __name__ == "__main__":
    main()
