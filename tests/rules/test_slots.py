"""Which starts are offered, at the edges of everything that a coach may set."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from skileez import zones
from skileez.availability.choosing import best, by_day
from skileez.availability.rules import Hours, Span, Stay
from skileez.availability.slots import Against, Opening, Taken
from skileez.errors import Kind
from tests.cast import assert_refuses, said
from tests.rules.table import rows

MONDAY = date(2027, 3, 1)
NINE_TO_TWELVE: dict[int, tuple[Span, ...]] = {0: ((540, 720),)}
BERLIN, NEW_YORK, AUCKLAND = "Europe/Berlin", "America/New_York", "Pacific/Auckland"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def wall(text: str, zone: str = BERLIN) -> datetime:
    return zones.resolve(datetime.fromisoformat(text), zone, fold=0)


def opening(
    hours: Hours | None,
    minutes: int = 60,
    taken: tuple[Taken, ...] = (),
    now: datetime = datetime(2027, 2, 20, 12, tzinfo=UTC),
) -> Opening:
    return Opening(
        hours, minutes, taken, now=now, earliest=now + 60 * MINUTE, latest=now + 365 * DAY
    )


def berlin(weekly: dict[int, tuple[Span, ...]] = NINE_TO_TWELVE, **told: Any) -> Hours:
    return Hours(BERLIN, weekly=weekly, **{"step": 60, **told})


IN_AUCKLAND = berlin(
    {0: ((540, 720),), 1: ((540, 1020),)},
    per_day=1,
    stays=(Stay(AUCKLAND, MONDAY + DAY, MONDAY + DAY),),
)


def on(day: date, one: Opening, zone: str = BERLIN) -> str:
    """The starts of a day in ``zone``, as its clocks show them; those an hour off UTC+ marked."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    starts = one.starts(noon - 2 * DAY, noon + 2 * DAY)
    return " ".join(f"{zones.local(at, zone):%H:%M}" for at in by_day(starts, zone).get(day, ()))


def session(start: str, minutes: int = 60, whose: Any = "coach", **told: Any) -> Taken:
    at = wall(f"2027-03-{start}")
    return Taken(at, at + minutes * MINUTE, whose, **told)


@rows(
    ("hours", "minutes", "day", "offered"),
    [
        (berlin(), 60, MONDAY, "09:00 10:00 11:00"),
        (berlin(), 61, MONDAY, "09:00 10:00"),
        (berlin(), 180, MONDAY, "09:00"),
        (berlin(), 181, MONDAY, ""),
        (berlin(), 60, MONDAY + DAY, ""),
        (berlin(step=90), 60, MONDAY, "09:00 10:30"),
        (berlin(step=45), 60, MONDAY, "09:00 09:45 10:30"),
        (berlin({0: ((545, 635),)}, step=15), 60, MONDAY, "09:05 09:20 09:35"),
        # Several spans, in any order; two that touch are one, and each has steps of its own.
        (berlin({0: ((840, 960), (540, 600))}), 60, MONDAY, "09:00 14:00 15:00"),
        (berlin({0: ((540, 570), (570, 600))}), 60, MONDAY, "09:00"),
        (berlin({0: ((540, 570), (575, 600))}), 60, MONDAY, ""),
        (berlin({0: ((540, 620), (620, 720))}), 30, MONDAY, "09:00 10:00 10:20 11:20"),
        # Over midnight: this day to its end, and the next from its start.
        (berlin({0: ((1380, 1440),), 1: ((0, 60),)}), 90, MONDAY, "23:00"),
        (berlin({0: ((1380, 1440),), 1: ((0, 60),)}), 60, MONDAY + DAY, "00:00"),
        (berlin({0: ((1380, 1440),)}), 90, MONDAY, ""),
        (berlin({6: ((0, 1440),), 0: ((0, 60),)}, step=120), 480, MONDAY - DAY,
         "00:00 02:00 04:00 06:00 08:00 10:00 12:00 14:00 16:00"),
        # A date has its own hours, or none.
        (berlin(dates={MONDAY: ((600, 660),)}), 60, MONDAY, "10:00"),
        (berlin(dates={MONDAY: ()}), 60, MONDAY, ""),
        (berlin(dates={MONDAY: ()}), 60, MONDAY + 7 * DAY, "09:00 10:00 11:00"),
        (berlin(dates={MONDAY + DAY: ((600, 660),)}), 60, MONDAY + DAY, "10:00"),
        # A stay: the same hours, by the clocks of another zone.
        (berlin(stays=(Stay(NEW_YORK, MONDAY, MONDAY),)), 60, MONDAY, "15:00 16:00 17:00"),
        (berlin(stays=(Stay(NEW_YORK, MONDAY + DAY, MONDAY + DAY),)), 60, MONDAY,
         "09:00 10:00 11:00"),
        (berlin({0: ((0, 60),)}, stays=(Stay(AUCKLAND, MONDAY, MONDAY),)), 60, MONDAY - DAY,
         "12:00"),
        (berlin({}), 60, MONDAY, ""),
        (None, 480, MONDAY, " ".join(f"{half // 2:02}:{half % 2 * 3}0" for half in range(48))),
    ],
)  # fmt: skip
def test_the_hours_of_a_day_are_offered_in_steps(
    hours: Hours | None, minutes: int, day: date, offered: str
) -> None:
    assert on(day, opening(hours, minutes)) == offered


@rows(
    ("zone", "day", "spans", "step", "minutes", "utc"),
    [
        # 02:00 becomes 03:00: the hour is not there, and a span around it is shorter by it.
        (BERLIN, "2027-03-28", ((60, 240),), 60, 60, "00:00 01:00"),
        (BERLIN, "2027-03-28", ((60, 240),), 60, 120, "00:00"),
        (BERLIN, "2027-03-28", ((120, 180),), 60, 30, ""),
        (BERLIN, "2027-03-28", ((130, 220),), 20, 20, "01:10"),
        # 03:00 becomes 02:00: the hour comes twice, and both are open.
        (BERLIN, "2027-10-31", ((60, 240),), 60, 60, "23:00 00:00 01:00 02:00"),
        (BERLIN, "2027-10-31", ((120, 180),), 60, 60, "00:00 01:00"),
        (BERLIN, "2027-10-31", ((120, 180),), 60, 120, "00:00"),
        (BERLIN, "2027-10-31", ((120, 150),), 60, 30, "00:00 01:00"),
        (BERLIN, "2027-10-31", ((120, 150),), 60, 40, ""),
        # Half an hour, forward and back.
        ("Australia/Lord_Howe", "2027-10-03", ((60, 180),), 30, 30, "14:30 15:00 15:30"),
        ("Australia/Lord_Howe", "2027-10-03", ((60, 240),), 60, 60, "14:30 16:00"),
        ("Australia/Lord_Howe", "2027-04-04", ((60, 150),), 30, 30, "14:00 14:30 15:00 15:30"),
        # A day that was left out, and one whose midnight does not exist.
        ("Pacific/Apia", "2011-12-30", ((0, 1440),), 60, 60, ""),
        ("Africa/Cairo", "2027-04-30", ((0, 120),), 60, 60, "22:00"),
        ("Africa/Cairo", "2027-04-30", ((0, 60),), 15, 15, ""),
        ("Africa/Cairo", "2027-04-30", ((30, 120),), 60, 30, "22:30"),
    ],
)  # fmt: skip
def test_days_on_which_clocks_change_offer_what_they_have(
    zone: str, day: str, spans: tuple[Span, ...], step: int, minutes: int, utc: str
) -> None:
    there = date.fromisoformat(day)
    now = datetime(there.year, there.month, 1, tzinfo=UTC) - 10 * DAY
    one = opening(Hours(zone, dates={there: spans}, step=step), minutes, now=now)
    noon = datetime(there.year, there.month, there.day, 12, tzinfo=UTC)
    starts = one.starts(noon - 3 * DAY, noon + 3 * DAY)
    assert " ".join(f"{start:%H:%M}" for start in starts) == utc
    assert all(one.refusal(start) is None for start in starts)


@rows(
    ("start", "hours", "minutes", "taken", "code"),
    [
        ("01T09:00", berlin(), 60, (), None),
        ("01T11:00", berlin(), 60, (), None),
        ("01T10:17", berlin(), 60, (), None),  # within the hours, between two steps
        ("01T08:59", berlin(), 60, (), "outside_hours"),
        ("01T11:01", berlin(), 60, (), "outside_hours"),
        ("02T09:00", berlin(), 60, (), "outside_hours"),
        ("02T09:00", None, 60, (), None),
        # What is taken, to the minute.
        ("01T10:00", berlin(), 60, (session("01T09:00"), session("01T11:00")), None),
        ("01T09:59", berlin(), 60, (session("01T09:00"),), "time_taken"),
        ("01T10:01", berlin(), 59, (session("01T11:00"),), None),
        ("01T10:01", berlin(), 60, (session("01T11:00"),), "time_taken"),
        ("01T10:00", None, 60, (session("01T10:59", whose="student"),), "time_taken"),
        ("01T10:00", berlin(), 60, (session("01T10:00", held=True),), None),
        # Both buffers lie between two sessions of the coach, and none beside the student's.
        ("01T10:00", berlin(buffer_before=15), 60, (session("01T11:15"),), None),
        ("01T10:00", berlin(buffer_before=15), 60, (session("01T11:14"),), "buffer"),
        ("01T10:15", berlin(buffer_before=15), 60, (session("01T09:00"),), None),
        ("01T10:14", berlin(buffer_before=15), 60, (session("01T09:00"),), "buffer"),
        ("01T10:10", berlin(buffer_after=10), 60, (session("01T09:00"),), None),
        ("01T10:09", berlin(buffer_after=10), 60, (session("01T09:00"),), "buffer"),
        ("01T10:25", berlin(buffer_before=15, buffer_after=10), 60, (session("01T09:00"),), None),
        ("01T10:24", berlin(buffer_before=15, buffer_after=10), 60, (session("01T09:00"),),
         "buffer"),
        ("01T09:35", berlin(buffer_before=15, buffer_after=10), 60, (session("01T11:00"),), None),
        ("01T09:36", berlin(buffer_before=15, buffer_after=10), 60, (session("01T11:00"),),
         "buffer"),
        ("01T10:00", berlin(buffer_before=240), 60, (session("01T09:00", whose="student"),), None),
        # Days away, to the minute, with hours and without.
        ("01T10:00", berlin(), 60, (session("01T11:00", whose="away"),), None),
        ("01T10:00", berlin(), 61, (session("01T11:00", whose="away"),), "coach_away"),
        ("01T10:00", None, 61, (session("01T11:00", whose="away"),), "coach_away"),
        ("01T10:00", berlin(buffer_after=30), 60, (session("01T11:00", whose="away"),), None),
        # A day's and a week's most; the week ends on Sunday night.
        ("01T10:00", berlin(per_day=1), 60, (session("01T18:00"),), "day_full"),
        ("01T10:00", berlin(per_day=2), 60, (session("01T18:00"),), None),
        ("01T10:00", berlin(per_day=1), 60, (session("01T18:00", whose="student"),), None),
        ("01T10:00", berlin(per_day=1), 60, (session("01T18:00", held=True),), None),
        ("01T10:00", berlin(per_day=1), 60, (session("02T00:00"),), None),
        ("01T10:00", berlin(per_day=1), 60, (session("01T23:59"),), "day_full"),
        # 10:00 of Auckland's Tuesday is 22:00 of Berlin's Monday, on which the stay begins.
        ("02T02:00", IN_AUCKLAND, 60, (session("01T22:00"),), "day_full"),
        ("01T10:00", IN_AUCKLAND, 60, (session("01T22:00"),), None),
        ("01T10:00", berlin(per_week=1), 60, (session("07T23:59"),), "week_full"),
        ("01T10:00", berlin(per_week=1), 60, (session("08T00:00"),), None),
        ("08T10:00", berlin(per_week=2), 60, (session("07T10:00"), session("14T10:00")), None),
        ("08T10:00", berlin(per_week=1), 60, (session("14T10:00"),), "week_full"),
    ],
)  # fmt: skip
def test_a_time_is_refused_for_one_reason(
    start: str, hours: Hours | None, minutes: int, taken: tuple[Taken, ...], code: str | None
) -> None:
    assert said(opening(hours, minutes, taken).refusal(wall(f"2027-03-{start}"))) == code


@rows(
    ("hours", "now", "code"),
    [
        (berlin(notice=120), "2027-03-01T08:00", None),
        (berlin(notice=120), "2027-03-01T08:01", "coach_notice"),
        (berlin(horizon=2), "2027-02-27T10:00", None),
        (berlin(horizon=2), "2027-02-27T09:59", "coach_horizon"),
        # Notice is elapsed time, and the platform's own bounds stand beside the coach's.
        (berlin(notice=0), "2027-03-01T09:00", None),
        (berlin(notice=0), "2027-03-01T09:01", "coach_notice"),
        (berlin(horizon=365), "2026-02-28T10:00", "coach_horizon"),
    ],
)
def test_notice_and_horizon_hold_to_the_minute(hours: Hours, now: str, code: str | None) -> None:
    one, start = opening(hours, now=wall(now)), wall("2027-03-01T10:00")
    assert said(one.refusal(start)) == code
    assert one.starts(start, start + MINUTE) == ([] if code else [start])


@rows(
    ("hours", "start", "code"),
    [
        # The week is the one of the coach's clocks: Monday there, Sunday in UTC, and the reverse.
        (Hours(AUCKLAND, weekly={0: ((0, 720),)}, per_week=1), "2027-02-28T11:30+00:00", None),
        (Hours(AUCKLAND, weekly={6: ((0, 1440),)}, per_week=1), "2027-02-28T10:00+00:00",
         "week_full"),
        (Hours("Pacific/Honolulu", weekly={6: ((0, 1440),)}, per_week=1),
         "2027-03-01T05:00+00:00", "week_full"),
        # While travelling, it is that of the stay.
        (berlin({6: ((0, 1440),), 0: ((0, 1440),)}, per_week=1,
                stays=(Stay(AUCKLAND, date(2027, 2, 28), MONDAY),)), "2027-02-28T11:30+00:00",
         None),
    ],
)  # fmt: skip
def test_a_week_is_monday_to_sunday_by_the_coachs_clocks(
    hours: Hours, start: str, code: str | None
) -> None:
    saturday = datetime(2027, 2, 27, 12, tzinfo=UTC)
    one = opening(hours, 60, (Taken(saturday, saturday + DAY / 24, "coach"),))
    assert said(one.refusal(datetime.fromisoformat(start))) == code


@rows(
    ("against", "taken", "start", "code"),
    [
        (Against.TAKEN, (), "02T03:00", None),
        (Against.TAKEN, (session("02T03:00", whose="away"),), "02T03:00", None),
        (Against.TAKEN, (session("02T02:00"),), "02T03:05", "buffer"),
        (Against.AWAY, (), "02T03:00", None),
        (Against.AWAY, (session("02T03:00", whose="away"),), "02T03:00", "coach_away"),
        (Against.HOURS, (), "02T03:00", "outside_hours"),
    ],
)
def test_the_coach_may_book_outside_hours_but_not_into_sessions_and_buffers(
    against: Against, taken: tuple[Taken, ...], start: str, code: str | None
) -> None:
    one = opening(berlin(buffer_after=10, per_day=1), 60, taken)
    assert said(one.refusal(wall(f"2027-03-{start}"), against)) == code


def test_a_refusal_gives_the_figures_that_decided() -> None:
    start = wall("2027-03-01T10:00")
    full = opening(berlin(per_day=1), 60, (session("01T18:00"),)).refusal(start)
    assert_refuses(full, "day_full", "at most 1", kind=Kind.CONFLICT)
    tight = opening(berlin(buffer_before=5, buffer_after=10), 60, (session("01T09:00"),))
    assert_refuses(tight.refusal(start), "buffer", "15 min", kind=Kind.CONFLICT)


def test_a_held_time_is_not_offered_though_it_may_be_had() -> None:
    for whose in ("coach", "student"):
        one = opening(berlin(), 60, (session("01T10:00", whose=whose, held=True),))
        assert on(MONDAY, one) == "09:00 11:00"
        assert one.refusal(wall("2027-03-01T10:00")) is None
    apart = opening(berlin(buffer_after=10), 60, (session("01T10:00", held=True),))
    assert on(MONDAY, apart) == ""


def test_open_stretches_join_spans_that_touch_and_leave_out_days_away() -> None:
    hours = berlin({0: ((540, 600), (600, 720), (1380, 1440)), 1: ((0, 60),)})
    one = opening(hours, 60, (session("01T09:30", whose="away"), session("01T11:00")))
    first, last = wall("2027-03-01T09:15"), wall("2027-03-02T00:30")
    assert [
        " ".join(f"{zones.local(at, BERLIN):%H:%M}" for at in stretch)
        for stretch in one.open_between(first, last)
    ] == ["09:15 09:30", "10:30 12:00", "23:00 00:30"]
    assert opening(None).open_between(first, last) == [(first, last)]


def test_steps_are_counted_by_the_coachs_clocks_where_no_hours_are_set() -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    one = Opening(None, 60, (), now=now, earliest=now, latest=now + DAY, zone="Asia/Kathmandu")
    assert {f"{at:%M}" for at in one.starts(now, now + DAY)} == {"15", "45"}


def test_nothing_is_offered_of_a_range_that_is_over_or_too_far() -> None:
    one, start = opening(berlin()), wall("2027-03-01T10:00")
    assert one.starts(start, start) == one.starts(start, start - DAY) == []
    assert one.starts(start - 400 * DAY, start - 300 * DAY) == []
    assert one.starts(start + 400 * DAY, start + 500 * DAY) == []


def test_starts_fall_to_the_days_of_whoever_looks() -> None:
    starts = opening(berlin({0: ((0, 1440),)}, step=60)).starts(
        wall("2027-03-01T00:00"), wall("2027-03-02T00:00")
    )
    assert {day.isoformat(): len(some) for day, some in by_day(starts, BERLIN).items()} == {
        "2027-03-01": 24
    }
    assert {day.isoformat(): len(some) for day, some in by_day(starts, NEW_YORK).items()} == {
        "2027-02-28": 6,
        "2027-03-01": 18,
    }
    assert [at for some in by_day(starts, NEW_YORK).values() for at in some] == starts
    assert by_day([], BERLIN) == {}


def test_the_best_starts_are_by_day_for_both_and_near_the_time_that_was() -> None:
    week = opening(berlin(dict.fromkeys(range(7), ((0, 1440),)))).starts(
        wall("2027-03-01T00:00"), wall("2027-03-08T00:00")
    )
    like = wall("2027-03-03T16:00")
    chosen = best(week, like, (BERLIN, NEW_YORK))
    assert [f"{zones.local(at, BERLIN):%a %H:%M}" for at in chosen] == [
        "Wed 16:00", "Tue 16:00", "Thu 16:00",
    ]  # fmt: skip
    soonest = best(week, None, (BERLIN, NEW_YORK), 2)
    assert [f"{zones.local(at, BERLIN):%a %H:%M}" for at in soonest] == ["Mon 14:00", "Tue 14:00"]
    assert best(week[:2], like, (BERLIN,)) == week[:2]
    assert best([], like, (BERLIN,)) == []
