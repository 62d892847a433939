"""The join button, "I'm here", the outcome check, and the administrator's cases."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from skileez import db
from skileez.sessions import actions
from skileez.sessions.presence import CheckIn, OutcomeCase, OutcomeSaid
from tests.cast import HOUR, MINUTE, WHY
from tests.doors.stage import Stage
from tests.doors.visitor import text_of

LINK = "https://meet.example/room?a=1&b=2"
START = 60 * HOUR
OVER = START + 61 * MINUTE


@pytest.fixture
def session(stage: Stage) -> int:
    """A session in sixty hours, with a meeting link."""
    booked = stage.book(START)
    with db.transaction():
        one = actions.find_any(booked)
        one.set_meeting_url(LINK, "coach", actor=stage.cast.actor("coach"))
    db.session.remove()
    return booked


def say(stage: Stage, name: str, session: int, outcome: str, **fields: str) -> int:
    path = f"/sessions/{session}/outcome"
    return stage.send(name, path, path, outcome=outcome, **fields).status_code


def case_of(session: int) -> OutcomeCase:
    db.session.remove()
    return db.session.scalars(select(OutcomeCase).filter_by(session_id=session)).one()


# Checking in


def test_until_ten_minutes_before_the_page_says_when_check_in_opens(
    stage: Stage, session: int
) -> None:
    stage.after(START - 2 * HOUR - 20 * MINUTE)
    page = stage["student"].get(f"/sessions/{session}")
    assert "Check-in opens in 2 h 10 min, 10 min before the start." in text_of(page)
    assert f"/sessions/{session}/join" not in page.text
    assert "Attendance" not in page.text
    answer = stage["student"].post(f"/sessions/{session}/join", on="/sessions")
    assert answer.status_code == 409
    assert "Check-in opens in 2 h 10 min" in text_of(answer)
    assert not db.session.scalars(select(CheckIn)).all()


def test_joining_notes_the_presence_and_leads_to_the_meeting(stage: Stage, session: int) -> None:
    stage.after(START - 10 * MINUTE)
    path = f"/sessions/{session}"
    page = stage["student"].get(path)
    assert f'action="{path}/join" target="_blank" rel="noopener"' in page.text
    assert LINK not in page.text
    for _ in range(2):
        answer = stage.send("student", path, f"{path}/join")
        assert (answer.status_code, answer.location) == (303, f"{path}/meeting")
    shown = stage["student"].get(answer.location)
    escaped = LINK.replace("&", "&amp;")
    assert f'<meta http-equiv="refresh" content="0; url={escaped}">' in shown.text
    assert f'href="{escaped}"' in shown.text
    assert "form-action 'self'" in shown.headers["Content-Security-Policy"]
    assert stage.verbs(session)[-1:] == ["session.checked_in"]
    assert stage.verbs(session).count("session.checked_in") == 1
    seen = text_of(stage["coach"].get(path))
    assert "Attendance Amara Okafor Joined the meeting at" in seen
    assert "You Not checked in" in seen


def test_nobody_is_sent_on_to_the_meeting_unseen(stage: Stage, session: int) -> None:
    path = f"/sessions/{session}"
    stage.after(START)
    stage.send("coach", path, f"{path}/join")
    for who in ("student", "coach"):
        answer = stage[who].get(f"{path}/meeting")
        assert (answer.status_code == 200) == ("checked in" in answer.text) == (who == "coach")


def test_only_the_stored_link_is_ever_opened(stage: Stage, session: int) -> None:
    stage.after(START)
    path = f"/sessions/{session}"
    for field in ("link", "next", "url", "meeting_url"):
        answer = stage.send("coach", path, f"{path}/join?{field}=//evil", **{field: "https://evil"})
        assert answer.location == f"{path}/meeting"
        assert "evil" not in stage["coach"].get(f"{path}/meeting?{field}=https://evil").text


def test_im_here_is_pressed_once(stage: Stage, session: int) -> None:
    stage.after(START)
    path = f"/sessions/{session}"
    assert "Pressing either notes that you are there" in text_of(stage["student"].get(path))
    assert stage.send("coach", path, f"{path}/check-in").status_code == 303
    page = stage["coach"].get(path)
    assert "You are checked in." in text_of(page)
    assert "Pressing it notes that you are there" in text_of(page)
    assert f"{path}/check-in" not in page.text
    assert "You Said “I’m here” at" in text_of(page)


def test_without_a_link_one_says_im_here(stage: Stage) -> None:
    session = stage.book(START)
    stage.after(START)
    path = f"/sessions/{session}"
    page = stage["student"].get(path)
    assert f"{path}/join" not in page.text
    assert "Pressing it notes that you are there" in text_of(page)
    assert "No meeting link is set." in text_of(page)
    stage.send("student", path, f"{path}/check-in")
    assert "Pressing" not in text_of(stage["student"].get(path)), "there is no button any more"
    stage["student"].post(f"{path}/join", on="/sessions")
    assert "There is no meeting link" in text_of(stage["student"].get(f"{path}/meeting"))


def test_the_meeting_of_a_session_that_is_over_leads_back_to_it(stage: Stage, session: int) -> None:
    with db.transaction():
        one = actions.find_any(session)
        one.cancel_session(by="coach", reason=WHY, actor=stage.cast.actor("coach"))
    db.session.remove()
    answer = stage["student"].get(f"/sessions/{session}/meeting")
    assert (answer.status_code, answer.location) == (303, f"/sessions/{session}")


def test_strangers_and_administrators_find_nothing(stage: Stage, session: int) -> None:
    stage.after(OVER)
    for who in ("stranger", "admin"):
        for path in ("meeting", "outcome"):
            assert stage[who].get(f"/sessions/{session}/{path}").status_code == 404
    for verb in ("join", "check-in", "outcome"):
        for who in ("stranger", "admin"):
            to = f"/sessions/{session}/{verb}"
            answer = stage[who].post(to, on="/profile", outcome="held")
            assert answer.status_code == 404, to
    assert not db.session.scalars(select(CheckIn)).all()


def test_a_token_is_needed(stage: Stage, session: int) -> None:
    stage.after(START)
    for verb in ("join", "check-in", "outcome"):
        answer = stage["student"].client.post(f"/sessions/{session}/{verb}")
        assert answer.status_code == 400
    assert "session.checked_in" not in stage.verbs(session)


# The outcome check


def test_both_say_the_same_and_it_is_settled(stage: Stage, session: int) -> None:
    path = f"/sessions/{session}"
    stage.after(OVER)
    assert "Say how it went" in text_of(stage["student"].get(path))
    form = text_of(stage["student"].get(f"{path}/outcome"))
    assert "Jonas Lindqvist is asked. If they say the same: it is marked missed" in form
    assert say(stage, "student", session, "held", note="Thank you!") == 303
    page = text_of(stage["student"].get(path))
    assert "Said. Jonas Lindqvist is asked as well." in page
    assert "You say It was held" in page
    assert "Jonas Lindqvist says Nothing yet" in page
    assert "Say something else" in page
    form = text_of(stage["coach"].get(f"{path}/outcome"))
    assert "Amara Okafor says: It was held Thank you!" in form
    assert "You agree, which settles it at once: it is completed" in form
    assert "Amara Okafor says otherwise, so an administrator decides." in form
    assert say(stage, "coach", session, "held") == 303
    page = text_of(stage["coach"].get(path))
    assert "You agree: it is settled." in page
    assert "Said how it went: It was held" in page
    assert stage.session(session).status == "completed"


def test_before_the_end_and_after_three_days_the_form_says_why_not(
    stage: Stage, session: int
) -> None:
    path = f"/sessions/{session}"
    stage.after(START + 30 * MINUTE)
    answer = stage["student"].get(f"{path}/outcome")
    assert answer.status_code == 409
    assert "It is not over yet: 30 min left" in text_of(answer)
    stage.after(OVER)
    stage.send("coach", f"{path}/complete-form", f"{path}/complete")
    assert "It went otherwise" in text_of(stage["student"].get(path))
    stage.after(OVER + 73 * HOUR)
    assert "It went otherwise" not in text_of(stage["student"].get(path))
    assert "one could object for 3 days" in text_of(stage["student"].get(f"{path}/outcome"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "choose one"),
        ({"outcome": "both"}, "Not a valid choice"),
        ({"outcome": "held", "note": "x" * 501}, "this one has 501"),
    ],
)
def test_an_answer_that_cannot_be_taken_comes_back_with_all_that_was_typed(
    stage: Stage, session: int, fields: dict[str, str], words: str
) -> None:
    stage.after(OVER)
    path = f"/sessions/{session}/outcome"
    answer = stage.send("student", path, path, **{"note": "My own words.", **fields})
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert fields.get("note", "My own words.") in answer.text
    assert not db.session.scalars(select(OutcomeSaid)).all()


def test_where_both_checked_in_absence_is_not_offered(stage: Stage, session: int) -> None:
    stage.after(START)
    path = f"/sessions/{session}"
    for who in ("student", "coach"):
        stage.send(who, path, f"{path}/check-in")
    page = text_of(stage["coach"].get(path))
    assert "Both of you checked in, so it was not missed." in page
    answer = stage["coach"].get(f"{path}/missed-form")
    assert answer.status_code == 409
    stage.after(OVER)
    form = stage["coach"].get(f"{path}/outcome")
    assert 'value="technical"' in form.text
    assert 'value="student_absent"' not in form.text
    answer = stage.send("coach", f"{path}/outcome", f"{path}/outcome", outcome="student_absent")
    assert answer.status_code == 409
    assert "nobody was absent" in text_of(answer)


def test_completing_against_the_other_s_word_leads_to_the_outcome_check(
    stage: Stage, session: int
) -> None:
    path = f"/sessions/{session}"
    stage.after(OVER)
    say(stage, "student", session, "coach_absent")
    page = text_of(stage["coach"].get(path))
    assert "The student says that it went otherwise." in page
    answer = stage["coach"].get(f"{path}/complete-form")
    assert answer.status_code == 409
    assert "if you do not agree, an administrator decides" in text_of(answer)


# Cases


@pytest.fixture
def disputed(stage: Stage, session: int) -> int:
    """A session of which both say something else; the student joined it."""
    stage.after(START)
    stage.send("student", f"/sessions/{session}", f"/sessions/{session}/join")
    stage.after(OVER)
    say(stage, "student", session, "coach_absent", note="I waited for half an hour.")
    say(stage, "coach", session, "held")
    return session


def test_a_case_shows_the_evidence_and_its_decision_ends_the_session(
    stage: Stage, disputed: int
) -> None:
    path = f"/admin/cases/{case_of(disputed).id}"
    both = text_of(stage["coach"].get(f"/sessions/{disputed}"))
    assert "An administrator decides" in both
    listed = stage["admin"].get("/admin/cases")
    assert f'href="{path}"' in listed.text
    stage.after(OVER + 5 * MINUTE)
    assert "waits for 5 min" in text_of(stage["admin"].get("/admin/cases"))
    page = text_of(stage["admin"].get(path))
    for words in (
        "Says The coach was not there",
        "I waited for half an hour.",
        "Was there Joined the meeting at",
        "Says It was held",
        "Was there Not checked in",
        "No message about it was sent.",
        "The session ends: it is marked missed, not paid, and its credit returns.",
    ):
        assert words in page
    answer = stage.send("admin", path, path, outcome="coach_absent", reason="")
    assert answer.status_code == 422
    answer = stage.send("admin", path, path, outcome="coach_absent", reason=WHY)
    assert (answer.status_code, answer.location) == (303, path)
    page = text_of(stage["admin"].get(path))
    assert f"Decided: The coach was not there {WHY}" in page
    assert "Your decision" not in page
    assert "No open cases" in text_of(stage["admin"].get("/admin/cases"))
    session = stage.session(disputed)
    assert (session.status, session.absent, session.missed_reason) == ("missed", "coach", WHY)
    assert stage.verbs(disputed)[-2:] == ["session.missed", "session.case_closed"]
    late = "It was held, says the log."
    again = stage["admin"].post(path, on="/profile", outcome="held", reason=late)
    assert again.status_code == 409
    assert "decided already" in text_of(again)
    assert late in text_of(again)


def test_what_they_were_told_is_part_of_the_evidence(stage: Stage, disputed: int) -> None:
    from skileez import worker

    worker.once(stage.cast.contract.created_at + timedelta(days=365))
    page = text_of(stage["admin"].get(f"/admin/cases/{case_of(disputed).id}"))
    assert "Not agreed: an administrator decides" in page
    assert "in the pages" in page
    assert "not read yet" in page


def test_an_administrator_who_took_part_does_not_decide(stage: Stage, disputed: int) -> None:
    with db.transaction():
        db.session.merge(stage.cast.coach).is_admin = True
    path = f"/admin/cases/{case_of(disputed).id}"
    assert "another administrator decides" in text_of(stage["coach"].get(path))
    answer = stage["coach"].post(path, on="/profile", outcome="held", reason=WHY)
    assert answer.status_code == 403
    assert case_of(disputed).closed_at is None


def test_the_administrators_first_page_leads_to_cases_and_disputes(
    stage: Stage, disputed: int
) -> None:
    board = stage["admin"].get("/dashboard")
    assert "1 case to decide" in text_of(board)
    assert 'href="/admin/cases"' in board.text
    assert "1 case to decide" not in text_of(stage["coach"].get("/dashboard"))
    assert "disputed" not in text_of(board)
    path = f"/admin/cases/{case_of(disputed).id}"
    stage.send("admin", path, path, outcome="coach_absent", reason=WHY)
    path = f"/sessions/{disputed}/correction"
    stage.send("coach", path, path, reason=WHY)
    board = text_of(stage["admin"].get("/dashboard"))
    assert "1 no-show is disputed" in board
    assert "to decide" not in board


def test_cases_are_for_administrators(stage: Stage, disputed: int) -> None:
    path = f"/admin/cases/{case_of(disputed).id}"
    for who in ("student", "coach", "stranger"):
        assert stage[who].get("/admin/cases").status_code == 403
        assert stage[who].get(path).status_code == 403
        assert stage[who].post(path, on="/sessions").status_code == 403
    assert stage["admin"].get("/admin/cases/999").status_code == 404
    assert stage["admin"].post("/admin/cases/999", on="/sessions").status_code == 404


def test_agreeing_after_all_closes_the_case(stage: Stage, disputed: int) -> None:
    assert say(stage, "student", disputed, "held") == 303
    assert stage.session(disputed).status == "completed"
    page = text_of(stage["admin"].get(f"/admin/cases/{case_of(disputed).id}"))
    assert "Decided: It was held Both say the same now." in page
