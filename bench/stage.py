"""The data: one reader with 1,000 sessions, the subjects of the verbs, and a crowd.

Written in bulk with plain SQL, the database's triggers and constraints on (they keep
``booked_time``), and the same for every run but for the clock.
"""

import json
import random
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

PASSWORD = "a password that is only good here"
OWN = 1000
"""Sessions of the reader, and of each coach of the crowd."""
STUDENTS = 20
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WHY = "Something came up that cannot be moved."


@dataclass(frozen=True)
class Subject:
    """What one press of a verb is about: a session, or a contract to book under."""

    id: int
    start: datetime


@dataclass
class Stage:
    """Where the cases find their people and rows."""

    people: dict[str, str] = field(default_factory=dict)
    """E-mail addresses by the name that the cases use."""
    pages: list[Subject] = field(default_factory=list)
    subjects: dict[str, list[Subject]] = field(default_factory=dict)
    sessions: int = 0


VERBS = (
    "confirm",
    "request",
    "approve",
    "counter",
    "decline",
    "withdraw",
    "complete",
    "cancel",
    "missed",
)
_PENDING = ("approve", "counter", "decline", "withdraw")
_PAST = ("complete", "missed")
_STANDING = {
    "person": "id email display_name password_hash zone offers_coaching is_admin active created_at",
    "proposal": "id coach_id student_id title message total_sessions duration_minutes price"
    " currency timezone status created_at answered_at version",
    "contract": "id proposal_id number coach_id student_id title total_sessions"
    " completed_sessions duration_minutes rate currency timezone status starts_on meeting_url"
    " created_at",
    "session": "id proposal_id contract_id coach_id student_id session_number scheduled_date"
    " scheduled_at ends_at listed_at duration_minutes timezone status confirmed_by_coach"
    " reschedule_requested reschedule_requested_by reschedule_reason reschedule_deadline"
    " reschedule_kind reschedule_asked_at completed_date cancelled_at cancelled_by cancel_reason"
    " cancelled_late missed_at missed_by missed_reason absent created_at version",
    "proposed_time": "session_id position starts_at",
    "availability": "coach_id zone weekly dates stays buffer_before buffer_after notice horizon"
    " step changed_at version",
    "event": "id stream position verb at actor_kind actor_id role proposal_id contract_id"
    " session_id status_from status_to old_time new_time reason details previous_hash hash",
}
COLUMNS = {table: names.split() for table, names in _STANDING.items()}


class Rows:
    """All rows, made in memory with their ids."""

    def __init__(self, now: datetime, password_hash: str, seed: int = 4) -> None:
        self.now, self.hash = now, password_hash
        self.chance = random.Random(seed)
        self.tables: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
        self.positions: dict[int, int] = {}
        self.began = now - 400 * DAY

    def add(self, table: str, **row: Any) -> int:
        """One row; its id."""
        rows = self.tables[table]
        ident = len(rows) + 1
        rows.append(tuple((row | {"id": ident}).get(name) for name in COLUMNS[table]))
        return ident

    def person(self, email: str, name: str, zone: str) -> int:
        return self.add(
            "person",
            email=email,
            display_name=name,
            password_hash=self.hash,
            zone=zone,
            offers_coaching=email.startswith("coach"),
            is_admin=False,
            active=True,
            created_at=self.began,
        )

    def coach(self, name: str, zone: str, opens: int = 0, closes: int = 24 * 60) -> int:
        """A coach and the hours, the same on every day; in minutes since midnight."""
        first, _, _ = name.partition(" ")
        email = f"coach-{name.replace(' ', '-')}@bench.example"
        coach = self.person(email, f"Coach {first.title()}", zone)
        self.add(
            "availability",
            coach_id=coach,
            zone=zone,
            weekly=json.dumps({day: [[opens, closes]] for day in WEEKDAYS}),
            dates="{}",
            stays="[]",
            buffer_before=0,
            buffer_after=15,
            notice=60,
            horizon=365,
            step=30,
            changed_at=self.began,
            version=1,
        )
        return coach

    def contract(self, coach: int, student: int, total: int, completed: int = 0) -> dict[str, Any]:
        terms = {
            "coach_id": coach,
            "student_id": student,
            "title": "Speaking with confidence",
            "total_sessions": total,
            "duration_minutes": 60,
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "created_at": self.began,
        }
        offer = self.add(
            "proposal",
            **terms,
            message="Shall we?",
            price=9000,
            status="accepted",
            answered_at=self.began,
            version=2,
        )
        ident = self.add(
            "contract",
            **terms,
            proposal_id=offer,
            number=f"C-{offer:06}",
            completed_sessions=completed,
            rate=9000,
            status="active",
            starts_on=self.began.date(),
            meeting_url="https://meet.example/room",
        )
        return {**terms, "id": ident, "proposal_id": offer}

    def session(
        self, contract: dict[str, Any], number: int, start: datetime, status: str, **more: Any
    ) -> int:
        """A session and its two to four events."""
        end = start + HOUR
        ended = {
            "completed": {"completed_date": end},
            "cancelled": {
                "cancelled_at": min(start - DAY, self.now),
                "cancelled_by": "student",
                "cancel_reason": WHY,
            },
            "missed": {
                "missed_at": end,
                "missed_by": "coach",
                "missed_reason": WHY,
                "absent": "student",
            },
        }.get(status, {})
        row = {
            "proposal_id": contract["proposal_id"],
            "contract_id": contract["id"],
            "coach_id": contract["coach_id"],
            "student_id": contract["student_id"],
            "session_number": number,
            "scheduled_date": start,
            "scheduled_at": start,
            "ends_at": end,
            "listed_at": start,
            "duration_minutes": 60,
            "timezone": "Europe/Berlin",
            "status": status,
            "confirmed_by_coach": True,
            "reschedule_requested": False,
            "cancelled_late": False,
            "created_at": self.began,
            "version": 1,
            **ended,
            **more,
        }
        ident = self.add("session", **row)
        self.event(row, ident, "session.booked", "student", new_time=start)
        if row["confirmed_by_coach"]:
            self.event(row, ident, "session.confirmed", "coach")
        if status in ended or status != "scheduled":
            self.event(row, ident, f"session.{status}", "student", reason=WHY)
        elif row["reschedule_requested"]:
            self.event(row, ident, "session.reschedule_requested", "student", reason=WHY)
            for position in (1, 2, 3):
                self.add(
                    "proposed_time",
                    session_id=ident,
                    position=position,
                    starts_at=start + position * HOUR,
                )
        else:
            self.event(row, ident, "session.reschedule_requested", "student", reason=WHY)
            self.event(row, ident, "session.reschedule_declined", "coach", reason=WHY)
        return ident

    def event(self, row: dict[str, Any], ident: int, verb: str, role: str, **told: Any) -> None:
        contract = row["contract_id"]
        self.positions[contract] = position = self.positions.get(contract, 0) + 1
        self.add(
            "event",
            stream=f"contract:{contract}",
            position=position,
            verb=verb,
            at=self.began + position * HOUR,
            actor_kind="person",
            actor_id=row["coach_id"] if role == "coach" else row["student_id"],
            role=role,
            proposal_id=row["proposal_id"],
            contract_id=contract,
            session_id=ident,
            details="{}",
            previous_hash="0" * 64,
            hash="0" * 64,
            **told,
        )

    def coach_with_sessions(self, name: str, zone: str) -> tuple[list[Subject], list[Subject]]:
        """A coach with OWN sessions in 20 contracts; those ahead with a confirmed time, and the
        contracts.
        """
        coach = self.coach(name, zone, 8 * 60, 20 * 60)
        contracts = [
            self.contract(
                coach,
                self.person(f"student-{name}-{n}@bench.example", f"Student {n} of {name}", "UTC"),
                OWN // STUDENTS,
            )
            for n in range(STUDENTS)
        ]
        ahead = []
        first = self.now.replace(minute=0, second=0, microsecond=0) - 60 * DAY
        for slot in range(OWN):
            start = first + 2 * slot * HOUR
            contract, number = contracts[slot % STUDENTS], slot // STUDENTS + 1
            if start > self.now + DAY:
                status = self.chance.choices(("scheduled", "cancelled"), (9, 1))[0]
            else:
                words = ("completed", "cancelled", "missed")
                status = self.chance.choices(words, (14, 3, 2))[0]
            ident = self.session(contract, number, start, status)
            if status == "scheduled":
                ahead.append(Subject(ident, start))
        return ahead, [Subject(one["id"], self.now) for one in contracts]

    def pair(self, verb: str) -> tuple[int, int]:
        return (
            self.coach(verb, "Europe/Berlin"),
            self.person(f"student-{verb}@bench.example", f"Stu of {verb}", "America/New_York"),
        )

    def subjects(self, verb: str, count: int) -> list[Subject]:
        """``count`` sessions on which the verb may be pressed once each, ten to a contract."""
        coach, student = self.pair(verb)
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        made, contract = [], {}
        for n in range(count):
            if n % 10 == 0:
                contract = self.contract(coach, student, 12)
            start = (
                hour - (3 * DAY + 6 * n * HOUR) if verb in _PAST else hour + 3 * DAY + 6 * n * HOUR
            )
            more: dict[str, Any] = {"confirmed_by_coach": verb != "confirm"}
            if verb in _PENDING:
                more |= {
                    "reschedule_requested": True,
                    "reschedule_requested_by": "student",
                    "reschedule_reason": WHY,
                    "reschedule_kind": "standard",
                    "reschedule_asked_at": self.now,
                    "reschedule_deadline": self.now + DAY,
                }
            made.append(
                Subject(self.session(contract, n % 10 + 1, start, "scheduled", **more), start)
            )
        return made

    def bookings(self, count: int) -> list[Subject]:
        """``count`` contracts with 6 of 12 sessions held, and a free time for each."""
        coach, student = self.pair("book")
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        made = []
        for n in range(count):
            contract = self.contract(coach, student, 12, completed=6)
            for held in range(6):
                self.session(contract, held + 1, hour - 2 * (6 * n + held + 2) * HOUR, "completed")
            made.append(Subject(contract["id"], hour + 3 * DAY + 2 * n * HOUR))
        return made


def make(now: datetime, password_hash: str, *, sessions: int, presses: int) -> tuple[Rows, Stage]:
    """All rows of a stage with ``sessions`` sessions or a few more; verbs if ``presses``."""
    rows, stage = Rows(now, password_hash), Stage()
    stage.pages, contracts = rows.coach_with_sessions("reader", "Europe/Berlin")
    stage.subjects["slots"] = contracts[:1]
    stage.people["reader"] = "coach-reader@bench.example"
    stage.people["student"] = "student-reader-0@bench.example"
    if presses:
        for verb in VERBS:
            stage.subjects[verb] = rows.subjects(verb, presses)
        stage.subjects["book"] = rows.bookings(presses)
        for verb in (*VERBS, "book"):
            for role in ("coach", "student"):
                stage.people[f"{role} of {verb}"] = f"{role}-{verb}@bench.example"
    crowd = 0
    while len(rows.tables["session"]) < sessions:
        crowd += 1
        rows.coach_with_sessions(f"crowd {crowd}".replace(" ", "-"), "Europe/Madrid")
    stage.sessions = len(rows.tables["session"])
    return rows, stage


def fill(url: str, rows: Rows) -> None:
    """Put the rows into the migrated, empty database ``url``."""
    if url.startswith("sqlite"):
        _fill_sqlite(url, rows)
    else:
        _fill_postgresql(url, rows)


def _fill_sqlite(url: str, rows: Rows) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN IMMEDIATE")
    for table, columns in COLUMNS.items():
        places = ", ".join("?" * len(columns))
        connection.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})",
            map(_as_text, rows.tables[table]),
        )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _as_text(row: Iterable[Any]) -> list[Any]:
    return [
        f"{one.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        if isinstance(one, datetime)
        else str(one)
        if hasattr(one, "isoformat")
        else one
        for one in row
    ]


def _fill_postgresql(url: str, rows: Rows) -> None:
    with psycopg.connect(url) as connection:
        cursor = connection.cursor()
        for table, columns in COLUMNS.items():
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows.tables[table]:
                    copy.write_row(row)
            if "id" in columns:
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )
    with psycopg.connect(url, autocommit=True) as connection:
        # What autovacuum would have done by itself a minute later.
        connection.execute("VACUUM ANALYZE")


SIGN_INS = "person_id, token_hash, created_at, expires_at, agent"


def copy_sign_ins(source: str, target: str) -> None:
    """Sign everybody of ``source`` in on ``target`` too, under the same cookies."""
    with _open(source) as here, _open(target) as there:
        mark = "?" if target.startswith("sqlite") else "%s"
        for row in here.execute(f"SELECT {SIGN_INS} FROM sign_in").fetchall():
            there.execute(f"INSERT INTO sign_in ({SIGN_INS}) VALUES ({', '.join([mark] * 5)})", row)
        there.commit()


def _open(url: str) -> Any:
    if url.startswith("sqlite"):
        return _Closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20))
    return psycopg.connect(url)


class _Closing:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> sqlite3.Connection:
        return self.connection

    def __exit__(self, *error: object) -> None:
        self.connection.close()


def file_of(url: str) -> Path:
    """The file of an SQLite URL."""
    return Path(url.removeprefix("sqlite:///"))


def pages(subjects: list[Subject]) -> Iterator[Subject]:
    """The subjects over and over."""
    while True:
        yield from subjects
