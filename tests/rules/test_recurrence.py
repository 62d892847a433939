"""The dates of a series, against a reckoning of their own: day by day, past the library."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, combinations, islice, product
from pathlib import Path
from typing import Any

import pytest

from skileez.errors import Kind, Refused
from skileez.sessions.recurrence import (
    Note,
    Pattern,
    at_place,
    check_length,
    day_text,
    dst_changes,
    from_text,
    has_place,
    move,
    occurrence,
    occurrences,
    place_of,
    starting,
)
from tests.cast import DAY, assert_refuses, said
from tests.rules.table import rows

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
MONDAY = date(2027, 3, 1)
SIX = time(18)


def weekly(*days: int, **told: Any) -> Pattern:
    told = {"zone": BERLIN, "first": MONDAY, "clock": SIX, "minutes": 60, **told}
    if "until" not in told:
        told.setdefault("count", 4)
    return starting(weekdays=days, **told)


def day_by_day(pattern: Pattern) -> Iterator[date]:
    """Every date of a pattern, by looking at every day."""
    day, given = pattern.dtstart.date(), 0
    monday = day - timedelta(day.weekday())
    while (pattern.count is None or given < pattern.count) and (
        pattern.until is None or day <= pattern.until
    ):
        turn = (day - monday).days // 7
        if day.weekday() in pattern.weekdays and turn % pattern.interval == 0:
            given += 1
            yield day
        day += DAY


DAYS = list(chain.from_iterable(combinations(range(7), size) for size in (1, 2, 3, 7)))


def test_the_dates_are_those_that_looking_at_every_day_finds() -> None:
    ends: list[dict[str, Any]] = [
        *({"count": count} for count in (1, 2, 9)),
        *({"until": MONDAY + days * DAY} for days in (14, 40, 300)),
    ]
    for days, interval, ahead, end in product(DAYS[::4], (1, 2), (0, 3), ends):
        pattern = weekly(*days, first=MONDAY + ahead * DAY, interval=interval, **end)
        expected = [datetime.combine(day, SIX) for day in islice(day_by_day(pattern), 60)]
        assert [one.wall for one in occurrences(pattern, 60)] == expected, pattern


def test_each_date_is_the_instant_at_which_the_clocks_show_the_time() -> None:
    for one in occurrences(weekly(0, 2, count=120), 120):
        summer = "2027-03-28" <= one.place < "2027-10-31" or one.place >= "2028-03-26"
        ahead = timedelta(hours=2 if summer else 1)
        assert one.start == (one.wall - ahead).replace(tzinfo=UTC)
        assert (one.shown, one.note, one.place) == (one.wall, None, place_of(one.wall))


CASES = json.loads((Path(__file__).parents[1] / "tz_cases.json").read_text(encoding="utf-8"))


def test_a_place_in_a_gap_moves_behind_it_and_one_that_comes_twice_is_the_first() -> None:
    notes = {"gap": Note.GAP, "fold": Note.FOLD}
    asked = [case for case in CASES["cases"] if case.get("kind") in notes and "local" in case]
    assert asked
    for case in asked:
        found = at_place(case["local"], case["zone"])
        assert found.note == notes[case["kind"]], case
        assert found.start == datetime.fromisoformat(case["utc_fold0"]), case
        if case["kind"] == "gap":
            shown = datetime.fromisoformat(case["shifted"]).replace(tzinfo=None)
            assert found.shown == shown, case


@rows(
    ("zone", "place", "shown", "note"),
    [
        # A day that a whole zone left out, to be on the other side of the date line.
        ("Pacific/Apia", "2011-12-30T18:00", "2011-12-31T18:00", Note.GAP),
        # Midnights that do not exist.
        ("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T01:00", Note.GAP),
        ("Africa/Cairo", "2027-04-30T00:15", "2027-04-30T01:15", Note.GAP),
        # Half an hour.
        ("Australia/Lord_Howe", "2027-10-03T02:15", "2027-10-03T02:45", Note.GAP),
        ("Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-04T01:45", Note.FOLD),
        (BERLIN, "2027-03-28T01:59", "2027-03-28T01:59", None),
        (BERLIN, "2027-03-28T03:00", "2027-03-28T03:00", None),
    ],
)
def test_what_clocks_show_at_a_place_of_a_strange_day(
    zone: str, place: str, shown: str, note: Note | None
) -> None:
    found = occurrence(datetime.fromisoformat(place), zone)
    assert (place_of(found.shown), found.note, found.place) == (shown, note, place)


def test_a_pattern_is_the_same_once_it_was_text() -> None:
    for days, interval, end in product(
        DAYS[::9], (1, 2), ({"count": 7}, {"until": date(2027, 12, 31)})
    ):
        pattern = weekly(*days, interval=interval, **end)
        dtstart = place_of(pattern.dtstart)
        assert from_text(BERLIN, dtstart, pattern.rrule, 60) == pattern
    assert weekly(2, 0, interval=2, count=10).rrule == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10"
    assert weekly(0, until=MONDAY).rrule == "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;UNTIL=20270301T235959"


def test_it_starts_on_the_first_of_its_days_and_to_the_minute() -> None:
    pattern = weekly(2, 4, first=MONDAY, clock=time(18, 30, 5))
    assert (pattern.dtstart, pattern.clock) == (datetime(2027, 3, 3, 18, 30), time(18, 30))
    assert day_text(pattern.dtstart) == "Wed 3 Mar 2027"


def test_a_pattern_has_the_places_of_its_days_and_its_time() -> None:
    pattern = weekly(0, 2)
    places = ("2027-03-01T18:00", "2027-03-03T18:00", "2027-03-02T18:00", "2027-03-01T17:00")
    assert [has_place(pattern, place) for place in places] == [True, True, False, False]


def refused(**told: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        weekly(*told.pop("days", (0,)), **told)
    return caught.value


@rows(
    ("told", "code", "field"),
    [
        ({"days": ()}, "no_weekday", "weekdays"),
        ({"days": (7,)}, "no_weekday", "weekdays"),
        ({"interval": 0}, "unknown_interval", "interval"),
        ({"interval": 3}, "unknown_interval", "interval"),
        ({"count": None}, "series_end_unclear", "count"),
        ({"count": 3, "until": MONDAY}, "series_end_unclear", "count"),
        ({"count": 0}, "count_too_small", "count"),
        ({"first": date.min}, "series_out_of_range", "first"),
        ({"first": date.max}, "series_out_of_range", "first"),
        ({"until": MONDAY - DAY}, "series_without_dates", "until"),
        ({"days": (2,), "until": MONDAY + DAY}, "series_without_dates", "until"),
    ],
)
def test_what_is_no_pattern_is_refused_at_its_field(
    told: dict[str, Any], code: str, field: str
) -> None:
    refusal = refused(**told).refusal
    assert_refuses(refusal, code, kind=Kind.INVALID)
    assert refusal.field == field


def test_an_unknown_zone_is_refused() -> None:
    assert refused(zone="Mars/Olympus").code == "unknown_zone"


@rows(
    ("end", "left", "code"),
    [
        ({"count": 6}, 6, None),
        ({"count": 7}, 6, "series_too_long"),
        ({"count": 10_000}, 500, "series_too_long"),
        ({"until": MONDAY + 35 * DAY}, 6, None),
        ({"until": MONDAY + 42 * DAY}, 6, "series_too_long"),
        ({"until": date.max}, 500, "series_too_long"),
    ],
)
def test_a_series_fits_into_what_the_contract_leaves(
    end: dict[str, Any], left: int, code: str | None
) -> None:
    assert said(check_length(weekly(0, **end), left)) == code


def test_a_series_that_is_too_long_is_told_how_many_are_left_or_how_far_they_reach() -> None:
    assert_refuses(
        check_length(weekly(0, count=10_000), 6),
        "series_too_long", "6", "10000", kind=Kind.INVALID,
    )  # fmt: skip
    assert_refuses(
        check_length(weekly(0, until=date.max), 6),
        "series_too_long", "6", "Mon 5 Apr 2027", kind=Kind.INVALID,
    )  # fmt: skip


def test_of_ten_thousand_dates_only_those_asked_for_are_reckoned() -> None:
    assert len(occurrences(weekly(0, count=10_000), 500)) == 500


# Moving


@rows(
    ("days", "places", "new", "expected"),
    [
        # Each in its week, and a week that was left out stays left out.
        ((0,), ["03-01", "03-08", "03-22"], (2,), ["03-03", "03-10", "03-24"]),
        ((2,), ["03-03", "03-10"], (0,), ["03-01", "03-08"]),
        # From the middle of a week: the second day of one is the second of the other.
        ((0, 2), ["03-03", "03-08", "03-10"], (1, 3), ["03-04", "03-09", "03-11"]),
        # In another rhythm one after the other.
        ((0, 2), ["03-03", "03-08", "03-10"], (4,), ["03-05", "03-12", "03-19"]),
        ((0,), ["03-01", "03-08", "03-22"], (0, 3), ["03-01", "03-04", "03-08"]),
        # Of an older pattern, whose days the present one does not have.
        ((2,), ["03-01", "03-10"], (3,), ["03-04", "03-11"]),
    ],
)
def test_where_each_place_goes_when_the_pattern_moves(
    days: tuple[int, ...], places: list[str], new: tuple[int, ...], expected: list[str]
) -> None:
    old = weekly(*days, count=20)
    pattern, found = move(old, [f"2027-{one}T18:00" for one in places], new, time(17, 30), 1)
    assert found == [f"2027-{one}T17:30" for one in expected]
    assert place_of(pattern.dtstart) == found[0]
    assert pattern.until == date.fromisoformat(found[-1][:10])
    assert (pattern.weekdays, pattern.zone, pattern.minutes) == (new, BERLIN, 60)
    walls = [place_of(one.wall) for one in occurrences(pattern, 20)]
    assert set(found) <= set(walls)


def test_a_pattern_moves_to_another_pattern_only() -> None:
    for days, interval, code in (((), 1, "no_weekday"), ((0,), 5, "unknown_interval")):
        with pytest.raises(Refused) as caught:
            move(weekly(0), ["2027-03-01T18:00"], days, SIX, interval)
        assert caught.value.code == code


# What the other side's clocks show


def runs(zone: str, *days: int, **told: Any) -> list[tuple[str, str, str, str | None]]:
    found = [(one.place, one.start) for one in occurrences(weekly(*days, **told), 60)]
    return [
        (f"{run.first:%m-%d}", f"{run.last:%m-%d}", f"{run.clock:%H:%M}",
         run.before and f"{run.before:%H:%M}")
        for run in dst_changes(found, zone)
    ]  # fmt: skip


def test_the_other_sides_clocks_change_on_days_of_their_own() -> None:
    assert runs(NEW_YORK, 0, 2, count=12) == [
        ("03-01", "03-10", "12:00", None),
        ("03-15", "03-24", "13:00", "12:00"),
        ("03-29", "04-07", "12:00", "13:00"),
    ]
    assert runs(NEW_YORK, 0, first=date(2027, 10, 18), count=5) == [
        ("10-18", "10-25", "12:00", None),
        ("11-01", "11-01", "13:00", "12:00"),
        ("11-08", "11-15", "12:00", "13:00"),
    ]


def test_where_clocks_change_alike_or_never_only_the_moving_side_sees_it() -> None:
    assert runs(BERLIN, 0, count=10) == [("03-01", "05-03", "18:00", None)]
    assert runs("Europe/Paris", 0, count=10) == [("03-01", "05-03", "18:00", None)]
    assert runs("Asia/Kathmandu", 0, count=6) == [
        ("03-01", "03-22", "22:45", None),
        ("03-29", "04-05", "21:45", "22:45"),
    ]


def test_a_change_may_be_of_the_day_too() -> None:
    found = [(one.place, one.start) for one in occurrences(weekly(0, clock=time(0, 30)), 9)]
    shown = dst_changes(found, "Atlantic/Reykjavik")
    assert [run.shown.weekday() for run in shown] == [6]
    later = [
        (one.place, one.start)
        for one in occurrences(weekly(0, first=date(2027, 3, 22), clock=time(1, 30)), 2)
    ]
    first, second = dst_changes(later, "Atlantic/Reykjavik")
    assert (first.shown, second.shown) == (
        datetime(2027, 3, 22, 0, 30),
        datetime(2027, 3, 28, 23, 30),
    )
    assert second.before == datetime(2027, 3, 29, 0, 30)


def test_no_dates_have_no_changes() -> None:
    assert dst_changes([], BERLIN) == []
