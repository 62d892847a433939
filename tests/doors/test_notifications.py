"""The centre of notifications: what it tells, what a press marks read, and where letters lead."""

import pytest
from flask import Flask
from sqlalchemy import select, update

from skileez import db
from skileez.notifications import letters, unsubscribing
from skileez.notifications.models import Delivery
from skileez.sessions import actions
from tests.cast import HOUR, MINUTE, NOW, WHY
from tests.doors.stage import Stage, pass_on
from tests.doors.test_query_counts import counted
from tests.doors.visitor import bell, text_of


def messages(stage: Stage, who: str = "coach") -> list[Delivery]:
    db.session.remove()
    return list(
        db.session.scalars(
            select(Delivery)
            .filter_by(recipient_id=getattr(stage.cast, who).id, channel="app", status="sent")
            .order_by(Delivery.id.desc())
        )
    )


def test_the_centre_tells_who_did_what_and_when_the_newest_first(stage: Stage, asked: int) -> None:
    page = text_of(stage["coach"].get("/notifications"))
    assert page.index("Amara Okafor asks to move session 1") < page.index("booked session 1")
    # In the coach's own zone, where the student's reason is told, too.
    assert "Wed 4 Mar, 19:00" in page
    assert "Proposed: Thu 5 Mar, 15:00" in page
    assert WHY in page
    assert "Today" in page
    assert page.count("Unread:") == 2


def test_a_move_shows_the_old_and_the_new_time(stage: Stage, asked: int) -> None:
    with db.transaction():
        actor = stage.cast.actor("coach")
        actions.find_for(actor, asked).approve_reschedule(
            NOW + 80 * HOUR, by="coach", actor=actor, now=NOW
        )
    pass_on()
    page = text_of(stage["student"].get("/notifications"))
    assert "From Thu 5 Mar, 01:00" in page
    assert "To Thu 5 Mar, 21:00" in page


def test_nothing_yet_is_said_kindly(stage: Stage) -> None:
    page = text_of(stage["stranger"].get("/notifications"))
    assert "Nothing yet" in page
    assert "Mark all read" not in page
    assert "Everything is read" in text_of(stage["stranger"].get("/notifications?show=unread"))


def test_looking_marks_nothing_and_a_press_marks_one(stage: Stage, asked: int) -> None:
    coach = stage["coach"]
    for path in ("/notifications", "/notifications/unread", f"/sessions/{asked}"):
        coach.get(path)
    first, second = messages(stage)
    assert first.read_at is second.read_at is None
    for _ in range(2):
        answer = coach.post(f"/notifications/{first.id}/read", "/notifications")
        assert (answer.status_code, answer.location) == (303, f"/sessions/{asked}")
        stage.after(MINUTE)
    first, second = messages(stage)
    assert (first.read_at, second.read_at) == (NOW, None)
    page = text_of(coach.get("/notifications"))
    assert page.count("Unread:") == 1
    assert coach.get("/notifications?show=unread").text.count("news-unread") == 1


def test_nobody_reads_for_somebody_else(stage: Stage, asked: int) -> None:
    one = messages(stage)[0]
    for who in ("student", "stranger", "admin"):
        assert stage[who].post(f"/notifications/{one.id}/read", "/sessions").status_code == 404
    mail = db.session.scalars(select(Delivery.id).filter_by(channel="mail")).first()
    assert stage["coach"].post(f"/notifications/{mail}/read", "/sessions").status_code == 404
    assert messages(stage)[0].read_at is None


def test_all_that_the_page_showed_is_marked_read_and_nothing_newer(
    stage: Stage, asked: int
) -> None:
    until = NOW.isoformat()
    newer = messages(stage)[0].id
    with db.transaction():
        db.session.execute(
            update(Delivery).where(Delivery.id == newer).values(sent_at=NOW + MINUTE)
        )
    stage.after(2 * MINUTE)
    coach = stage["coach"]
    assert coach.post("/notifications/read", "/notifications", until=until).status_code == 303
    assert [one.read_at is None for one in messages(stage)] == [True, False]
    assert "1 is marked read." in text_of(coach.get("/notifications"))
    for nonsense in (
        *("0001-01-01T00:00+23:59", "", "soon", "2026-03-02T12:00"),
        "9999-01-01T00:00:00+00:00",
    ):
        answer = coach.post("/notifications/read", "/notifications", until=nonsense)
        assert answer.status_code == 303, nonsense
    assert bell(coach) == "0"
    assert messages(stage, "student") == []


def fill(stage: Stage, count: int) -> None:
    """So many more of the same messages, a minute apart, to the coach."""
    one = messages(stage)[0]
    columns = {name.key: getattr(one, name.key) for name in Delivery.__table__.columns}
    with db.transaction():
        for number in range(count):
            told = NOW - (number + 1) * MINUTE
            given = {**columns, "id": None, "occasion": f"again:{number}", "due_at": told}
            db.session.add(Delivery(**given))
    db.session.remove()


def test_a_page_costs_two_statements_and_leads_to_the_next(stage: Stage, asked: int) -> None:
    coach = stage["coach"]

    def cost(path: str) -> tuple[int, str]:
        with counted() as seen:
            page = coach.get(path)
        assert page.status_code == 200
        return len(seen), page.text

    few, _page = cost("/notifications")
    fill(stage, 45)
    seen: list[int] = []
    path = "/notifications"
    while path:
        many, page = cost(path)
        assert many == few == 2
        seen.append(page.count('<li class="news '))
        path = page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        path = path if 'rel="next"' in page else ""
        path = path.replace("&amp;", "&")
    assert seen == [20, 20, 7]
    assert coach.get("/notifications?before=nonsense").status_code == 422


def test_a_message_that_cannot_be_written_keeps_nobody_from_the_others(
    stage: Stage, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = messages(stage)[0]
    with db.transaction():
        db.session.execute(
            update(Delivery).where(Delivery.id == one.id).values(kind="session.from_the_future")
        )
    page = stage["coach"].get("/notifications")
    assert page.status_code == 200
    assert "booked session 1" in text_of(page)


def test_the_letters_lead_to_pages_that_there_are(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    for path, endpoint in (
        (letters.WISHES_PATH, "notifications.choose"),
        (unsubscribing.PATH.format("x"), "notifications.unsubscribe"),
        (letters.SESSION_PATH.format(1), "sessions.show"),
        (letters.ANSWER_PATH.format(1), "sessions.approval"),
        (letters.OUTCOME_PATH.format(1), "sessions.outcome_form"),
        (letters.CONTRACT_PATH.format(1), "contracts.show"),
        (letters.SCHEDULE_PATH.format(1), "sessions.book"),
        (letters.PROPOSAL_PATH.format(1), "proposals.show"),
        (letters.SERIES_PATH.format(1), "series.show"),
        (letters.SERIES_ANSWER_PATH.format(1), "series.answer"),
        (letters.SERIES_MOVE_PATH.format(1, "", "").partition("?")[0], "series.move"),
        (letters.DASHBOARD_PATH, "dashboard.show"),
    ):
        assert adapter.match(path)[0] == endpoint
