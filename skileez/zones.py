"""Wall-clock time and instants: the only place that converts between the two.

Only the ``tzdata`` package is asked (see docs/adr): a machine's own copy may be years old, and
two copies would give two answers. Instants are aware and in UTC; a wall-clock time is naive.
"""

import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Final

from skileez.errors import N_, Kind, Refusal, Refused

zoneinfo.reset_tzpath(to=[])
zoneinfo.ZoneInfo.clear_cache()

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999
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
