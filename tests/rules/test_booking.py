"""RULES: scheduling under a contract, and confirming."""

from datetime import UTC, datetime, timedelta

from skileez import zones
from skileez.availability.rules import time_taken
from skileez.contracts.rules import check_duration, contract_is_active, may_add_session
from skileez.errors import Kind
from skileez.sessions import rules
from tests.cast import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    POLICY,
    SECOND,
    asked,
    assert_refuses,
    facts,
    said,
)
from tests.rules.table import rows


@rows(
    ("ahead", "code"),
    [
        (HOUR, None),
        (HOUR - SECOND, "time_too_soon"),
        (timedelta(), "time_too_soon"),
        (-SECOND, "time_in_the_past"),
        (-DAY, "time_in_the_past"),
        (365 * DAY, None),
        (365 * DAY + SECOND, "time_too_far"),
    ],
)
def test_a_start_lies_an_hour_ahead_and_within_the_horizon(
    ahead: timedelta, code: str | None
) -> None:
    assert said(rules.check_start(NOW + ahead, NOW, POLICY)) == code


def test_a_start_that_will_not_do_says_how_far_it_is_and_how_far_it_must_be() -> None:
    soon = rules.check_start(NOW + 59 * MINUTE, NOW, POLICY)
    assert_refuses(soon, "time_too_soon", "59 min", "1 h", "12:59 UTC", kind=Kind.INVALID)
    past = rules.check_start(NOW - MINUTE, NOW, POLICY)
    assert_refuses(past, "time_in_the_past", "11:59 UTC", "1 h", kind=Kind.INVALID)
    far = rules.check_start(NOW + 400 * DAY, NOW, POLICY)
    assert_refuses(far, "time_too_far", "365 days", kind=Kind.INVALID)
    assert_refuses(rules.check_start(None, NOW, POLICY), "time_missing", kind=Kind.INVALID)


def test_a_booking_made_already_is_named_and_no_other_time_is_asked_for() -> None:
    twice = rules.booked_already(3, NOW)
    assert_refuses(twice, "booked_already", "Session 3", "12:00 UTC", "Nothing was booked")


def test_the_figures_are_the_operators() -> None:
    policy = rules.Policy(min_lead=3 * HOUR, horizon=7 * DAY)
    assert said(rules.check_start(NOW + 3 * HOUR, NOW, policy)) is None
    assert said(rules.check_start(NOW + 3 * HOUR - SECOND, NOW, policy)) == "time_too_soon"
    assert said(rules.check_start(NOW + 7 * DAY + SECOND, NOW, policy)) == "time_too_far"


@rows(
    ("zone", "wall_now", "wall_start", "hours"),
    [
        ("Europe/Berlin", "2026-03-28T12:00", "2026-03-29T12:00", 23),
        ("Europe/Berlin", "2026-10-24T12:00", "2026-10-25T12:00", 25),
        ("America/New_York", "2026-03-07T12:00", "2026-03-08T12:00", 23),
        ("Australia/Sydney", "2026-04-04T12:00", "2026-04-05T12:00", 25),
        ("Asia/Kathmandu", "2026-03-28T12:00", "2026-03-29T12:00", 24),
    ],
)
def test_lead_is_elapsed_time_even_where_the_clocks_change(
    zone: str, wall_now: str, wall_start: str, hours: int
) -> None:
    there = zones.zone(zone)
    now = datetime.fromisoformat(wall_now).replace(tzinfo=there)
    start = datetime.fromisoformat(wall_start).replace(tzinfo=there)
    assert rules.lead(start, now) == hours * HOUR
    assert rules.lead(start.astimezone(UTC), now) == hours * HOUR


def test_a_session_over_a_change_of_clocks_ends_after_its_elapsed_length() -> None:
    start = datetime(2026, 3, 29, 1, 30, tzinfo=zones.zone("Europe/Berlin"))
    assert rules.Facts("scheduled", start, 60).end == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_has_started_at_the_very_start_in_any_zone() -> None:
    berlin = zones.zone("Europe/Berlin")
    second_half_past_two = datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=1)
    start = datetime(2026, 10, 25, 2, 40, tzinfo=berlin, fold=0)
    assert rules.has_started(rules.Facts("scheduled", start, 60), second_half_past_two)
    assert rules.has_started(facts(timedelta()), NOW)
    assert not rules.has_started(facts(SECOND), NOW)
    assert not rules.has_started(facts(None), NOW)


def test_a_taken_time_names_whose_it_is() -> None:
    assert_refuses(time_taken("coach", NOW), "time_taken", "coach", "Mon 2 Mar 2026, 12:00")


@rows(
    ("minutes", "code"),
    [
        (15, None),
        (480, None),
        (14, "duration_out_of_range"),
        (481, "duration_out_of_range"),
        (0, "duration_out_of_range"),
        (-60, "duration_out_of_range"),
        (None, "duration_missing"),
    ],
)
def test_a_session_lasts_a_quarter_to_eight_hours(minutes: int | None, code: str | None) -> None:
    assert said(check_duration(minutes)) == code
    if code:
        figures = ("15", "480", "say how many" if minutes is None else str(minutes))
        assert_refuses(check_duration(minutes), code, *figures, kind=Kind.INVALID)


@rows(
    ("status", "code"),
    [
        ("active", None),
        ("paused", "contract_not_active"),
        ("completed", "contract_not_active"),
        ("cancelled", "contract_not_active"),
    ],
)
def test_only_an_active_contract_takes_bookings(status: str, code: str | None) -> None:
    assert said(contract_is_active(status)) == code
    if code:
        assert_refuses(contract_is_active(status), code, status)


@rows(
    ("live", "total", "code"),
    [
        (0, 1, None),
        (1, 1, "quota_used"),
        (9, 10, None),
        (10, 10, "quota_used"),
        (11, 10, "quota_used"),
        (0, 0, "quota_used"),
    ],
)
def test_live_sessions_never_exceed_the_total(live: int, total: int, code: str | None) -> None:
    assert said(may_add_session(live, total)) == code
    if code:
        assert_refuses(may_add_session(live, total), code, str(total))


WAITING = facts(None, scheduling_by="student")


@rows(
    ("session", "role", "code"),
    [
        (WAITING, "student", None),
        (WAITING, None, None),
        (WAITING, "coach", "not_yours_to_schedule"),
        (facts(None), "coach", None),
        (facts(None), "student", None),
        (facts(None), "admin", "not_a_participant"),
        (facts(None), "stranger", "not_a_participant"),
        (facts(HOUR), "student", "already_scheduled"),
        (facts(None, contract_status="paused"), "student", "contract_not_active"),
        (facts(None, status="cancelled"), "student", "not_scheduled"),
    ],
)
def test_who_asked_to_move_it_picks_the_time_of_a_session_without_one(
    session: rules.Facts, role: str | None, code: str | None
) -> None:
    assert said(rules.may_schedule(session, role)) == code


def test_scheduling_a_session_that_has_a_time_tells_the_time() -> None:
    assert_refuses(rules.may_schedule(facts(HOUR), "student"), "already_scheduled", "13:00 UTC")


@rows(
    ("session", "role", "code"),
    [
        (facts(60 * HOUR), "coach", None),
        (facts(60 * HOUR, confirmed=True), "coach", None),
        (facts(60 * HOUR, pending=asked()), "coach", None),
        (facts(SECOND), "coach", None),
        (facts(timedelta()), "coach", "already_started"),
        (facts(-HOUR), "coach", "already_started"),
        (facts(60 * HOUR), "student", "only_the_coach_confirms"),
        (facts(60 * HOUR), "admin", "only_the_coach_confirms"),
        (facts(None), "coach", "to_be_scheduled"),
        (facts(60 * HOUR, status="completed"), "coach", "not_scheduled"),
        (facts(60 * HOUR, status="cancelled"), "coach", "not_scheduled"),
        (facts(60 * HOUR, status="missed"), "coach", "not_scheduled"),
    ],
)
def test_the_coach_confirms_until_it_starts(
    session: rules.Facts, role: str, code: str | None
) -> None:
    assert said(rules.may_confirm(session, role, NOW)) == code


def test_what_is_confirmed_or_asked_to_move_waits_for_no_confirmation() -> None:
    assert rules.awaits_confirmation(facts(SECOND), NOW)
    for session in (
        facts(HOUR, confirmed=True),
        facts(HOUR, pending=asked()),
        facts(timedelta()),
        facts(None),
        facts(HOUR, status="cancelled"),
    ):
        assert not rules.awaits_confirmation(session, NOW)


def test_a_confirmation_refused_says_why() -> None:
    late = rules.may_confirm(facts(-HOUR), "coach", NOW)
    assert_refuses(late, "already_started", "Mon 2 Mar 2026, 11:00 UTC")
    student = rules.may_confirm(facts(), "student", NOW)
    assert_refuses(student, "only_the_coach_confirms", "coach", kind=Kind.FORBIDDEN)


@rows(
    ("session", "role", "code"),
    [
        (facts(), "coach", None),
        (facts(-HOUR), "coach", None),
        (facts(None), "coach", None),
        (facts(), "student", "only_the_coach_sets_the_link"),
        (facts(), "admin", "only_the_coach_sets_the_link"),
        (facts(status="missed"), "coach", "not_scheduled"),
    ],
)
def test_the_coach_says_where_it_is_held(session: rules.Facts, role: str, code: str | None) -> None:
    assert said(rules.may_set_meeting_url(session, role)) == code
