"""Wall-clock time and instants: the only place that converts between the two.

Only the ``tzdata`` package is asked (see docs/adr): a machine's own copy may be years old, and
two copies would give two answers. Instants are aware and in UTC; a wall-clock time is naive.
"""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import metadata
from itertools import pairwise
from typing import Final

from skileez.errors import N_, Kind, Refusal, Refused

zoneinfo.reset_tzpath(to=[])
zoneinfo.ZoneInfo.clear_cache()

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999
_DAY = timedelta(days=1)
REGIONS: Final = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)

VALID: Final = frozenset(zoneinfo.available_timezones() - {"Factory", "localtime"})
"""Every zone name that is accepted, old aliases included, since browsers still send them."""

ZONES: Final = ("UTC", *sorted(name for name in VALID if name.split("/")[0] in REGIONS))
"""The zone names that a person is offered to choose from."""


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone called ``name``. Raises Refused ``unknown_zone``."""
    if name not in VALID:
        raise Refused(
            Refusal(
                "unknown_zone",
                N_("There is no time zone called “%(zone)s”. Choose one from the list."),
                {"zone": name[:60]},
                Kind.INVALID,
            )
        )
    return zoneinfo.ZoneInfo(name)


def local(instant: datetime, zone_name: str) -> datetime:
    """``instant`` as the clocks of ``zone_name`` show it, aware.

    Raises Refused ``unknown_zone``, or ``time_out_of_range`` at the ends of the calendar.
    """
    there = zone(zone_name)
    try:
        return instant.astimezone(there)
    except OverflowError:
        raise _out_of_range() from None


def resolve(wall: datetime, zone_name: str, fold: int | None = None) -> datetime:
    """The instant, in UTC, at which the clocks of ``zone_name`` show the naive time ``wall``.

    A time that comes twice (clocks go back) needs ``fold``: 0 for the first, 1 for the second.
    Raises Refused (invalid) ``local_time_missing`` where clocks jump over it,
    ``local_time_twice`` where ``fold`` is needed, ``unknown_zone``, ``time_out_of_range``.
    """
    meant = alternatives(wall, zone_name)
    if len(meant) == 1:
        return meant[0].astimezone(UTC)
    if is_missing(wall, zone_name):
        raise Refused(_missing(wall, zone_name, meant))
    if fold is None:
        raise Refused(_twice(wall, zone_name, meant))
    return meant[1 if fold else 0].astimezone(UTC)


def alternatives(wall: datetime, zone_name: str) -> tuple[datetime, ...]:
    """What ``wall`` can mean in ``zone_name``: aware times of that zone, the earlier first.

    One for an ordinary time. Two for one that comes twice. Two for one that clocks jump over:
    the valid times as far before and after the jump as ``wall`` is from each side of it
    (02:30, where 02:00 becomes 03:00, gives 01:30 and 03:30).
    Raises Refused ``unknown_zone``, ``time_out_of_range``.
    """
    if wall.tzinfo is not None:
        raise ValueError(f"{wall!r} is an instant already; give a naive wall-clock time")
    there = zone(zone_name)
    if not FIRST_YEAR <= wall.year <= LAST_YEAR:
        raise _out_of_range()
    # Python calls fold 0 and fold 1 equal in one zone, so they are told apart in UTC.
    instants = {wall.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(instant.astimezone(there) for instant in sorted(instants))


def is_missing(wall: datetime, zone_name: str) -> bool:
    """Whether the clocks of ``zone_name`` jump over ``wall``. Raises as ``alternatives``."""
    return all(
        time.replace(tzinfo=None) != wall.replace(fold=0) for time in alternatives(wall, zone_name)
    )


def kept(wall: datetime, zone_name: str, near: datetime) -> datetime:
    """The instant, in UTC, of the naive time ``wall`` that was agreed, whatever clocks do to it.

    Of a time that comes twice the one nearer to ``near``; for one that clocks jump over, the valid
    time as far behind the jump. Raises Refused ``unknown_zone``, ``time_out_of_range``.
    """
    meant = [one.astimezone(UTC) for one in alternatives(wall, zone_name)]
    if is_missing(wall, zone_name):
        return meant[-1]
    return min(meant, key=lambda one: abs(one - near))


def version() -> str:
    """Whose data is in use: "tzdata 2026.6", which holds IANA's 2026f."""
    return f"tzdata {metadata.version('tzdata')}"


def reload() -> None:
    """Read the zones' data anew where it is asked for next: it may have been replaced."""
    zoneinfo.ZoneInfo.clear_cache()
    stretches.cache_clear()


@lru_cache(maxsize=8192)
def stretches(day: date, zone_name: str) -> tuple[tuple[datetime, datetime, datetime], ...]:
    """``day`` in ``zone_name`` as instants: each stretch in which its clocks run evenly, in order.

    A stretch is (from, until, midnight), in UTC: within it the clocks show ``m`` minutes after
    midnight at ``midnight + m``. One for most days, two for one on which the clocks change, none
    for a date that the zone left out (Apia, 2011-12-30). Raises Refused ``unknown_zone``.
    """
    there = zone(zone_name)
    midnight = datetime.combine(day, time())
    # Every instant that any zone gives this date; clocks that change do so on the minute.
    first, last = midnight - timedelta(hours=27), midnight + timedelta(hours=51)
    edges = [first, *_changes(first, last, there), last]
    found = []
    for begins, ends in pairwise(edges):
        offset = _offset(begins, there)
        start, end = max(begins, midnight - offset), min(ends, midnight + _DAY - offset)
        if start < end:
            found.append(tuple(one.replace(tzinfo=UTC) for one in (start, end, midnight - offset)))
    return tuple(found)  # type: ignore[arg-type]


def _changes(first: datetime, last: datetime, there: zoneinfo.ZoneInfo) -> list[datetime]:
    """When the offset changes between two naive instants in UTC: half days, then halving.

    No zone has ever changed its clocks twice within six days.
    """
    changes = []
    before, offset = first, _offset(first, there)
    while before < last:
        until = after = min(before + _DAY / 2, last)
        if (then := _offset(until, there)) != offset:
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) // 2
                if _offset(middle, there) == offset:
                    before = middle
                else:
                    after = middle
            changes.append(after.replace(microsecond=0))
        before, offset = until, then
    return changes


def _offset(naive: datetime, there: zoneinfo.ZoneInfo) -> timedelta:
    return naive.replace(tzinfo=UTC).astimezone(there).utcoffset() or timedelta()


def days_around(first: datetime, last: datetime) -> list[date]:
    """Every date that some zone has at some instant between the two."""
    day, until = first.date() - _DAY, last.date() + _DAY
    return [day + timedelta(days=ahead) for ahead in range((until - day).days + 1)]


def offset_label(instant: datetime, zone_name: str) -> str:
    """How far the zone is from Greenwich at ``instant``: "GMT", "GMT+2", "GMT+5:45"."""
    offset = local(instant, zone_name).utcoffset() or timedelta()
    hours, minutes = divmod(abs(int(offset.total_seconds())) // 60, 60)
    if not hours and not minutes:
        return "GMT"
    sign = "-" if offset < timedelta() else "+"
    return f"GMT{sign}{hours}:{minutes:02}" if minutes else f"GMT{sign}{hours}"


def _day_and_clock(time: datetime) -> str:
    return f"{time:%a} {time.day} {time:%b %Y, %H:%M}"


def _missing(wall: datetime, zone_name: str, nearest: tuple[datetime, ...]) -> Refusal:
    return Refusal(
        "local_time_missing",
        N_(
            "%(wanted)s does not exist in %(zone)s: the clocks jump over it. "
            "The nearest times are %(earlier)s and %(later)s."
        ),
        {
            "wanted": _day_and_clock(wall),
            "zone": zone_name,
            "earlier": _day_and_clock(nearest[0]),
            "later": _day_and_clock(nearest[1]),
        },
        Kind.INVALID,
    )


def _twice(wall: datetime, zone_name: str, both: tuple[datetime, ...]) -> Refusal:
    return Refusal(
        "local_time_twice",
        N_(
            "%(wanted)s comes twice in %(zone)s, since the clocks go back. "
            "Choose the first (%(first)s) or the second (%(second)s)."
        ),
        {
            "wanted": _day_and_clock(wall),
            "zone": zone_name,
            "first": offset_label(both[0], zone_name),
            "second": offset_label(both[1], zone_name),
        },
        Kind.INVALID,
    )


def _out_of_range() -> Refused:
    return Refused(
        Refusal(
            "time_out_of_range",
            N_("Choose a date between the years %(first)s and %(last)s."),
            {"first": FIRST_YEAR, "last": LAST_YEAR},
            Kind.INVALID,
        )
    )
