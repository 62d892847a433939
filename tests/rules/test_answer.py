"""RULES: answering a reschedule request, withdrawing it, and what silence decides."""

from datetime import timedelta
from itertools import permutations, product

from skileez.errors import Kind
from skileez.sessions import reschedule_rules as rules
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.rules import Facts, Pending
from tests.cast import (
    DAY,
    HOUR,
    NOW,
    POLICY,
    SECOND,
    STRICT,
    asked,
    assert_refuses,
    facts,
    said,
)
from tests.rules.table import rows

BY_STUDENT = facts(pending=asked("student", 70 * HOUR, 72 * HOUR))
BY_COACH = facts(pending=asked("coach", 70 * HOUR))
ANY_TIME = facts(pending=asked("student"))

WHO_ANSWERS = [
    (BY_STUDENT, "coach", None),
    (BY_STUDENT, "student", "own_request"),
    (BY_COACH, "student", None),
    (BY_COACH, "coach", "own_request"),
    (BY_STUDENT, "stranger", "not_a_participant"),
    (BY_STUDENT, "admin", "not_a_participant"),
    (facts(), "coach", "no_request"),
]


@rows(("session", "role", "code"), WHO_ANSWERS)
def test_only_the_other_participant_answers(session: Facts, role: str, code: str | None) -> None:
    assert said(rules.may_answer(session, role, NOW)) == code
    assert said(rules.may_decline(session, role, NOW)) == code
    assert said(rules.may_approve(session, role, NOW + 70 * HOUR, NOW, POLICY)) == code


@rows(
    ("left", "code"),
    [(SECOND, None), (timedelta(), "deadline_passed"), (-SECOND, "deadline_passed")],
)
def test_an_answer_comes_before_the_deadline(left: timedelta, code: str | None) -> None:
    session = facts(pending=asked("student", 70 * HOUR, deadline=NOW + left))
    assert said(rules.may_answer(session, "coach", NOW)) == code
    assert said(rules.may_decline(session, "coach", NOW)) == code
    assert said(rules.may_approve(session, "coach", NOW + 70 * HOUR, NOW, POLICY)) == code


def test_a_refused_answer_says_why() -> None:
    own = rules.may_answer(BY_STUDENT, "student", NOW)
    assert_refuses(own, "own_request", "coach", "withdraw", kind=Kind.FORBIDDEN)
    late = rules.may_answer(facts(pending=asked(deadline=NOW)), "coach", NOW)
    assert_refuses(late, "deadline_passed", "Mon 2 Mar 2026, 12:00 UTC")
    assert_refuses(rules.may_answer(facts(), "coach", NOW), "no_request")


@rows(
    ("session", "hours", "code"),
    [
        (BY_STUDENT, 70, None),
        (BY_STUDENT, 72, None),
        (BY_STUDENT, 71, "not_a_proposed_time"),
        (BY_STUDENT, 60, "not_a_proposed_time"),
        (BY_STUDENT, None, "time_missing"),
        (ANY_TIME, 90, None),
        (ANY_TIME, 1, None),
        (ANY_TIME, 60, "proposed_time_is_current"),
        (ANY_TIME, 0.99, "time_too_soon"),
        (ANY_TIME, -1, "time_in_the_past"),
        (ANY_TIME, 24 * 366, "time_too_far"),
        (ANY_TIME, None, "time_missing"),
    ],
)
def test_an_approval_takes_a_proposed_time_or_any_where_none_was(
    session: Facts, hours: float | None, code: str | None
) -> None:
    new_time = None if hours is None else NOW + hours * HOUR
    for role in ("coach", None):
        refusal = rules.may_approve(session, role, new_time, NOW, POLICY)
        assert said(refusal) == code
        if refusal:
            assert (refusal.kind, refusal.field) == (Kind.INVALID, "new_scheduled_at")


def test_a_proposed_time_is_good_only_while_it_is_an_hour_ahead() -> None:
    session = facts(20 * HOUR, pending=asked("student", 2 * HOUR, deadline=NOW + 20 * HOUR))
    at = NOW + 2 * HOUR
    assert said(rules.may_approve(session, "coach", at, NOW + HOUR, POLICY)) is None
    too_late = rules.may_approve(session, "coach", at, NOW + HOUR + SECOND, POLICY)
    assert_refuses(too_late, "time_too_soon", "59 min", kind=Kind.INVALID)


def test_a_bare_answer_is_the_systems_and_needs_a_request_all_the_same() -> None:
    assert said(rules.may_decline(BY_STUDENT, None, NOW)) is None
    assert said(rules.may_decline(facts(), None, NOW)) == "no_request"
    assert said(rules.may_approve(facts(), None, NOW + DAY, NOW, POLICY)) == "no_request"


@rows(
    ("session", "role", "code"),
    [
        (BY_STUDENT, "student", None),
        (BY_COACH, "coach", None),
        (facts(pending=asked("student", deadline=NOW - HOUR)), "student", None),
        (BY_STUDENT, "coach", "not_your_request"),
        (BY_COACH, "student", "not_your_request"),
        (BY_STUDENT, "stranger", "not_a_participant"),
        (facts(), "student", "no_request"),
    ],
)
def test_only_who_asked_withdraws(session: Facts, role: str, code: str | None) -> None:
    assert said(rules.may_withdraw(session, role)) == code


def test_a_withdrawal_by_the_other_names_who_asked() -> None:
    refusal = rules.may_withdraw(BY_COACH, "student")
    assert_refuses(refusal, "not_your_request", "coach", kind=Kind.FORBIDDEN)


@rows(
    ("role", "ahead", "kind"),
    [
        ("student", 24 * HOUR, "standard"),
        ("student", 24 * HOUR - SECOND, "late"),
        ("coach", 48 * HOUR, "standard"),
        ("coach", 48 * HOUR - SECOND, "late"),
        ("coach", HOUR, "late"),
    ],
)
def test_a_counter_is_standard_only_with_its_authors_notice(
    role: str, ahead: timedelta, kind: str
) -> None:
    assert rules.counter_kind(role, ahead, POLICY) == kind
    assert rules.counter_kind(role, ahead, STRICT) == kind


@rows(
    ("session", "after", "due"),
    [
        (BY_STUDENT, DAY, True),
        (BY_STUDENT, DAY - SECOND, False),
        (BY_STUDENT, 2 * DAY, True),
        (facts(), 9 * DAY, False),
    ],
)
def test_silence_speaks_at_the_deadline(session: Facts, after: timedelta, due: bool) -> None:
    assert rules.is_answer_due(session, NOW + after) is due


def waiting(kind: str, ahead: timedelta, deadline: timedelta) -> Facts:
    return facts(ahead, pending=asked("student", kind=kind, deadline=NOW + deadline))


@rows(
    ("kind", "ahead", "free", "outcome", "chosen"),
    [
        ("standard", 36, [70, 72], Silence.APPROVED, 70),
        ("standard", 36, [72], Silence.APPROVED, 72),
        ("standard", 36, [1], Silence.APPROVED, 1),
        ("standard", 36, [0.99, 72], Silence.APPROVED, 72),
        ("standard", 36, [0.99], Silence.TO_BE_SCHEDULED, None),
        ("standard", 36, [-5], Silence.TO_BE_SCHEDULED, None),
        ("standard", 36, [], Silence.TO_BE_SCHEDULED, None),
        ("late", 36, [70], Silence.LAPSED, None),
        ("late", 36, [], Silence.LAPSED, None),
    ],
)
def test_silence_approves_a_standard_request_and_lets_a_late_one_lapse(
    kind: str, ahead: float, free: list[float], outcome: Silence, chosen: float | None
) -> None:
    session = waiting(kind, ahead * HOUR, timedelta())
    times = [NOW + hours * HOUR for hours in free]
    decided = rules.settle_silence(session, times, NOW, POLICY, heard=False)
    assert decided == (outcome, None if chosen is None else NOW + chosen * HOUR)


@rows(
    ("ahead", "deadline", "heard", "outcome"),
    [
        (SECOND, -10 * HOUR, False, Silence.APPROVED),
        (timedelta(), -10 * HOUR, False, Silence.APPROVED),
        (-HOUR, -10 * HOUR, False, Silence.APPROVED),
        # Somebody who checked in early may still be told that it moves.
        (SECOND, -10 * HOUR, True, Silence.APPROVED),
        (timedelta(), -10 * HOUR, True, Silence.LAPSED),
        (-HOUR, -10 * HOUR, True, Silence.LAPSED),
        # Asked with a day's notice to the second: the deadline is the start, and silence a yes.
        (timedelta(), timedelta(), True, Silence.APPROVED),
        (-HOUR, -HOUR, True, Silence.APPROVED),
    ],
)
def test_a_sweep_that_comes_late_does_the_same_unless_somebody_was_heard_since_the_start(
    ahead: timedelta, deadline: timedelta, heard: bool, outcome: Silence
) -> None:
    session = waiting("standard", ahead, deadline)
    free = [NOW + 3 * DAY]
    assert rules.settle_silence(session, free, NOW, POLICY, heard=heard)[0] is outcome


AHEAD = [-3 * DAY, -SECOND, timedelta(), SECOND, HOUR - SECOND, HOUR, 3 * DAY, 400 * DAY]
PROPOSED = list(permutations(product([-HOUR, HOUR - SECOND, HOUR, 400 * DAY], (True, False)), 2))


@rows("kind", ["standard", "late"])
@rows("ahead", AHEAD)
def test_silence_never_approves_a_late_request_nor_a_past_or_taken_time(
    kind: str, ahead: timedelta
) -> None:
    start = NOW + ahead
    for proposed in PROPOSED:
        times = tuple(NOW + lead for lead, _ in proposed)
        free = [NOW + lead for lead, is_free in proposed if is_free]
        session = Facts(
            "scheduled", start, 60, pending=Pending("student", kind, min(start, NOW), times)
        )
        outcome, chosen = rules.settle_silence(session, free, NOW, POLICY, heard=False)
        assert (outcome is Silence.APPROVED) == (chosen is not None)
        if kind == "late":
            assert outcome is Silence.LAPSED
        if chosen is not None:
            assert chosen in free
            assert chosen - NOW >= POLICY.min_lead
            assert not [
                time
                for time in free[: free.index(chosen)]
                if POLICY.min_lead <= time - NOW <= POLICY.horizon
            ]


@rows(
    ("confirmed", "proposed_by", "approved_by", "kept"),
    [
        (True, "student", "coach", True),
        (True, "coach", "student", True),
        (True, "coach", None, True),
        (True, "student", None, False),
        (True, "", "student", False),
        (True, "", "coach", True),
        (True, "", None, False),
        (False, "coach", "student", False),
        (False, "student", "coach", False),
    ],
)
def test_a_move_clears_the_confirmation_unless_the_coach_chose_the_time(
    confirmed: bool, proposed_by: str, approved_by: str | None, kept: bool
) -> None:
    answer = rules.keeps_confirmation(confirmed, proposed_by=proposed_by, approved_by=approved_by)
    assert answer is kept
