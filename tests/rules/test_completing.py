"""RULES: completing a session, its notes and its actual length."""

from datetime import timedelta

from skileez.errors import Kind
from skileez.sessions import outcome_rules
from skileez.sessions.rules import Facts
from tests.cast import HOUR, MINUTE, NOW, SECOND, asked, assert_refuses, facts, said
from tests.rules.table import rows

STARTED = facts(-HOUR)


@rows(
    ("session", "role", "code"),
    [
        (STARTED, "student", None),
        (STARTED, "coach", None),
        (STARTED, None, None),
        (facts(-HOUR, pending=asked()), "student", None),
        (facts(timedelta()), "student", None),
        (facts(SECOND), "student", "not_started"),
        (facts(60 * HOUR), "coach", "not_started"),
        (facts(None), "coach", "to_be_scheduled"),
        (STARTED, "stranger", "not_a_participant"),
        (STARTED, "admin", "not_a_participant"),
        (facts(-HOUR, status="completed"), "coach", "not_scheduled"),
        (facts(-HOUR, status="cancelled"), "coach", "not_scheduled"),
        (facts(-HOUR, status="missed"), "coach", "not_scheduled"),
        (facts(-HOUR, contract_status="paused"), "coach", "contract_not_active"),
        (facts(-HOUR, contract_status="cancelled"), "coach", "contract_not_active"),
        (facts(-HOUR, contract_status="completed"), "coach", "contract_not_active"),
    ],
)
def test_either_participant_completes_a_started_session_of_an_active_contract(
    session: Facts, role: str | None, code: str | None
) -> None:
    assert said(outcome_rules.may_complete(session, role, NOW)) == code


def test_a_completion_refused_says_why() -> None:
    early = outcome_rules.may_complete(facts(90 * MINUTE), "coach", NOW)
    assert_refuses(early, "not_started", "1 h 30 min left", "13:30 UTC")
    over = outcome_rules.may_complete(facts(-HOUR, status="cancelled"), "coach", NOW)
    assert_refuses(over, "not_scheduled", "cancelled")
    paused = outcome_rules.may_complete(facts(-HOUR, contract_status="paused"), "coach", NOW)
    assert_refuses(paused, "contract_not_active", "paused")
    stranger = outcome_rules.may_complete(STARTED, "stranger", NOW)
    assert_refuses(stranger, "not_a_participant", kind=Kind.FORBIDDEN)


@rows(
    ("notes", "code"),
    [
        (None, None),
        ("", None),
        ("x" * 1000, None),
        ("  " + "x" * 1000 + "\n", None),
        ("x" * 1001, "notes_too_long"),
    ],
)
def test_notes_are_optional_and_have_at_most_a_thousand_characters(
    notes: str | None, code: str | None
) -> None:
    assert said(outcome_rules.check_notes(notes)) == code
    if code:
        assert_refuses(outcome_rules.check_notes(notes), code, "1000", "1001", kind=Kind.INVALID)


@rows(
    ("minutes", "code"),
    [
        (None, None),
        (1, None),
        (1440, None),
        (0, "actual_minutes_out_of_range"),
        (-5, "actual_minutes_out_of_range"),
        (1441, "actual_minutes_out_of_range"),
    ],
)
def test_the_actual_length_is_a_minute_to_a_day(minutes: int | None, code: str | None) -> None:
    refusal = outcome_rules.check_actual_minutes(minutes)
    assert said(refusal) == code
    if code:
        assert_refuses(refusal, code, "1440", str(minutes), kind=Kind.INVALID)


@rows(
    ("session", "role", "code"),
    [
        (facts(-HOUR, status="completed"), "student", None),
        (facts(-HOUR, status="completed"), "coach", None),
        (facts(-HOUR, status="completed"), "stranger", "not_a_participant"),
        (STARTED, "student", "not_completed"),
        (facts(-HOUR, status="missed"), "coach", "not_completed"),
        (facts(-HOUR, status="cancelled"), "coach", "not_completed"),
    ],
)
def test_each_participant_adds_their_notes_once_it_is_completed(
    session: Facts, role: str, code: str | None
) -> None:
    assert said(outcome_rules.may_add_notes(session, role)) == code


@rows(
    ("session", "overdue"),
    [
        (facts(-HOUR), True),
        (facts(-HOUR + SECOND), False),
        (facts(-30 * MINUTE, minutes=30), True),
        (facts(HOUR), False),
        (facts(None), False),
        (facts(-2 * HOUR, status="completed"), False),
        (facts(-2 * HOUR, status="cancelled"), False),
        (facts(-2 * HOUR, status="missed"), False),
    ],
)
def test_it_is_overdue_once_its_end_has_passed_and_nobody_said_what_became_of_it(
    session: Facts, overdue: bool
) -> None:
    assert outcome_rules.is_overdue(session, NOW) is overdue


@rows(
    ("current", "typed", "shown", "code"),
    [
        ("Old.", "New.", True, None),
        ("Old.", "New.", False, "notes_changed"),
        ("New.", "New.", False, None),
        (None, "New.", False, "notes_changed"),
        (None, "", False, None),
        ("Old.", "", False, "notes_changed"),
    ],
)
def test_new_notes_replace_those_that_the_page_showed(
    current: str | None, typed: str, shown: bool, code: str | None
) -> None:
    assert said(outcome_rules.check_notes_shown(current, typed, shown=shown)) == code
