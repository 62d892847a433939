"""RULES: the states, the ways between them and the figures' defaults."""

import dataclasses
from datetime import timedelta

import pytest

from skileez.errors import Figure, Kind, Refusal, Refused, duration, in_utc, require
from skileez.sessions import outcome_rules, rules
from skileez.sessions.rules import Policy, Role, State, Status
from tests.cast import DAY, HOUR, MINUTE, NOW, SECOND, asked, assert_refuses, facts
from tests.rules.table import rows

EDGES = {
    ("scheduled", "completed"),
    ("scheduled", "cancelled"),
    ("scheduled", "missed"),
    ("missed", "completed"),
}


def test_there_are_four_ways_to_change_a_status_and_no_other() -> None:
    assert set(rules.TRANSITIONS.values()) == EDGES
    assert set(rules.TRANSITIONS) == {"complete", "cancel", "miss", "correct"}


@rows("status", list(Status))
def test_a_verb_runs_only_from_the_status_it_starts_at(status: Status) -> None:
    session = facts(-HOUR, status=status, missed_at=NOW, correction_by="coach")
    runs = {
        "complete": outcome_rules.may_complete(session, "student", NOW),
        "cancel": outcome_rules.may_cancel(session, "student"),
        "miss": outcome_rules.may_mark_missed(session, "student", NOW),
        "correct": outcome_rules.may_answer_correction(session, "student"),
    }
    assert {verb for verb, refusal in runs.items() if refusal is None} == {
        verb for verb, (start, _) in rules.TRANSITIONS.items() if start == status
    }


def test_the_five_states_are_the_four_statuses_and_a_pending_request() -> None:
    assert set(State) == set(Status) | {"reschedule_requested"}
    assert set(rules.LIVE) == {"scheduled", "completed"}


def test_the_other_of_a_student_is_the_coach_and_back() -> None:
    assert rules.other("student") is Role.COACH
    assert rules.other("coach") is Role.STUDENT


@rows("role", [None, "", "admin", "stranger", "Student"])
def test_only_the_two_of_the_contract_are_participants(role: str | None) -> None:
    refusal = rules.refuse_stranger(role)
    assert refusal is not None
    assert refusal.kind is Kind.FORBIDDEN
    assert rules.refuse_stranger("student") is rules.refuse_stranger("coach") is None


def test_a_page_of_another_version_is_stale() -> None:
    assert rules.check_version(3, 3) is None
    stale = rules.check_version(2, 3)
    assert stale is not None
    assert (stale.code, stale.kind) == ("session_changed", Kind.CONFLICT)
    twice = rules.check_version(2, 3, done_at=NOW)
    assert_refuses(twice, "done_already", "12:00 UTC", "Nothing was done a second time")
    assert rules.check_version(3, 3, done_at=NOW) is None


def test_the_figures_default_to_the_rulings() -> None:
    hours = timedelta(hours=1)
    assert dataclasses.asdict(Policy()) == {
        "student_notice": 24 * hours,
        "coach_notice": 48 * hours,
        "min_notice": 10 * hours,
        "answer_within": 24 * hours,
        "strict_notice": False,
        "min_lead": hours,
        "horizon": timedelta(days=365),
        "no_show_grace": timedelta(minutes=30),
        "correction_within": 72 * hours,
    }
    assert Policy().notice("student") == 24 * hours
    assert Policy().notice("coach") == 48 * hours


@rows(
    ("figure", "shown"),
    [
        (NOW, "Mon 2 Mar 2026, 12:00 UTC"),
        (HOUR, "1 h"),
        (90 * MINUTE, "1 h 30 min"),
        (59 * SECOND, "less than a minute"),
        (-90 * MINUTE, "1 h 30 min"),
        (24 * HOUR - SECOND, "23 h 59 min"),
        (48 * HOUR, "48 h"),
        (72 * HOUR, "3 days"),
        (75 * HOUR + MINUTE, "3 days 3 h"),
        (365 * DAY, "365 days"),
        (500, "500"),
        ("coach", "coach"),
    ],
)
def test_a_figure_reads_naturally_in_a_terminal(figure: Figure, shown: str) -> None:
    assert in_utc(figure) == shown
    if isinstance(figure, timedelta):
        assert duration(figure) == shown


def test_a_refusal_is_raised_with_its_sentence_and_code_and_a_yes_is_not() -> None:
    refusal = Refusal("too_much", "At most %(most)s.", {"most": 3})
    with pytest.raises(Refused, match=r"At most 3\.") as caught:
        require(refusal)
    assert isinstance(caught.value, ValueError)
    assert caught.value.code == "too_much"
    assert caught.value.refusal is refusal
    require(None)


def test_a_sentence_is_translated_before_its_figures_are_filled_in() -> None:
    refusal = Refusal("too_much", "At most %(most)s.", {"most": HOUR})
    translated = refusal.sentence({"At most %(most)s.": "Höchstens %(most)s."}.get, repr)  # type: ignore[arg-type]
    assert translated == f"Höchstens {HOUR!r}."


def test_the_facts_of_a_session_without_a_time_have_no_end() -> None:
    assert facts(None).end is None
    assert facts(pending=asked()).end == NOW + 61 * HOUR
