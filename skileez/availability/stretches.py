"""Stretches of time, and lists of them that are *merged*: in order, none touching the next."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

Stretch = tuple[datetime, datetime]
"""From an instant, to another that is not part of it."""


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in stretches that neither touch nor overlap, in order."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        elif start < end:
            found.append((start, end))
    return found


def hits(these: Sequence[Stretch], start: datetime, end: datetime) -> bool:
    """Whether any of ``these``, which are merged, has time between ``start`` and ``end``."""
    at = bisect_right(these, start, key=lambda one: one[0])
    return (at > 0 and these[at - 1][1] > start) or (at < len(these) and these[at][0] < end)


def less(these: Iterable[Stretch], gone: Sequence[Stretch]) -> list[Stretch]:
    """What is left of ``these`` without ``gone``; all of them merged."""
    left: list[Stretch] = []
    at = 0
    for start, end in these:
        while at < len(gone) and gone[at][1] <= start:
            at += 1
        rest = start
        for begins, ends in islice(gone, at, None):
            if begins >= end:
                break
            if begins > rest:
                left.append((rest, begins))
            rest = ends
        if rest < end:
            left.append((rest, end))
    return left
