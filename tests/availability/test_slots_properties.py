"""What is offered equals an independent reckoning: each instant asked by itself, on the clock."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from skileez import zones
from skileez.availability.rules import Hours, Span, Stay
from skileez.availability.slots import Against, Opening, Taken
from tests.properties import long_stories
from tests.reckoning import are_open, is_open

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TICK = 15
"""Everything below falls on these minutes, so that asking about each of them is asking of all."""

AROUND = (
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2027, 10, 31)),
    ("America/New_York", date(2027, 3, 14)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("Africa/Cairo", date(2027, 4, 30)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kathmandu", date(2027, 1, 1)),
)
"""A zone, and a day on which something happens to its clocks (in the last nothing does)."""


@dataclass(frozen=True)
class Story:
    """A coach's hours, what is taken, and the range that is asked about."""

    hours: Hours
    minutes: int
    taken: tuple[Taken, ...]
    now: datetime
    first: datetime
    last: datetime

    @property
    def opening(self) -> Opening:
        earliest, latest = self.now + 60 * MINUTE, self.now + 300 * DAY
        return Opening(
            self.hours, self.minutes, self.taken, now=self.now, earliest=earliest, latest=latest
        )

    @property
    def instants(self) -> Iterator[datetime]:
        at = self.first
        while at < self.last:
            yield at
            at += TICK * MINUTE


@st.composite
def spans(draw: Any) -> tuple[Span, ...]:
    ticks = 24 * 60 // TICK
    edges = sorted(draw(st.sets(st.integers(0, ticks), max_size=4)))
    return tuple(
        (start * TICK, end * TICK) for start, end in zip(edges[::2], edges[1::2], strict=False)
    )


@st.composite
def stories(draw: Any) -> Story:
    zone, day = draw(st.sampled_from(AROUND))
    around = datetime(day.year, day.month, day.day, tzinfo=UTC)
    often = st.integers(0, 3)
    whole, some = draw(spans()), draw(spans())
    stays: tuple[Stay, ...] = ()
    if draw(often) == 3:
        first = day + draw(st.integers(-1, 1)) * DAY
        stays = (Stay(draw(st.sampled_from(AROUND))[0], first, first + draw(often) * DAY),)
    hours = Hours(
        zone,
        weekly=dict.fromkeys(range(7), whole),
        dates={day + draw(st.integers(-1, 1)) * DAY: some},
        stays=stays,
        buffer_before=draw(st.sampled_from((0, 0, 15, 60))),
        buffer_after=draw(st.sampled_from((0, 0, 30))),
        notice=draw(st.sampled_from((0, 60, 1440))),
        horizon=draw(st.sampled_from((2, 365))),
        step=draw(st.sampled_from((15, 30, 45, 60))),
        per_day=draw(st.sampled_from((None, None, 1, 2))),
        per_week=draw(st.sampled_from((None, None, 2))),
    )
    taken = []
    for whose, held in (("coach", False), ("coach", False), ("student", False), ("away", False),
                        ("coach", True), ("student", True)):  # fmt: skip
        if draw(often):
            start = around + draw(st.integers(-96, 144)) * TICK * MINUTE
            length = draw(st.integers(1, 8)) * TICK * MINUTE
            taken.append(Taken(start, start + length, whose, held))  # type: ignore[arg-type]
    minutes = draw(st.sampled_from((15, 45, 60, 120)))
    first = around - draw(st.integers(0, 96)) * TICK * MINUTE
    return Story(hours, minutes, tuple(taken), around - 1.5 * DAY, first, first + 1.5 * DAY)


def meets(taken: Taken, start: datetime, end: datetime, apart: timedelta = 0 * MINUTE) -> bool:
    return taken.starts - apart < end and start < taken.ends + apart


def may_be_had(story: Story, start: datetime, *, held: bool) -> bool:
    """Whether a student may have ``start``; ``held``: as an offer, which leaves those alone."""
    hours, end = story.hours, start + story.minutes * MINUTE
    apart = (hours.buffer_before + hours.buffer_after) * MINUTE
    if any(
        meets(one, start, end, apart if one.whose == "coach" else 0 * MINUTE)
        for one in story.taken
        if held or not one.held
    ):
        return False
    if not max(60, hours.notice) * MINUTE <= start - story.now <= min(300, hours.horizon) * DAY:
        return False
    if not are_open(hours, start, story.minutes, TICK):
        return False
    day = day_of(hours, start)
    days = [day_of(hours, one.starts) for one in story.taken
            if one.whose == "coach" and not one.held]  # fmt: skip
    full = hours.per_day is not None and days.count(day) >= hours.per_day
    weeks = [one.isocalendar()[:2] for one in days]
    over = hours.per_week is not None and weeks.count(day.isocalendar()[:2]) >= hours.per_week
    return not full and not over


def day_of(hours: Hours, at: datetime) -> date:
    day = zones.local(at, hours.zone).date()
    for stay in hours.stays:
        if stay.first <= day <= stay.last:
            return zones.local(at, stay.zone).date()
    return day


@settings(long_stories, max_examples=60)
@given(stories())
def test_offers_and_refusals_equal_an_independent_reckoning(story: Story) -> None:
    opening = story.opening
    offered = opening.starts(story.first, story.last)
    assert offered == [
        at
        for at in story.instants
        if is_open(story.hours, at, step=story.hours.step) and may_be_had(story, at, held=True)
    ]
    had = {at for at in story.instants if opening.refusal(at) is None}
    assert had == {at for at in story.instants if may_be_had(story, at, held=False)}
    assert had.issuperset(offered)
    for at in had:
        # Who may have it against everything may have it against less.
        assert opening.refusal(at, Against.AWAY) is None
        assert opening.refusal(at, Against.TAKEN) is None


@settings(long_stories, max_examples=40)
@given(stories())
def test_open_stretches_hold_the_open_instants_and_no_others(story: Story) -> None:
    stretches = story.opening.open_between(story.first, story.last)
    edges = [edge for stretch in stretches for edge in stretch]
    assert edges == sorted(set(edges))
    away = [one for one in story.taken if one.whose == "away"]
    for at in story.instants:
        end = at + TICK * MINUTE
        inside = bisect_left(edges, end) % 2 == 1
        assert inside == (
            is_open(story.hours, at) and not any(meets(one, at, end) for one in away)
        ), at


@settings(long_stories, max_examples=20)
@given(stories(), st.integers(1, 143))
def test_a_range_offers_what_its_parts_offer(story: Story, cut: int) -> None:
    opening, middle = story.opening, story.first + cut * TICK * MINUTE
    whole = opening.starts(story.first, story.last)
    assert whole == opening.starts(story.first, middle) + opening.starts(middle, story.last)
