"""The words of a series whose time clocks change for one of its two people."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from babel.dates import format_date

from skileez.errors import N_


def mine(details: Mapping[str, Any], role: str | None) -> dict[str, Any] | None:
    """The change of this side, from the details of its event; None where nothing changes for it."""
    found: dict[str, Any] | None = details["change"]["sides"].get(role)
    return found


def told(details: Mapping[str, Any], role: str | None) -> dict[str, Any]:
    """The change that is told to this side, its own before the other's; ``period`` in words."""
    own = mine(details, role)
    one = own or next(iter(details["change"]["sides"].values()))
    last = date.fromisoformat(one["last"]) if one["last"] else None
    period = period_text(date.fromisoformat(one["first"]), last)
    return {**one, "mine": own is not None, "period": period}


def shift(details: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[str, str]:
    """From which place on, and to what time by the clocks of the series, this side would have to
    ask to move it for its usual time.
    """
    usual, becomes = (datetime.fromisoformat(f"2000-01-01T{own[one]}") for one in _FROM_TO)
    there = datetime.fromisoformat(details["place"]) + (usual - becomes)
    return details["place"], f"{there:%H:%M}"


_FROM_TO = ("usual", "becomes")


def period_text(first: date, last: date | None) -> str:
    """Dates within a sentence: "from 14 to 27 March"."""
    begins = format_date(first, "d MMMM", locale="en")
    if last is None:
        return N_("from %(first)s on") % {"first": begins}
    if last == first:
        return N_("on %(first)s") % {"first": begins}
    if (first.year, first.month) == (last.year, last.month):
        begins = str(first.day)
    ends = format_date(last, "d MMMM", locale="en")
    return N_("from %(first)s to %(last)s") % {"first": begins, "last": ends}
