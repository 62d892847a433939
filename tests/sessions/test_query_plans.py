"""Every query that a session page runs walks an index: no scan of what grows without end.

On four thousand sessions and as many events, written past the triggers, since what is asked
is only how the database would find them. SQLite plans without looking at how much there is, so a
few will do. Planned, not timed: nothing here depends on the machine.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from skileez import db
from skileez.contracts import queries as contract_queries
from skileez.cursor import Cursor
from skileez.events import Actor
from skileez.sessions import actions, calendar, finding, meeting, queries
from skileez.sessions.models import live_numbers
from skileez.sessions.queries import Filter, View
from skileez.sessions.rules import Policy, State
from tests.cast import DAY, HOUR, NOW, Cast

MANY = 4_000
FEW = 2_000
GROWING = ("session", "event", "booked_time", "proposed_time", "series_proposed_time")

_PEOPLE = """
    INSERT INTO person (id, email, display_name, password_hash, zone, offers_coaching, is_admin,
        active, created_at)
    SELECT n + 100, 'p' || n || '@example.org', 'P', 'x', 'UTC', false, false, true, '2026-01-01'
    FROM ({numbers}) AS numbers WHERE n < 1000
"""
_PROPOSALS = """
    INSERT INTO proposal (id, coach_id, student_id, title, message, total_sessions,
        duration_minutes, price, currency, timezone, status, created_at, version)
    SELECT n + 100, n % 500 + 100, n % 500 + 600, 'T', '', 500, 60, 1, 'EUR', 'UTC', 'accepted',
        '2026-01-01', 1 FROM ({numbers}) AS numbers WHERE n < 2000
"""
_CONTRACTS = """
    INSERT INTO contract (id, proposal_id, number, coach_id, student_id, title, total_sessions,
        completed_sessions, duration_minutes, rate, currency, timezone, status, starts_on,
        created_at)
    SELECT n + 100, n + 100, 'C' || n, n % 500 + 100, n % 500 + 600, 'T', 500, 0, 60, 1, 'EUR',
        'UTC', 'active', '2026-01-01', '2026-01-01' FROM ({numbers}) AS numbers WHERE n < 2000
"""
_SESSIONS = """
    INSERT INTO session (id, proposal_id, contract_id, coach_id, student_id, session_number,
        scheduled_date, scheduled_at, ends_at, listed_at, duration_minutes, timezone, status,
        confirmed_by_coach, reschedule_requested, cancelled_late, cancelled_at, created_at,
        version)
    SELECT n + 100, n % 2000 + 100, n % 2000 + 100, n % 500 + 100, n % 500 + 600, n / 2000 + 1,
        {start}, {start}, {end}, {start}, 60, 'UTC',
        CASE WHEN n % 3 = 0 THEN 'scheduled' ELSE 'cancelled' END, n % 2 = 0, false, false,
        CASE WHEN n % 3 = 0 THEN NULL ELSE {start} END, '2026-01-01', 1
    FROM ({numbers}) AS numbers
"""
_EVENTS = """
    INSERT INTO event (stream, position, verb, at, actor_kind, actor_id, contract_id, session_id,
        details, previous_hash, hash)
    SELECT 'contract:' || (n % 2000 + 100), n / 2000 + 1, 'session.booked', '2026-01-01', 'person',
        n % 500 + 100, n % 2000 + 100, n + 100, '{{}}', '', '' FROM ({numbers}) AS numbers
"""
_BOOKED = """
    INSERT INTO booked_time (person_id, session_id, starts_at, ends_at)
    SELECT coach_id, id, scheduled_at, ends_at FROM session WHERE id >= 100
"""
_PROPOSED = """
    INSERT INTO proposed_time (session_id, position, starts_at)
    SELECT id, 1, scheduled_at FROM session WHERE id >= 100
"""
_SERIES = """
    INSERT INTO series (id, contract_id, zone, dtstart, rrule, duration_minutes, created_by,
        created_at, version)
    SELECT n + 100, n % 2000 + 100, 'UTC', '', '', 60, 'coach', '2026-01-01', 1
    FROM ({numbers}) AS numbers
"""
_SERIES_REQUESTS = """
    INSERT INTO series_request (series_id, asked_by, kind, reason, from_place, dtstart, rrule,
        asked_at, deadline)
    SELECT id, 'coach', 'late', '', '', '', '', '2026-01-01', '2026-01-02' FROM series
    WHERE id >= 100
"""
_SERIES_PROPOSED = """
    INSERT INTO series_proposed_time (session_id, series_id, starts_at)
    SELECT id, id, scheduled_at FROM session WHERE id >= 100
"""
_SQLITE = {
    "numbers": f"""WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c
        WHERE n < {FEW - 1}) SELECT n FROM c""",
    "start": "strftime('%Y-%m-%d %H:%M:%f', '2025-01-01', (n / 500) || ' hours')",
    "end": "strftime('%Y-%m-%d %H:%M:%f', '2025-01-01', (n / 500 + 1) || ' hours')",
}
_POSTGRESQL = {
    "numbers": f"SELECT n FROM generate_series(0, {MANY - 1}) AS n",
    "start": "TIMESTAMPTZ '2025-01-01Z' + n / 500 * INTERVAL '1 hour'",
    "end": "TIMESTAMPTZ '2025-01-01Z' + (n / 500 + 1) * INTERVAL '1 hour'",
}

CROWD = (
    *(_PEOPLE, _PROPOSALS, _CONTRACTS, _SESSIONS, _EVENTS, _BOOKED, _PROPOSED),
    *(_SERIES, _SERIES_REQUESTS, _SERIES_PROPOSED),
)


@pytest.fixture
def crowded(cast: Cast, engine_name: str) -> Cast:
    """The cast and a session of theirs, among thousands."""
    cast.book()
    words = _SQLITE if engine_name == "sqlite" else _POSTGRESQL
    with db.transaction() as current:
        if engine_name == "sqlite":
            triggers = current.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name, _sql in triggers:
                current.execute(text(f"DROP TRIGGER {name}"))
        else:
            current.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in CROWD:
            current.execute(text(re.sub(r":(?=\w)", r"\\:", statement.format(**words))))
        if engine_name == "postgresql":
            current.execute(text("ANALYZE"))
    db.session.remove()
    return cast


@contextmanager
def recorded() -> Iterator[list[tuple[str, Any]]]:
    """The SELECTs run meanwhile, as the driver gets them."""
    engine = db.session.get_bind()
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            seen.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan(engine_name: str, statement: str, values: Any) -> list[str]:
    """The lines of the database's plan."""
    words = "EXPLAIN QUERY PLAN " if engine_name == "sqlite" else "EXPLAIN "
    rows = db.session.connection().exec_driver_sql(words + statement, values).all()
    return [str(row[-1]) for row in rows]


def scans(engine_name: str, lines: list[str], statement: str) -> list[str]:
    """The lines that read a growing table from end to end."""
    if engine_name == "postgresql":
        return [line for line in lines if re.search(rf"Seq Scan on ({'|'.join(GROWING)})\b", line)]
    # SQLite tells the alias; a walk along an index in its order, with a LIMIT, is no full scan.
    return [
        line
        for line in lines
        if re.match(rf"SCAN ({'|'.join(GROWING)})\b", line) and "USING" not in line
    ]


QUERIES: dict[str, Callable[[Cast], object]] = {
    "upcoming": lambda who: queries.page(who.coach.id, Filter(), NOW),
    "past": lambda who: queries.page(who.coach.id, Filter(View.PAST), NOW),
    "all, second page": lambda who: queries.page(
        who.student.id, Filter(View.ALL), NOW, Cursor(NOW, 100)
    ),
    "by state": lambda who: queries.page(
        who.coach.id, Filter(View.ALL, State.RESCHEDULE_REQUESTED), NOW
    ),
    "by contract": lambda who: queries.page(who.coach.id, Filter(View.ALL, None, 1), NOW),
    "the filter's contracts": lambda who: queries.contracts_of(who.coach.id),
    "of a contract": lambda who: queries.of_contract(1, who.coach.id),
    "waiting": lambda who: queries.waiting(who.coach.id, NOW),
    "counts": lambda who: queries.counts(who.coach.id),
    "live counts": lambda who: queries.live_counts([1, 2, 3]),
    "seen by": lambda who: queries.seen_by(who.coach.id, 1),
    "history": lambda who: queries.history(1),
    "lines": lambda who: queries.lines([1, 2, 3]),
    "disputed": lambda who: queries.disputed(),
    "running contracts": lambda who: contract_queries.active_of(who.coach.id),
    "proposals to answer": lambda who: contract_queries.proposals_to_answer(who.student.id),
    "a contract's history": lambda who: contract_queries.history(who.contract),
    "requests due": lambda who: actions.due_requests(NOW),
    "no-shows due": lambda who: actions.due_no_shows(NOW, Policy()),
    "to change": lambda who: actions.find_for(Actor("person", who.coach.id), 1),
    "live numbers": lambda who: live_numbers(1),
    "taken": lambda who: meeting.taken(who.coach.id, who.student.id, [NOW + DAY], HOUR),
    "times to offer": lambda who: finding.of_contract(who.student.id, who.contract.id).opening(
        NOW, NOW + 31 * DAY, now=NOW
    ),
    "a month of the calendar": lambda who: calendar.between(
        who.student.id, who.coach.id, NOW, NOW + 31 * DAY
    ),
    "times to move to": lambda who: finding.of_session(who.student.id, 1).opening(
        NOW, NOW + 31 * DAY, now=NOW
    ),
}


def test_no_query_reads_a_growing_table_from_end_to_end(
    crowded: Cast, engine_name: str, subtests: pytest.Subtests
) -> None:
    for name, ask in QUERIES.items():
        with recorded() as seen:
            ask(crowded)
        db.session.rollback()
        assert seen, name
        for statement, values in seen:
            lines = plan(engine_name, statement, values)
            with subtests.test(name):
                assert not scans(engine_name, lines, statement), "\n".join([statement, *lines])
