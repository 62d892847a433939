"""The calendar: a month, a week or a day of the reader's sessions, as a list and as a grid.

The page is a list and needs no script; ``js/calendar.js`` draws the same time as a grid, from the
feed. Days are those of the reader's zone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skileez import clock, zones
from skileez.contracts import queries as contract_queries
from skileez.contracts.models import Contract
from skileez.errors import Refused, require
from skileez.sessions import calendar as entries
from skileez.sessions import policy
from skileez.sessions.calendar import Entry, What
from skileez.sessions.rules import LIVE, Policy
from skileez.web import session_view
from skileez.web.access import SIGNED_IN, access, me
from skileez.web.agenda import Agenda, begins, move, title
from skileez.web.display import iso

calendar = Blueprint("calendar", __name__)

VIEWS: Final = ("month", "week", "day", "list")
REMEMBERED: Final = "calendar_view"
"""The cookie that keeps which view the reader chose last."""
_YEAR_SECONDS: Final = 365 * 24 * 3600
_INSTANT: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Shown:
    """The days that a page shows: from ``first`` to before ``after``."""

    view: str
    day: date
    first: date
    after: date

    @classmethod
    def of(cls, view: str, day: date) -> "Shown":
        """The month, week or day that ``day`` is in; the list shows a week."""
        if view == "month":
            first = day.replace(day=1)
            return cls(view, day, first, (first + 31 * _DAY).replace(day=1))
        if view == "day":
            return cls(view, day, day, day + _DAY)
        first = day - timedelta(days=day.weekday())
        return cls(view, day, first, first + _WEEK)

    @property
    def last(self) -> date:
        """The last day shown."""
        return self.after - _DAY

    @property
    def earlier(self) -> date:
        """The first day of the month, week or day before; ``after`` is that of the one behind."""
        if self.view == "month":
            return (self.first - _DAY).replace(day=1)
        return self.first - (self.after - self.first)

    def days(self) -> Iterator[date]:
        """Every day shown."""
        return (self.first + ahead * _DAY for ahead in range((self.after - self.first).days))

    def instants(self, zone: str) -> tuple[datetime, datetime]:
        """When these days begin and end in ``zone``."""
        return begins(self.first, zone), begins(self.after, zone)


@calendar.get("/calendar")
@access(SIGNED_IN)
def show() -> ResponseReturnValue:
    """One month, week or day; ``view`` and ``at`` (a date) say which, the list shows a week."""
    now, zone, chosen = clock.now(), me().zone, request.args.get("view")
    today = zones.local(now, zone).date()
    view = next((one for one in (chosen, request.cookies.get(REMEMBERED)) if one in VIEWS), "week")
    shown = Shown.of(view, _day(request.args.get("at")) or today)
    contracts = contract_queries.active_of(me().id)
    contract = _chosen(contracts)
    whose = entries.of_contract(me().id, contract.id) if contract else entries.own(me().id)
    first, last = shown.instants(zone)
    found = entries.between(me().id, whose.coach_id, first, last)
    inforce = policy.in_force()
    bookable = whose.bookable(me().id, now, inforce)
    agenda = Agenda(zone, now, inforce, found, contract, whose, bookable, first, last)

    def link(at: date | None, view: str = view) -> str:
        return url_for(".show", view=view, at=at, contract=contract.id if contract else None)

    page = render_template(
        "calendar/show.html",
        shown=shown,
        asked=chosen in VIEWS or REMEMBERED in request.cookies,
        zone=zone,
        offsets=list(
            dict.fromkeys(zones.offset_label(one, zone) for one in (first, last - _INSTANT))
        ),
        now=now,
        days=[agenda.of(day) for day in shown.days()],
        anything=bool(found),
        contracts=contracts,
        contract=contract,
        book=agenda.book,
        mine=whose.coach_id == me().id,
        has_hours=whose.hours is not None,
        lead=inforce.min_lead,
        soonest=now + inforce.min_lead,
        feed=url_for(".feed", contract=contract.id if contract else None),
        views=[(one, link(shown.day, one)) for one in VIEWS],
        earlier=link(shown.earlier),
        later=link(shown.after),
        this=link(None),
    )
    answer = make_response(page)
    if chosen in VIEWS:
        answer.set_cookie(
            REMEMBERED,
            view,
            max_age=_YEAR_SECONDS,
            path=url_for(".show"),
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
        )
    return answer


@calendar.get("/calendar/feed")
@access(SIGNED_IN)
def feed() -> Response:
    """The entries between the instants ``start`` and ``end``, as JSON; ``contract`` names the
    one whose coach's time is wanted, without it one's own hours.
    """
    first, last = _instant("start"), _instant("end")
    require(entries.check_range(first, last))
    reader, asked = me().id, request.args.get("contract", "")
    whose = entries.of_contract(reader, _id(asked)) if asked else entries.own(reader)
    now, inforce = clock.now(), policy.in_force()
    found = entries.between(reader, whose.coach_id, first, last)
    return jsonify(
        entries=[
            *({"what": "open", **_ends(*one)} for one in whose.open(first, last, found)),
            *(_told(one, now, inforce) for one in found),
        ]
    )


def _told(one: Entry, now: datetime, inforce: Policy) -> dict[str, Any]:
    told = {"what": one.what.value, **_ends(one.starts, one.ends)}
    if (line := one.line) is None:
        return told
    return told | {
        "session": line.id,
        "title": title(line),
        "with": line.other_name,
        "state": session_view.shown_state(line.facts, line.state),
        "confirmed": line.facts.confirmed,
        "taken": line.facts.status in LIVE,
        "url": url_for("sessions.show", session_id=line.id),
        "move": move(line, now, inforce) if one.what is What.SESSION else None,
    }


def _ends(starts: datetime, ends: datetime) -> dict[str, str]:
    return {"start": iso(starts), "end": iso(ends)}


# What was asked for


def _chosen(contracts: Sequence[Contract]) -> Contract | None:
    """The contract whose coach's time is shown: the one asked for, or the only one."""
    asked = request.args.get("contract", "")
    named = next((one for one in contracts if str(one.id) == asked), None)
    return named or (contracts[0] if len(contracts) == 1 else None)


def _day(said: str | None) -> date | None:
    """The day of a link; None where it names none. Raises ``Refused`` for a broken one."""
    if not said:
        return None
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise Refused(entries.BAD_DAY) from None
    if not zones.FIRST_YEAR < day.year < zones.LAST_YEAR:
        raise Refused(entries.BAD_DAY)
    return day


def _instant(name: str) -> datetime:
    """An instant of the feed's address. Raises ``Refused``."""
    try:
        said = datetime.fromisoformat(request.args.get(name, ""))
        instant = said.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(entries.BAD_TIME) from None
    if said.tzinfo is None or not zones.FIRST_YEAR < instant.year < zones.LAST_YEAR:
        raise Refused(entries.BAD_TIME)
    return instant


def _id(said: str) -> int:
    """A contract's id; 0, which none has, for anything else."""
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else 0
