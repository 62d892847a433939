"""RULES: asking for a reschedule."""

from datetime import UTC, datetime, timedelta
from itertools import product

from skileez import zones
from skileez.contracts.rules import check_reason
from skileez.errors import Kind
from skileez.sessions import reschedule_rules as rules
from skileez.sessions.rules import Facts, Policy, RequestKind
from tests.cast import (
    DAY,
    HOUR,
    MINUTE,
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

NOTHING = timedelta()
TABLE = [
    # lead              student      coach
    (30 * DAY, "standard", "standard"),
    (48 * HOUR, "standard", "standard"),
    (48 * HOUR - SECOND, "standard", "late"),
    (24 * HOUR, "standard", "late"),
    (24 * HOUR - SECOND, "late", "late"),
    (10 * HOUR, "late", "late"),
    (10 * HOUR - SECOND, "late", None),
    (HOUR, "late", None),
    (SECOND, "late", None),
    (NOTHING, None, None),
    (-SECOND, None, None),
]
EITHER = [
    (lead, role, row[i]) for lead, *row in TABLE for i, role in enumerate(("student", "coach"))
]


@rows(("lead", "role", "kind"), EITHER)
def test_notice_earns_a_standard_request_and_less_a_late_one(
    lead: timedelta, role: str, kind: str | None
) -> None:
    assert rules.request_kind(role, lead, POLICY) == kind
    assert (rules.may_request_reschedule(facts(lead), role, NOW, POLICY) is None) is bool(kind)


@rows(("lead", "role", "kind"), EITHER)
def test_strict_notice_refuses_every_late_request(
    lead: timedelta, role: str, kind: str | None
) -> None:
    refusal = rules.may_request_reschedule(facts(lead), role, NOW, STRICT)
    assert (refusal is None) is (kind == "standard")
    assert rules.request_kind(role, lead, STRICT) == (kind if kind == "standard" else None)
    if kind == "late":
        assert said(refusal) == "notice_too_short"


def test_a_refused_request_says_what_is_left_and_what_it_takes() -> None:
    coach = rules.may_request_reschedule(facts(10 * HOUR - SECOND), "coach", NOW, POLICY)
    assert_refuses(coach, "notice_too_short", "9 h 59 min left", "10 h", "cancel")
    coach = rules.may_request_reschedule(facts(SECOND), "coach", NOW, POLICY)
    assert coach is not None
    assert coach.sentence().startswith("Less than a minute left; a coach can ask until 10 h")
    strict = rules.may_request_reschedule(facts(22 * HOUR), "coach", NOW, STRICT)
    assert_refuses(strict, "notice_too_short", "22 h left", "coach", "48 h")
    strict = rules.may_request_reschedule(facts(22 * HOUR), "student", NOW, STRICT)
    assert_refuses(strict, "notice_too_short", "22 h left", "student", "24 h")
    started = rules.may_request_reschedule(facts(-5 * MINUTE), "student", NOW, POLICY)
    assert_refuses(started, "already_started", "11:55 UTC")


@rows(
    ("session", "role", "code"),
    [
        (facts(), "student", None),
        (facts(confirmed=True), "student", None),
        (facts(), "stranger", "not_a_participant"),
        (facts(), "admin", "not_a_participant"),
        (facts(None), "student", "to_be_scheduled"),
        (facts(pending=asked("coach")), "student", "request_pending"),
        (facts(pending=asked("student")), "student", "request_pending"),
        (facts(NOTHING), "student", "already_started"),
        (facts(NOTHING), "coach", "already_started"),
        (facts(status="completed"), "student", "not_scheduled"),
        (facts(status="cancelled"), "coach", "not_scheduled"),
        (facts(status="missed"), "coach", "not_scheduled"),
    ],
)
def test_a_participant_asks_once_while_it_is_scheduled(
    session: Facts, role: str, code: str | None
) -> None:
    assert said(rules.may_request_reschedule(session, role, NOW, POLICY)) == code


def test_a_stranger_is_forbidden_and_a_second_request_names_the_first() -> None:
    stranger = rules.may_request_reschedule(facts(), "stranger", NOW, POLICY)
    assert_refuses(stranger, "not_a_participant", kind=Kind.FORBIDDEN)
    second = rules.may_request_reschedule(facts(pending=asked("coach")), "student", NOW, POLICY)
    assert_refuses(second, "request_pending", "coach")


@rows(
    ("session", "allowed"),
    [
        (facts(10 * HOUR), True),
        (facts(10 * HOUR - SECOND), False),
        (facts(30 * DAY), True),
        (facts(-HOUR), False),
        (facts(None), False),
        (facts(status="completed"), False),
        (facts(status="cancelled"), False),
        (facts(status="missed"), False),
    ],
)
def test_the_ten_hour_rule(session: Facts, allowed: bool) -> None:
    assert rules.is_reschedule_allowed(session, NOW, POLICY) is allowed


def test_notice_over_a_change_of_clocks_is_elapsed_time() -> None:
    berlin = zones.zone("Europe/Berlin")
    start = datetime(2026, 3, 29, 12, tzinfo=berlin)  # the clocks go forward that night
    same_clock_a_day_before = datetime(2026, 3, 28, 12, tzinfo=berlin)
    refusal = rules.may_request_reschedule(
        Facts("scheduled", start, 60), "student", same_clock_a_day_before, STRICT
    )
    assert_refuses(refusal, "notice_too_short", "23 h left", "24 h")
    an_hour_earlier = datetime(2026, 3, 28, 11, tzinfo=berlin)
    assert (
        rules.may_request_reschedule(
            Facts("scheduled", start, 60), "student", an_hour_earlier, STRICT
        )
        is None
    )


@rows(
    ("ahead", "deadline"),
    [
        (60 * HOUR, 24 * HOUR),
        (24 * HOUR, 24 * HOUR),
        (24 * HOUR - SECOND, 24 * HOUR - SECOND),
        (10 * HOUR, 10 * HOUR),
        (SECOND, SECOND),
    ],
)
def test_the_deadline_is_a_day_or_the_start(ahead: timedelta, deadline: timedelta) -> None:
    assert rules.answer_deadline(NOW + ahead, NOW, POLICY) == NOW + deadline


def test_the_day_to_answer_is_elapsed_time() -> None:
    asked_at = datetime(2026, 3, 28, 12, tzinfo=zones.zone("Europe/Berlin"))
    deadline = rules.answer_deadline(asked_at + 30 * DAY, asked_at, POLICY)
    assert deadline == datetime(2026, 3, 29, 11, tzinfo=UTC)


@rows(
    ("role", "policy", "until"),
    [
        ("student", POLICY, NOTHING),
        ("coach", POLICY, 10 * HOUR),
        ("student", STRICT, 24 * HOUR),
        ("coach", STRICT, 48 * HOUR),
    ],
)
def test_a_page_can_say_until_when_a_request_may_be_made(
    role: str, policy: Policy, until: timedelta
) -> None:
    session = facts(60 * HOUR)
    assert session.start
    last = rules.request_until(session, role, policy)
    assert last == session.start - until
    assert rules.request_until(facts(None), role, policy) is None
    if until:
        assert rules.may_request_reschedule(session, role, last, policy) is None
    assert rules.may_request_reschedule(session, role, last + SECOND, policy) is not None


@rows(
    ("text", "code"),
    [
        ("x" * 10, None),
        ("x" * 500, None),
        ("  " + "x" * 500 + "  \n", None),
        ("x" * 9, "reason_too_short"),
        ("  " + "x" * 9 + "  ", "reason_too_short"),
        ("x" * 501, "reason_too_long"),
        ("", "reason_too_short"),
        ("          \n\t ", "reason_too_short"),
        (None, "reason_too_short"),
        ("日本語で理由を書きました", None),
    ],
)
def test_a_reason_has_ten_to_five_hundred_characters_once_trimmed(
    text: str | None, code: str | None
) -> None:
    assert said(check_reason(text)) == code


def test_a_reason_refused_says_how_long_it_is() -> None:
    assert_refuses(check_reason(" too short "), "reason_too_short", "10", "9", kind=Kind.INVALID)
    assert_refuses(check_reason("x" * 501), "reason_too_long", "500", "501", kind=Kind.INVALID)


@rows(
    ("times", "least", "code"),
    [
        ([], 0, None),
        ([], 1, "proposed_times_count"),
        ([70], 1, None),
        ([70, 71, 72], 1, None),
        ([70, 71, 72, 73], 0, "proposed_times_count"),
        ([70, 70], 0, "proposed_times_repeat"),
        ([60], 0, "proposed_time_is_current"),
        ([70, 60], 0, "proposed_time_is_current"),
        ([1], 0, None),
        ([0.99], 0, "time_too_soon"),
        ([70, -1], 0, "time_in_the_past"),
        ([24 * 366], 0, "time_too_far"),
    ],
)
def test_a_request_proposes_up_to_three_distinct_times_an_hour_ahead(
    times: list[float], least: int, code: str | None
) -> None:
    starts = [NOW + hours * HOUR for hours in times]
    refusal = rules.check_times(starts, NOW, POLICY, least=least, current=NOW + 60 * HOUR)
    assert said(refusal) == code
    if refusal:
        assert (refusal.kind, refusal.field) == (Kind.INVALID, "proposed_times")


LEADS = sorted(
    hours * HOUR + odd * SECOND
    for hours in [*range(-2, 99), 30 * 24, 400 * 24]
    for odd in (-1, 0, 1)
)
EVERYBODY = list(product(("student", "coach"), (POLICY, STRICT)))
RANK = [None, RequestKind.LATE, RequestKind.STANDARD]


@rows(("role", "policy"), EVERYBODY)
def test_more_notice_never_earns_less(role: str, policy: Policy) -> None:
    earned = [RANK.index(rules.request_kind(role, lead, policy)) for lead in LEADS]
    assert earned == sorted(earned)


@rows(("role", "policy"), EVERYBODY)
def test_the_button_and_the_kind_agree_at_every_lead(role: str, policy: Policy) -> None:
    for lead in LEADS:
        may = rules.may_request_reschedule(facts(lead), role, NOW, policy) is None
        assert may is (rules.request_kind(role, lead, policy) is not None)
        until = rules.request_until(facts(lead), role, policy)
        assert until
        assert may is (until >= NOW and lead > NOTHING)


@rows("policy", [POLICY, STRICT])
def test_a_deadline_is_never_after_the_start_nor_a_day_away(policy: Policy) -> None:
    for lead in LEADS:
        deadline = rules.answer_deadline(NOW + lead, NOW, policy)
        assert deadline <= NOW + lead
        assert deadline <= NOW + policy.answer_within
