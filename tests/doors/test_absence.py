"""The pages of days away: set, ask all in one press, see who answered, take back."""

from html import unescape
from typing import Any

from werkzeug.test import TestResponse

from skileez import db
from skileez.availability.models import Availability, TimeOff
from skileez.availability.rules import Hours
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, NOW
from tests.doors.stage import Stage
from tests.doors.visitor import text_of
from tests.rules.table import rows

AWAY = "/availability/away"
ASK = "/availability/ask-to-move"
# NOW is Monday 2 March 2026, 07:00 in New York, where the coach lives.
DAYS = {"first": "2026-03-05", "until": "2026-03-06"}
REASON = "Could we meet a little later, please?"


def add(stage: Stage, **fields: str) -> TestResponse:
    return stage.send("coach", AWAY, AWAY, **{**DAYS, **fields})


def ask(stage: Stage, board: str, sessions: list[int], **fields: Any) -> TestResponse:
    """Press the button of a board, on whose page each session has its times."""
    page = stage["coach"].get(board).text
    times = {
        f"times-{one}": [
            unescape(piece.split('"')[1]) for piece in page.split(f'name="times-{one}"')[1:]
        ]
        for one in sessions
    }
    return stage.send(
        "coach", board, ASK, session=sessions, **{**times, "reason": REASON, **fields}
    )


def test_a_coach_goes_away_asks_all_at_once_and_sees_the_answers(stage: Stage) -> None:
    assert "No days away" in text_of(stage["coach"].get(AWAY))
    sessions = [stage.book(70 * HOUR), stage.book(74 * HOUR)]
    kept = add(stage, reason="<b>My</b> secret wedding")
    board = kept.location
    assert (kept.status_code, board) == (303, f"{AWAY}/1")
    page = stage["coach"].get(board)
    said = text_of(page)
    assert "Away: Thu 5 Mar to Fri 6 Mar" in said
    assert "<b>My" not in page.text
    assert "<b>My</b> secret wedding" in unescape(page.text)
    assert "Ask to move 2 sessions" in said
    assert "in Berlin)" in said
    assert "2 sessions in the way" in text_of(stage["coach"].get(AWAY))

    done = ask(stage, board, sessions, reason="<script>alert(1)</script> please move")
    assert (done.status_code, done.location) == (303, board)
    said = text_of(stage["coach"].get(board))
    assert "Asked: 2." in said
    assert "2 waiting for an answer" in said
    assert "2 sessions wait for an answer" in text_of(stage["coach"].get(AWAY))
    one = stage.session(sessions[0])
    assert one.reschedule_requested_by == "coach"
    assert len(one.proposed_times) == 3

    # The student reads the request and not the absence, and agrees.
    asked = stage["student"].get(f"/sessions/{sessions[0]}/reschedule-approval")
    assert "<script>alert" not in asked.text
    assert "secret" not in asked.text
    time = one.proposed_times[0].isoformat()
    to = f"/sessions/{sessions[0]}/approve-reschedule"
    page_of = f"/sessions/{sessions[0]}/reschedule-approval"
    assert stage.send("student", page_of, to, new_scheduled_at=time).status_code == 303
    said = text_of(stage["coach"].get(board))
    assert "1 settled 1 waiting for an answer" in said

    # A page that stands open is told what is new, and nothing where nothing is.
    fresh = stage["coach"].get(f"{board}/answers?mark=old")
    assert fresh.status_code == 200
    assert "Moved" in text_of(fresh)
    mark = fresh.text.split("mark=")[1].split('"')[0]
    assert stage["coach"].get(f"{board}/answers?mark={mark}").status_code == 204

    gone = stage.send("coach", board, f"{board}/remove")
    assert (gone.status_code, gone.location) == (303, AWAY)
    assert stage["coach"].get(board).status_code == 404
    assert stage.session(sessions[0]).scheduled_at == one.proposed_times[0]


@rows(
    ("fields", "says"),
    [
        ({"first": ""}, "Choose the first day."),
        ({"first": "   "}, "Choose the first day."),
        ({"first": "soon"}, "Write the day like"),
        ({"until": "2026-02-30"}, "Write the day like"),
        ({"until": "2026-03-04"}, "before it starts"),
        ({"first": "2026-02-01", "until": ""}, "is over already"),
        ({"until": "2029-03-04"}, "split it"),
        ({"begins": "noon"}, "Write a time of the day"),
        ({"first": "2026-03-08", "until": "", "begins": "02:30"}, "does not exist"),
        ({"first": "0001-01-01", "until": ""}, "between the years"),
        ({"reason": "x" * 201}, "200 characters"),
    ],
)
def test_what_cannot_be_is_said_at_the_form_with_all_that_was_typed(
    stage: Stage, fields: dict[str, str], says: str
) -> None:
    answer = add(stage, **{"reason": "A wedding", **fields})
    assert answer.status_code == 422
    assert says in text_of(answer)
    for typed in {"reason": "A wedding", **DAYS, **fields}.values():
        assert typed.strip() in answer.text
    assert TimeOff.query.count() == 0


def test_a_part_of_a_day_and_what_overlaps_it(stage: Stage) -> None:
    assert add(stage, until="", begins="14:00", ends="17:30").status_code == 303
    assert "Thu 5 Mar, 14:00 to 17:30" in text_of(stage["coach"].get(AWAY))
    again = add(stage)
    assert again.status_code == 422
    assert "You are away from Thu 5 Mar 2026, 14:00" in text_of(again)


def test_a_press_that_cannot_be_keeps_what_was_typed_or_says_why(stage: Stage) -> None:
    near, fine = stage.book(9 * HOUR), stage.book(70 * HOUR)
    board = add(stage, first="2026-03-02").location
    page = text_of(stage["coach"].get(board))
    assert "9 h left; a coach can ask until 10 h before the start." in page
    short = ask(stage, board, [fine], reason="short<")
    assert short.status_code == 422
    assert "short&lt;</textarea>" in short.text
    nobody = ask(stage, board, [])
    assert nobody.status_code == 422
    assert "Choose at least one session." in text_of(nobody)
    broken = ask(stage, board, [fine], **{f"times-{fine}": "0001-01-01T00:00+23:00"})
    assert broken.status_code == 422
    assert "could not be read" in text_of(broken)
    done = ask(stage, board, [near, fine], **{f"times-{near}": "2026-03-12T12:00:00+00:00"})
    assert done.status_code == 303
    said = text_of(stage["coach"].get(board))
    assert "Asked: 1." in said
    assert "Amara Okafor, Mon 2 Mar, 16:00, was not asked. 9 h left" in said


def test_where_no_time_suits_it_says_so_and_shows_the_ways_out(stage: Stage) -> None:
    session = stage.book(71 * HOUR)
    with db.transaction():
        row = Availability(coach_id=stage.cast.coach.id, changed_at=NOW)
        row.take(Hours("UTC", weekly={3: [(600, 660)]}, horizon=4))
        db.session.add(row)
    page = stage["coach"].get(add(stage).location)
    assert "There is no time at which both of you are free." in text_of(page)
    for way in ("reschedule", "cancel"):
        assert f"/sessions/{session}/{way}" in page.text
    # It lies outside these hours, too: the same list, without days away.
    outside = text_of(stage["coach"].get("/availability/outside"))
    assert "Amara Okafor" in outside
    with db.transaction():
        db.session.get_one(Availability, stage.cast.coach.id).take(
            Hours("UTC", weekly={4: [(600, 900)]})
        )
    assert ask(stage, "/availability/outside", [session]).location == "/availability/outside"
    assert stage.session(session).reschedule_requested
    assert "1 waiting" in text_of(stage["coach"].get("/availability/outside"))


def test_it_is_nobody_else_s_business(stage: Stage) -> None:
    session = stage.book(70 * HOUR)
    board = add(stage).location
    for path in (AWAY, board, f"{board}/answers", "/availability/outside"):
        for who in ("student", "stranger", "admin"):
            assert stage[who].get(path).status_code == 404, (who, path)
    for to in (AWAY, f"{board}/remove", ASK):
        sent = stage.send("student", "/sessions", to, **DAYS, session=session, reason=REASON)
        assert sent.status_code == 404, to
    for fields in (
        {"session": "99", "times-99": "2026-03-12T12:00:00Z"},
        {"session": "²"},
        {"session": session, "time_off": "7"},
    ):
        sent = stage.send("coach", AWAY, ASK, **{"reason": REASON, "time_off": "", **fields})
        assert sent.status_code == 404, fields
    assert not stage.session(session).reschedule_requested
    assert TimeOff.query.count() == 1
    assert db.session.get(Session, session)
    stage.after(20 * DAY)
    assert "No days away" in text_of(stage["coach"].get(AWAY))
