"""The contract pages: the list, one contract, what may be done with it, and the administrator's."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from skileez import db
from skileez.contracts.models import Contract
from skileez.events import Event
from skileez.sessions import actions
from skileez.sessions.models import Session
from tests import cast as people
from tests.cast import DAY, HOUR, NOW, WHY
from tests.doors.stage import Stage, hidden_fields
from tests.doors.visitor import Visitor, add_person, text_of

LINK = "https://meet.example.org/amara"
HOSTILE = "<script>alert(1)</script>\"'=1+1"


@pytest.fixture
def path(stage: Stage) -> str:
    return f"/contracts/{stage.cast.contract.id}"


def contract(stage: Stage) -> Contract:
    db.session.remove()
    return db.session.get_one(Contract, stage.cast.contract.id)


def verbs() -> list[str]:
    told = Event.query.filter(Event.verb.startswith("contract.")).order_by(Event.id)
    return [one.verb for one in told]


def queries_of(ask: Callable[[], object]) -> int:
    """How many statements ``ask`` sends to the database, when asked again."""
    ask()
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    engine = db.session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(sent)


# The list


def test_the_list_shows_the_readers_contracts_and_how_far_they_are(stage: Stage) -> None:
    stage.book(60 * HOUR)
    words = text_of(stage["student"].get("/contracts"))
    assert "Speaking with confidence" in words
    assert "Jonas Lindqvist your coach" in words
    assert "1 booked" in words
    assert "Amara Okafor your student" in text_of(stage["coach"].get("/contracts"))
    assert "Speaking with confidence" not in text_of(stage["stranger"].get("/contracts"))


def test_the_list_is_filtered_by_status(stage: Stage) -> None:
    paused = stage["student"].get("/contracts?status=paused")
    assert paused.status_code == 200
    assert "None of these" in text_of(paused)
    assert "Speaking" in text_of(stage["student"].get("/contracts?status=active"))
    for odd in ("status=nonsense", "before=x", "before=-1", f"before={'9' * 30}", "before=٣"):
        assert stage["student"].get(f"/contracts?{odd}").status_code == 200, odd


def test_the_list_goes_on_by_key(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.transaction():
        for n in range(21):
            people.contract(stage.cast.coach, stage.cast.student, title=f"Topic {n:02}")
    first = stage["coach"].get("/contracts")
    assert "Topic 20" in first.text
    assert "Topic 00" not in first.text
    following = re.search(r'href="(/contracts\?before=\d+)"', first.text)
    assert following
    second = stage["coach"].get(following[1])
    assert "Topic 00" in second.text
    assert "Topic 20" not in second.text


def test_somebody_without_contracts_is_told_how_one_begins(stage: Stage) -> None:
    assert "stranger@example.org" in text_of(stage["stranger"].get("/contracts"))
    with db.transaction():
        db.session.merge(stage.cast.stranger).offers_coaching = True
    assert "Send a proposal" in text_of(stage["stranger"].get("/contracts"))


# One contract


def test_the_page_tells_terms_progress_and_sessions(stage: Stage, path: str) -> None:
    stage.book(60 * HOUR)
    late = stage.book(80 * HOUR)
    with db.transaction():
        actions.find_for(stage.cast.actor("student"), late).cancel_session(
            by="student", reason=WHY, actor=stage.cast.actor("student"), now=NOW
        )
    answer = stage["student"].get(path)
    words = text_of(answer)
    for expected in (
        stage.cast.contract.number,
        "6 sessions of 1 h",
        "€45.00 a session",
        "€270.00",
        "Session 1 : booked",
        "Session 2 : cancelled, open again",
        "Session 3 : open",
        "1 cancelled or missed session",
        "Contract started",
        "America/New York",
    ):
        assert expected in words, expected
    assert f'href="{path}/schedule"' in answer.text
    assert f'href="/sessions/{late}"' in answer.text


def test_strangers_find_nothing_and_nobody_enters_unsigned(stage: Stage, path: str) -> None:
    assert stage["stranger"].get(path).status_code == 404
    assert stage["stranger"].get("/contracts/999999").status_code == 404
    for verb in ("pause", "resume", "end", "meeting-link"):
        answer = stage["stranger"].post(f"{path}/{verb}", on="/profile", reason=WHY)
        assert answer.status_code == 404, verb
        assert Visitor(stage.app).post(f"{path}/{verb}").status_code == 303
    assert Visitor(stage.app).get(path).status_code == 303
    assert contract(stage).status == "active"


def test_hostile_words_come_out_as_words(stage: Stage, path: str) -> None:
    with db.transaction():
        db.session.get_one(Contract, stage.cast.contract.id).title = HOSTILE
    for one in (path, "/contracts"):
        answer = stage["student"].get(one)
        assert "<script>alert" not in answer.text
        assert HOSTILE in text_of(answer)


# Pause, resume, end


def test_pausing_stops_booking_until_it_is_resumed(stage: Stage, path: str) -> None:
    answer = stage.send("coach", path, f"{path}/pause", pause_reason="We both travel in March.")
    assert answer.status_code == 303
    assert contract(stage).status == "paused"
    words = text_of(stage["student"].get(path))
    assert "This contract is paused" in words
    assert "We both travel in March." in words
    assert "The contract is paused; sessions can be booked and completed only" in words
    assert stage.send("student", path, f"{path}/resume").status_code == 303
    assert contract(stage).status == "active"
    assert verbs()[-2:] == ["contract.paused", "contract.resumed"]


def test_a_second_press_changes_nothing_and_says_so(stage: Stage, path: str) -> None:
    token = stage["student"].token(path)
    send = stage["student"].client.post
    assert send(f"{path}/pause", data={"csrf_token": token}).status_code == 303
    again = send(f"{path}/pause", data={"csrf_token": token})
    assert again.status_code == 409
    assert "This contract is paused." in text_of(again)
    assert send(f"{path}/resume", data={"csrf_token": token}).status_code == 303
    assert send(f"{path}/resume", data={"csrf_token": token}).status_code == 409
    assert verbs().count("contract.paused") == 1


@pytest.mark.parametrize(
    ("verb", "field"),
    [("pause", "pause_reason"), ("end", "reason"), ("meeting-link", "meeting_url")],
)
def test_what_was_typed_comes_back_where_its_form_is_gone(
    stage: Stage, path: str, verb: str, field: str
) -> None:
    token = stage["coach"].token(path)
    stage.send("student", path, f"{path}/end", reason="We are through with all of it.")
    kept = "https://meet.example.org/kept"
    answer = stage["coach"].client.post(f"{path}/{verb}", data={"csrf_token": token, field: kept})
    assert answer.status_code == 409
    assert "This contract is cancelled." in text_of(answer)
    assert kept in text_of(answer)


@pytest.mark.parametrize("who", ["student", "coach", "admin"])
def test_a_page_that_showed_other_open_sessions_ends_nothing(
    stage: Stage, path: str, who: str
) -> None:
    gone, _kept = stage.book(60 * HOUR), stage.book(70 * HOUR)
    seen = hidden_fields(stage[who].get(path).text, f"{path}/end")
    stage.book(80 * HOUR)
    known = verbs()

    def press() -> TestResponse:
        return stage[who].client.post(f"{path}/end", data={**seen, "reason": WHY})

    answer = press()
    assert answer.status_code == 409
    assert "1 new, 0 no longer open. Ending the contract would now cancel 3." in text_of(answer)
    assert "3 open sessions are cancelled at once." in text_of(answer)
    assert WHY in answer.text
    assert '<details class="details" open>' in answer.text
    with db.transaction():
        actions.find_for(stage.cast.actor("coach"), gone).cancel_session(
            by="coach", reason=WHY, actor=stage.cast.actor("coach"), now=NOW
        )
    answer = press()
    assert "1 new, 1 no longer open. Ending the contract would now cancel 2." in text_of(answer)
    assert (verbs(), contract(stage).status) == (known, "active")
    assert Session.query.filter_by(status="scheduled").count() == 2
    seen = hidden_fields(answer.text, f"{path}/end")
    assert press().status_code == 303
    assert contract(stage).status == "cancelled"
    again = press()
    assert again.status_code == 409
    assert "This contract is cancelled." in text_of(again)
    assert "seen" not in text_of(again)


@pytest.mark.parametrize("odd", ["", "nonsense", "-1", "9" * 30, "1 2 3 4"])
def test_a_mark_that_no_page_wrote_ends_nothing(stage: Stage, path: str, odd: str) -> None:
    stage.book(60 * HOUR)
    answer = stage.send("coach", path, f"{path}/end", reason=WHY, seen=odd)
    assert answer.status_code == 409
    assert contract(stage).status == "active"


@pytest.mark.parametrize("who", ["student", "admin"])
def test_a_page_that_showed_another_pause_does_not_resume(
    stage: Stage, path: str, who: str
) -> None:
    stage.send("coach", path, f"{path}/pause", pause_reason="We both travel in March.")
    seen = hidden_fields(stage[who].get(path).text, f"{path}/resume")
    stage.send("coach", path, f"{path}/resume")
    stage.send("coach", path, f"{path}/pause", pause_reason="We cannot agree on the rate.")
    known = verbs()
    answer = stage[who].client.post(f"{path}/resume", data=seen)
    assert answer.status_code == 409
    assert "resumed and paused again since you opened the page" in text_of(answer)
    assert "We cannot agree on the rate." in text_of(answer)
    assert (verbs(), contract(stage).status) == (known, "paused")
    seen = hidden_fields(answer.text, f"{path}/resume")
    assert stage[who].client.post(f"{path}/resume", data=seen).status_code == 303
    assert contract(stage).status == "active"
    again = stage[who].client.post(f"{path}/resume", data=seen)
    assert again.status_code == 409
    assert "This contract is active." in text_of(again)


@pytest.mark.parametrize("reason", ["short", "x" * 501])
def test_a_reason_out_of_bounds_is_kept_and_explained(stage: Stage, path: str, reason: str) -> None:
    for verb, field in (("pause", "pause_reason"), ("end", "reason")):
        answer = stage.send("student", path, f"{path}/{verb}", **{field: reason})
        assert answer.status_code == 422
        assert reason in answer.text
        assert re.search(r"Give a reason of at least 10|Keep the reason to 500", text_of(answer))
        assert '<details class="details" open>' in answer.text
    assert contract(stage).status == "active"


def test_ending_it_cancels_what_is_open_and_keeps_what_is_done(stage: Stage, path: str) -> None:
    done, ahead = stage.book(2 * HOUR), stage.book(60 * HOUR)
    stage.after(4 * HOUR)
    with db.transaction():
        actions.find_for(stage.cast.actor("coach"), done).mark_completed(
            None, "coach", actor=stage.cast.actor("coach"), now=NOW + 4 * HOUR
        )
    assert "1 open session is cancelled at once." in text_of(stage["coach"].get(path))
    assert stage.send("coach", path, f"{path}/end").status_code == 422
    assert stage.send("coach", path, f"{path}/end", reason=WHY).status_code == 303
    assert contract(stage).status == "cancelled"
    assert stage.session(done).status == "completed"
    assert stage.session(ahead).status == "cancelled"
    token = stage["coach"].token("/sessions")
    again = stage["coach"].client.post(f"{path}/end", data={"csrf_token": token, "reason": WHY})
    assert again.status_code == 409
    assert "This contract is cancelled." in text_of(again)
    after = stage["coach"].get(path)
    assert f"{path}/schedule" not in after.text
    assert f"{path}/pause" not in after.text


def test_a_form_without_its_token_does_nothing(stage: Stage, path: str) -> None:
    for verb in ("pause", "resume", "end", "meeting-link"):
        answer = stage["coach"].client.post(f"{path}/{verb}", data={"reason": WHY})
        assert answer.status_code == 400
        assert stage["coach"].get(f"{path}/{verb}").status_code == 405
    assert contract(stage).status == "active"


# The meeting link


def test_the_coach_says_where_they_meet(stage: Stage, path: str) -> None:
    answer = stage.send("coach", path, f"{path}/meeting-link", meeting_url=f" {LINK} ")
    assert answer.status_code == 303
    assert contract(stage).meeting_url == LINK
    assert LINK in stage["student"].get(path).text
    assert stage.send("coach", path, f"{path}/meeting-link", meeting_url="").status_code == 303
    assert contract(stage).meeting_url is None


def test_the_student_does_not(stage: Stage, path: str) -> None:
    assert "meeting-link" not in stage["student"].get(path).text
    answer = stage["student"].post(f"{path}/meeting-link", on="/profile", meeting_url=LINK)
    assert answer.status_code == 403
    assert "Only the coach" in text_of(answer)
    assert contract(stage).meeting_url is None


@pytest.mark.parametrize(
    "odd",
    [
        "http://meet.example.org",
        "javascript:alert(1)",
        "https://",
        "meet",
        f"https://x/{'y' * 500}",
    ],
)
def test_only_https_links_are_taken(stage: Stage, path: str, odd: str) -> None:
    answer = stage.send("coach", path, f"{path}/meeting-link", meeting_url=odd)
    assert answer.status_code == 422
    assert "starts with https://" in text_of(answer)
    assert f'value="{odd}"' in answer.text
    assert f'href="{odd}"' not in answer.text
    assert contract(stage).meeting_url is None


# The administrator


def test_an_administrator_looks_at_any_contract_and_may_resume_or_end_it(
    stage: Stage, path: str
) -> None:
    ahead = stage.book(60 * HOUR)
    words = text_of(stage["admin"].get(path))
    assert "You look at this as an administrator" in words
    assert "Jonas Lindqvist Coach" in words
    assert "Amara Okafor Student" in words
    assert "Book a session" not in words
    assert f"{path}/pause" not in stage["admin"].get(path).text
    assert stage["admin"].post(f"{path}/pause", on="/sessions").status_code == 404
    link = stage["admin"].post(f"{path}/meeting-link", on="/profile", meeting_url=LINK)
    assert link.status_code == 404
    assert stage.send("coach", path, f"{path}/pause").status_code == 303
    assert stage.send("admin", path, f"{path}/resume").status_code == 303
    assert stage.send("admin", path, f"{path}/end", reason=WHY).status_code == 303
    assert contract(stage).status == "cancelled"
    assert stage.session(ahead).status == "cancelled"
    told = Event.query.filter_by(verb="contract.cancelled").one()
    assert (told.role, told.actor_id) == ("admin", stage.cast.admin.id)


def test_all_contracts_are_for_administrators(stage: Stage) -> None:
    assert stage["coach"].get("/admin/contracts").status_code == 403
    words = text_of(stage["admin"].get("/admin/contracts"))
    assert stage.cast.contract.number in words
    assert "0 of 6" in words
    assert "Nothing found" in text_of(stage["admin"].get("/admin/contracts?q=%25"))
    assert "Speaking" in text_of(stage["admin"].get("/admin/contracts?q=AMARA&status=active"))
    assert "Nothing found" in text_of(stage["admin"].get("/admin/contracts?status=paused"))


# What a path costs


def test_a_contracts_page_asks_the_database_as_often_for_many_sessions(
    stage: Stage, path: str
) -> None:
    stage.book(30 * HOUR)
    few = queries_of(lambda: stage["student"].get(path))
    with db.transaction():
        other = people.contract(stage.cast.coach, stage.cast.student, total=60)
    for n in range(40):
        stage.book(10 * DAY + n * timedelta(hours=2), contract=other)
    many = queries_of(lambda: stage["student"].get(f"/contracts/{other.id}"))
    assert Session.query.filter_by(contract_id=other.id).count() == 40
    assert many == few <= 8


def test_the_list_asks_the_database_as_often_for_many_contracts(stage: Stage) -> None:
    few = queries_of(lambda: stage["coach"].get("/contracts"))
    for n in range(5):
        student = add_person(f"student{n}@example.org")
        with db.transaction():
            people.contract(stage.cast.coach, student)
    many = queries_of(lambda: stage["coach"].get("/contracts"))
    assert many == few <= 8
