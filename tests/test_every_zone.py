"""Every zone, every change of its clocks from 2026 to 2036: booked, in a series, and as notice.

What the clocks do is reckoned anew from the package's files, without Python's own reader.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pytest

from skileez import zones
from skileez.errors import Refused
from skileez.sessions import clock_rules, recurrence, rules
from skileez.sessions.clock_rules import Agreed
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, MINUTE, SECOND
from tests.zone_files import Clocks, data_of, in_utc


@dataclass(frozen=True)
class Jump:
    """One change of the clocks of a zone; ``at`` is naive, in UTC."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    def walls(self) -> Iterator[tuple[datetime, list[datetime], bool]]:
        """Wall-clock times around it: what each can mean, and whether clocks jump over it."""
        first, last = sorted((self.at + self.before, self.at + self.after))
        missing = self.after > self.before
        inside = {first, first + (last - first) / 2, last - MINUTE}
        both = sorted((self.before, self.after))
        for wall in inside:
            yield wall, [in_utc(wall - one) for one in reversed(both)], missing
        for wall, offset in (
            (first - MINUTE, self.before),
            (first - 2 * HOUR, self.before),
            (last, self.after),
            (last + HOUR, self.after),
        ):
            yield wall, [in_utc(wall - offset)], False


Changes = tuple[tuple[datetime, timedelta, timedelta], ...]


@pytest.fixture(scope="module")
def same() -> dict[Changes, list[str]]:
    """The zones on offer, those together whose clocks do the same from 2026 to 2036."""
    read: dict[bytes, Changes] = {}
    found = defaultdict(list)
    for name in zones.ZONES:
        data = data_of(name)
        if data not in read:
            read[data] = tuple(Clocks(data).told())
        found[read[data]].append(name)
    return found


@pytest.fixture(scope="module")
def jumps(same: dict[Changes, list[str]]) -> list[Jump]:
    """Every change, in one zone of all that have it."""
    return [Jump(names[0], *jump) for changes, names in same.items() for jump in changes[1:]]


def test_every_name_shows_what_its_file_says(same: dict[Changes, list[str]]) -> None:
    assert sum(map(len, same.values())) == len(zones.ZONES) > 400
    assert sum(len(changes[1:]) * len(names) for changes, names in same.items()) > 3000
    for changes, names in same.items():
        looked = [in_utc(at + one) for at, *_both in changes for one in (-SECOND, SECOND)]
        told = [one for _at, *both in changes for one in both]
        for name in names:
            there = zones.zone(name)
            assert [one.astimezone(there).utcoffset() for one in looked] == told, name


def test_a_time_means_the_instants_that_it_does(jumps: list[Jump]) -> None:
    assert len(jumps) > 500
    for jump in jumps:
        for wall, meant, missing in jump.walls():
            told = f"{jump.zone} {wall}"
            found = [one.astimezone(meant[0].tzinfo) for one in zones.alternatives(wall, jump.zone)]
            assert found == meant, told
            assert zones.is_missing(wall, jump.zone) is missing, told
            kept = [meant[-1]] if missing else meant
            assert [zones.kept(wall, jump.zone, one) for one in meant][-len(kept) :] == kept, told
            for fold, one in enumerate(kept):
                if missing:
                    with pytest.raises(Refused):
                        zones.resolve(wall, jump.zone, fold)
                else:
                    assert zones.resolve(wall, jump.zone, fold) == one, told


def test_a_session_keeps_the_time_on_the_wall_and_lasts_as_long(jumps: list[Jump]) -> None:
    for jump in jumps:
        for wall, meant, missing in jump.walls():
            if missing:
                continue
            for start in meant:
                row = Session(timezone=jump.zone, scheduled_at=start, duration_minutes=60)
                assert row.wall_at is not None
                assert datetime.fromisoformat(row.wall_at) == wall.replace(second=0)
                assert row.ends_at == start + HOUR
                assert clock_rules.instant_of(Agreed(jump.zone, row.wall_at), start) == start


def test_a_series_has_the_instants_that_it_should(jumps: list[Jump]) -> None:
    for jump in jumps:
        for wall, meant, missing in jump.walls():
            start = meant[1] if missing else meant[0]
            found = recurrence.occurrence(wall, jump.zone)
            assert found.start == start, f"{jump.zone} {wall}"
            assert (found.note is recurrence.Note.GAP) is missing
        first = (jump.at + jump.before).date() - timedelta(days=3)
        clock = (jump.at + jump.before).time()
        pattern = recurrence.starting(jump.zone, first, clock, range(7), 60, count=6)
        for day in recurrence.occurrences(pattern, 6):
            offset = jump.before if day.wall < jump.at + jump.before else jump.after
            if day.wall == jump.at + jump.before and jump.after > jump.before:
                offset = jump.before  # it is missing, and moves to behind the jump
            assert day.start == in_utc(day.wall - offset), f"{jump.zone} {day.wall}"


def test_notice_is_the_time_that_passes(jumps: list[Jump]) -> None:
    for jump in jumps:
        wall = jump.at + max(jump.before, jump.after) + 12 * HOUR
        start, asked = (zones.resolve(one, jump.zone) for one in (wall, wall - DAY))
        assert rules.lead(start, asked) == DAY - (jump.after - jump.before), jump.zone


def test_a_day_is_made_of_stretches_in_which_clocks_run_evenly(jumps: list[Jump]) -> None:
    for jump in jumps:
        day = (jump.at + jump.after).date()
        midnight = datetime.combine(day, time())
        begins, ends = (in_utc(midnight - jump.before), in_utc(midnight + DAY - jump.after))
        expected = [
            (max(begins, start), min(ends, end), in_utc(midnight - offset))
            for start, end, offset in (
                (begins, in_utc(jump.at), jump.before),
                (in_utc(jump.at), ends, jump.after),
            )
            if start < end
        ]
        if (jump.at + jump.before).date() == day:
            assert list(zones.stretches(day, jump.zone)) == expected, f"{jump.zone} {day}"
