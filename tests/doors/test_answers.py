"""Answering from a mail, without signing in: what the page shows, and what a press does."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from skileez import db, worker
from skileez.accounts.models import Person
from skileez.config import Settings
from skileez.notifications import channels
from skileez.notifications.models import AnswerLink
from skileez.sessions import actions
from skileez.sessions.rules import Status
from tests.cast import DAY, HOUR, MINUTE, NOW, WHY
from tests.doors.stage import Stage
from tests.doors.visitor import Visitor, text_of
from tests.notifications.conftest import Post

WANTED = (NOW + 70 * HOUR, NOW + 71 * HOUR)
LINK = re.compile(r"^(.+): \S*(/answer/\S+)$", re.MULTILINE)


class Mailbox(Post):
    """What was mailed, and the links in it."""

    def paths(self, who: str | None = None) -> dict[str, str]:
        return {
            text: path
            for name, letter in self.sent
            if who in (None, name)
            for text, path in LINK.findall(letter.text)
        }


@pytest.fixture
def mailbox(stage: Stage) -> Mailbox:
    mailbox = Mailbox()
    channels.add(mailbox)
    return mailbox


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """A browser where nobody ever signed in."""
    return Visitor(app)


def arrive(stage: Stage, mailbox: Mailbox, after: timedelta = timedelta()) -> None:
    stage.after(after)
    mailbox.sent.clear()
    worker.once(NOW + after)
    db.session.remove()


def ask(stage: Stage, session_id: int, by: str = "student") -> None:
    with db.transaction():
        actions.find_any(session_id).request_reschedule(
            by, WHY, proposed_times=WANTED, actor=stage.cast.actor(by), now=NOW
        )


def requested(stage: Stage, mailbox: Mailbox) -> int:
    session_id = stage.book(60 * HOUR, by="coach")
    arrive(stage, mailbox)
    ask(stage, session_id)
    arrive(stage, mailbox)
    return session_id


def booked(stage: Stage, mailbox: Mailbox) -> int:
    arrive(stage, mailbox)
    session_id = stage.book(60 * HOUR)
    arrive(stage, mailbox)
    return session_id


def overdue(stage: Stage, mailbox: Mailbox) -> int:
    session_id = stage.book(2 * HOUR, by="coach")
    arrive(stage, mailbox)
    arrive(stage, mailbox, 3 * HOUR + 15 * MINUTE)
    return session_id


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


APPROVE, DECLINE = "Approve Thu 5 Mar 2026, 05:00", "Decline"
CONFIRM, HELD, ALONE = "Confirm the session", "It took place", "I was alone"
ACTS = pytest.mark.parametrize(
    ("happens", "button", "shows", "does"),
    [
        (requested, APPROVE, "Move the session to this time?", "session.reschedule_approved"),
        (requested, DECLINE, "Decline, and keep the time?", "session.reschedule_declined"),
        (booked, CONFIRM, "Confirm the session?", "session.confirmed"),
        (overdue, HELD, "Did the session take place?", None),
        (overdue, ALONE, "Were you alone?", None),
    ],
)
Happens = Callable[[Stage, Mailbox], int]


@ACTS
def test_a_link_shows_what_it_does_and_a_press_does_it(
    stage: Stage,
    mailbox: Mailbox,
    visitor: Visitor,
    happens: Happens,
    button: str,
    shows: str,
    does: str | None,
) -> None:
    session_id = happens(stage, mailbox)
    path = mailbox.paths("Jonas Lindqvist")[button]
    page = visitor.get(path)
    said = text_of(page)
    assert page.status_code == 200
    assert shows in said
    assert "You answer as Jonas Lindqvist, without signing in." in said
    assert "Amara Okafor" in said
    assert "(GMT-5)" in said or "New York, GMT-5" in said
    assert "Berlin, GMT+1" in said
    assert "The link works once, until" in said
    assert (WHY in said) is (happens is requested)
    assert f'action="{path}"' in page.text
    told = len(stage.verbs(session_id))
    done = press(visitor, path)
    assert done.status_code == 200
    assert "How the session stands" in text_of(done)
    verbs = stage.verbs(session_id)
    assert len(verbs) > told
    assert does is None or verbs[-1] == does
    for answer in (page, done):
        assert "Set-Cookie" not in answer.headers
    assert not visitor.is_signed_in()


@ACTS
def test_whatever_only_looks_changes_nothing(
    stage: Stage,
    mailbox: Mailbox,
    visitor: Visitor,
    happens: Happens,
    button: str,
    shows: str,
    does: str | None,
) -> None:
    happens(stage, mailbox)
    path = mailbox.paths()[button]
    before = everything()
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
        visitor.client.open(path, method=method)
    visitor.get(path, headers={"User-Agent": "Mail scanner", "Purpose": "prefetch"})
    assert everything() == before


def test_no_other_page_and_no_search_engine_hears_of_the_address(
    stage: Stage, mailbox: Mailbox, visitor: Visitor
) -> None:
    requested(stage, mailbox)
    path = mailbox.paths()[DECLINE]
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
    stage: Stage, mailbox: Mailbox, visitor: Visitor, headers: dict[str, str]
) -> None:
    session_id = requested(stage, mailbox)
    answer = visitor.client.post(mailbox.paths()[APPROVE], headers=headers)
    assert answer.status_code == 200
    assert stage.session(session_id).scheduled_at == WANTED[0]


def test_a_second_press_says_that_it_is_done_and_how_the_session_stands(
    stage: Stage, mailbox: Mailbox, visitor: Visitor
) -> None:
    session_id = requested(stage, mailbox)
    path = mailbox.paths()[APPROVE]
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
    stage: Stage, mailbox: Mailbox, visitor: Visitor
) -> None:
    session_id = requested(stage, mailbox)
    paths = mailbox.paths()
    press(visitor, paths[APPROVE])
    told = stage.verbs(session_id)
    answer = press(visitor, paths[DECLINE])
    assert answer.status_code == 410
    assert "Things have moved on" in text_of(answer)
    assert stage.verbs(session_id) == told


def test_a_link_of_a_request_that_was_countered_does_nothing(
    stage: Stage, mailbox: Mailbox, visitor: Visitor
) -> None:
    session_id = requested(stage, mailbox)
    paths = mailbox.paths()
    with db.transaction():
        actions.find_any(session_id).counter_reschedule(
            "coach", [NOW + 80 * HOUR], actor=stage.cast.actor("coach"), now=NOW + MINUTE
        )
    before = everything()
    for path in paths.values():
        assert visitor.get(path).status_code == 410
        assert press(visitor, path).status_code == 410
    assert everything() == before
    # The mail of the counter-proposal goes to the other one, who can answer by it.
    arrive(stage, mailbox, 2 * MINUTE)
    assert press(visitor, mailbox.paths("Amara Okafor")[DECLINE]).status_code == 200


def test_a_link_that_ended_tells_nothing(stage: Stage, mailbox: Mailbox, visitor: Visitor) -> None:
    requested(stage, mailbox)
    path = mailbox.paths()[DECLINE]
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


def test_a_closed_account_s_link_tells_nothing(
    stage: Stage, mailbox: Mailbox, visitor: Visitor
) -> None:
    requested(stage, mailbox)
    path = mailbox.paths()[DECLINE]
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


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token + "=",
        lambda token: token.swapcase(),
        lambda token: "A" * 43,
        lambda token: "' OR 1=1 --",
        lambda token: "x" * 5000,
        lambda token: "ä€",
    ],
)
def test_a_link_that_never_was_is_not_found(
    stage: Stage, mailbox: Mailbox, visitor: Visitor, change: Callable[[str], str]
) -> None:
    requested(stage, mailbox)
    token = mailbox.paths()[DECLINE].removeprefix("/answer/")
    before = everything()
    for answer in (
        visitor.get(f"/answer/{change(token)}"),
        press(visitor, f"/answer/{change(token)}"),
    ):
        assert answer.status_code == 404
        assert "This link is not known" in text_of(answer)
        assert "Amara" not in answer.text
    assert everything() == before


def test_a_refused_act_says_why_and_where_to_sign_in(
    stage: Stage, mailbox: Mailbox, visitor: Visitor
) -> None:
    session_id = requested(stage, mailbox)
    path = mailbox.paths()[APPROVE]
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
    stage: Stage, mailbox: Mailbox, visitor: Visitor
) -> None:
    session_id = overdue(stage, mailbox)
    path = mailbox.paths("Jonas Lindqvist")[HELD]
    with db.transaction():
        actions.find_any(session_id).cancel_session(
            by="coach", reason=WHY, actor=stage.cast.actor("coach"), now=NOW + 4 * HOUR
        )
    answer = press(visitor, path)
    assert answer.status_code == 409
    assert "What became of this session is settled: it is cancelled." in text_of(answer)
    assert stage.session(session_id).status == Status.CANCELLED


def test_the_page_tells_what_a_word_on_the_outcome_comes_to(
    stage: Stage, mailbox: Mailbox, visitor: Visitor
) -> None:
    session_id = overdue(stage, mailbox)
    mine, theirs = mailbox.paths("Jonas Lindqvist"), mailbox.paths("Amara Okafor")
    assert "Amara Okafor is asked as well." in text_of(visitor.get(mine[HELD]))
    assert "It is settled once the other side says the same." in text_of(press(visitor, mine[HELD]))
    assert "Progress goes to 1 of 6 sessions." in text_of(visitor.get(theirs[HELD]))
    assert "Jonas Lindqvist says otherwise" in text_of(visitor.get(theirs[ALONE]))
    assert "Completed" in text_of(press(visitor, theirs[HELD]))
    assert stage.session(session_id).status == Status.COMPLETED


@pytest.mark.parametrize("reader", ["student", "stranger", "admin"])
def test_a_link_acts_for_its_own_person_whoever_is_signed_in_here(
    stage: Stage, mailbox: Mailbox, reader: str
) -> None:
    session_id = requested(stage, mailbox)
    path = mailbox.paths()[APPROVE]
    page = stage[reader].get(path)
    assert "You answer as Jonas Lindqvist" in text_of(page)
    assert "Sign out" not in page.text
    assert stage[reader].client.post(path).status_code == 200
    with db.transaction():
        last = stage.verbs(session_id)[-1]
    assert last == "session.reschedule_approved"
    assert stage.session(session_id).confirmed_by_coach
    assert stage[reader].is_signed_in()


def test_a_link_opens_nothing_else(stage: Stage, mailbox: Mailbox, visitor: Visitor) -> None:
    session_id = requested(stage, mailbox)
    path = mailbox.paths()[APPROVE]
    visitor.get(path)
    press(visitor, path)
    for page in (f"/sessions/{session_id}", "/dashboard", "/profile", "/sessions"):
        assert visitor.get(page).location.startswith("/sign-in")


def test_too_many_dead_links_from_one_address_have_to_wait(
    stage: Stage, mailbox: Mailbox, visitor: Visitor, settings: Settings
) -> None:
    requested(stage, mailbox)
    for _ in range(settings.sign_in_failures_per_address):
        assert press(visitor, "/answer/guess").status_code == 404
    assert press(visitor, "/answer/guess").status_code == 429
    assert press(visitor, mailbox.paths()[DECLINE]).status_code == 429
    with db.transaction():
        used = [one.used_at for one in db.session.scalars(select(AnswerLink))]
    assert used == [None] * 3
