"""When clocks change the time of a series for one of its two people: exact dates and times."""

from datetime import date, datetime, timedelta

from skileez.sessions import dst_rules, recurrence
from skileez.sessions.dst_rules import Change, Told
from tests.cast import DAY, NOW, SECOND, said
from tests.rules.table import rows

BERLIN, NEW_YORK, LONDON, LAGOS = (
    *("Europe/Berlin", "America/New_York", "Europe/London", "Africa/Lagos"),
)


def starts(zone: str, first: str, weeks: int, every: int = 1) -> list[dst_rules.Start]:
    begins = datetime.fromisoformat(first)
    walls = (begins + timedelta(weeks=every * one) for one in range(weeks))
    return [(f"{one:%Y-%m-%dT%H:%M}", recurrence.occurrence(one, zone).start) for one in walls]


def told(change: Change) -> str:
    last = change.last and f"{change.last:%m-%d}"
    return f"{change.usual:%H:%M} {change.becomes:%H:%M} {change.first:%Y-%m-%d} {last}"


@rows(
    ("zone", "theirs", "first", "weeks", "changes"),
    [
        # From 14 March clocks of New York are ahead, until those of Berlin follow on the 28th.
        (BERLIN, NEW_YORK, "2027-03-01T18:00", 8, ["12:00 13:00 2027-03-14 03-27"]),
        (NEW_YORK, BERLIN, "2027-03-01T12:00", 8, ["18:00 17:00 2027-03-14 03-27"]),
        # In autumn Berlin goes first, on 31 October, and New York follows on 7 November.
        (BERLIN, NEW_YORK, "2027-10-04T18:00", 10, ["12:00 13:00 2027-10-31 11-06"]),
        (NEW_YORK, BERLIN, "2027-10-04T12:00", 10, ["18:00 17:00 2027-10-31 11-06"]),
        (
            *(NEW_YORK, BERLIN, "2027-03-01T12:00", 40),
            ["18:00 17:00 2027-03-14 03-27", "18:00 17:00 2027-10-31 11-06"],
        ),
        # Zones that change together, and a zone with itself.
        (BERLIN, LONDON, "2027-03-01T18:00", 40, []),
        (BERLIN, BERLIN, "2027-03-01T18:00", 40, []),
        (LAGOS, "Asia/Kolkata", "2027-03-01T18:00", 40, []),
        # One side never changes: from then on, until the other date.
        (
            *(BERLIN, LAGOS, "2027-03-01T18:00", 40),
            ["18:00 17:00 2027-03-28 None", "17:00 18:00 2027-10-31 None"],
        ),
        # Two steps, a week apart, and neither is a way back.
        (
            *(BERLIN, "America/Santiago", "2027-03-01T18:00", 8),
            ["14:00 13:00 2027-03-28 04-03", "13:00 12:00 2027-04-04 None"],
        ),
        # No session lies between the two changes, or the first one is there already.
        (BERLIN, NEW_YORK, "2027-03-01T18:00", 1, []),
        (BERLIN, NEW_YORK, "2027-03-28T18:00", 8, []),
        (BERLIN, NEW_YORK, "2027-03-15T18:00", 2, []),
        (BERLIN, NEW_YORK, "2027-03-15T18:00", 3, ["13:00 12:00 2027-03-28 None"]),
        # Only the last date is in between.
        (BERLIN, NEW_YORK, "2027-03-08T18:00", 2, ["12:00 13:00 2027-03-14 03-27"]),
        # Days are the reader's: in Auckland it is Monday when the clocks of Berlin change.
        (BERLIN, "Pacific/Auckland", "2027-03-15T18:00", 2, []),
        (
            *(BERLIN, "Pacific/Auckland", "2027-03-15T18:00", 5),
            ["06:00 05:00 2027-03-29 04-03", "05:00 04:00 2027-04-04 None"],
        ),
        # Ramadan without summer time in Morocco.
        (LAGOS, "Africa/Casablanca", "2026-02-02T18:00", 10, ["18:00 17:00 2026-02-15 03-21"]),
        # A time that clocks jump over is another on that day, also for who lives there.
        (BERLIN, BERLIN, "2027-03-14T02:30", 4, ["02:30 03:30 2027-03-28 03-28"]),
    ],
)
def test_a_change_is_told_with_its_dates(
    zone: str, theirs: str, first: str, weeks: int, changes: list[str]
) -> None:
    found = dst_rules.changes(starts(zone, first, weeks), zone, theirs)
    assert [told(one) for one in found] == changes


def test_every_second_week_only_dates_that_it_has_matter() -> None:
    odd = dst_rules.changes(starts(BERLIN, "2027-03-01T18:00", 3, 2), BERLIN, NEW_YORK)
    assert [told(one) for one in odd] == ["12:00 13:00 2027-03-14 03-27"]
    assert odd[0].start[0] == "2027-03-15T18:00"
    even = dst_rules.changes(starts(BERLIN, "2027-10-11T18:00", 3, 2), BERLIN, NEW_YORK)
    assert even == []


def test_both_are_told_two_weeks_before_the_first_session_and_together_where_both_change() -> None:
    people = {"student": NEW_YORK, "coach": BERLIN}
    (one,) = dst_rules.notices(starts(BERLIN, "2027-03-01T18:00", 8), BERLIN, people)
    assert (one.day, list(one.sides)) == (date(2027, 3, 14), ["student"])
    assert one.due == recurrence.at_place("2027-03-15T18:00", BERLIN).start - timedelta(days=14)
    (both,) = dst_rules.notices(
        starts("UTC", "2027-03-01T12:00", 3),
        "UTC",
        {"student": NEW_YORK, "coach": "America/Toronto"},
    )
    assert list(both.sides) == ["student", "coach"]
    apart = dst_rules.notices(starts("UTC", "2027-03-01T12:00", 8), "UTC", people)
    assert [(one.day.isoformat(), list(one.sides)) for one in apart] == [
        ("2027-03-14", ["student"]),
        ("2027-03-28", ["coach"]),
    ]


CHANGES = Told(frozenset({"coach"}), NOW + DAY)


@rows(
    ("told", "role", "now", "code"),
    [
        (CHANGES, "coach", NOW, None),
        (CHANGES, "coach", NOW + DAY - SECOND, None),
        (CHANGES, "coach", NOW + DAY, "clock_change_begun"),
        (CHANGES, "student", NOW, "no_clock_change"),
        (None, "coach", NOW, "no_clock_change"),
        (CHANGES, "admin", NOW, "not_a_participant"),
    ],
)
def test_whose_time_changes_may_keep_it_until_it_does(
    told: Told | None, role: str, now: datetime, code: str | None
) -> None:
    assert said(dst_rules.may_keep(told, role, now)) == code
