"""Stretches of time joined, met and taken away."""

from datetime import UTC, datetime, timedelta

from skileez.availability.stretches import Stretch, hits, less, merged
from tests.rules.table import rows

ZERO = datetime(2027, 3, 1, tzinfo=UTC)


def these(text: str) -> list[Stretch]:
    """ "1-3 5-9" as stretches of minutes."""
    pairs = (one.split("-") for one in text.split())
    return [(at(int(start)), at(int(end))) for start, end in pairs]


def at(minutes: int) -> datetime:
    return ZERO + timedelta(minutes=minutes)


@rows(
    ("given", "joined"),
    [
        ("", ""),
        ("5-9 1-3", "1-3 5-9"),
        ("1-3 3-5", "1-5"),
        ("1-3 2-5", "1-5"),
        ("1-9 2-5", "1-9"),
        ("1-9 2-5 4-12 12-13 14-15", "1-13 14-15"),
        ("1-3 1-3 4-4", "1-3"),
    ],
)
def test_what_touches_or_overlaps_becomes_one(given: str, joined: str) -> None:
    assert merged(these(given)) == these(joined)


@rows(
    ("start", "end", "met"),
    [(0, 1, False), (0, 2, True), (3, 5, False), (2, 6, True), (6, 7, True), (4, 9, True),
     (9, 10, False), (0, 10, True)],
)  # fmt: skip
def test_ends_do_not_meet(start: int, end: int, met: bool) -> None:
    assert hits(these("1-3 5-9"), at(start), at(end)) is met
    assert not hits([], at(start), at(end))


@rows(
    ("given", "gone", "left"),
    [
        ("1-9", "", "1-9"),
        ("1-9", "3-5", "1-3 5-9"),
        ("1-9", "0-3 7-12", "3-7"),
        ("1-9", "0-12", ""),
        ("1-9", "1-9", ""),
        ("1-9", "9-10", "1-9"),
        ("1-9", "0-1", "1-9"),
        ("1-3 5-9", "2-6", "1-2 6-9"),
        ("1-3 5-9 11-12", "2-3 4-5 6-7 8-14", "1-2 5-6 7-8"),
        ("", "1-2", ""),
    ],
)
def test_what_is_taken_away_is_left_out(given: str, gone: str, left: str) -> None:
    assert less(these(given), these(gone)) == these(left)
