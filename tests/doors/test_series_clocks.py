"""The page of a series whose time clocks change: told, kept, and the way to another time."""

import re
from datetime import UTC, date, datetime, time

import pytest

from skileez import db, worker
from skileez.events import Event
from skileez.notifications import centre
from skileez.notifications.models import Delivery
from skileez.sessions import actions, dst, recurrence, series_booking
from tests.doors.stage import Stage

BEGUN = datetime(2027, 2, 25, 12, tzinfo=UTC)
TOLD = datetime(2027, 3, 2, 12, tzinfo=UTC)
BEGINS = datetime(2027, 3, 15, 17, tzinfo=UTC)


@pytest.fixture
def series(stage: Stage) -> int:
    """Mondays at 18:00 in Berlin, where the student lives; the coach lives in New York."""
    stage.at(BEGUN)
    coach = stage.cast.actor("coach")
    with db.transaction():
        contract = actions.find_contract_for(coach, stage.cast.contract.id)
        pattern = recurrence.starting("Europe/Berlin", date(2027, 3, 1), time(18), [0], 60, count=6)
        made = series_booking.book_series(contract, pattern, by="coach", actor=coach, now=BEGUN).id
    assert dst.tell(made, TOLD) == 1
    db.session.remove()
    stage.at(TOLD)
    return made


def test_whose_time_changes_is_asked_and_keeps_it_once(stage: Stage, series: int) -> None:
    path = f"/series/{series}"
    page = stage["coach"].get(path).text
    assert "Your 12:00 becomes 13:00 from 14 to 27 March" in page
    assert f"{path}/move?from=2027-03-15T18:00&amp;time=17:00" in page.replace("%3A", ":")
    for _twice in range(2):
        answer = stage.send("coach", path, f"{path}/keep")
        assert answer.status_code == 303
    assert Event.query.filter_by(verb="series.clock_kept").count() == 1
    assert "You keep it; Amara Okafor was told." in stage["coach"].get(path).text
    theirs = stage["student"].get(path).text
    assert "For Jonas Lindqvist, 12:00 becomes 13:00 from 14 to 27 March" in theirs
    assert "Jonas Lindqvist keeps it: there is nothing to do." in theirs


def test_nobody_else_keeps_it_and_nobody_too_late(stage: Stage, series: int) -> None:
    path = f"/series/{series}"
    assert "/keep" not in stage["student"].get(path).text
    refused = stage["student"].post(f"{path}/keep", on=path)
    assert refused.status_code == 409
    assert "Clocks change nothing for you" in refused.text
    assert stage["stranger"].post(f"{path}/keep", on="/dashboard").status_code == 404
    stage.at(BEGINS)
    late = stage["coach"].post(f"{path}/keep", on=path)
    assert late.status_code == 409
    assert "The first session at the new time began on" in late.text
    assert "Does that suit you?" not in stage["coach"].get(path).text
    stage.at(datetime(2027, 3, 29, 12, tzinfo=UTC))
    assert "becomes 13:00" not in stage["coach"].get(path).text


def test_the_form_to_shift_it_is_filled_in(stage: Stage, series: int) -> None:
    page = stage["coach"].get(f"/series/{series}/move?from=2027-03-15T18:00&time=17:00").text
    assert re.search(r'<input[^>]*name="clock"[^>]*value="17:00"', page)
    assert re.search(r'<option selected[^>]*value="2027-03-15T18:00"', page)


def test_the_message_stands_in_the_centre_and_leads_to_the_series(
    stage: Stage, series: int
) -> None:
    while worker.dispatch(TOLD):
        pass
    db.session.remove()
    page = stage["coach"].get("/notifications").text
    assert "Your 12:00 becomes 13:00 from 14 to 27 March" in page
    coach = stage.cast.coach.id
    with db.transaction():
        told = Delivery.query.filter_by(kind="series.clock_change", recipient_id=coach).first()
        assert centre.read(coach, told.id, TOLD) == f"/series/{series}"
