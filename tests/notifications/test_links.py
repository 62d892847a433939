"""Links that answer from a mail: made once, followed once, by one person, for one act."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete, select

from skileez import db, worker
from skileez.accounts.models import Person
from skileez.errors import NotFound, Refused
from skileez.notifications import about, channels, letters, links, sending
from skileez.notifications.channels import Failed
from skileez.notifications.link_rules import Act
from skileez.notifications.models import AnswerLink, Delivery, Standing
from skileez.outbox import Waiting
from skileez.sessions import actions
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, MINUTE, NOW, Cast
from tests.notifications.answering import (
    COUNTERED,
    WANTED,
    ask,
    booked,
    overdue,
    requested,
    tokens,
)
from tests.notifications.conftest import Post
from tests.races.arena import race
from tests.sessions.stage import events_of

PREFIX = "https://sessions.example/answer/"


@pytest.fixture(autouse=True)
def key(cast: Cast) -> Iterator[None]:
    links.configure("a secret key that is only good for tests")
    yield
    links._key = None


def told_by_mail(cast: Cast, post: Post) -> Session:
    """A session that the student asks to move; the worker told the coach of that alone."""
    session = cast.book(by="coach")
    with db.transaction():
        db.session.execute(delete(Waiting))
    ask(cast, session)
    worker.once(NOW)
    db.session.remove()
    return session


def answers(post: Post) -> dict[str, str]:
    """The answer buttons of the mails: what each says, and its token."""
    return {
        text: url.removeprefix(PREFIX)
        for _, letter in post.sent
        for text, _, url in (line.rpartition(": ") for line in letter.text.splitlines())
        if url.startswith(PREFIX)
    }


def rows() -> list[AnswerLink]:
    db.session.remove()
    return list(db.session.scalars(select(AnswerLink).order_by(AnswerLink.id)))


def follow(token: str, now: datetime = NOW) -> Any:
    with db.transaction():
        return links.follow(token, now)


def refused(token: str, now: datetime = NOW) -> str:
    with pytest.raises(Refused) as caught:
        follow(token, now)
    return caught.value.code


def test_a_request_s_mail_has_a_link_for_each_time_and_one_to_decline(
    cast: Cast, post: Post
) -> None:
    session = told_by_mail(cast, post)
    found = answers(post)
    assert list(found) == [
        "Approve Thu 5 Mar 2026, 05:00",
        "Approve Thu 5 Mar 2026, 06:00",
        "Decline",
    ]
    made = rows()
    assert [(one.act, one.new_time) for one in made] == [
        *((Act.APPROVE, time) for time in WANTED),
        (Act.DECLINE, None),
    ]
    for one, token in zip(made, found.values(), strict=True):
        assert (one.person_id, one.session_id) == (cast.coach.id, session.id)
        assert (one.asked_at, one.expires_at) == (NOW, NOW + DAY)
        assert one.token_hash == hashlib.sha256(token.encode()).hexdigest()
        assert len(token) == 43
    (letter,) = [letter for _, letter in post.sent]
    assert letter.url.endswith(f"/sessions/{session.id}/reschedule-approval")
    assert "works until Tue 3 Mar 2026, 07:00 (New York, GMT-5)" in " ".join(letter.text.split())
    assert letter.html.count(PREFIX) == 3


def test_a_mail_that_is_sent_once_more_carries_the_same_links(cast: Cast, post: Post) -> None:
    post.fails = Failed("the mail server is away")
    told_by_mail(cast, post)
    first = [one.token_hash for one in rows()]
    assert len(first) == 3
    post.fails = None
    worker.once(NOW + MINUTE)
    assert len(answers(post)) == 3
    made = rows()
    assert [one.token_hash for one in made] == first
    assert {one.created_at for one in made} == {NOW}


def test_only_mails_carry_links_and_only_while_they_are_sent(cast: Cast, post: Post) -> None:
    told_by_mail(cast, post)
    before = len(rows())
    made = list(db.session.scalars(select(Delivery)))
    assert {one.channel for one in made} == {channels.APP, channels.MAIL}
    with db.transaction():
        for one in made:
            delivery = sending._find(one.id)
            assert delivery is not None
            assert delivery.status == Standing.SENT
            assert PREFIX not in letters.write(delivery, about.find(delivery), NOW).text
            if delivery.channel == channels.APP:
                delivery.status, delivery.sent_at = Standing.WAITING, None
                assert links.make(delivery, Session.query.first(), "coach", NOW) == []
    assert len(rows()) == before
    assert links.BY == channels.MAIL


def test_no_links_without_a_key(cast: Cast, post: Post) -> None:
    links._key = None
    told_by_mail(cast, post)
    assert post.sent
    assert rows() == []


def test_another_key_another_reader_another_request_another_token(cast: Cast) -> None:
    session, first = requested(cast)
    links.configure("another secret key that is only good for tests")
    others = tokens(session, COUNTERED, cast.coach)
    assert not set(first.values()) & set(others.values())
    assert len(set(first.values())) == 3


def test_an_approval_moves_the_session_as_its_person(cast: Cast) -> None:
    session, found = requested(cast)
    follow(found["approve 2"], NOW + HOUR)
    last = events_of(session.id)[-1]
    assert (last.verb, last.role, last.actor_id) == (
        "session.reschedule_approved",
        "coach",
        cast.coach.id,
    )
    assert (last.new_time, last.details["via"]) == (WANTED[1], "mail")
    assert Session.query.get(session.id).confirmed_by_coach
    assert [one.used_at for one in rows()] == [None, NOW + HOUR, None]


def test_declining_by_a_link_keeps_the_time(cast: Cast) -> None:
    session, found = requested(cast, by="coach")
    follow(found["decline"])
    last = events_of(session.id)[-1]
    assert (last.verb, last.role) == ("session.reschedule_declined", "student")
    assert Session.query.get(session.id).scheduled_at == NOW + 60 * HOUR


def test_a_coach_confirms_by_a_link(cast: Cast) -> None:
    session, found = booked(cast)
    assert list(found) == ["confirm"]
    follow(found["confirm"])
    last = events_of(session.id)[-1]
    assert (last.verb, last.role, last.details) == ("session.confirmed", "coach", {"via": "mail"})


def test_both_say_by_links_that_it_took_place(cast: Cast) -> None:
    session, mine, theirs = overdue(cast)
    assert list(mine) == list(theirs) == ["held", "alone"]
    follow(mine["held"], NOW + 4 * HOUR)
    last = events_of(session.id)[-1]
    assert (last.verb, last.role, last.actor_id, last.details) == (
        "session.outcome_said",
        "coach",
        cast.coach.id,
        {"outcome": "held", "via": "mail"},
    )
    follow(theirs["held"], NOW + 5 * HOUR)
    assert Session.query.get(session.id).status == "completed"
    assert refused(theirs["alone"], NOW + 6 * HOUR) == "outcome_settled"


def test_somebody_who_was_alone_says_so_and_may_think_better_of_it(cast: Cast) -> None:
    session, _, mine = overdue(cast)
    follow(mine["alone"], NOW + 4 * HOUR)
    assert events_of(session.id)[-1].details["outcome"] == "coach_absent"
    follow(mine["held"], NOW + 5 * HOUR)
    assert events_of(session.id)[-1].details["outcome"] == "held"
    assert refused(mine["alone"], NOW + 5 * HOUR) == "link_used"


def test_two_accounts_that_differ_are_a_case(cast: Cast) -> None:
    session, mine, theirs = overdue(cast)
    follow(mine["held"], NOW + 4 * HOUR)
    follow(theirs["alone"], NOW + 4 * HOUR)
    assert events_of(session.id)[-1].verb == "session.case_opened"
    assert Session.query.get(session.id).status == "scheduled"


def test_a_link_works_once(cast: Cast) -> None:
    session, found = requested(cast)
    follow(found["decline"])
    told = len(events_of(session.id))
    assert refused(found["decline"]) == "link_used"
    assert links.look(found["decline"], NOW).why_not.code == "link_used"
    assert len(events_of(session.id)) == told


def test_of_one_mail_s_answers_the_first_stands(cast: Cast) -> None:
    _, found = requested(cast)
    follow(found["approve"])
    assert refused(found["approve 2"]) == refused(found["decline"]) == "link_overtaken"


def test_a_token_that_was_changed_is_nobody_s(cast: Cast) -> None:
    _, found = requested(cast)
    token = found["decline"]
    for other in ("", token + "A", token[:-1], token.swapcase()):
        with pytest.raises(NotFound):
            links.look(other, NOW)
        with pytest.raises(NotFound):
            follow(other)
    assert [one.used_at for one in rows()] == [None] * 3


def test_a_link_ends_with_the_time_to_answer(cast: Cast) -> None:
    _, found = requested(cast)
    assert links.look(found["decline"], NOW + DAY - MINUTE).why_not is None
    assert refused(found["decline"], NOW + DAY) == "link_expired"


def test_a_link_of_a_countered_request_answers_nothing(cast: Cast) -> None:
    session, found = requested(cast)
    with db.transaction():
        actions.find_any(session.id).counter_reschedule(
            "coach", [NOW + 80 * HOUR], actor=cast.actor("coach"), now=NOW + MINUTE
        )
    for token in found.values():
        assert refused(token, NOW + 2 * MINUTE) == "link_overtaken"
    # Nor does it when the same times are asked for anew.
    follow(tokens(session, COUNTERED, cast.student, NOW + 3 * MINUTE)["decline"], NOW + 3 * MINUTE)
    ask(cast, session, now=NOW + 4 * MINUTE)
    for token in found.values():
        assert refused(token, NOW + 5 * MINUTE) == "link_overtaken"


def test_a_confirmation_of_another_start_is_none(cast: Cast) -> None:
    session, found = booked(cast)
    ask(cast, session)
    with db.transaction():
        actions.find_any(session.id).approve_reschedule(WANTED[0], now=NOW)
    assert refused(found["confirm"]) == "link_overtaken"
    assert not Session.query.get(session.id).confirmed_by_coach


def test_a_time_that_was_taken_is_refused_and_the_link_still_works(cast: Cast) -> None:
    _, found = requested(cast)
    cast.book(70 * HOUR + 30 * MINUTE, by="coach")
    assert links.look(found["approve"], NOW).why_not.code == "time_taken"
    assert refused(found["approve"]) == refused(found["approve 2"]) == "time_taken"
    assert [one.used_at for one in rows()] == [None] * 3


def test_a_closed_account_answers_nothing(cast: Cast) -> None:
    _, found = requested(cast)
    with db.transaction():
        db.session.get_one(Person, cast.coach.id).active = False
    assert refused(found["decline"]) == "link_dead"
    assert not links.look(found["decline"], NOW).tells


def test_looking_at_a_link_changes_nothing(cast: Cast) -> None:
    _, found = requested(cast)
    db.read_only()
    for token in found.values():
        assert links.look(token, NOW).why_not is None
    assert not db.session.dirty
    assert [one.used_at for one in rows()] == [None] * 3


def test_of_many_presses_at_once_one_counts(cast: Cast, database: str) -> None:
    session, found = requested(cast)
    three = list(found.values())
    outcomes = race(database, lambda number: follow(three[number % 3]), clients=12)
    assert outcomes["won"] == 1
    assert set(outcomes) == {"won", "link_used", "link_overtaken"}
    assert outcomes["link_used"] == 3
    assert len([one for one in events_of(session.id) if one.details.get("via")]) == 1
