"""What a series' page says of clocks that change its time for one of the two, and asks of them."""

from dataclasses import dataclass
from datetime import date, datetime

from skileez import zones
from skileez.notifications import clock_words
from skileez.sessions import dst, dst_rules
from skileez.sessions.series_queries import SeriesPage
from skileez.web import language
from skileez.web.display import my_zone
from skileez.web.language import gettext as _


@dataclass(frozen=True, slots=True)
class Clocks:
    """A change as it is told to this reader; what they may do of it."""

    title: str
    keep: str
    """The time that they would keep; empty where they are not asked, or not any more."""
    shift: tuple[str, str]
    """From which place on, and to what time, the pattern would have to move to undo it."""
    kept_by: str | None
    """Who has said that they keep it: "me", "other" or None."""


def clocks_of(page: SeriesPage, other_name: str, now: datetime) -> Clocks | None:
    """The change that both were told of, until it is over; None where there is none."""
    last = dst.last_told(page.series)
    if last is None:
        return None
    mine = clock_words.mine(last.details, page.role)
    change = mine or next(iter(last.details["change"]["sides"].values()))
    if now >= last.facts.start and _is_over(change["last"], now):
        return None
    figures = {
        "usual": change["usual"],
        "becomes": change["becomes"],
        "period": clock_words.period(change, _, language.code()),
    }
    asked = dst_rules.may_keep(last.facts, page.role, now) is None
    kept = page.role in last.facts.kept
    return Clocks(
        title=_("Your %(usual)s becomes %(becomes)s %(period)s", **figures)
        if mine
        else _(
            "For %(name)s, %(usual)s becomes %(becomes)s %(period)s", name=other_name, **figures
        ),
        keep=change["becomes"] if asked and not kept else "",
        shift=clock_words.shift(last.details, change),
        kept_by="me" if kept else "other" if last.facts.kept else None,
    )


def _is_over(last: str | None, now: datetime) -> bool:
    return last is None or zones.local(now, my_zone()).date() > date.fromisoformat(last)
