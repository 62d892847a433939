"""RULES: proposals, contracts, quota, numbers and progress."""

import dataclasses
from itertools import chain, combinations, product
from typing import Any

from skileez.contracts import rules
from skileez.contracts.meeting_link_rules import (
    check_link_shown,
    check_meeting_url,
    may_set_meeting_link,
)
from skileez.contracts.rules import ContractStatus, ProposalStatus, Terms
from skileez.contracts.standing_rules import (
    check_open_sessions,
    check_pause,
    may_end,
    may_pause,
    may_resume,
)
from skileez.errors import Kind, Refusal
from tests.cast import assert_refuses, said
from tests.rules.table import rows

GOOD = Terms("Speaking with confidence", 8, 60, 45_00, "EUR", "Let us begin.")


@rows(
    ("change", "code"),
    [
        ({}, None),
        ({"title": ""}, "title_length"),
        ({"title": "   "}, "title_length"),
        ({"title": "x" * 120}, None),
        ({"title": "x" * 121}, "title_length"),
        ({"total_sessions": 1}, None),
        ({"total_sessions": 500}, None),
        ({"total_sessions": 0}, "sessions_out_of_range"),
        ({"total_sessions": -1}, "sessions_out_of_range"),
        ({"total_sessions": 501}, "sessions_out_of_range"),
        ({"price": 0}, None),
        ({"price": 100_000_00}, None),
        ({"price": -1}, "price_out_of_range"),
        ({"price": 100_000_01}, "price_out_of_range"),
        ({"currency": "JPY"}, None),
        ({"currency": "eur"}, "unknown_currency"),
        ({"currency": ""}, "unknown_currency"),
        ({"message": ""}, None),
        ({"message": "x" * 2000}, None),
        ({"message": "x" * 2001}, "message_too_long"),
        ({"duration_minutes": 15}, None),
        ({"duration_minutes": 480}, None),
        ({"duration_minutes": 14}, "duration_out_of_range"),
        ({"duration_minutes": 481}, "duration_out_of_range"),
    ],
)
def test_each_term_of_a_proposal_lies_within_its_bounds(
    change: dict[str, Any], code: str | None
) -> None:
    refusal = rules.check_terms(dataclasses.replace(GOOD, **change))
    assert said(refusal) == code
    if refusal:
        assert refusal.kind is Kind.INVALID
        assert refusal.field == next(iter(change))


@rows(
    ("refusal", "code"),
    [
        (rules.check_title(" x "), None),
        (rules.check_title(" " * 9), "title_length"),
        (rules.check_title("\u200b\u200b"), "title_length"),
        (rules.check_title("👩🏽\u200d🚀"), None),
        (rules.check_reason("\u200b" * 10), "reason_too_short"),
        (rules.check_reason("\u202e" * 10), "reason_too_short"),
        (rules.check_reason("\u200b " * 10), "reason_too_short"),
        (rules.check_reason("I am ill. 👩🏽\u200d🚀"), None),
        (rules.check_reason("x" * 500 + "\u200b"), "reason_too_long"),
        (rules.check_count(500), None),
        (rules.check_count(501), "sessions_out_of_range"),
        (rules.check_count(None), "sessions_out_of_range"),
        (rules.check_message(f" {'x' * 2000} "), None),
        (rules.check_message("x" * 2001), "message_too_long"),
    ],
)
def test_a_form_asks_about_each_field_alone(refusal: Refusal | None, code: str | None) -> None:
    assert said(refusal) == code


@rows(
    ("status", "known", "code"),
    [
        ("pending", 3, None),
        ("pending", 2, "proposal_changed"),
        ("accepted", 3, "proposal_closed"),
        ("withdrawn", 2, "proposal_closed"),
    ],
)
def test_a_proposal_is_answered_as_it_was_read(status: str, known: int, code: str | None) -> None:
    assert said(rules.check_unchanged(status, known, 3)) == code


@rows(
    ("status", "is_coach", "code"),
    [
        ("active", True, None),
        ("paused", True, None),
        ("completed", True, "contract_completed"),
        ("cancelled", True, "contract_cancelled"),
        ("active", False, "only_the_coach_sets_the_contracts_link"),
    ],
)
def test_the_coach_sets_the_contracts_link_until_it_is_over(
    status: str, is_coach: bool, code: str | None
) -> None:
    assert said(may_set_meeting_link(status, is_coach=is_coach)) == code


@rows(
    ("offers", "to_self", "active", "code"),
    [
        (True, False, True, None),
        (False, False, True, "not_a_coach"),
        (True, True, True, "proposal_to_self"),
        (True, False, False, "student_unknown"),
    ],
)
def test_a_coach_proposes_to_somebody_else_who_has_an_account(
    offers: bool, to_self: bool, active: bool, code: str | None
) -> None:
    refusal = rules.may_propose(offers_coaching=offers, to_self=to_self, student_active=active)
    assert said(refusal) == code


@rows(("waiting", "code"), [(None, None), (7, "proposal_repeated")])
def test_the_same_offer_is_not_sent_twice_while_it_waits(
    waiting: int | None, code: str | None
) -> None:
    assert said(rules.may_repeat(waiting)) == code
    if refusal := rules.may_repeat(waiting):
        assert "proposal 7" in refusal.sentence()


@rows("status", list(ProposalStatus))
def test_a_proposal_is_answered_once_by_its_student_or_withdrawn_by_its_coach(
    status: ProposalStatus,
) -> None:
    closed = None if status == "pending" else "proposal_closed"
    assert said(rules.may_answer_proposal(status, is_student=True)) == closed
    assert said(rules.may_withdraw_proposal(status, is_coach=True)) == closed
    if closed:
        assert_refuses(rules.may_answer_proposal(status, is_student=True), closed, status)


def test_nobody_else_answers_or_withdraws_a_proposal() -> None:
    answer = rules.may_answer_proposal("pending", is_student=False)
    assert_refuses(answer, "not_your_proposal_to_answer", kind=Kind.FORBIDDEN)
    withdraw = rules.may_withdraw_proposal("pending", is_coach=False)
    assert_refuses(withdraw, "not_your_proposal", kind=Kind.FORBIDDEN)


@rows(
    ("status", "pause", "resume", "end"),
    [
        ("active", None, "contract_active", None),
        ("paused", "contract_paused", None, None),
        ("completed", "contract_completed", "contract_completed", "contract_completed"),
        ("cancelled", "contract_cancelled", "contract_cancelled", "contract_cancelled"),
    ],
)
def test_a_contract_is_paused_resumed_and_ended(
    status: str, pause: str | None, resume: str | None, end: str | None
) -> None:
    answers = [may_pause(status), may_resume(status), may_end(status)]
    assert [said(answer) for answer in answers] == [pause, resume, end]
    for answer in filter(None, answers):
        assert_refuses(answer, f"contract_{status}", status)


@rows(
    ("status", "known", "current", "code"),
    [
        ("paused", 7, 7, None),
        ("paused", 7, 9, "paused_again"),
        ("active", 7, 7, "contract_active"),
        ("active", 7, 9, "contract_active"),
        ("cancelled", 7, 9, "contract_cancelled"),
    ],
)
def test_the_pause_that_the_page_showed_is_resumed(
    status: str, known: int, current: int, code: str | None
) -> None:
    refusal = check_pause(status, known, current)
    assert said(refusal) == code
    if refusal:
        assert refusal.kind is Kind.CONFLICT


@rows(
    ("shown", "current", "figures"),
    [
        (set(), set(), None),
        ({1, 2}, {2, 1}, None),
        ({1, 2}, {1, 2, 3}, ("1 new", "0 no longer open", "cancel 3")),
        ({1, 2}, {1}, ("0 new", "1 no longer open", "cancel 1")),
        ({1, 2}, {1, 3}, ("1 new", "1 no longer open", "cancel 2")),
        ({1}, set(), ("0 new", "1 no longer open", "cancel 0")),
    ],
)
def test_the_open_sessions_that_the_page_showed_are_cancelled(
    shown: set[int], current: set[int], figures: tuple[str, ...] | None
) -> None:
    refusal = check_open_sessions(shown, current)
    if figures is None:
        assert refusal is None
    else:
        assert_refuses(refusal, "open_sessions_changed", *figures)


def test_every_status_of_a_contract_is_in_these_tables() -> None:
    assert set(ContractStatus) == {"active", "paused", "completed", "cancelled"}


@rows(
    ("url", "ok"),
    [
        (None, True),
        ("", True),
        ("https://meet.example.org/abc?x=1#y", True),
        ("https://meet.example.org/" + "x" * 475, True),
        ("https://meet.example.org/" + "x" * 476, False),
        ("http://meet.example.org/abc", False),
        ("javascript:alert(1)", False),
        ("HTTPS://meet.example.org/abc", False),
        ("https:", False),
        ("https://", False),
        ("https:///abc", False),
        ("//meet.example.org", False),
        ("https://good.example@evil.example/", False),
        ("https://good.example\\.evil.example/", False),
        ("https://good.example:port/", False),
        ("https://good.example:8443/", True),
        ("https://meet.example.org/a b", False),
        ("https://meet.example.org/\nx", False),
        ("https://[half", False),
        ("data:text/html,x", False),
    ],
)
def test_a_meeting_link_is_https_with_a_host(url: str | None, ok: bool) -> None:
    refusal = check_meeting_url(url)
    assert said(refusal) == (None if ok else "meeting_link_not_https")
    if refusal:
        assert_refuses(refusal, "meeting_link_not_https", "https://", "500", kind=Kind.INVALID)


@rows(
    ("completed", "total", "percent", "left"),
    [
        (0, 8, 0.0, 8),
        (1, 8, 12.5, 7),
        (4, 8, 50.0, 4),
        (8, 8, 100.0, 0),
        (9, 8, 100.0, 0),
        (-1, 8, 0.0, 9),
        (0, 0, 0.0, 0),
        (3, 0, 0.0, 0),
    ],
)
def test_progress_is_completed_of_total_and_safe_from_zero(
    completed: int, total: int, percent: float, left: int
) -> None:
    assert rules.progress_percentage(completed, total) == percent
    assert rules.remaining_sessions(completed, total) == left


@rows(
    ("completed", "total", "finished"),
    [(7, 8, False), (8, 8, True), (9, 8, True), (0, 1, False), (1, 1, True), (0, 0, False)],
)
def test_the_last_session_finishes_the_contract(completed: int, total: int, finished: bool) -> None:
    assert rules.is_finished(completed, total) is finished


@rows(
    ("taken", "total", "number"),
    [
        (set(), 3, 1),
        ({1}, 3, 2),
        ({1, 3}, 3, 2),
        ({2, 3}, 3, 1),
        ({1, 2, 3}, 3, None),
        ({1, 2, 3, 9}, 3, None),
    ],
)
def test_a_make_up_gets_the_lowest_free_number(
    taken: set[int], total: int, number: int | None
) -> None:
    assert rules.free_number(taken, total) == number
    free = rules.free_numbers(taken, total)
    assert free == [one for one in (1, 2, 3) if one not in taken]


def test_progress_stays_within_a_hundred() -> None:
    for completed, total in product([-(10**9), *range(-3, 43), 10**9], repeat=2):
        assert 0 <= rules.progress_percentage(completed, total) <= 100
        assert rules.remaining_sessions(completed, total) >= 0


def test_a_free_number_is_the_lowest_that_nobody_carries() -> None:
    every = range(1, 8)
    for taken, total in product(chain(*(combinations(every, n) for n in range(8))), every):
        number = rules.free_number(set(taken), total)
        if number is None:
            assert set(range(1, total + 1)) <= set(taken)
        else:
            assert 1 <= number <= total
            assert number not in taken
            assert set(range(1, number)) <= set(taken)


@rows(
    ("current", "typed", "shown", "code"),
    [
        ("https://a.example", "https://b.example", True, None),
        ("https://a.example", "https://b.example", False, "meeting_link_changed"),
        ("https://a.example", "", False, "meeting_link_changed"),
        ("https://a.example", "https://a.example", False, None),
        (None, "https://b.example", False, "meeting_link_removed"),
        (None, "", False, None),
    ],
)
def test_a_new_meeting_link_replaces_the_one_that_the_page_showed(
    current: str | None, typed: str, shown: bool, code: str | None
) -> None:
    assert said(check_link_shown(current, typed, shown=shown)) == code
