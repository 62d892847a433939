"""Files of time zones: written for tests that change the rules, read without Python's own reader.

The format is RFC 8536's (TZif), of which only what zones of our days need is read.
"""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

FIRST, LAST = 2026, 2036
"""The years in which every change of clocks is looked at."""

_EPOCH = datetime(1970, 1, 1)


def data_of(name: str) -> bytes:
    """The file of a zone in the package tzdata."""
    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


def tzif(offset: timedelta, since: datetime, later: timedelta) -> bytes:
    """A zone file: ``offset`` from Greenwich until the instant ``since``, ``later`` after it."""
    seconds = [int(one.total_seconds()) for one in (offset, later)]
    types = b"".join(struct.pack(">lbb", one, 0, 4 * n) for n, one in enumerate(seconds))
    names = b"OLD\0NEW\0"

    def block(version: bytes, form: str, *at: int) -> bytes:
        head = b"TZif" + version + bytes(15)
        counts = struct.pack(">6l", 0, 0, 0, len(at), 2, len(names))
        return head + counts + struct.pack(form, *at) + b"\1" * len(at) + types + names

    hours = seconds[1] // 3600
    footer = f"\n<NEW>{-hours:+d}\n".encode()
    return block(b"2", ">") + block(b"2", ">q", int(since.timestamp())) + footer


class Clocks:
    """What a zone file says of the offset from Greenwich, reckoned anew; instants naive, in UTC."""

    def __init__(self, data: bytes) -> None:
        table, footer = _parts(data)
        self.changes = [one for one in table if one[0].year <= LAST]
        last = table[-1][0] if table else datetime.min
        if "," in footer:
            for year in range(FIRST - 1, LAST + 2):
                self.changes += [one for one in _by_rule(footer, year) if one[0] > last]
        self.changes.sort()
        self._first = _first_offset(data)

    def offset(self, instant: datetime) -> timedelta:
        """How far clocks are from Greenwich at ``instant``."""
        place = bisect_right(self.changes, instant, key=lambda one: one[0])
        return self.changes[place - 1][1] if place else self._first

    def told(self) -> Iterator[tuple[datetime, timedelta, timedelta]]:
        """The beginning of the years looked at, and each instant in them at which clocks change;
        with the offset before and after it.
        """
        begins = datetime(FIRST, 1, 1)
        yield begins, self.offset(begins), self.offset(begins)
        for instant, after in self.changes:
            before = self.offset(instant - timedelta(seconds=1))
            if FIRST <= instant.year <= LAST and before != after:
                yield instant, before, after


def _parts(data: bytes) -> tuple[list[tuple[datetime, timedelta]], str]:
    """The 64-bit table of changes, and the rule for what comes after it."""
    start = _length(data, 0, 4)
    utc, std, leap, times, types, letters = struct.unpack(">6l", data[start + 20 : start + 44])
    assert leap == 0
    at = start + 44
    instants = struct.unpack(f">{times}q", data[at : at + 8 * times])
    kinds = data[at + 8 * times : at + 9 * times]
    at += 9 * times
    offsets = [struct.unpack(">l", data[at + 6 * n : at + 6 * n + 4])[0] for n in range(types)]
    footer = data[at + 6 * types + letters + std + utc :].decode().strip("\n")
    table = [
        (_EPOCH + timedelta(seconds=instant), timedelta(seconds=offsets[kind]))
        for instant, kind in zip(instants, kinds, strict=True)
        if instant > -(2**40)
    ]
    return table, footer


def _length(data: bytes, at: int, size: int) -> int:
    """Where the block at ``at`` ends, whose instants take ``size`` bytes each."""
    assert data[at : at + 4] == b"TZif"
    utc, std, leap, times, types, letters = struct.unpack(">6l", data[at + 20 : at + 44])
    return at + 44 + times * (size + 1) + types * 6 + letters + leap * (size + 4) + std + utc


def _first_offset(data: bytes) -> timedelta:
    table, footer = _parts(data)
    if table:
        return table[0][1]
    return -_span(re.match(_NAME + _CLOCK, footer)[2])  # type: ignore[index]


_NAME = r"(<[^>]+>|[A-Za-z]+)"
_CLOCK = r"([+-]?\d+(?::\d+)*)"
_RULE = re.compile(f"{_NAME}{_CLOCK}{_NAME}{_CLOCK}?,(.+),(.+)")


def _by_rule(footer: str, year: int) -> list[tuple[datetime, timedelta]]:
    """The two changes of a year by POSIX's rule: "CET-1CEST,M3.5.0,M10.5.0/3"."""
    found = _RULE.fullmatch(footer)
    assert found, footer
    usual = -_span(found[2])
    summer = -_span(found[4]) if found[4] else usual + timedelta(hours=1)
    return [
        (_on(found[5], year) - usual, summer),
        (_on(found[6], year) - summer, usual),
    ]


def _span(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")] + [0, 0]
    return sign * timedelta(hours=parts[0], minutes=parts[1], seconds=parts[2])


def _on(rule: str, year: int) -> datetime:
    """The wall-clock time of "M3.5.0/2" (the fifth, that is the last, Sunday of March) or "J60"."""
    day, _slash, clock = rule.partition("/")
    at = _span(clock or "2")
    if day.startswith("J"):
        number = int(day[1:])
        found = date(2001, 1, 1) + timedelta(days=number - 1)  # a year without 29 February
        return datetime(year, found.month, found.day) + at
    month, week, weekday = (int(part) for part in day[1:].split("."))
    first = date(year, month, 1)
    found = first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (week - 1))
    while found.month != month:
        found -= timedelta(days=7)
    return datetime(found.year, found.month, found.day) + at


def in_utc(naive: datetime) -> datetime:
    """A naive instant, aware."""
    return naive.replace(tzinfo=UTC)
