"""Who does what to a series, and until when; what silence makes of a request to move it."""

import pytest

from skileez.errors import Kind
from skileez.sessions import series_rules as rules
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.rules import RequestKind
from skileez.sessions.series_rules import SeriesFacts
from tests.cast import DAY, HOUR, NOW, POLICY, STRICT, asked, assert_refuses, facts, said
from tests.rules.table import rows

RUNNING = SeriesFacts()
STOPPED = SeriesFacts(stopped=True)
ASKED = SeriesFacts(pending=asked("student"))


@rows(
    ("series", "role", "code"),
    [
        (RUNNING, "student", None),
        (RUNNING, "coach", None),
        (RUNNING, "admin", "not_a_participant"),
        (STOPPED, "coach", "series_stopped"),
        (ASKED, "coach", None),
    ],
)
def test_either_of_the_two_cancels_or_stops_a_series_that_runs(
    series: SeriesFacts, role: str, code: str | None
) -> None:
    assert said(rules.may_cancel_series(series, role)) == code
    assert said(rules.may_stop(series, role)) == code


@rows(
    ("series", "role", "code"),
    [
        (RUNNING, "student", None),
        (RUNNING, "coach", None),
        (RUNNING, "stranger", "not_a_participant"),
        (STOPPED, "student", "series_stopped"),
        (ASKED, "coach", "move_pending"),
        (ASKED, "student", "move_pending"),
    ],
)
def test_one_request_at_a_time_to_move_a_series_that_runs(
    series: SeriesFacts, role: str, code: str | None
) -> None:
    assert said(rules.may_request_move(series, role)) == code


@rows(
    ("series", "role", "late", "answer", "withdraw"),
    [
        (ASKED, "coach", False, None, "not_your_request"),
        (ASKED, "student", False, "own_request", None),
        (ASKED, "admin", False, "not_a_participant", "not_a_participant"),
        (ASKED, "coach", True, "deadline_passed", "not_your_request"),
        (RUNNING, "coach", False, "no_move_request", "no_move_request"),
    ],
)
def test_the_other_answers_in_time_and_who_asked_withdraws(
    series: SeriesFacts, role: str, late: bool, answer: str | None, withdraw: str | None
) -> None:
    now = NOW + DAY if late else NOW
    assert said(rules.may_answer_move(series, role, now)) == answer
    assert said(rules.may_withdraw_move(series, role)) == withdraw
    assert rules.is_move_due(series, now) == late
    assert (rules.check_waiting(series) is None) == (series is ASKED)


@rows(
    ("role", "ahead", "code", "kind"),
    [
        ("student", 24, None, RequestKind.STANDARD),
        ("student", 23, None, RequestKind.LATE),
        ("coach", 48, None, RequestKind.STANDARD),
        ("coach", 47, None, RequestKind.LATE),
        ("coach", 9, "notice_too_short", None),
        ("student", 0, "already_started", None),
    ],
)
def test_notice_is_that_of_the_first_session_that_moves(
    role: str, ahead: int, code: str | None, kind: RequestKind | None
) -> None:
    # A request to move it alone does not stand in the way.
    first = facts(ahead * HOUR, pending=asked("coach"))
    assert said(rules.check_first(first, role, NOW, POLICY)) == code
    if kind:
        assert first.start is not None
        assert rules.move_kind(role, first.start, NOW, POLICY) is kind


def test_strict_notice_holds_for_series_too() -> None:
    assert said(rules.check_first(facts(23 * HOUR), "student", NOW, STRICT)) == "notice_too_short"


@rows(
    ("kind", "all_free", "outcome"),
    [
        ("standard", True, Silence.APPROVED),
        ("standard", False, Silence.LAPSED),
        ("late", True, Silence.LAPSED),
        ("late", False, Silence.LAPSED),
    ],
)
def test_silence_moves_a_series_only_as_a_whole(
    kind: str, all_free: bool, outcome: Silence
) -> None:
    pending = asked("student", kind=kind)
    assert rules.settle_move(pending, all_free=all_free) is outcome
    assert_refuses(rules.SETTLED[outcome], "series_settled_by_silence")


def test_a_series_is_told_how_many_of_its_dates_are_in_the_way() -> None:
    assert_refuses(rules.conflicts(2, 8, NOW), "series_conflicts", "2 of the 8", "2 Mar 2026")
    assert_refuses(rules.move_conflicts(1, 6, NOW), "move_conflicts", "1 of the 6", "2 Mar 2026")


def test_something_must_be_booked_meant_confirmed_and_changed() -> None:
    assert rules.check_booked(1) is rules.check_meant(1) is None
    assert rules.check_unconfirmed(1) is None
    assert_refuses(rules.check_unconfirmed(0), "nothing_to_confirm", "nothing left to do")
    assert_refuses(rules.CHANGED, "series_changed", "Nothing was confirmed")
    assert_refuses(rules.check_booked(0), "series_all_skipped", kind=Kind.INVALID)
    assert_refuses(rules.check_meant(0), "nothing_to_come")
    assert rules.check_changes(["a"], ["b"]) is None
    assert_refuses(rules.check_changes(["a"], ["a"]), "pattern_is_current", kind=Kind.INVALID)


def test_choices_are_about_dates_of_the_series() -> None:
    place = "2027-03-01T18:00"
    assert rules.check_places(set(), {place}) is rules.check_places({place}, {place}) is None
    refusal = rules.check_places({"2027-03-01T19:00", "<b>" * 99}, {place})
    assert_refuses(refusal, "unknown_place", "2027-03-01 19:00", kind=Kind.INVALID)


def test_a_move_without_notice_is_nobodys_kind() -> None:
    with pytest.raises(AssertionError, match="check_first"):
        rules.move_kind("student", NOW, NOW, POLICY)
