"""How instants, lengths, money and refusals read on a page: in the reader's zone and language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import date as Date  # noqa: N812 (a filter here is called date)
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.numbers import format_currency, get_currency_precision
from flask import Flask, g
from flask_login import current_user

from skileez import zones
from skileez.errors import N_, Figure, Refusal, duration
from skileez.web import language
from skileez.web.language import gettext as _

WORDS: Final = (
    *(N_("student"), N_("coach"), N_("admin")),
    *(N_("scheduled"), N_("completed"), N_("cancelled"), N_("missed")),
    *(N_("active"), N_("paused"), N_("pending"), N_("accepted"), N_("declined"), N_("withdrawn")),
)
"""Roles and statuses, which the rules put into their sentences as figures."""


def init_app(app: Flask) -> None:
    """Give the templates these filters. Those of instants take a zone; without, the reader's."""
    filters: dict[str, Callable[..., str]] = {
        "when": when,
        "day": day,
        "date": date,
        "days": days,
        "long_date": long_date,
        "month": month,
        "clock": clock,
        "iso": iso,
        "zone_label": zone_label,
        "offset": offset,
        "duration": length,
        "money": money,
        "initials": initials,
    }
    for name, function in filters.items():
        app.add_template_filter(function, name)


def my_zone() -> str:
    """The reader's zone; UTC for somebody who is not signed in."""
    zone = g.get("zone")  # asked for every time on a page
    if zone is None:
        reader = current_user and current_user._get_current_object()
        zone = g.zone = reader.zone if reader and reader.is_authenticated else "UTC"
    return str(zone)


def when(instant: datetime, zone: str | None = None) -> str:
    """Day and time: "Tue 3 Mar 2027, 14:00"."""
    there, names = _there(instant, zone), _names(language.code())
    return f"{names.short_days[there.weekday()]} {_date(there, names)}, {short_time(there)}"


def day(instant: datetime, zone: str | None = None) -> str:
    """The day: "Tuesday 3 March 2027"."""
    return long_date(_there(instant, zone))


def long_date(there: Date) -> str:
    """A date of some calendar: "Tuesday 3 March 2027"."""
    names = _names(language.code())
    return f"{names.days[there.weekday()]} {there.day} {names.months[there.month]} {there.year}"


def short_date(there: Date) -> str:
    """A date without its year: "Tue 3 Mar"."""
    names = _names(language.code())
    return f"{names.short_days[there.weekday()]} {there.day} {names.short_months[there.month]}"


def short_time(there: datetime) -> str:
    """The time of day on some clock: "14:00"."""
    # A list has forty of them, and strftime takes four times as long.
    return f"{there.hour:02}:{there.minute:02}"


def month(first: Date) -> str:
    """The month of a date: "March 2027"."""
    return f"{_names(language.code()).months[first.month]} {first.year}"


def weekdays() -> list[tuple[str, str]]:
    """The days of a week from Monday on, each short and whole: ("Mon", "Monday")."""
    names = _names(language.code())
    return [(names.short_days[day], names.days[day]) for day in range(7)]


def date(instant: datetime, zone: str | None = None) -> str:
    """The date, short: "3 Mar 2027"."""
    return _date(_there(instant, zone), _names(language.code()))


def days(first: Date, last: Date) -> str:
    """From a date to another: "8 to 14 March 2027", "29 March to 4 April 2027"."""
    months = _names(language.code()).months
    begins = str(first.day)
    if (first.year, first.month) != (last.year, last.month):
        begins = f"{begins} {months[first.month]}"
    if first.year != last.year:
        begins = f"{begins} {first.year}"
    ends = f"{last.day} {months[last.month]} {last.year}"
    return str(_("%(first)s to %(last)s", first=begins, last=ends))


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in words, in some zone, as the macros take it."""

    day: str
    time: str
    zone: str
    """The zone's name, and how far it is from Greenwich then: "Berlin, GMT+1"."""
    iso: str
    month: str
    """Short: "Nov"."""
    dom: str
    """The day of the month: "24"."""


def in_zone(instant: datetime, zone: str, now: datetime | None = None) -> Moment:
    """An instant in words, in ``zone``.

    With ``now`` its day is short, with the year where it is another one: "Tue 24 Nov".
    """
    there, names = zones.local(instant, zone), _names(language.code())
    name, month = names.days[there.weekday()], names.months[there.month]
    short_month = names.short_months[there.month]
    if now is None:
        day_of = f"{name} {there.day} {month} {there.year}"
    else:
        day_of = f"{names.short_days[there.weekday()]} {there.day} {short_month}"
        if there.year != zones.local(now, zone).year:
            day_of = f"{day_of} {there.year}"
    return Moment(
        day_of,
        short_time(there),
        f"{zone_label(zone)}, {zones.offset_label(instant, zone)}",
        iso(instant),
        short_month,
        str(there.day),
    )


def clock(instant: datetime, zone: str | None = None) -> str:
    """The time of day: "14:00"."""
    return short_time(_there(instant, zone))


def iso(instant: datetime) -> str:
    """For machines: ISO 8601 in UTC, to the second."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def zone_label(zone: str) -> str:
    """A zone's name as people read it: "America/Sao_Paulo" is "Sao Paulo"."""
    return zone.rpartition("/")[2].replace("_", " ")


def offset(instant: datetime, zone: str | None = None) -> str:
    """How far the zone is from Greenwich then: "GMT+2"."""
    return zones.offset_label(instant, zone or my_zone())


def length(time: timedelta | int) -> str:
    """A length of time (a number is minutes): "1 h 30 min"."""
    return duration(time if isinstance(time, timedelta) else timedelta(minutes=time), _)


def money(minor: int, currency: str) -> str:
    """An amount in minor units of its currency: 4500, "EUR" is "€45.00"."""
    return _money(minor, currency, language.code())


def initials(name: str) -> str:
    """At most two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalnum()] or [name[:1]]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def tell_in(zone: str) -> None:
    """Let refusals tell times as the clocks of this zone, in which they were typed."""
    g.told_in = zone


def sentence(refusal: Refusal, zone: str | None = None) -> str:
    """A refusal's sentence, its times in the zone they were typed in, else in the reader's.

    A zone that is not the reader's own is named.
    """
    told_in = zone or g.get("told_in") or my_zone()
    return refusal.sentence(_, lambda figure: _figure(figure, told_in))


def _figure(figure: Figure, zone: str) -> str:
    if isinstance(figure, datetime):
        said = when(figure, zone)
        return said if zone == my_zone() else f"{said} ({zone})"
    if isinstance(figure, timedelta):
        return length(figure)
    return _(figure) if figure in WORDS else str(figure)


@dataclass(frozen=True, slots=True)
class _Names:
    """What a language calls days (by weekday, Monday 0) and months (by number)."""

    days: Mapping[int, str]
    short_days: Mapping[int, str]
    months: Mapping[int, str]
    short_months: Mapping[int, str]


@lru_cache
def _names(locale: str) -> _Names:
    # Babel's own formatting reads its pattern anew each time; a list has a hundred times on it.
    known = Locale.parse(locale)
    words = [
        dict(names["format"][width])  # Babel's own looks every name up for an alias
        for names in (known.days, known.months)
        for width in ("wide", "abbreviated")
    ]
    return _Names(*words)


def _there(instant: datetime, zone: str | None) -> datetime:
    return zones.local(instant, zone or my_zone())


def _date(there: datetime, names: _Names) -> str:
    return f"{there.day} {names.short_months[there.month]} {there.year}"


@lru_cache(maxsize=2048)
def _money(minor: int, currency: str, locale: str) -> str:
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return str(format_currency(amount, currency, locale=locale))
