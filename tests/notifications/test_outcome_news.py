"""What is told of an outcome check: who is asked, and what both hear of a case."""

from skileez import db
from skileez.sessions import actions, outcome_check
from skileez.sessions.presence import OutcomeCase
from tests.cast import HOUR, MINUTE, NOW, WHY, Cast
from tests.notifications.conftest import Post
from tests.notifications.test_core import deliveries, pass_time

DUE = NOW + 62 * HOUR


def say(cast: Cast, session_id: int, by: str, outcome: str) -> None:
    with db.transaction():
        found = actions.find_for(cast.actor(by), session_id)
        outcome_check.say_outcome(found, by, outcome, actor=cast.actor(by), now=DUE)


def test_the_other_is_asked_and_agreement_is_told_as_the_end_it_is(cast: Cast, post: Post) -> None:
    session = cast.book()
    pass_time(NOW + 61 * HOUR)
    post.sent.clear()
    say(cast, session.id, "student", "coach_absent")
    pass_time(DUE)
    # Who has said it already is not asked how it went.
    assert sorted(post.subjects) == [
        ("Jonas Lindqvist", "Amara Okafor says how session 1 went"),
        ("Jonas Lindqvist", "How did session 1 go?"),
    ]
    letter = next(one for _name, one in post.sent if "says how" in one.subject)
    assert "Amara Okafor says: the coach was absent. What do you say?" in letter.text
    assert letter.url == f"https://sessions.example/sessions/{session.id}/outcome"
    say(cast, session.id, "coach", "coach_absent")
    pass_time(DUE + MINUTE)
    # That the coach agrees is told by what follows from it.
    assert post.subjects[2:] == [("Amara Okafor", "Session 1 was marked as missed")]


def test_both_hear_that_a_case_is_opened_and_how_it_is_decided(cast: Cast, post: Post) -> None:
    session = cast.book()
    pass_time(DUE - MINUTE)
    post.sent.clear()
    say(cast, session.id, "student", "coach_absent")
    say(cast, session.id, "coach", "held")
    pass_time(DUE)
    assert {subject for _name, subject in post.subjects} == {"An administrator looks at session 1"}
    assert {name for name, _subject in post.subjects} == {"Amara Okafor", "Jonas Lindqvist"}
    words = " ".join(post.sent[0][1].text.split())
    assert "The student: the coach was absent. The coach: it was held." in words
    post.sent.clear()
    with db.transaction():
        found, case = outcome_check.find_case(OutcomeCase.query.one().id)
        actor = cast.actor("admin")
        outcome_check.decide_case(found, case, "technical", WHY, actor=actor, now=DUE)
    pass_time(DUE + MINUTE)
    subject = "It is decided what became of session 1"
    assert sorted(post.subjects) == [("Amara Okafor", subject), ("Jonas Lindqvist", subject)]
    text = " ".join(post.sent[0][1].text.split())
    assert "An administrator decided: there was a technical problem." in text
    assert "The session is cancelled: it is not paid, and its credit returns" in text
    assert WHY in text
    assert {one.kind for one in deliveries(channel="mail", at=DUE) if one.sent_at} == {
        "session.case_opened",
        "session.case_closed",
    }
