"""The proposal pages: sending one, reading it, answering it once."""

import re
from typing import Any

import pytest

from skileez import db
from skileez.contracts.models import Contract, Proposal
from skileez.events import Event
from tests import cast as people
from tests.cast import NOW, WHY
from tests.doors.stage import Stage
from tests.doors.visitor import Visitor, text_of

NEW = "/proposals/new"
HOSTILE = "<script>alert(1)</script>\"'"


def typed(**changed: Any) -> dict[str, Any]:
    """What a coach types into the form."""
    return {
        "student_email": "student@example.org",
        "title": "Speaking up",
        "total_sessions": "8",
        "duration_minutes": "45",
        "price": "60.50",
        "currency": "EUR",
        "timezone": "Asia/Kathmandu",
        "message": "Let us begin.",
        **changed,
    }


@pytest.fixture
def offered(stage: Stage) -> str:
    """The path of a proposal that waits for the student's answer."""
    with db.transaction():
        sent = people.proposal(stage.cast.coach, stage.cast.student, 8, title="Speaking up")
    return f"/proposals/{sent.id}"


def proposal(path: str) -> Proposal:
    db.session.remove()
    return db.session.get_one(Proposal, int(path.rsplit("/", 1)[1]))


# Sending


def test_a_coach_sends_a_proposal_and_the_student_finds_it(stage: Stage) -> None:
    answer = stage.send("coach", NEW, NEW, **typed())
    assert answer.status_code == 303
    place = answer.headers["Location"]
    sent = proposal(place)
    assert (sent.title, sent.total_sessions, sent.duration_minutes) == ("Speaking up", 8, 45)
    assert (sent.price, sent.currency, sent.timezone) == (60_50, "EUR", "Asia/Kathmandu")
    for words in (text_of(stage["student"].get(place)), text_of(stage["coach"].get(place))):
        assert "€60.50 a session" in words
        assert "€484.00" in words
        assert "Let us begin." in words
    assert "Speaking up" in text_of(stage["student"].get("/proposals"))
    assert "Speaking up" in text_of(stage["student"].get("/dashboard"))
    assert "Speaking up" in text_of(stage["coach"].get("/proposals"))
    assert "Speaking up" not in text_of(stage["stranger"].get("/proposals"))


def test_a_currency_without_decimals_is_kept_as_it_is_written(stage: Stage) -> None:
    answer = stage.send("coach", NEW, NEW, **typed(price="12000", currency="JPY"))
    assert proposal(answer.headers["Location"]).price == 12000
    assert "¥96,000" in text_of(stage["student"].get(answer.headers["Location"]))


BAD = [
    ("student_email", "", "e-mail address"),
    ("student_email", "nobody", "e-mail address"),
    ("student_email", "nobody@example.org", "No account takes proposals"),
    ("student_email", "coach@example.org", "your own address"),
    ("title", "  ", "title of 1 to 120 characters"),
    ("title", "x" * 121, "title of 1 to 120 characters"),
    ("total_sessions", "", "Say how many sessions"),
    ("total_sessions", "many", "whole number"),
    ("total_sessions", "0", "1 to 500 sessions"),
    ("total_sessions", "501", "1 to 500 sessions"),
    ("total_sessions", "9" * 30, "1 to 500 sessions"),
    ("duration_minutes", "14", "15 to 480 minutes"),
    ("duration_minutes", "481", "15 to 480 minutes"),
    ("price", "", "Say what a session costs"),
    ("price", "a lot", "plain number"),
    ("price", "-1", "plain number"),
    ("price", "1,250", "plain number"),
    ("price", "100000.01", "at most 100,000 EUR"),
    ("currency", "XXX", "currency from the list"),
    ("timezone", "Mars/Olympus", "no time zone called"),
    ("message", "x" * 2001, "2000 characters; this one has 2001"),
]


def test_bad_input_is_explained_and_what_was_typed_is_kept(stage: Stage) -> None:
    before = Proposal.query.count()
    for field, value, words in BAD:
        kept = typed(**{field: value})
        answer = stage.send("coach", NEW, NEW, **kept)
        assert answer.status_code == 422, (field, value)
        assert words in text_of(answer), (field, value)
        for name in ("student_email", "title", "price", "message"):
            assert kept[name].strip() in answer.text, (field, value, name)
    assert Proposal.query.count() == before


def test_nothing_at_all_names_every_field_that_is_missing(stage: Stage) -> None:
    answer = stage.send("coach", NEW, NEW)
    assert answer.status_code == 422
    words = text_of(answer)
    for missing in ("e-mail address", "Give it a title", "how many sessions", "session costs"):
        assert missing in words


def test_only_people_who_coach_propose(stage: Stage) -> None:
    page = stage["student"].get(NEW)
    assert page.status_code == 403
    assert "offer coaching" in text_of(page)
    answer = stage["student"].post(NEW, on="/profile", **typed(student_email="coach@example.org"))
    assert answer.status_code == 403
    assert Proposal.query.filter_by(student_id=stage.cast.coach.id).count() == 0


def test_hostile_words_come_out_as_words(stage: Stage) -> None:
    answer = stage.send("coach", NEW, NEW, **typed(title=HOSTILE, message=HOSTILE))
    for page in (
        stage["student"].get(answer.headers["Location"]),
        stage["student"].get("/proposals"),
        stage["student"].get("/dashboard"),
        stage.send("coach", NEW, NEW, **typed(title=HOSTILE, price="x")),
    ):
        assert "<script>alert" not in page.text
        assert "alert(1)" in page.text


# Answering


def test_accepting_starts_a_contract_once(stage: Stage, offered: str) -> None:
    token = stage["student"].token(offered)
    accept = {"csrf_token": token, "version": "1"}
    answer = stage["student"].client.post(f"{offered}/accept", data=accept)
    assert answer.status_code == 303
    started = Contract.query.filter_by(proposal_id=proposal(offered).id).one()
    assert answer.headers["Location"] == f"/contracts/{started.id}"
    assert "the contract has started" in text_of(stage["student"].get(f"/contracts/{started.id}"))
    again = stage["student"].client.post(f"{offered}/accept", data=accept)
    assert again.status_code == 409
    assert "This proposal is already accepted" in text_of(again)
    assert f'href="/contracts/{started.id}"' in again.text
    assert Contract.query.filter_by(proposal_id=proposal(offered).id).count() == 1


def test_declining_keeps_the_reason_for_both_to_read(stage: Stage, offered: str) -> None:
    assert stage.send("student", offered, f"{offered}/decline", reason=WHY).status_code == 303
    assert proposal(offered).status == "declined"
    assert WHY in text_of(stage["coach"].get(offered))
    told = Event.query.filter_by(verb="proposal.declined").one()
    assert (told.role, told.reason) == ("student", WHY)


def test_a_reason_is_optional_but_not_half_given(stage: Stage, offered: str) -> None:
    for reason in ("no", "x" * 501):
        answer = stage.send("student", offered, f"{offered}/decline", reason=reason)
        assert answer.status_code == 422
        assert reason in answer.text
    assert proposal(offered).status == "pending"
    assert stage.send("student", offered, f"{offered}/decline").status_code == 303


def test_the_coach_withdraws_before_an_answer(stage: Stage, offered: str) -> None:
    assert f"{offered}/accept" not in stage["coach"].get(offered).text
    assert stage.send("coach", offered, f"{offered}/withdraw").status_code == 303
    assert proposal(offered).status == "withdrawn"
    late = stage["student"].post(f"{offered}/accept", on="/profile", version="1")
    assert late.status_code == 409
    assert "already withdrawn" in text_of(late)
    late = stage["student"].post(f"{offered}/decline", on="/profile", reason=WHY)
    assert late.status_code == 409
    assert WHY in text_of(late)
    assert Contract.query.filter_by(proposal_id=proposal(offered).id).count() == 0


def test_nobody_answers_their_own_or_another_ones_proposal(stage: Stage, offered: str) -> None:
    for verb in ("accept", "decline"):
        answer = stage["coach"].post(f"{offered}/{verb}", on="/profile", version="1")
        assert answer.status_code == 403
        assert "Only the student" in text_of(answer)
    answer = stage["student"].post(f"{offered}/withdraw", on="/profile", version="1")
    assert answer.status_code == 403
    for verb in ("accept", "decline", "withdraw"):
        for name in ("stranger", "admin"):
            answer = stage[name].post(f"{offered}/{verb}", on="/profile", version="1")
            assert answer.status_code == 404, (verb, name)
        assert stage["student"].get(f"{offered}/{verb}").status_code == 405
        assert Visitor(stage.app).post(f"{offered}/{verb}").status_code == 303
    assert proposal(offered).status == "pending"


def test_a_stale_page_is_not_acted_on(stage: Stage, offered: str) -> None:
    hidden = re.search(r'name="version" value="(\d+)"', stage["student"].get(offered).text)
    assert hidden
    assert hidden[1] == "1"
    stale = stage["student"].post(f"{offered}/accept", on=offered, version="7")
    assert stale.status_code == 409
    assert "changed since you opened the page" in text_of(stale)
    assert 'name="version" value="1"' in stale.text
    assert proposal(offered).status == "pending"


def test_strangers_find_nothing_and_the_administrator_reads_along(
    stage: Stage, offered: str
) -> None:
    assert stage["stranger"].get(offered).status_code == 404
    assert stage["student"].get("/proposals/999999").status_code == 404
    page = stage["admin"].get(offered)
    assert page.status_code == 200
    assert f"{offered}/accept" not in page.text
    assert f"{offered}/withdraw" not in page.text
    assert Visitor(stage.app).get(offered).status_code == 303


def test_the_list_tells_sent_from_received(stage: Stage, offered: str) -> None:
    for odd in ("", "?box=received", "?box=nonsense", "?before=x", "?before=-3"):
        assert "Speaking up" in text_of(stage["student"].get(f"/proposals{odd}")), odd
    assert "Nothing sent yet" in text_of(stage["student"].get("/proposals?box=sent"))
    assert "to Amara Okafor" in text_of(stage["coach"].get("/proposals?box=sent"))
    assert "Nothing received yet" in text_of(stage["coach"].get("/proposals?box=received"))


def test_the_list_goes_on_by_key(stage: Stage) -> None:
    with db.transaction():
        for n in range(22):
            people.proposal(
                stage.cast.coach, stage.cast.student, title=f"Topic {n:02}", created_at=NOW
            )
    first = stage["student"].get("/proposals?box=received")
    following = re.search(r'href="(/proposals\?box=received&amp;before=\d+)"', first.text)
    assert following
    second = stage["student"].get(following[1].replace("&amp;", "&"))
    assert "Topic 00" in second.text
    assert "Topic 21" not in second.text
