"""RULES §8: who may check in, and what both accounts of a session come to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from skileez.errors import Kind
from skileez.sessions import outcome_rules, presence_rules
from skileez.sessions.presence_rules import Account, Outcome, Seen, Unsettled
from skileez.sessions.rules import Facts, Policy
from tests.cast import DAY, HOUR, MINUTE, NOW, POLICY, SECOND, asked, assert_refuses, facts, said
from tests.rules.table import rows

OVER = 60 * MINUTE
CLOSED = OVER + 30 * MINUTE


def seen(*who: str, way: str = "here") -> tuple[Seen, ...]:
    return tuple(Seen(one, way, NOW) for one in who)


BOTH = Account(seen("student", "coach"))


@rows(
    ("session", "role", "code"),
    [
        (facts(10 * MINUTE), "student", None),
        (facts(10 * MINUTE), "coach", None),
        (facts(10 * MINUTE + SECOND), "student", "check_in_too_early"),
        (facts(timedelta()), "coach", None),
        (facts(-CLOSED + SECOND), "coach", None),
        (facts(-CLOSED), "coach", "check_in_too_late"),
        (facts(-45 * MINUTE - 30 * MINUTE, minutes=45), "student", "check_in_too_late"),
        (facts(-MINUTE, pending=asked()), "student", None),
        (facts(-MINUTE, contract_status="paused"), "student", None),
        (facts(None), "student", "to_be_scheduled"),
        (facts(-MINUTE, status="cancelled"), "student", "not_scheduled"),
        (facts(-MINUTE, status="completed"), "coach", "not_scheduled"),
        (facts(-MINUTE), "stranger", "not_a_participant"),
        (facts(-MINUTE), "admin", "not_a_participant"),
    ],
)
def test_either_checks_in_from_ten_minutes_before_until_the_grace_is_over(
    session: Facts, role: str, code: str | None
) -> None:
    assert said(presence_rules.may_check_in(session, role, NOW, POLICY)) == code


def test_a_check_in_refused_says_when() -> None:
    early = presence_rules.may_check_in(facts(2 * HOUR + 20 * MINUTE), "coach", NOW, POLICY)
    assert_refuses(early, "check_in_too_early", "opens in 2 h 10 min", "10 min before")
    late = presence_rules.may_check_in(facts(-2 * HOUR), "coach", NOW, POLICY)
    assert_refuses(late, "check_in_too_late", "11:30 UTC")
    patient = Policy(no_show_grace=5 * HOUR)
    assert presence_rules.may_check_in(facts(-2 * HOUR), "coach", NOW, patient) is None


@rows(
    ("start", "at", "counts"),
    [
        (facts(10 * MINUTE), NOW, True),
        (facts(10 * MINUTE + SECOND), NOW, False),
        (facts(-HOUR), NOW, True),
        (facts(7 * DAY), NOW, False),
        (facts(None), NOW, False),
    ],
)
def test_a_check_in_counts_for_the_time_it_was_made_for(
    start: Facts, at: datetime, counts: bool
) -> None:
    assert presence_rules.is_of_this_time(start, at) is counts


@rows(
    ("student", "coach", "verdict"),
    [
        (None, None, Unsettled.WAITING),
        ("held", None, Unsettled.WAITING),
        (None, "technical", Unsettled.WAITING),
        ("held", "held", Outcome.HELD),
        ("student_absent", "student_absent", Outcome.STUDENT_ABSENT),
        ("coach_absent", "coach_absent", Outcome.COACH_ABSENT),
        ("technical", "technical", Outcome.TECHNICAL),
        ("held", "student_absent", Unsettled.DISAGREED),
        ("coach_absent", "student_absent", Unsettled.DISAGREED),
        ("technical", "held", Unsettled.DISAGREED),
    ],
)
def test_agreement_settles_and_disagreement_is_for_an_administrator(
    student: str | None, coach: str | None, verdict: Outcome | Unsettled
) -> None:
    assert presence_rules.settle_outcome(student, coach) == verdict
    account = Account(said={k: v for k, v in (("student", student), ("coach", coach)) if v})
    assert presence_rules.verdict(facts(-OVER), account) == verdict


@rows(
    ("student", "coach", "verdict"),
    [
        (None, "held", Outcome.HELD),
        ("technical", None, Unsettled.DISAGREED),
        (None, "student_absent", Unsettled.DISAGREED),
        ("technical", "technical", Outcome.TECHNICAL),
    ],
)
def test_that_it_was_completed_stands_for_held(
    student: str | None, coach: str | None, verdict: Outcome | Unsettled
) -> None:
    assert presence_rules.settle_outcome(student, coach, completed=True) == verdict


def completed(ago: timedelta = HOUR, **told: Any) -> Facts:
    return facts(-3 * DAY, status="completed", completed_at=NOW - ago, **told)


AGREED = Account(said={"student": "held", "coach": "held"})


@rows(
    ("session", "role", "account", "code"),
    [
        (facts(-OVER), "student", presence_rules.NOTHING, None),
        (facts(-OVER), "coach", Account(said={"student": "held"}), None),
        (facts(-OVER), "coach", Account(said={"coach": "held", "student": "technical"}), None),
        (facts(-OVER + SECOND), "coach", presence_rules.NOTHING, "not_over"),
        (facts(-30 * DAY), "coach", presence_rules.NOTHING, None),
        (facts(None), "coach", presence_rules.NOTHING, "to_be_scheduled"),
        (facts(-OVER), "stranger", presence_rules.NOTHING, "not_a_participant"),
        (facts(-OVER), "admin", presence_rules.NOTHING, "not_a_participant"),
        (facts(-OVER, status="missed"), "coach", presence_rules.NOTHING, "outcome_settled"),
        (facts(-OVER, status="cancelled"), "coach", presence_rules.NOTHING, "outcome_settled"),
        (completed(), "student", presence_rules.NOTHING, None),
        (completed(72 * HOUR), "student", presence_rules.NOTHING, None),
        (completed(72 * HOUR + SECOND), "student", presence_rules.NOTHING, "outcome_too_late"),
        (completed(), "student", AGREED, "outcome_settled"),
        (completed(), "student", Account(decided=True), "outcome_settled"),
        (completed(missed_at=NOW), "student", presence_rules.NOTHING, "outcome_settled"),
    ],
)
def test_either_says_how_it_went_once_it_is_over(
    session: Facts, role: str, account: Account, code: str | None
) -> None:
    assert said(presence_rules.may_say_outcome(session, role, NOW, POLICY, account)) == code


def test_an_outcome_refused_says_why() -> None:
    early = presence_rules.may_say_outcome(
        facts(-30 * MINUTE), "coach", NOW, POLICY, presence_rules.NOTHING
    )
    assert_refuses(early, "not_over", "30 min left", "12:30 UTC")
    late = presence_rules.may_say_outcome(
        completed(80 * HOUR), "coach", NOW, POLICY, presence_rules.NOTHING
    )
    assert_refuses(late, "outcome_too_late", "3 days", "04:00 UTC")
    over = presence_rules.may_say_outcome(
        facts(-OVER, status="missed"), "coach", NOW, POLICY, presence_rules.NOTHING
    )
    assert_refuses(over, "outcome_settled", "missed")
    assert presence_rules.objection_until(completed(), POLICY) == NOW + 71 * HOUR
    assert presence_rules.objection_until(facts(-OVER), POLICY) is None


@rows("outcome", [None, "", "both", "Held"])
def test_an_outcome_is_one_of_the_four(outcome: str | None) -> None:
    refusal = presence_rules.check_outcome(outcome, presence_rules.NOTHING)
    assert_refuses(refusal, "outcome_missing", kind=Kind.INVALID)


def test_nobody_is_called_absent_where_both_checked_in() -> None:
    assert presence_rules.offered_outcomes(presence_rules.NOTHING) == tuple(Outcome)
    assert presence_rules.offered_outcomes(Account(seen("coach"))) == tuple(Outcome)
    assert presence_rules.offered_outcomes(BOTH) == (Outcome.HELD, Outcome.TECHNICAL)
    assert_refuses(presence_rules.check_outcome("coach_absent", BOTH), "both_checked_in")


@rows(
    ("note", "code"),
    [
        (None, None),
        ("  ", None),
        ("x" * 500, None),
        (f" {'x' * 500} ", None),
        ("x" * 501, "outcome_note_too_long"),
    ],
)
def test_a_note_has_at_most_five_hundred_characters(note: str | None, code: str | None) -> None:
    refusal = presence_rules.check_outcome_note(note)
    assert said(refusal) == code
    if refusal:
        assert_refuses(refusal, "outcome_note_too_long", "500", "501", kind=Kind.INVALID)


@rows("role", ["student", "coach", None])
def test_a_session_to_which_both_checked_in_is_never_marked_missed(role: str | None) -> None:
    refusal = outcome_rules.may_mark_missed(facts(-HOUR), role, NOW, BOTH)
    assert_refuses(refusal, "both_were_there", "Both of you checked in")
    alone = Account((*seen("coach"), *seen("coach", way="join")))
    assert outcome_rules.may_mark_missed(facts(-HOUR), role, NOW, alone) is None


@rows(
    ("theirs", "completes", "misses"),
    [
        (None, None, None),
        ("held", None, "other_says_otherwise"),
        ("student_absent", "other_says_otherwise", None),
        ("coach_absent", "other_says_otherwise", None),
        ("technical", "other_says_otherwise", "other_says_otherwise"),
    ],
)
def test_nobody_ends_alone_what_the_other_says_went_otherwise(
    theirs: str | None, completes: str | None, misses: str | None
) -> None:
    account = Account(said={"coach": theirs} if theirs else {})
    over = facts(-OVER)
    assert said(outcome_rules.may_complete(over, "student", NOW, account)) == completes
    assert said(outcome_rules.may_mark_missed(over, "student", NOW, account)) == misses
    for other in ("coach", None):  # their own account, and the system's
        assert outcome_rules.may_complete(over, other, NOW, account) is None
        assert outcome_rules.may_mark_missed(over, other, NOW, account) is None
    against = presence_rules.refuse_against("student", (), Account(said={"coach": "held"}))
    assert_refuses(against, "other_says_otherwise", "The coach says", "an administrator decides")


@rows(
    ("role", "closed", "code"),
    [
        ("admin", False, None),
        ("admin", True, "case_closed"),
        ("student", False, "own_case"),
        ("coach", True, "own_case"),
    ],
)
def test_an_administrator_who_took_no_part_decides_a_case_once(
    role: str, closed: bool, code: str | None
) -> None:
    refusal = presence_rules.may_decide_case(role, closed=closed)
    assert said(refusal) == code
    if code == "own_case":
        assert_refuses(refusal, code, "another administrator", kind=Kind.FORBIDDEN)


@dataclass
class Event:
    verb: str
    role: str | None = None
    at: datetime = NOW
    details: Any = None


def test_an_account_is_read_from_what_happened() -> None:
    history = [
        Event("session.booked", "student"),
        Event("session.checked_in", "coach", NOW - 7 * DAY, {"way": "join"}),  # before a move
        Event("session.checked_in", "coach", NOW, {"way": "join"}),
        Event("session.checked_in", "coach", NOW + MINUTE, {"way": "here"}),
        Event("session.outcome_said", "coach", NOW + HOUR, {"outcome": "held"}),
        Event("session.outcome_said", "coach", NOW + HOUR, {"outcome": "technical"}),
    ]
    account = presence_rules.account_of(facts(MINUTE), history)
    assert account == Account(
        (Seen("coach", "join", NOW), Seen("coach", "here", NOW + MINUTE)), {"coach": "technical"}
    )
    assert not account.both_there
    assert not account.agreed
    closed = presence_rules.account_of(facts(MINUTE), [*history, Event("session.case_closed")])
    assert closed.decided
    assert account.saying("student", "technical").agreed
