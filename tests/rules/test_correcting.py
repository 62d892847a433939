"""RULES: saying that a missed session did take place."""

from datetime import timedelta
from typing import Any

from skileez.errors import Kind
from skileez.sessions import outcome_rules
from skileez.sessions.rules import Facts, Policy
from tests.cast import DAY, HOUR, NOW, POLICY, SECOND, assert_refuses, facts, said
from tests.rules.table import rows


def missed(ago: timedelta = HOUR, **told: Any) -> Facts:
    return facts(-2 * DAY, status="missed", missed_at=NOW - ago, **told)


@rows(
    ("session", "role", "code"),
    [
        (missed(), "student", None),
        (missed(), "coach", None),
        (missed(72 * HOUR - SECOND), "student", None),
        (missed(72 * HOUR), "student", None),
        (missed(72 * HOUR + SECOND), "student", "correction_too_late"),
        (missed(), "stranger", "not_a_participant"),
        (missed(), "admin", "not_a_participant"),
        (missed(correction_by="student"), "coach", "correction_pending"),
        (missed(correction_by="student"), "student", "correction_pending"),
        (facts(-HOUR), "student", "not_missed"),
        (facts(-HOUR, status="completed"), "student", "not_missed"),
        (facts(-HOUR, status="cancelled"), "student", "not_missed"),
    ],
)
def test_a_participant_disputes_a_missed_mark_for_three_days(
    session: Facts, role: str, code: str | None
) -> None:
    assert said(outcome_rules.may_request_correction(session, role, NOW, POLICY)) == code


def test_a_dispute_refused_says_why() -> None:
    late = outcome_rules.may_request_correction(missed(80 * HOUR), "student", NOW, POLICY)
    assert_refuses(late, "correction_too_late", "3 days", "Mon 2 Mar 2026, 04:00 UTC")
    second = outcome_rules.may_request_correction(
        missed(correction_by="coach"), "student", NOW, POLICY
    )
    assert_refuses(second, "correction_pending", "coach")
    held = outcome_rules.may_request_correction(
        facts(-HOUR, status="completed"), "coach", NOW, POLICY
    )
    assert_refuses(held, "not_missed", "completed")


def test_the_time_to_dispute_is_the_operators() -> None:
    policy = Policy(correction_within=HOUR)
    assert outcome_rules.correction_until(missed(HOUR), policy) == NOW
    assert outcome_rules.correction_until(facts(), policy) is None
    assert said(outcome_rules.may_request_correction(missed(HOUR), "coach", NOW, policy)) is None
    too_late = outcome_rules.may_request_correction(missed(HOUR + SECOND), "coach", NOW, policy)
    assert said(too_late) == "correction_too_late"


ASKED = missed(correction_by="student")


@rows(
    ("session", "role", "code"),
    [
        (ASKED, "coach", None),
        (ASKED, "admin", None),
        (missed(99 * DAY, correction_by="student"), "coach", None),
        (ASKED, "student", "own_correction"),
        (missed(correction_by="coach"), "coach", "own_correction"),
        (ASKED, "stranger", "not_a_participant"),
        (missed(), "coach", "no_correction"),
        (missed(), "admin", "no_correction"),
        (facts(-HOUR, status="completed"), "coach", "not_missed"),
    ],
)
def test_the_other_participant_or_an_administrator_agrees(
    session: Facts, role: str, code: str | None
) -> None:
    assert said(outcome_rules.may_answer_correction(session, role)) == code


def test_nobody_agrees_with_themselves() -> None:
    own = outcome_rules.may_answer_correction(ASKED, "student")
    assert_refuses(own, "own_correction", "coach", "administrator", kind=Kind.FORBIDDEN)
