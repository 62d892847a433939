"""What is due is found by the index of what waits, among however much that does not."""

from collections.abc import Callable

import pytest
from sqlalchemy import case, func, insert, literal, select, text

from bench.worker import fill
from skileez import db, outbox
from skileez.contracts.models import Contract
from skileez.db import UTCDateTime
from skileez.notifications import sending
from skileez.reactions import react
from skileez.sessions import actions, dst, refresh
from skileez.sessions.models import Session
from skileez.sessions.series import Series, SeriesRequest
from tests import engines
from tests.cast import DAY, NOW, POLICY, WHY
from tests.sessions.test_query_plans import plan, recorded

MANY = 5_000

FOUND_BY: dict[str, tuple[Callable[[], object], str]] = {
    "requests": (lambda: actions.due_requests(NOW), "ix_session_reschedule_deadline"),
    "series": (lambda: dst.due(NOW), "ix_series_clocks_at"),
    "requests to move series": (
        lambda: actions.due_series_requests(NOW),
        "ix_series_request_deadline",
    ),
    "no-shows": (lambda: actions.due_no_shows(NOW, POLICY), "ix_session_ends_at"),
    "sessions to come": (lambda: list(refresh.strays(NOW)), "ix_session_ends_at"),
    "messages": (lambda: sending.claim(NOW, 50), "ix_delivery_due_at"),
    "the backlog of messages": (lambda: sending.backlog(NOW), "ix_delivery_due_at"),
    "the backlog of failures": (lambda: sending.failing(NOW), "ix_delivery_due_at"),
    "parked messages": (sending.parked, "ix_delivery_parked"),
    "events": (lambda: outbox.dispatch(react, NOW), "outbox"),
}


@pytest.fixture
def crowd(database: str) -> None:
    """Five thousand sessions, messages and series, none of them due."""
    fill(database, NOW, MANY, due=False)
    engines.bind(database)
    with db.transaction() as session:
        # One for each session: as many, and made by the database in a single statement.
        series = {
            "contract_id": select(func.min(Contract.id)).scalar_subquery(),
            "zone": literal("UTC"),
            "dtstart": literal("2026-03-09T12:00"),
            "rrule": literal(""),
            "version": literal(1),
            "duration_minutes": literal(60),
            "created_by": literal("coach"),
            "created_at": literal(NOW, UTCDateTime),
            "clocks_at": case((Session.id % 2 == 1, literal(NOW + DAY, UTCDateTime))),
        }
        session.execute(insert(Series).from_select(list(series), select(*series.values())))
        asked = {
            "series_id": Series.id,
            "asked_by": literal("coach"),
            "kind": literal("standard"),
            "reason": literal(WHY),
            "from_place": Series.dtstart,
            "dtstart": Series.dtstart,
            "rrule": literal(""),
            "asked_at": literal(NOW, UTCDateTime),
            "deadline": literal(NOW + DAY, UTCDateTime),
        }
        session.execute(insert(SeriesRequest).from_select(list(asked), select(*asked.values())))
        session.execute(text("ANALYZE series"))
        session.execute(text("ANALYZE series_request"))


def test_what_is_due_is_found_by_its_index(
    crowd: None, engine_name: str, subtests: pytest.Subtests
) -> None:
    for name, (ask, index) in FOUND_BY.items():
        with recorded() as seen:
            assert not ask() or name.startswith("the backlog")
        assert seen, name
        for statement, values in seen:
            lines = plan(engine_name, statement, values)
            with subtests.test(name):
                assert any(index in line for line in lines), "\n".join([statement, *lines])
                scans = ("Seq Scan on session", "Seq Scan on delivery", "SCAN session\n")
                assert not any(scan in f"{line}\n" for line in lines for scan in scans)
