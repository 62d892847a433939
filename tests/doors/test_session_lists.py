"""The list and the dashboard: only mine, whole, in order, and whose move it is."""

import re
from datetime import timedelta

import pytest

from skileez import db
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, NOW, WHY
from tests.doors.stage import Stage
from tests.doors.visitor import text_of


@pytest.fixture
def forty_five(stage: Stage) -> list[int]:
    """Ids of 45 sessions, by start: some are over."""
    with db.transaction() as session:
        contract = session.merge(stage.cast.contract)
        contract.total_sessions = 50
        made = [
            Session(
                contract=contract,
                session_number=number,
                scheduled_at=NOW + timedelta(hours=3 * number - 60),
                created_at=NOW - 30 * DAY,
            )
            for number in range(1, 46)
        ]
        session.add_all(made)
        session.flush()
        ids = [one.id for one in made]
    db.session.remove()
    return ids


def test_the_other_s_clock_stands_beside_mine_where_it_differs(stage: Stage) -> None:
    start = NOW + 60 * HOUR
    stage.book(60 * HOUR)
    for path in ("/sessions", "/dashboard"):
        assert f"{start - 5 * HOUR:%H:%M} in New York" in text_of(stage["student"].get(path))
        assert f"{start + HOUR:%H:%M} in Berlin" in text_of(stage["coach"].get(path))
    with db.transaction() as session:
        session.merge(stage.cast.coach).zone = "Europe/Paris"
    db.session.remove()
    for path in ("/sessions", "/dashboard"):
        for page in (stage["student"].get(path), stage["coach"].get(path)):
            assert not re.search(r"in (Paris|Berlin)", text_of(page))


def listed(html: str) -> list[int]:
    return [int(one) for one in re.findall(r'class="session-link" href="/sessions/(\d+)"', html)]


def link(html: str, rel: str) -> str | None:
    found = re.search(rf'<a[^>]*href="([^"]+)"[^>]*rel="{rel}"', html)
    return found[1].replace("&amp;", "&") if found else None


@pytest.mark.parametrize("view", ["upcoming", "past", "all"])
def test_every_session_is_on_exactly_one_page_both_ways(
    stage: Stage, forty_five: list[int], view: str
) -> None:
    order = {
        "upcoming": [one for one in forty_five if forty_five.index(one) >= 19],
        "past": [one for one in reversed(forty_five) if forty_five.index(one) < 19],
        "all": forty_five[::-1],
    }[view]
    seen: list[list[int]] = []
    path: str | None = f"/sessions?view={view}"
    last = ""
    while path:
        last = path
        html = stage["student"].get(path).text
        seen.append(listed(html))
        path = link(html, "next")
    assert [one for page in seen for one in page] == order
    back: list[list[int]] = []
    path = last
    while path:
        html = stage["student"].get(path).text
        back.insert(0, listed(html))
        path = link(html, "prev")
    assert back == seen


@pytest.mark.parametrize("at", ["x", "+1", "+1.x", "+99999999999999999999.1", "-5.0", "%00"])
def test_a_broken_place_in_the_list_is_a_sentence(stage: Stage, at: str) -> None:
    answer = stage["student"].get("/sessions", query_string={"at": at})
    assert answer.status_code == 422
    assert "Open the list again from its start." in text_of(answer)


@pytest.mark.parametrize(
    "query", ["view=nonsense", "state=nonsense", "contract=x", "contract=999999999999", "contract="]
)
def test_a_filter_that_makes_no_sense_is_no_filter(stage: Stage, query: str) -> None:
    stage.book(60 * HOUR)
    assert len(listed(stage["student"].get(f"/sessions?{query}").text)) == 1


def test_nobody_sees_the_sessions_of_others(stage: Stage) -> None:
    stage.book(60 * HOUR)
    page = stage["stranger"].get(f"/sessions?view=all&contract={stage.cast.contract.id}")
    assert listed(page.text) == []
    assert "Nothing matches" in text_of(page)


def test_each_state_filters_its_own(stage: Stage) -> None:
    plain = stage.book(60 * HOUR)
    asked, gone = stage.book(70 * HOUR), stage.book(80 * HOUR)
    stage.send(
        "coach",
        f"/sessions/{asked}/reschedule",
        f"/sessions/{asked}/reschedule",
        **{"reason": WHY, "proposed_times-0": "2026-03-20T10:00"},
    )
    stage.send("coach", f"/sessions/{gone}/cancel-form", f"/sessions/{gone}/cancel", reason=WHY)
    for state, ids in {
        "scheduled": [plain],
        "reschedule_requested": [asked],
        "cancelled": [gone],
        "missed": [],
        "completed": [],
    }.items():
        assert listed(stage["student"].get(f"/sessions?state={state}").text) == ids


def test_the_dashboard_says_whose_move_it_is(stage: Stage) -> None:
    over, unconfirmed = stage.book(2 * HOUR), stage.book(70 * HOUR)
    asked = stage.book(90 * HOUR)
    stage.send(
        "student",
        f"/sessions/{asked}/reschedule",
        f"/sessions/{asked}/reschedule",
        **{"reason": WHY, "proposed_times-0": "2026-03-20T10:00"},
    )
    stage.after(4 * HOUR)

    def needs(name: str) -> list[int]:
        html = stage[name].get("/dashboard").text
        return listed(html[: html.index('aria-labelledby="next"')])

    assert needs("student") == [over]
    assert needs("coach") == [over, unconfirmed, asked]
    assert "All clear" in text_of(stage["stranger"].get("/dashboard"))


def test_a_confirmation_on_the_dashboard_stays_there(stage: Stage) -> None:
    one = stage.book(70 * HOUR)
    token = stage["coach"].token("/sessions")
    answer = stage["coach"].client.post(
        f"/sessions/{one}/confirm?back=dashboard",
        data={"csrf_token": token},
        headers={"HX-Request": "true"},
    )
    assert answer.headers["Location"] == "/dashboard"
    assert stage.session(one).confirmed_by_coach
