"""Answering from a mail, without signing in: what the page shows, and what a press does."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from skileez import db, worker
from skileez.accounts.models import Person
from skileez.config import Settings
from skileez.notifications import channels, links
from skileez.notifications.models import AnswerLink
from skileez.outbox import Waiting
from skileez.sessions import actions
from skileez.sessions.rules import Status
from tests.cast import DAY, HOUR, MINUTE, NOW, WHY
from tests.doors.stage import Stage
from tests.doors.visitor import Visitor, text_of
from tests.notifications import answering
from tests.notifications.answering import WANTED
from tests.notifications.conftest import Post


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """A browser where nobody ever signed in."""
    return Visitor(app)


def paths(found: dict[str, str]) -> dict[str, str]:
    return {act: links.PATH.format(token) for act, token in found.items()}


def requested(stage: Stage) -> tuple[int, dict[str, str]]:
    session, found = answering.requested(stage.cast)
    return session.id, paths(found)


def booked(stage: Stage) -> tuple[int, dict[str, str]]:
    session, found = answering.booked(stage.cast)
    return session.id, paths(found)


def overdue(stage: Stage) -> tuple[int, dict[str, str]]:
    stage.after(4 * HOUR)
    session, found, _ = answering.overdue(stage.cast)
    return session.id, paths(found)


def everything() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    db.session.remove()
    return {
        name: sorted((tuple(row) for row in db.session.execute(select(table))), key=repr)
        for name, table in db.Model.metadata.tables.items()
    }


def press(visitor: Visitor, path: str) -> TestResponse:
    """As the page's form does: without a single field."""
    return visitor.client.post(path, buffered=True)


Happens = Callable[[Stage], tuple[int, dict[str, str]]]
ACTS = pytest.mark.parametrize(
    ("happens", "act", "shows", "does"),
    [
        (requested, "approve", "Move the session to this time?", "session.reschedule_approved"),
        (requested, "decline", "Decline, and keep the time?", "session.reschedule_declined"),
        (booked, "confirm", "Confirm the session?", "session.confirmed"),
        (overdue, "held", "Did the session take place?", "session.outcome_said"),
        (overdue, "alone", "Were you alone?", "session.outcome_said"),
    ],
)


@ACTS
def test_a_link_shows_what_it_does_and_a_press_does_it(
    stage: Stage, visitor: Visitor, happens: Happens, act: str, shows: str, does: str
) -> None:
    session_id, found = happens(stage)
    page = visitor.get(found[act])
    said = text_of(page)
    assert page.status_code == 200
    assert shows in said
    assert "You answer as Jonas Lindqvist, without signing in." in said
    assert "Amara Okafor" in said
    assert "Your time: New York, GMT-5" in said
    assert "Berlin, GMT+1" in said
    assert "The link works once, until" in said
    assert (WHY in said) is (happens is requested)
    assert f'action="{found[act]}"' in page.text
    done = press(visitor, found[act])
    assert done.status_code == 200
    assert "How the session stands" in text_of(done)
    assert stage.verbs(session_id)[-1] == does
    for answer in (page, done):
        assert "Set-Cookie" not in answer.headers
    assert not visitor.is_signed_in()


@ACTS
def test_the_life_of_the_session_says_that_an_answer_came_by_mail(
    stage: Stage, visitor: Visitor, happens: Happens, act: str, shows: str, does: str
) -> None:
    session_id, found = happens(stage)
    page = f"/sessions/{session_id}"
    assert "by a link in a mail" not in text_of(stage["student"].get(page))
    press(visitor, found[act])
    said = text_of(stage["student"].get(page))
    assert said.count("by a link in a mail") == 1
    assert "Jonas Lindqvist (coach), by a link in a mail, " in said


@ACTS
def test_whatever_only_looks_changes_nothing(
    stage: Stage, visitor: Visitor, happens: Happens, act: str, shows: str, does: str
) -> None:
    path = happens(stage)[1][act]
    before = everything()
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
        visitor.client.open(path, method=method)
    visitor.get(path, headers={"User-Agent": "Mail scanner", "Purpose": "prefetch"})
    assert everything() == before


def test_the_button_in_a_mail_leads_to_its_page(stage: Stage, visitor: Visitor) -> None:
    post = Post()
    channels.add(post)
    session = stage.cast.book(by="coach")
    with db.transaction():
        db.session.execute(delete(Waiting))
    answering.ask(stage.cast, session)
    worker.once(NOW)
    (letter,) = [letter for _, letter in post.sent]
    path = re.findall(r"/answer/\S+", letter.text)[1]
    assert f'href="{path}"' in letter.html
    assert "06:00 Thursday 5 March 2026" in text_of(visitor.get(path))


def test_no_other_page_and_no_search_engine_hears_of_the_address(
    stage: Stage, visitor: Visitor
) -> None:
    _, found = requested(stage)
    path = found["decline"]
    for answer in (visitor.get(path), press(visitor, path), visitor.get("/answer/no-such")):
        assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert '<meta name="robots" content="noindex, nofollow">' in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},  # what a browser says for a page that is told to nobody
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_a_press_needs_no_cookie_and_no_token(
    stage: Stage, visitor: Visitor, headers: dict[str, str]
) -> None:
    session_id, found = requested(stage)
    answer = visitor.client.post(found["approve"], headers=headers)
    assert answer.status_code == 200
    assert stage.session(session_id).scheduled_at == WANTED[0]


def test_a_second_press_says_that_it_is_done_and_how_the_session_stands(
    stage: Stage, visitor: Visitor
) -> None:
    session_id, found = requested(stage)
    path = found["approve"]
    press(visitor, path)
    told = stage.verbs(session_id)
    for answer in (press(visitor, path), visitor.get(path)):
        said = text_of(answer)
        assert answer.status_code == 410
        assert "This is done already" in said
        assert "05:00 Thursday 5 March 2026" in said
        assert "Confirmed" in said
        assert "Amara" not in said
        assert WHY not in said
    assert stage.verbs(session_id) == told


def test_the_other_answers_of_a_mail_are_overtaken_by_the_first(
    stage: Stage, visitor: Visitor
) -> None:
    session_id, found = requested(stage)
    press(visitor, found["approve"])
    told = stage.verbs(session_id)
    answer = press(visitor, found["decline"])
    assert answer.status_code == 410
    assert "Things have moved on" in text_of(answer)
    assert stage.verbs(session_id) == told


def test_a_link_of_a_request_that_was_countered_does_nothing(
    stage: Stage, visitor: Visitor
) -> None:
    session_id, found = requested(stage)
    with db.transaction():
        actions.find_any(session_id).counter_reschedule(
            "coach", [NOW + 80 * HOUR], actor=stage.cast.actor("coach"), now=NOW + MINUTE
        )
    before = everything()
    for path in found.values():
        assert visitor.get(path).status_code == 410
        assert press(visitor, path).status_code == 410
    assert everything() == before
    # The mail of the counter-proposal goes to the other one, who can answer by it.
    session = stage.session(session_id)
    theirs = paths(answering.tokens(session, answering.COUNTERED, stage.cast.student))
    stage.after(2 * MINUTE)
    assert press(visitor, theirs["decline"]).status_code == 200


def test_a_link_that_ended_tells_nothing(stage: Stage, visitor: Visitor) -> None:
    _, found = requested(stage)
    path = found["decline"]
    stage.after(DAY)
    before = everything()
    for answer in (visitor.get(path), press(visitor, path)):
        assert answer.status_code == 410
        said = text_of(answer)
        assert "This link has ended" in said
        assert "Tue 3 Mar 2026, 07:00" in said
        for private in ("Amara", "Jonas", "Speaking", WHY, "Scheduled", "Open the session"):
            assert private not in said
    assert everything() == before


def test_a_closed_account_s_link_tells_nothing(stage: Stage, visitor: Visitor) -> None:
    _, found = requested(stage)
    path = found["decline"]
    with db.transaction():
        db.session.get_one(Person, stage.cast.coach.id).active = False
    before = everything()
    for answer in (visitor.get(path), press(visitor, path)):
        assert answer.status_code == 410
        said = text_of(answer)
        assert "This link no longer works" in said
        for private in ("Amara", "Jonas", "Speaking", "How the session stands"):
            assert private not in said
    assert everything() == before


def test_a_link_that_never_was_is_not_found(stage: Stage, visitor: Visitor) -> None:
    path = requested(stage)[1]["decline"]
    made_up = (path[8:].swapcase(), "A" * 43, "' OR 1=1 --", "x" * 5000, "ä€", "..")
    before = everything()
    for other in (path[:-1], f"{path}=", *(f"/answer/{one}" for one in made_up)):
        for answer in (visitor.get(other), press(visitor, other)):
            assert answer.status_code == 404
            assert "Amara" not in answer.text
    assert "This link is not known" in text_of(visitor.get(path[:-1]))
    assert everything() == before


def test_a_link_that_never_was_is_not_found_by_who_signs_in_here(visitor: Visitor) -> None:
    visitor.get("/sign-in")  # its form begins a session of the browser
    answer = visitor.get("/answer/no-such")
    assert answer.status_code == 404
    assert "This link is not known" in text_of(answer)


def test_a_refused_act_says_why_and_where_to_sign_in(stage: Stage, visitor: Visitor) -> None:
    session_id, found = requested(stage)
    path = found["approve"]
    stage.book(70 * HOUR + 30 * MINUTE, by="coach")
    before = everything()
    for answer in (visitor.get(path), press(visitor, path)):
        said = text_of(answer)
        assert answer.status_code == 409
        # In the zone of the link's person.
        assert "At Thu 5 Mar 2026, 05:00 the coach already has another session." in said
        assert f'href="/sessions/{session_id}"' in answer.text
    assert everything() == before
    assert visitor.get(f"/sessions/{session_id}").location.startswith("/sign-in")


def test_an_outcome_of_a_session_that_has_one_is_refused_with_its_state(
    stage: Stage, visitor: Visitor
) -> None:
    session_id, found = overdue(stage)
    path = found["held"]
    with db.transaction():
        actions.find_any(session_id).cancel_session(
            by="coach", reason=WHY, actor=stage.cast.actor("coach"), now=NOW + 4 * HOUR
        )
    answer = press(visitor, path)
    assert answer.status_code == 409
    assert "What became of this session is settled: it is cancelled." in text_of(answer)
    assert stage.session(session_id).status == Status.CANCELLED


def test_the_page_tells_what_a_word_on_the_outcome_comes_to(stage: Stage, visitor: Visitor) -> None:
    stage.after(4 * HOUR)
    session, coachs, students = answering.overdue(stage.cast)
    mine, theirs = paths(coachs), paths(students)
    assert "Amara Okafor is asked as well." in text_of(visitor.get(mine["held"]))
    noted = text_of(press(visitor, mine["held"]))
    assert "It is settled once the other side says the same." in noted
    assert "Progress goes to 1 of 6 sessions." in text_of(visitor.get(theirs["held"]))
    assert "Jonas Lindqvist says otherwise" in text_of(visitor.get(theirs["alone"]))
    assert "Completed" in text_of(press(visitor, theirs["held"]))
    assert stage.session(session.id).status == Status.COMPLETED


@pytest.mark.parametrize("reader", ["student", "stranger", "admin"])
def test_a_link_acts_for_its_own_person_whoever_is_signed_in_here(
    stage: Stage, reader: str
) -> None:
    session_id, found = requested(stage)
    path = found["approve"]
    page = stage[reader].get(path)
    assert "You answer as Jonas Lindqvist" in text_of(page)
    assert "Sign out" not in page.text
    assert stage[reader].client.post(path).status_code == 200
    with db.transaction():
        last = stage.verbs(session_id)[-1]
    assert last == "session.reschedule_approved"
    assert stage.session(session_id).confirmed_by_coach
    assert stage[reader].is_signed_in()


def test_a_link_opens_nothing_else(stage: Stage, visitor: Visitor) -> None:
    session_id, found = requested(stage)
    path = found["approve"]
    visitor.get(path)
    press(visitor, path)
    for page in (f"/sessions/{session_id}", "/dashboard", "/profile", "/sessions"):
        assert visitor.get(page).location.startswith("/sign-in")


def test_too_many_dead_links_from_one_address_have_to_wait(
    stage: Stage, visitor: Visitor, settings: Settings
) -> None:
    _, found = requested(stage)
    for _ in range(settings.sign_in_failures_per_address):
        assert press(visitor, "/answer/guess").status_code == 404
    assert press(visitor, "/answer/guess").status_code == 429
    assert press(visitor, found["decline"]).status_code == 429
    with db.transaction():
        used = [one.used_at for one in db.session.scalars(select(AnswerLink))]
    assert used == [None] * 3
