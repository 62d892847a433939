"""A week as the clocks on the wall show it: the truth about the weeks in which they change."""

from datetime import UTC, date, datetime, timedelta

from skileez.availability import week
from skileez.availability.rules import DAY, USUAL, Hours, Span, Stay
from skileez.availability.slots import Opening, Taken
from tests.rules.table import rows

NIGHTS: dict[int, tuple[Span, ...]] = dict.fromkeys(range(7), ((60, 240),))


def days(hours: Hours, first: date, *taken: Taken) -> list[week.WeekDay]:
    now = datetime(first.year, first.month, first.day, tzinfo=UTC)
    opening = Opening(hours, 60, taken, now=now, earliest=now, latest=now)
    return week.days(opening, hours, first)


@rows(
    ("zone", "first", "place", "opened", "skipped", "twice"),
    [
        # Forwards, backwards; where midnight is left out, or shown twice; a date that never was.
        ("Europe/Berlin", "2027-03-22", 6, [(60, 120), (180, 240)], [(120, 180)], []),
        ("Europe/Berlin", "2027-10-25", 6, [(60, 240)], [], [(120, 180)]),
        ("Europe/Berlin", "2027-10-25", 5, [(60, 240)], [], []),
        ("America/Sao_Paulo", "2018-10-29", 6, [(60, 240)], [(0, 60)], []),
        ("Africa/Cairo", "2027-10-25", 3, [(60, 240)], [], [(23 * 60, DAY)]),
        ("Australia/Lord_Howe", "2027-04-05", 0, [(60, 240)], [], []),
        ("Australia/Lord_Howe", "2027-03-29", 6, [(60, 240)], [], [(90, 120)]),
        ("Pacific/Apia", "2011-12-26", 4, [], [(0, DAY)], []),
    ],
)
def test_what_clocks_jump_over_is_not_open_and_what_they_show_twice_is_told(
    zone: str, first: str, place: int, opened: list[Span], skipped: list[Span], twice: list[Span]
) -> None:
    day = days(Hours(zone, weekly=NIGHTS), date.fromisoformat(first))[place]
    assert (day.open, day.skipped, day.twice) == (opened, skipped, twice)


def test_what_is_booked_and_away_stands_on_each_day_it_touches() -> None:
    at = datetime(2027, 3, 8, 23, tzinfo=UTC)  # Tuesday, 00:00 in Berlin
    hours = Hours("Europe/Berlin", weekly=USUAL)
    found = days(
        hours,
        date(2027, 3, 8),
        Taken(at - timedelta(minutes=30), at + timedelta(minutes=30), "coach"),
        Taken(at + timedelta(hours=10), at + timedelta(hours=50), "away"),
    )
    assert [day.booked for day in found[:3]] == [[(23 * 60 + 30, DAY)], [(0, 30)], []]
    assert [day.away for day in found[:4]] == [[], [(600, DAY)], [(0, DAY)], [(0, 120)]]
    assert [day.open for day in found[:4]] == [
        *([(540, 720), (780, 1020)], [(540, 600)], []),
        [(540, 720), (780, 1020)],
    ]


def test_a_stay_shows_its_days_by_its_own_clocks() -> None:
    stay = Stay("Asia/Tokyo", date(2027, 3, 10), date(2027, 3, 11))
    found = days(Hours("Europe/Berlin", weekly=USUAL, stays=(stay,)), date(2027, 3, 8))
    assert [day.zone for day in found] == [
        *("Europe/Berlin", "Europe/Berlin", "Asia/Tokyo", "Asia/Tokyo"),
        *("Europe/Berlin", "Europe/Berlin", "Europe/Berlin"),
    ]
    assert found[2].open == [(540, 720), (780, 1020)]


def test_a_week_begins_on_its_monday() -> None:
    assert week.monday(date(2027, 3, 14)) == week.monday(date(2027, 3, 8)) == date(2027, 3, 8)
