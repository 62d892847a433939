"""Time off: what is refused, and from which instant to which a day on the wall lasts."""

from datetime import datetime, timedelta

import pytest

from skileez.availability import days_away, rules
from skileez.errors import Refused
from tests.cast import DAY, HOUR, NOW, SECOND, assert_refuses, said
from tests.rules.table import rows

YEAR = timedelta(days=366)


@rows(
    ("start", "end", "reason", "code"),
    [
        (DAY, 2 * DAY, "", None),
        (-DAY, SECOND, "", None),
        (-DAY, timedelta(), "", "time_off_over"),
        (DAY, DAY, "", "time_off_ends_first"),
        (DAY, DAY - SECOND, "", "time_off_ends_first"),
        (DAY, DAY + YEAR, "", None),
        (DAY, DAY + YEAR + SECOND, "", "time_off_too_long"),
        (DAY, 2 * DAY, "x" * rules.REASON_MAX, None),
        (DAY, 2 * DAY, "x" * (rules.REASON_MAX + 1), "reason_too_long"),
    ],
)
def test_time_off_lies_ahead_and_lasts_at_most_a_year(
    start: timedelta, end: timedelta, reason: str, code: str | None
) -> None:
    assert said(rules.check_time_off(NOW + start, NOW + end, NOW, reason)) == code
    if code == "reason_too_long":
        assert said(rules.check_away_reason(reason)) == code


@rows(
    ("start", "end", "code"),
    [
        (DAY, 2 * DAY, None),
        (DAY, 2 * DAY + SECOND, "time_off_overlaps"),
        (3 * DAY, 4 * DAY, None),
        (3 * DAY - SECOND, 4 * DAY, "time_off_overlaps"),
        (DAY, 9 * DAY, "time_off_overlaps"),
        (2 * DAY + HOUR, 2 * DAY + 2 * HOUR, "time_off_overlaps"),
    ],
)
def test_absences_stand_apart(start: timedelta, end: timedelta, code: str | None) -> None:
    there = [(NOW + 2 * DAY, NOW + 3 * DAY)]
    assert said(rules.check_apart(NOW + start, NOW + end, there)) == code


def test_days_away_are_those_of_one_zone() -> None:
    assert rules.check_one_zone("UTC", "UTC") is None
    refusal = rules.check_one_zone("Asia/Tokyo", "UTC")
    assert_refuses(refusal, "time_off_in_two_zones", "Asia/Tokyo", "UTC", kind=rules.Kind.INVALID)


def test_absences_are_bounded_and_a_day_that_never_was_is_told() -> None:
    many = [(NOW - (n + 2) * DAY, NOW - (n + 1) * DAY) for n in range(rules.MOST_TIME_OFF)]
    assert rules.check_apart(NOW, NOW + DAY, many[1:]) is None
    refusal = rules.check_apart(NOW, NOW + DAY, many)
    assert_refuses(refusal, "too_much_time_off", "200", kind=rules.Kind.INVALID)
    refusal = rules.day_left_out("Pacific/Apia")
    assert_refuses(refusal, "day_left_out", "Pacific/Apia", kind=rules.Kind.INVALID)


@rows(
    ("zone", "start", "end", "first", "last"),
    [
        # An ordinary day; one of 23 hours; one of 25.
        ("Europe/Berlin", "2027-03-10T00:00", "2027-03-11T00:00", "09T23:00", "10T23:00"),
        ("Europe/Berlin", "2027-03-28T00:00", "2027-03-29T00:00", "27T23:00", "28T22:00"),
        ("Europe/Berlin", "2027-10-31T00:00", "2027-11-01T00:00", "30T22:00", "31T23:00"),
        # Parts, also of a time that comes twice: away both times.
        ("Europe/Berlin", "2027-03-10T14:00", "2027-03-12T12:30", "10T13:00", "12T11:30"),
        ("Europe/Berlin", "2027-10-31T02:30", "2027-10-31T02:45", "31T00:30", "31T01:45"),
        # Midnights that do not exist: the day before ends, and the day begins, at the change.
        ("America/Santiago", "2026-09-06T00:00", "2026-09-07T00:00", "06T04:00", "07T03:00"),
        ("America/Santiago", "2026-09-05T00:00", "2026-09-06T00:00", "05T04:00", "06T04:00"),
        ("Africa/Cairo", "2027-04-30T00:00", "2027-05-01T00:00", "29T22:00", "30T21:00"),
        # A midnight that comes twice: the whole of 29 October, and both of its last hours.
        ("Africa/Cairo", "2026-10-29T00:00", "2026-10-30T00:00", "28T21:00", "29T22:00"),
        # Apia had no 30 December 2011; ranges that touch it are what is left of them.
        ("Pacific/Apia", "2011-12-29T00:00", "2011-12-30T00:00", "29T10:00", "30T10:00"),
        ("Pacific/Apia", "2011-12-29T00:00", "2012-01-01T00:00", "29T10:00", "31T10:00"),
        ("Pacific/Apia", "2011-12-30T00:00", "2012-01-01T00:00", "30T10:00", "31T10:00"),
        ("Pacific/Apia", "2011-12-29T00:00", "2011-12-31T00:00", "29T10:00", "30T10:00"),
    ],
)
def test_a_day_lasts_from_its_first_instant_to_its_last(
    zone: str, start: str, end: str, first: str, last: str
) -> None:
    got = days_away.instants(datetime.fromisoformat(start), datetime.fromisoformat(end), zone)
    assert [f"{one:%dT%H:%M}" for one in got] == [first, last]


@rows(
    ("zone", "start", "end", "code"),
    [
        ("Pacific/Apia", "2011-12-30T00:00", "2011-12-31T00:00", "day_left_out"),
        ("Pacific/Apia", "2011-12-30T14:00", "2011-12-31T00:00", "local_time_missing"),
        ("Europe/Berlin", "2027-03-28T02:30", "2027-03-29T00:00", "local_time_missing"),
        ("Nowhere/Land", "2027-03-28T00:00", "2027-03-29T00:00", "unknown_zone"),
    ],
)
def test_a_time_that_never_was_is_refused(zone: str, start: str, end: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        days_away.instants(datetime.fromisoformat(start), datetime.fromisoformat(end), zone)
    assert refused.value.code == code
