"""RULES: cancelling a session."""

from datetime import timedelta

from skileez.errors import Kind
from skileez.sessions import outcome_rules
from skileez.sessions.rules import Facts
from tests.cast import DAY, HOUR, POLICY, SECOND, asked, assert_refuses, facts, said
from tests.rules.table import rows


@rows(
    ("session", "role", "code"),
    [
        (facts(60 * HOUR), "student", None),
        (facts(60 * HOUR), "coach", None),
        (facts(60 * HOUR), None, None),
        (facts(SECOND), "student", None),
        (facts(-9 * DAY), "coach", None),
        (facts(None), "student", None),
        (facts(pending=asked()), "coach", None),
        (facts(contract_status="paused"), "coach", None),
        (facts(contract_status="cancelled"), "coach", None),
        (facts(), "stranger", "not_a_participant"),
        (facts(), "admin", "not_a_participant"),
        (facts(status="completed"), "student", "not_scheduled"),
        (facts(status="cancelled"), "student", "not_scheduled"),
        (facts(status="missed"), None, "not_scheduled"),
    ],
)
def test_either_participant_cancels_any_scheduled_session(
    session: Facts, role: str | None, code: str | None
) -> None:
    assert said(outcome_rules.may_cancel(session, role)) == code


def test_a_cancellation_refused_says_why() -> None:
    done = outcome_rules.may_cancel(facts(status="completed"), "student")
    assert_refuses(done, "not_scheduled", "completed")
    stranger = outcome_rules.may_cancel(facts(), "stranger")
    assert_refuses(stranger, "not_a_participant", kind=Kind.FORBIDDEN)


@rows(
    ("lead", "student", "coach"),
    [
        (48 * HOUR, False, False),
        (48 * HOUR - SECOND, False, True),
        (24 * HOUR, False, True),
        (24 * HOUR - SECOND, True, True),
        (timedelta(), True, True),
        (-HOUR, True, True),
        (None, False, False),
    ],
)
def test_a_cancellation_under_the_cancellers_notice_is_late(
    lead: timedelta | None, student: bool, coach: bool
) -> None:
    assert outcome_rules.is_late_cancellation(lead, "student", POLICY) is student
    assert outcome_rules.is_late_cancellation(lead, "coach", POLICY) is coach
    assert outcome_rules.is_late_cancellation(lead, None, POLICY) is False


@rows(
    ("status", "lead", "counts"),
    [
        ("cancelled", SECOND, False),
        ("cancelled", timedelta(), True),
        ("cancelled", -HOUR, True),
        ("cancelled", None, False),
        ("missed", None, True),
        ("completed", None, False),
        ("scheduled", None, False),
    ],
)
def test_cancelling_after_the_start_dodges_no_no_show(
    status: str, lead: timedelta | None, counts: bool
) -> None:
    assert outcome_rules.counts_as_no_show(status, lead, "coach") is counts


def test_a_cancellation_by_neither_of_the_two_is_no_no_show() -> None:
    assert not outcome_rules.counts_as_no_show("cancelled", -HOUR, None)
    assert outcome_rules.counts_as_no_show("missed", None, None)
