"""What a mail's link may do: offered to whom, until when, and when it does nothing any more."""

from datetime import datetime, timedelta

import pytest

from skileez.errors import Kind
from skileez.notifications.link_rules import (
    OUTCOME_WITHIN,
    Act,
    Promise,
    is_overtaken,
    may_do,
    may_follow,
    may_tell,
    offers,
    outcome_of,
)
from skileez.sessions.presence_rules import Account, Outcome, Seen, Way
from skileez.sessions.rules import Facts
from tests.cast import DAY, HOUR, MINUTE, NOW, POLICY, asked, facts, said
from tests.rules.table import rows

REQUESTED = "session.reschedule_requested"
ASKED = facts(pending=asked("student", 70 * HOUR, 71 * HOUR))
START = NOW + 60 * HOUR
OVER = facts(-2 * HOUR)
ENDED = NOW - HOUR


def told(kind: str, role: str, of: Facts) -> list[tuple[str, timedelta | None, timedelta]]:
    """What is offered: act, its time and its end, counted from NOW."""
    return [
        (one.act, one.time and one.time - NOW, one.until - NOW)
        for one in offers(kind, role, of, NOW, POLICY)
    ]


@rows("kind", [REQUESTED, "session.reschedule_countered"])
def test_who_is_asked_may_approve_each_time_or_decline_until_the_deadline(kind: str) -> None:
    assert told(kind, "coach", ASKED) == [
        (Act.APPROVE, 70 * HOUR, DAY),
        (Act.APPROVE, 71 * HOUR, DAY),
        (Act.DECLINE, None, DAY),
    ]
    assert told(kind, "student", ASKED) == []


def test_a_request_for_any_time_can_only_be_declined_by_a_link() -> None:
    assert told(REQUESTED, "coach", facts(pending=asked("student"))) == [(Act.DECLINE, None, DAY)]


def test_a_time_that_came_too_near_is_not_offered() -> None:
    late = facts(2 * HOUR, pending=asked("student", 59 * MINUTE, 3 * HOUR, deadline=START))
    assert [act for act, _, _ in told(REQUESTED, "coach", late)] == [Act.APPROVE, Act.DECLINE]


@rows(
    ("kind", "role", "of", "offered"),
    [
        ("session.booked", "coach", facts(), True),
        ("session.scheduled", "coach", facts(), True),
        ("session.reschedule_approved", "coach", facts(), True),
        ("session.reschedule_auto_approved", "coach", facts(), True),
        ("session.booked", "student", facts(), False),
        ("session.booked", "coach", facts(confirmed=True), False),
        ("session.booked", "coach", facts(None), False),
        ("session.booked", "coach", facts(-MINUTE), False),
        ("session.booked", "coach", facts(status="cancelled"), False),
        ("session.meeting_link_set", "coach", facts(), False),
    ],
)
def test_a_coach_may_confirm_a_new_time_until_it_starts(
    kind: str, role: str, of: Facts, offered: bool
) -> None:
    expected = [(Act.CONFIRM, 60 * HOUR, 60 * HOUR)] if offered else []
    assert told(kind, role, of) == expected


@rows("role", ["student", "coach"])
def test_both_may_say_how_an_overdue_session_went_for_three_days(role: str) -> None:
    until = -HOUR + OUTCOME_WITHIN
    assert told("session.overdue", role, OVER) == [
        (Act.HELD, -2 * HOUR, until),
        (Act.ALONE, -2 * HOUR, until),
    ]
    assert told("session.overdue", role, facts(-HOUR - OUTCOME_WITHIN)) == []
    assert told("session.overdue", role, facts(-2 * HOUR, status="completed")) == []


def test_nobody_is_offered_to_have_been_alone_where_both_checked_in() -> None:
    there = Account(seen=tuple(Seen(role, Way.HERE, OVER.start) for role in ("student", "coach")))
    assert [one.act for one in offers("session.overdue", "coach", OVER, NOW, POLICY, there)] == [
        Act.HELD
    ]


@rows(
    ("act", "role", "outcome"),
    [
        (Act.HELD, "student", Outcome.HELD),
        (Act.HELD, "coach", Outcome.HELD),
        (Act.ALONE, "student", Outcome.COACH_ABSENT),
        (Act.ALONE, "coach", Outcome.STUDENT_ABSENT),
    ],
)
def test_who_was_alone_says_that_the_other_was_absent(
    act: Act, role: str, outcome: Outcome
) -> None:
    assert outcome_of(act, role) is outcome


def test_a_message_to_somebody_without_a_part_offers_nothing() -> None:
    assert offers(REQUESTED, None, ASKED, NOW, POLICY) == []


def test_an_act_that_is_none_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="shout"):
        may_do("shout", None, ASKED, "coach", NOW, POLICY)


def approval(**told: object) -> Promise:
    given = {"act": Act.APPROVE, "time": NOW + 70 * HOUR, "asked_at": NOW, "until": NOW + DAY}
    return Promise(**{**given, **told})  # type: ignore[arg-type]


CONFIRM = {"act": Act.CONFIRM, "time": START, "asked_at": None, "until": START}
HELD = {"act": Act.HELD, "time": OVER.start, "asked_at": None, "until": ENDED + OUTCOME_WITHIN}


@rows(
    ("link", "asked_at", "of", "now", "code"),
    [
        (approval(), NOW, ASKED, NOW, None),
        (approval(act=Act.DECLINE, time=None), NOW, ASKED, NOW, None),
        (approval(), NOW, ASKED, NOW + DAY - MINUTE, None),
        (approval(), NOW, ASKED, NOW + DAY, "link_expired"),
        (approval(used=True), NOW, ASKED, NOW, "link_used"),
        (approval(used=True), None, facts(), NOW + 9 * DAY, "link_used"),
        (approval(account_open=False), NOW, ASKED, NOW, "link_dead"),
        (approval(account_open=False, used=True), NOW, ASKED, NOW, "link_dead"),
        (approval(), NOW + MINUTE, ASKED, NOW, "link_overtaken"),
        (approval(), None, facts(), NOW, "link_overtaken"),
        (approval(act=Act.DECLINE, time=None), None, facts(), NOW, "link_overtaken"),
        (approval(**CONFIRM), None, facts(), NOW, None),
        (approval(**CONFIRM), None, facts(61 * HOUR), NOW, "link_overtaken"),
        (approval(**CONFIRM), None, facts(None), NOW, "link_overtaken"),
        (approval(**CONFIRM), None, facts(confirmed=True), NOW, "link_overtaken"),
        (approval(**CONFIRM), None, facts(status="cancelled"), NOW, "not_scheduled"),
        (approval(**CONFIRM), None, facts(), START, "link_expired"),
        (approval(**HELD), None, OVER, NOW, None),
        (approval(**{**HELD, "act": Act.ALONE}), None, OVER, NOW, None),
        (approval(**HELD), None, facts(-2 * HOUR, status="missed"), NOW, "outcome_settled"),
        (approval(**HELD), None, OVER, ENDED + OUTCOME_WITHIN, "link_expired"),
    ],
)
def test_when_a_link_does_what_it_says(
    link: Promise, asked_at: datetime | None, of: Facts, now: datetime, code: str | None
) -> None:
    refusal = may_follow(link, asked_at, of, "coach", now, POLICY)
    assert said(refusal) == code
    if refusal and refusal.code.startswith("link_"):
        assert refusal.kind is Kind.GONE


def test_a_link_of_an_earlier_request_answers_no_later_one() -> None:
    assert not is_overtaken(approval(), NOW, ASKED)
    assert is_overtaken(approval(), NOW + timedelta(seconds=1), ASKED)


@rows(
    ("link", "now", "tells"),
    [
        (approval(), NOW, True),
        (approval(used=True), NOW + DAY - MINUTE, True),
        (approval(), NOW + DAY, False),
        (approval(account_open=False), NOW, False),
    ],
)
def test_only_a_link_that_has_not_ended_tells_how_the_session_stands(
    link: Promise, now: datetime, tells: bool
) -> None:
    assert may_tell(link, now) is tells
