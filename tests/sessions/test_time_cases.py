"""The table of verified instants, through booking, a series and notice."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from skileez import db, zones
from skileez.contracts.models import Contract
from skileez.sessions import actions, recurrence, series_booking
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, SECOND, WHY, Cast, enter

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "tz_cases.json").read_text(encoding="utf-8")
)["cases"]


@pytest.fixture
def cast(database: str) -> Cast:
    return enter(database)


def meant(case: dict[str, Any]) -> list[datetime]:
    """The instants that a booking may choose: one, or both of a time that comes twice."""
    if case["kind"] == "gap":
        return [datetime.fromisoformat(case["shifted"])]
    return sorted({datetime.fromisoformat(case[name]) for name in ("utc_fold0", "utc_fold1")})


def try_notice(row: Session, start: datetime) -> None:
    """A day is a day of elapsed time; then it is called off, so that the next case has room."""
    for ahead, kind in ((DAY, "standard"), (DAY - SECOND, "late")):
        row.request_reschedule("student", WHY, now=start - ahead)
        assert row.reschedule_kind == kind
        row.withdraw_reschedule("student", now=start - ahead)
    row.cancel_session(by="coach", reason=WHY, now=start - DAY + HOUR)


def find_contract(cast: Cast) -> Contract:
    return actions.find_contract_for(cast.actor("coach"), cast.contract.id)


def test_a_booking_has_the_instant_and_its_notice_is_elapsed_time(cast: Cast) -> None:
    for case in CASES:
        for start in meant(case):
            with db.transaction():
                contract = find_contract(cast)
                contract.timezone = case["zone"]
                row = actions.book(contract, start, by="coach", now=start - 2 * DAY)
                assert (row.scheduled_at, row.ends_at) == (start, start + HOUR)
                shown = datetime.fromisoformat(case["shifted"]).replace(tzinfo=None)
                assert row.wall_at == f"{shown:%Y-%m-%dT%H:%M}"
                try_notice(row, start)


def test_a_series_has_the_instant_and_keeps_the_place(cast: Cast) -> None:
    for case in CASES:
        wall = datetime.fromisoformat(case["local"])
        start = datetime.fromisoformat(case["shifted"])
        pattern = recurrence.starting(
            case["zone"], wall.date(), wall.time(), [wall.weekday()], 60, count=1
        )
        with db.transaction():
            series = series_booking.book_series(
                find_contract(cast), pattern, by="coach", now=start - 2 * DAY
            )
            row = Session.query.filter_by(series_id=series.id).one()
            assert (row.scheduled_at, row.series_place) == (start, case["local"])
            assert row.wall_at == f"{zones.local(start, case['zone']):%Y-%m-%dT%H:%M}"
            try_notice(row, start)
