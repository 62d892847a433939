"""RULES: marking a session missed, by hand and by silence."""

from datetime import timedelta

from skileez.errors import Kind
from skileez.sessions import outcome_rules
from skileez.sessions.rules import Facts, Policy
from tests.cast import HOUR, MINUTE, NOW, POLICY, SECOND, asked, assert_refuses, facts, said
from tests.rules.table import rows


@rows(
    ("session", "role", "code"),
    [
        (facts(-HOUR), "student", None),
        (facts(-HOUR), "coach", None),
        (facts(-HOUR), None, None),
        (facts(timedelta()), "coach", None),
        (facts(SECOND), "coach", "not_started"),
        (facts(SECOND), None, "not_started"),
        (facts(None), "coach", "to_be_scheduled"),
        (facts(-HOUR, pending=asked()), "coach", None),
        (facts(-HOUR, contract_status="paused"), "coach", None),
        (facts(-HOUR), "stranger", "not_a_participant"),
        (facts(-HOUR), "admin", "not_a_participant"),
        (facts(-HOUR, status="completed"), "coach", "not_scheduled"),
        (facts(-HOUR, status="cancelled"), "coach", "not_scheduled"),
        (facts(-HOUR, status="missed"), None, "not_scheduled"),
    ],
)
def test_a_participant_marks_it_missed_once_it_has_started(
    session: Facts, role: str | None, code: str | None
) -> None:
    assert said(outcome_rules.may_mark_missed(session, role, NOW)) == code


def test_a_missed_mark_too_early_says_how_long_is_left() -> None:
    early = outcome_rules.may_mark_missed(facts(20 * MINUTE), "coach", NOW)
    assert_refuses(early, "not_started", "20 min left", "12:20 UTC")


@rows("absent", ["student", "coach", "both"])
def test_a_no_show_names_who_was_absent(absent: str) -> None:
    assert outcome_rules.check_absent(absent) is None


@rows("absent", [None, "", "nobody", "Student", "admin"])
def test_a_no_show_of_nobody_is_refused(absent: str | None) -> None:
    refusal = outcome_rules.check_absent(absent)
    assert_refuses(refusal, "absent_missing", "student", "coach", "both", kind=Kind.INVALID)


HOUR_LONG = 60 * MINUTE + 30 * MINUTE


@rows(
    ("session", "communicated", "due"),
    [
        (facts(-HOUR_LONG), False, True),
        (facts(-HOUR_LONG + SECOND), False, False),
        (facts(-HOUR_LONG), True, False),
        # Thirty minutes after the start, an hour's session is being held.
        (facts(-30 * MINUTE), False, False),
        (facts(-75 * MINUTE, minutes=45), False, True),
        (facts(-75 * MINUTE + SECOND, minutes=45), False, False),
        (facts(-HOUR_LONG, pending=asked()), False, False),
        (facts(-HOUR_LONG, status="completed"), False, False),
        (facts(-HOUR_LONG, status="cancelled"), False, False),
        (facts(-HOUR_LONG, status="missed"), False, False),
        (facts(None), False, False),
        (facts(HOUR), False, False),
    ],
)
def test_silence_for_thirty_minutes_after_the_end_makes_it_missed(
    session: Facts, communicated: bool, due: bool
) -> None:
    assert outcome_rules.is_no_show_due(session, NOW, POLICY, communicated=communicated) is due


def test_the_grace_is_the_operators() -> None:
    policy = Policy(no_show_grace=5 * MINUTE)
    assert outcome_rules.is_no_show_due(facts(-65 * MINUTE), NOW, policy, communicated=False)
    early = facts(-65 * MINUTE + SECOND)
    assert not outcome_rules.is_no_show_due(early, NOW, policy, communicated=False)
