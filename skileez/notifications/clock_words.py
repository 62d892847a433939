"""The words of a series whose time clocks change for one of its two people."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from babel.dates import format_date

from skileez.errors import N_
from skileez.events import Event
from skileez.sessions.dst_rules import CLOCK_CHANGE, CLOCK_KEPT

Say = Callable[..., str]
"""Puts figures into a sentence, in its reader's language."""


def _plain(message: str, **figures: str) -> str:
    return message % figures


def mine(details: Mapping[str, Any], role: str | None) -> dict[str, Any] | None:
    """The change of this side, from the details of its event; None where nothing changes for it."""
    found: dict[str, Any] | None = details["change"]["sides"].get(role)
    return found


def told(event: Event, role: str | None) -> dict[str, Any]:
    """The change that an event tells this side, its own before the other's, and the ``period`` in
    words; nothing of an event that tells of none.
    """
    if event.verb not in (CLOCK_CHANGE, CLOCK_KEPT):
        return {}
    own = mine(event.details, role if event.verb == CLOCK_CHANGE else event.role)
    one = own or next(iter(event.details["change"]["sides"].values()))
    return {**one, "mine": own is not None, "period": period(one)}


def period(change: Mapping[str, Any], say: Say = _plain, locale: str = "en") -> str:
    """When a change holds, within a sentence: "from 14 to 27 March"."""
    first = date.fromisoformat(change["first"])
    begins = format_date(first, "d MMMM", locale=locale)
    if change["last"] is None:
        return say(N_("from %(first)s on"), first=begins)
    last = date.fromisoformat(change["last"])
    if last == first:
        return say(N_("on %(first)s"), first=begins)
    if (first.year, first.month) == (last.year, last.month):
        begins = str(first.day)
    ends = format_date(last, "d MMMM", locale=locale)
    return say(N_("from %(first)s to %(last)s"), first=begins, last=ends)


def shift(details: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[str, str]:
    """From which place on, and to what time by the clocks of the series, this side would have to
    ask to move it for its usual time.
    """
    usual, becomes = (datetime.fromisoformat(f"2000-01-01T{own[one]}") for one in _FROM_TO)
    there = datetime.fromisoformat(details["place"]) + (usual - becomes)
    return details["place"], f"{there:%H:%M}"


_FROM_TO = ("usual", "becomes")
