"""Checking in, what both sides say became of a session, and the administrator's case."""

import threading
from typing import Any

import pytest
from sqlalchemy import select

from skileez import db
from skileez.errors import NotFound, Refused
from skileez.events import Event
from skileez.sessions import actions, outcome_check, presence_rules
from skileez.sessions.actions import Swept, sweep
from skileez.sessions.models import Session
from skileez.sessions.presence import CheckIn, OutcomeCase, OutcomeSaid
from skileez.sessions.presence_rules import Outcome, Seen, Unsettled
from tests.cast import HOUR, MINUTE, NOW, SECOND, WHY, Cast
from tests.races.arena import race
from tests.sessions.stage import at, columns, do, events_of, everything, refuses, tells, told

START = at(60)
DUE = at(61) + 30 * MINUTE


def check_in(cast: Cast, session: Session, by: str, way: str, now: Any) -> list[Event]:
    known = len(events_of(session.id))
    with db.transaction():
        found = actions.find_for(cast.actor(by), session.id)
        found.check_in(by, way, actor=cast.actor(by), now=now)
    return events_of(session.id)[known:]


def decide(cast: Cast, case: OutcomeCase, outcome: str, note: str = WHY, by: str = "admin") -> None:
    with db.transaction():
        found, open_case = outcome_check.find_case(case.id)
        actor = cast.actor(by)
        outcome_check.decide_case(found, open_case, outcome, note, actor=actor, now=at(80))


def rows(model: type[db.Model], session_id: int) -> list[dict[str, Any]]:
    with db.transaction():
        return [
            {name: getattr(row, name) for name in row.__mapper__.column_attrs.keys()}  # noqa: SIM118
            for row in model.query.filter_by(session_id=session_id).order_by("role")
        ]


def say(
    cast: Cast, session: Session, by: str, outcome: str, *, note: str = "", now: Any = DUE
) -> Outcome | Unsettled:
    with db.transaction():
        found = actions.find_for(cast.actor(by), session.id)
        return outcome_check.say_outcome(found, by, outcome, note, actor=cast.actor(by), now=now)


def case_of(session: Session) -> OutcomeCase | None:
    return OutcomeCase.query.populate_existing().filter_by(session_id=session.id).one_or_none()


def verbs(session: Session) -> list[str]:
    return [event.verb for event in events_of(session.id)][1:]


# Checking in


def test_a_check_in_is_kept_once_for_each_way_and_makes_no_page_stale(cast: Cast) -> None:
    session = cast.book()
    before = columns(Session, session.id)
    events = check_in(cast, session, "student", "join", START - 10 * MINUTE)
    assert columns(Session, session.id) == {**before, "heard": True}
    assert [told(event) for event in events] == [
        tells(
            "session.checked_in",
            at=START - 10 * MINUTE,
            actor_id=cast.student.id,
            role="student",
            old_time=START,
            details={"way": "join"},
        )
    ]
    assert check_in(cast, session, "student", "join", START) == []
    check_in(cast, session, "student", "here", START + MINUTE)
    check_in(cast, session, "coach", "here", START + 2 * MINUTE)
    with db.transaction():
        account = actions.find_any(session.id).account()
        assert account.both_there
        assert account.seen == (
            Seen("student", "join", START - 10 * MINUTE),
            Seen("student", "here", START + MINUTE),
            Seen("coach", "here", START + 2 * MINUTE),
        )
        # The pages read the same from the history.
        history = events_of(session.id)
        assert presence_rules.account_of(actions.find_any(session.id).facts, history) == account


def test_a_check_in_too_early_leaves_nothing(cast: Cast) -> None:
    session = cast.book()
    early = START - 10 * MINUTE - SECOND
    refuses(
        cast, session, "coach", lambda s: s.check_in("coach", "here", now=early),
        "check_in_too_early",
    )  # fmt: skip
    assert not session.can_check_in("coach", now=early)
    assert session.can_check_in("coach", now=START)
    assert db.session.scalars(select(CheckIn)).all() == []


@pytest.mark.parametrize("by", ["student", "coach"])
def test_a_check_in_before_the_start_keeps_it_from_being_missed_by_itself(
    cast: Cast, by: str
) -> None:
    session = cast.book()
    check_in(cast, session, by, "join", START - 10 * MINUTE)
    assert actions.due_no_shows(DUE, actions.policies.in_force()) == []
    assert not actions.mark_no_show(session.id, DUE)
    assert sweep(DUE) == Swept()
    assert columns(Session, session.id)["status"] == "scheduled"


def test_where_both_checked_in_nobody_marks_it_missed(cast: Cast) -> None:
    session = cast.book()
    check_in(cast, session, "student", "join", START)
    missed = {"by": "student", "reason": WHY, "absent": "coach", "now": START + MINUTE}
    check_in(cast, session, "coach", "join", START)
    refuses(cast, session, "student", lambda s: s.mark_missed(**missed), "both_were_there")
    refuses(cast, session, "student", lambda s: s.mark_missed(now=DUE), "both_were_there")
    do(cast, session, "coach", lambda s: s.mark_completed(None, "coach", now=DUE))


def test_a_move_undoes_the_check_ins_of_the_old_time(cast: Cast) -> None:
    session = cast.book()
    actor = cast.actor("student")
    with db.transaction():
        found = actions.find_any(session.id)
        found.request_reschedule(
            "student", WHY, proposed_times=[at(90)], actor=actor, now=START - 30 * MINUTE
        )
    for by in ("student", "coach"):
        check_in(cast, session, by, "here", START - 10 * MINUTE)
    with db.transaction():
        found = actions.find_any(session.id)
        now = START - 5 * MINUTE
        found.approve_reschedule(at(90), by="coach", actor=cast.actor("coach"), now=now)
        assert not found.heard
        assert found.account() == presence_rules.NOTHING
        assert presence_rules.account_of(found.facts, events_of(session.id)).seen == ()
    check_in(cast, session, "student", "here", at(90))
    with db.transaction():
        assert actions.find_any(session.id).account().seen == (Seen("student", "here", at(90)),)
    assert [row["at"] for row in rows(CheckIn, session.id)] == [START - 10 * MINUTE, at(90)]


def test_a_silent_session_is_missed_and_one_that_was_spoken_of_is_looked_at_once(
    cast: Cast,
) -> None:
    silent, noted = cast.book(), cast.book(62 * HOUR)
    with db.transaction():
        actions.find_any(noted.id).coach_notes = "We met."
    policy = actions.policies.in_force()
    assert actions.due_no_shows(at(70), policy) == [silent.id, noted.id]
    assert sweep(at(70)) == Swept(missed=1)
    assert columns(Session, noted.id)["heard"] is True
    assert actions.due_no_shows(at(70), policy) == []


# Saying how it went

SETTLED = {
    "held": ("completed", {"completed_date": DUE}),
    "student_absent": ("missed", {"missed_by": "coach", "absent": "student"}),
    "coach_absent": ("missed", {"missed_by": "coach", "absent": "coach"}),
    "technical": ("cancelled", {"cancelled_by": None, "cancelled_late": False}),
}


@pytest.mark.parametrize("outcome", SETTLED)
def test_agreement_settles_it_at_once(cast: Cast, outcome: str) -> None:
    session = cast.book()
    assert say(cast, session, "student", outcome, now=at(61)) is Unsettled.WAITING
    assert columns(Session, session.id)["status"] == "scheduled"
    assert sweep(DUE) == Swept()
    assert say(cast, session, "coach", outcome, note=" Yes. ") is Outcome(outcome)
    row = columns(Session, session.id)
    status, ended = SETTLED[outcome]
    assert {name: row[name] for name in ended} == ended
    assert row["status"] == status
    assert not session.counts_as_no_show or status == "missed"
    assert case_of(session) is None
    first, second, last = events_of(session.id)[-3:]
    assert told(first) == tells(
        "session.outcome_said",
        at=at(61),
        actor_id=cast.student.id,
        role="student",
        old_time=START,
        details={"outcome": outcome},
    )
    assert (second.verb, second.reason, second.role) == ("session.outcome_said", "Yes.", "coach")
    assert (last.verb, last.role, last.status_to) == (f"session.{status}", "coach", status)
    assert cast.contract.query.one().completed_sessions == (outcome == "held")
    if status == "cancelled":
        assert row["cancel_reason"] == "There was a technical problem."
    said = rows(OutcomeSaid, session.id)
    assert [(one["role"], one["outcome"], one["note"]) for one in said] == [
        ("coach", outcome, "Yes."),
        ("student", outcome, None),
    ]
    with pytest.raises(Refused, match="settled"):
        say(cast, session, "student", "technical")


def test_disagreement_opens_one_case_and_agreeing_after_all_closes_it(cast: Cast) -> None:
    session = cast.book()
    say(cast, session, "student", "coach_absent")
    assert say(cast, session, "coach", "held") is Unsettled.DISAGREED
    case = case_of(session)
    assert case
    assert (case.opened_at, case.closed_at, case.decision) == (DUE, None, None)
    assert columns(Session, session.id)["status"] == "scheduled"
    assert events_of(session.id)[-1].details == {
        "said": {"student": "coach_absent", "coach": "held"}
    }
    assert say(cast, session, "student", "technical") is Unsettled.DISAGREED
    assert [one.id for one in outcome_check.cases(closed=False)] == [case.id]
    assert say(cast, session, "coach", "technical", now=at(70)) is Outcome.TECHNICAL
    case = case_of(session)
    assert case
    assert (case.closed_at, case.decision, case.closed_by) == (at(70), "technical", None)
    assert outcome_check.cases(closed=False) == []
    assert verbs(session)[-3:] == [
        "session.outcome_said",
        "session.cancelled",
        "session.case_closed",
    ]


def test_nobody_ends_alone_what_the_other_says_went_otherwise(cast: Cast) -> None:
    session = cast.book()
    say(cast, session, "student", "coach_absent")
    refuses(
        cast, session, "coach",
        lambda s: s.mark_completed("We met.", "coach", now=DUE), "other_says_otherwise",
    )  # fmt: skip
    do(
        cast, session, "coach",
        lambda s: s.mark_missed(by="coach", reason=WHY, absent="coach", now=DUE),
    )  # fmt: skip


def test_what_one_completed_the_other_may_contest_for_three_days(cast: Cast) -> None:
    session = cast.book()
    do(cast, session, "coach", lambda s: s.mark_completed(None, "coach", now=at(61)))
    with pytest.raises(Refused) as late:
        say(cast, session, "student", "coach_absent", now=at(61 + 72) + SECOND)
    assert late.value.code == "outcome_too_late"
    assert say(cast, session, "student", "coach_absent", now=at(61 + 72)) is Unsettled.DISAGREED
    case = case_of(session)
    assert case
    decide(cast, case, "coach_absent")
    # Nothing but a correction leaves a final state: the decision is kept beside it.
    assert columns(Session, session.id)["status"] == "completed"
    case = case_of(session)
    assert case
    assert (case.decision, case.note, case.closed_by) == ("coach_absent", WHY, cast.admin.id)


def test_taking_the_objection_back_closes_the_case(cast: Cast) -> None:
    session = cast.book()
    do(cast, session, "coach", lambda s: s.mark_completed(None, "coach", now=at(61)))
    say(cast, session, "student", "technical")
    assert say(cast, session, "student", "held") is Outcome.HELD
    case = case_of(session)
    assert case
    assert case.decision == "held"
    assert columns(Session, session.id)["status"] == "completed"


@pytest.mark.parametrize("outcome", ["held", "coach_absent"])
def test_an_administrator_s_decision_ends_it(cast: Cast, outcome: str) -> None:
    session = cast.book()
    say(cast, session, "student", "held")
    say(cast, session, "coach", "technical")
    case = case_of(session)
    assert case
    decide(cast, case, outcome, f" {WHY} ")
    row = columns(Session, session.id)
    assert row["status"] == SETTLED[outcome][0]
    ended, closed = events_of(session.id)[-2:]
    assert (ended.role, ended.actor_id) == ("admin", cast.admin.id)
    assert ended.details["with_case"] is True
    assert told(closed) == tells(
        "session.case_closed",
        at=at(80),
        actor_id=cast.admin.id,
        role="admin",
        old_time=START,
        reason=WHY,
        details={"outcome": outcome},
    )
    for who, code in (("admin", "case_closed"), ("coach", "own_case")):
        with pytest.raises(Refused) as refused:
            decide(cast, case, "held", by=who)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("outcome", "note", "code"),
    [("", WHY, "outcome_missing"), ("held", "ok", "reason_too_short")],
)
def test_a_decision_names_an_outcome_and_a_reason(
    cast: Cast, outcome: str, note: str, code: str
) -> None:
    session = cast.book()
    say(cast, session, "student", "held")
    say(cast, session, "coach", "technical")
    case = case_of(session)
    assert case
    before = everything()
    with pytest.raises(Refused) as refused:
        decide(cast, case, outcome, note)
    assert refused.value.code == code
    assert everything() == before
    with pytest.raises(NotFound):
        outcome_check.seen_case(case.id + 1)


def test_where_both_checked_in_not_even_the_case_says_absent(cast: Cast) -> None:
    session = cast.book()
    for by in ("student", "coach"):
        check_in(cast, session, by, "here", START)
    with pytest.raises(Refused) as refused:
        say(cast, session, "student", "coach_absent")
    assert refused.value.code == "both_checked_in"
    say(cast, session, "student", "technical")
    say(cast, session, "coach", "held")
    case = case_of(session)
    assert case
    with pytest.raises(Refused) as refused:
        decide(cast, case, "coach_absent")
    assert refused.value.code == "both_checked_in"


def test_an_agreement_that_cannot_be_carried_out_leaves_nothing(cast: Cast) -> None:
    session = cast.book()
    say(cast, session, "student", "held")
    with db.transaction():
        contract = actions.find_contract_for(cast.actor("coach"), cast.contract.id)
        contract.pause(actor=cast.actor("coach"), role="coach", reason=WHY, now=at(61))
    before = everything()
    with pytest.raises(Refused) as refused:
        say(cast, session, "coach", "held")
    assert refused.value.code == "contract_not_active"
    assert everything() == before
    assert [row["role"] for row in rows(OutcomeSaid, session.id)] == ["student"]


@pytest.mark.parametrize(("coach", "cases"), [("held", 0), ("technical", 1)])
def test_two_answers_at_one_instant_come_to_one_end(
    cast: Cast, database: str, coach: str, cases: int
) -> None:
    session = cast.book()
    said = {"student": "held", "coach": coach}
    actors = {who: cast.actor(who) for who in said}
    verdicts: list[Outcome | Unsettled] = []
    lock = threading.Lock()

    def answer(number: int) -> None:
        who = "student" if number % 2 else "coach"
        with db.transaction():
            found = actions.find_for(actors[who], session.id)
            verdict = outcome_check.say_outcome(found, who, said[who], actor=actors[who], now=DUE)
        with lock:
            verdicts.append(verdict)

    assert race(database, answer, clients=2)["won"] == 2
    end = Unsettled.DISAGREED if cases else Outcome.HELD
    assert sorted(map(str, verdicts)) == sorted(["waiting", str(end)])
    assert (case_of(session) is not None) == bool(cases)
    happened = [event.verb for event in Event.query.filter_by(session_id=session.id)]
    assert happened.count("session.outcome_said") == 2
    assert happened.count("session.completed") == (1 - cases)


def test_two_check_ins_at_one_instant_are_one(cast: Cast, database: str) -> None:
    session = cast.book()
    actor = cast.actor("coach")

    def join(number: int) -> None:
        with db.transaction():
            found = actions.find_for(actor, session.id)
            found.check_in("coach", "join", actor=actor, now=NOW + 60 * HOUR)

    assert race(database, join, clients=4)["won"] == 4
    assert len(rows(CheckIn, session.id)) == 1
    assert verbs(session) == ["session.checked_in"]
