"""Wall-clock time to instants and back, over a table of verified instants."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from skileez import zones
from skileez.errors import Kind, Refused
from tests.zone_files import tzif

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "tz_cases.json").read_text(encoding="utf-8")
)["cases"]


def rows(kind: str) -> list[Any]:
    return [
        pytest.param(
            case["zone"],
            datetime.fromisoformat(case["local"]),
            datetime.fromisoformat(case["utc_fold0"]),
            datetime.fromisoformat(case["utc_fold1"]),
            datetime.fromisoformat(case["shifted"]),
            id=f"{case['zone']} {case['local']}",
        )
        for case in CASES
        if case["kind"] == kind
    ]


def test_every_row_of_the_table_is_of_a_kind_that_is_tested() -> None:
    assert {case["kind"] for case in CASES} == {"ok", "gap", "fold"}


@pytest.mark.parametrize(("zone", "wall", "first", "second", "shifted"), rows("ok"))
def test_an_ordinary_time_means_one_instant(
    zone: str, wall: datetime, first: datetime, second: datetime, shifted: datetime
) -> None:
    for fold in (None, 0, 1):
        instant = zones.resolve(wall, zone, fold)
        assert (instant, instant.tzinfo) == (first, UTC)
    assert first == second == shifted
    assert zones.local(first, zone).isoformat() == shifted.isoformat()
    assert not zones.is_missing(wall, zone)


@pytest.mark.parametrize(("zone", "wall", "first", "second", "shifted"), rows("fold"))
def test_a_time_that_comes_twice_asks_which(
    zone: str, wall: datetime, first: datetime, second: datetime, shifted: datetime
) -> None:
    with pytest.raises(Refused) as refused:
        zones.resolve(wall, zone)
    assert (refused.value.code, refused.value.refusal.kind) == (
        "local_time_twice",
        Kind.INVALID,
    )
    for instant in (first, second):
        assert zones.offset_label(instant, zone) in str(refused.value)
    assert zones.resolve(wall, zone, 0) == first == shifted.astimezone(UTC)
    assert zones.resolve(wall, zone, 1) == second
    assert [time.astimezone(UTC) for time in zones.alternatives(wall, zone)] == [
        first,
        second,
    ]
    assert not zones.is_missing(wall, zone)


@pytest.mark.parametrize(("zone", "wall", "after", "before", "shifted"), rows("gap"))
def test_a_time_that_clocks_jump_over_is_refused_with_the_two_nearest(
    zone: str, wall: datetime, after: datetime, before: datetime, shifted: datetime
) -> None:
    for fold in (None, 0, 1):
        with pytest.raises(Refused) as refused:
            zones.resolve(wall, zone, fold)
        assert refused.value.code == "local_time_missing"
        assert refused.value.refusal.kind is Kind.INVALID
    earlier, later = zones.alternatives(wall, zone)
    assert (earlier.astimezone(UTC), later.astimezone(UTC)) == (before, after)
    assert later.isoformat() == shifted.isoformat()
    assert zones.is_missing(wall, zone)
    for offered in (earlier, later):
        naive = offered.replace(tzinfo=None)
        assert zones.resolve(naive, zone) == offered.astimezone(UTC)
        assert f"{offered:%H:%M}" in str(refused.value)


def test_the_sentence_about_a_jump_can_be_acted_on() -> None:
    with pytest.raises(Refused) as refused:
        zones.resolve(datetime(2027, 3, 28, 2, 30), "Europe/Berlin")
    assert str(refused.value) == (
        "Sun 28 Mar 2027, 02:30 does not exist in Europe/Berlin: the clocks jump over it. "
        "The nearest times are Sun 28 Mar 2027, 01:30 and Sun 28 Mar 2027, 03:30."
    )


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "europe/berlin", "../UTC", "Factory", "\0"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        zones.zone(name)
    assert (refused.value.code, refused.value.refusal.kind) == (
        "unknown_zone",
        Kind.INVALID,
    )


@pytest.mark.parametrize("name", ["Asia/Calcutta", "Asia/Kolkata", "Europe/Kyiv", "UTC"])
def test_old_and_new_names_are_offered(name: str) -> None:
    assert name in zones.ZONES
    assert zones.zone(name).key == name


def test_every_zone_offered_is_valid_and_comes_once() -> None:
    assert set(zones.ZONES) <= zones.VALID
    assert len(set(zones.ZONES)) == len(zones.ZONES) > 400


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles", "UTC"])
@pytest.mark.parametrize("wall", [datetime.min, datetime.max, datetime(1899, 12, 31)])
def test_the_ends_of_the_calendar_are_refused(zone: str, wall: datetime) -> None:
    with pytest.raises(Refused) as refused:
        zones.resolve(wall, zone)
    assert refused.value.code == "time_out_of_range"


@pytest.mark.parametrize(
    ("instant", "zone"),
    [
        (datetime.min.replace(tzinfo=UTC), "America/Los_Angeles"),
        (datetime.max.replace(tzinfo=UTC), "Pacific/Kiritimati"),
    ],
)
def test_showing_an_instant_at_the_ends_of_the_calendar_is_refused(
    instant: datetime, zone: str
) -> None:
    with pytest.raises(Refused, match="between the years"):
        zones.local(instant, zone)


def test_an_aware_time_is_not_a_wall_clock_time() -> None:
    with pytest.raises(ValueError, match="naive"):
        zones.resolve(datetime(2027, 1, 1, tzinfo=UTC), "UTC")


@pytest.mark.parametrize(
    ("zone", "label"),
    [
        ("UTC", "GMT"),
        ("Europe/London", "GMT"),
        ("Europe/Berlin", "GMT+1"),
        ("Asia/Kathmandu", "GMT+5:45"),
        ("America/Sao_Paulo", "GMT-3"),
        ("America/St_Johns", "GMT-3:30"),
        ("Pacific/Chatham", "GMT+13:45"),
    ],
)
def test_an_offset_reads_as_people_write_it(zone: str, label: str) -> None:
    assert zones.offset_label(datetime(2027, 1, 15, tzinfo=UTC), zone) == label


def test_only_the_tzdata_package_is_asked() -> None:
    import zoneinfo

    assert zoneinfo.TZPATH == ()


_ASK = """
import zoneinfo
from datetime import datetime
stale = datetime(2027, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
from skileez import zones
print(stale.utcoffset(), zones.resolve(datetime(2027, 7, 1, 12), "Europe/Berlin").isoformat())
"""


def test_a_machine_whose_own_data_are_stale_does_not_decide(tmp_path: Path) -> None:
    """Its Python is told to read files in which Berlin is five hours ahead, and has done so."""
    file = tmp_path / "Europe" / "Berlin"
    file.parent.mkdir()
    hours = timedelta(hours=5)
    file.write_bytes(tzif(hours, datetime(2020, 1, 1, tzinfo=UTC), hours))
    answer = subprocess.run(
        [sys.executable, "-c", _ASK],
        env={**os.environ, "PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "5:00:00 2027-07-01T10:00:00+00:00\n"


def test_notice_across_a_change_of_clocks_is_elapsed_time() -> None:
    before = zones.resolve(datetime(2027, 3, 27, 12), "Europe/Berlin")
    after = zones.resolve(datetime(2027, 3, 28, 12), "Europe/Berlin")
    assert after - before == timedelta(hours=23)
