"""What a coach's hours may say."""

from datetime import date
from typing import Any

from skileez.availability import rules
from skileez.availability.rules import (
    BOUNDS,
    DAY,
    MAX_DATES,
    MAX_NOTICE,
    MAX_SPANS,
    MAX_STAYS,
    USUAL,
    Hours,
    Span,
    Stay,
    check_hours,
    check_spans,
    faults,
)
from skileez.errors import Kind
from tests.cast import assert_refuses, said
from tests.rules.table import rows

MORNING, NOON, AFTERNOON = (540, 720), (720, 780), (780, 1020)
MARCH = date(2027, 3, 10)


def hours(**told: Any) -> Hours:
    return Hours("Europe/Berlin", **{"weekly": USUAL, **told})


@rows(
    ("spans", "refusal"),
    [
        ([], None),
        ([MORNING], None),
        ([(0, DAY)], None),
        ([(1439, DAY)], None),
        ([(0, 1)], None),
        ([MORNING, AFTERNOON], None),
        ([AFTERNOON, MORNING], None),
        ([MORNING, NOON, AFTERNOON], None),
        ([(720, 540)], "span_ends_first"),
        ([(540, 540)], "span_ends_first"),
        ([(22 * 60, 2 * 60)], "span_ends_first"),
        ([(DAY, DAY)], "span_ends_first"),
        ([(-1, 60)], "span_outside_day"),
        ([(600, DAY + 1)], "span_outside_day"),
        ([MORNING, (719, 780)], "spans_overlap"),
        ([AFTERNOON, (0, DAY)], "spans_overlap"),
        ([MORNING, MORNING], "spans_overlap"),
        ([(one * 60, one * 60 + 30) for one in range(MAX_SPANS)], None),
        ([(one * 60, one * 60 + 30) for one in range(MAX_SPANS + 1)], "too_many_spans"),
    ],
)
def test_spans_of_a_day_end_after_they_start_within_it_and_apart(
    spans: list[Span], refusal: str | None
) -> None:
    assert said(check_spans(spans, "weekly-MO")) == refusal


@rows(
    ("told", "refusal", "field"),
    [
        ({}, None, None),
        ({"weekly": {}}, None, None),
        ({"weekly": {6: [AFTERNOON, (0, DAY)]}}, "spans_overlap", "weekly-SU"),
        ({"dates": {MARCH: []}}, None, None),
        ({"dates": {MARCH: [(720, 540)]}}, "span_ends_first", "dates-2027-03-10"),
        (
            {"dates": {date.fromordinal(MARCH.toordinal() + one): [] for one in range(MAX_DATES)}},
            None,
            None,
        ),
        (
            {
                "dates": {
                    date.fromordinal(MARCH.toordinal() + one): [] for one in range(MAX_DATES + 1)
                }
            },
            "too_many_dates",
            "dates",
        ),
        ({"stays": [Stay("Asia/Tokyo", MARCH, MARCH)]}, None, None),
        (
            {"stays": [Stay("Asia/Tokyo", MARCH, date(2027, 3, 9))]},
            "stay_ends_first",
            "stays-0",
        ),
        (
            {
                "stays": [
                    Stay("Asia/Tokyo", MARCH, date(2027, 3, 20)),
                    Stay("America/New_York", date(2027, 3, 1), MARCH),
                ]
            },
            "stays_overlap",
            "stays-0",
        ),
        (
            {
                "stays": [
                    Stay("America/New_York", date(2027, 3, 1), date(2027, 3, 9)),
                    Stay("Asia/Tokyo", MARCH, MARCH),
                ]
            },
            None,
            None,
        ),
        (
            {
                "stays": [
                    Stay("UTC", date(2027, 3, 1 + one), date(2027, 3, 1 + one))
                    for one in range(MAX_STAYS + 1)
                ]
            },
            "too_many_stays",
            "stays",
        ),
        ({"notice": -1}, "notice_out_of_range", "notice"),
        ({"notice": 0}, None, None),
        ({"notice": MAX_NOTICE}, None, None),
        ({"notice": MAX_NOTICE + 1}, "notice_out_of_range", "notice"),
        ({"notice": 10**30}, "notice_out_of_range", "notice"),
        ({"horizon": 0}, "horizon_out_of_range", "horizon"),
        ({"step": 0}, "unknown_step", "step"),
        ({"step": 7}, "unknown_step", "step"),
        ({"per_day": None, "per_week": None}, None, None),
        ({"per_day": 0}, "per_day_out_of_range", "per_day"),
    ],
)
def test_hours_are_checked_whole_and_the_field_at_fault_is_named(
    told: dict[str, Any], refusal: str | None, field: str | None
) -> None:
    found = check_hours(hours(**told))
    assert (said(found), found and found.field) == (refusal, field)


@rows("name", BOUNDS)
def test_every_figure_has_its_bounds(name: str) -> None:
    least, most = BOUNDS[name]
    assert check_hours(hours(**{name: least})) is None
    assert check_hours(hours(**{name: most})) is None
    for beyond in (least - 1, most + 1):
        refusal = check_hours(hours(**{name: beyond}))
        assert_refuses(
            refusal, f"{name}_out_of_range", str(beyond), str(least), str(most), kind=Kind.INVALID
        )


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = hours(
        weekly={0: [(720, 540)], 6: [MORNING, MORNING]},
        dates={MARCH: [(720, 540)]},
        stays=[Stay("UTC", MARCH, date(2027, 1, 1))],
        horizon=0,
        step=1,
    )
    assert {fault.field for fault in faults(wrong)} == {
        *("weekly-MO", "weekly-SU", "dates-2027-03-10", "stays-0", "horizon", "step")
    }
    for fault in faults(wrong):
        assert_refuses(fault, fault.code, kind=Kind.INVALID)


def test_hours_over_midnight_are_told_how() -> None:
    refusal = check_spans([(22 * 60, 2 * 60)], "weekly-FR")
    assert_refuses(
        refusal, "span_ends_first", "22:00 to 02:00", "end this day at midnight", kind=Kind.INVALID
    )


def test_what_is_over_is_left_out() -> None:
    kept = hours(
        dates={date(2027, 3, 9): (), MARCH: (MORNING,)},
        stays=(
            Stay("UTC", date(2027, 3, 1), date(2027, 3, 9)),
            Stay("UTC", date(2027, 3, 10), date(2027, 3, 12)),
        ),
    ).since(MARCH)
    assert list(kept.dates) == [MARCH]
    assert [stay.last for stay in kept.stays] == [date(2027, 3, 12)]
    assert kept.weekly == USUAL


def test_hours_are_for_coaches_and_a_page_says_which_it_showed() -> None:
    assert rules.may_set_hours(offers_coaching=True) is None
    refusal = rules.may_set_hours(offers_coaching=False)
    assert_refuses(refusal, "hours_without_coaching", "profile", kind=Kind.FORBIDDEN)
    assert rules.check_unchanged(3, 3) is None
    assert_refuses(rules.check_unchanged(0, 1), "hours_changed", "another window")
