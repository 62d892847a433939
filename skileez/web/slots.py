"""The slot picker's doors: fragments that htmx swaps in, and the picker of a page with a form.

Without scripts the same links lead to the page itself, which then shows that month or day and
fills the form's fields with the times in ``at``.
"""

from collections.abc import Sequence
from datetime import date, datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from skileez import clock, zones
from skileez.contracts.rules import check_duration
from skileez.errors import Refused
from skileez.sessions import finding, reschedule_rules
from skileez.sessions.finding import Meeting
from skileez.web.access import PARTICIPANT, access, me
from skileez.web.account_forms import may_use_zone
from skileez.web.picker import Picker, Place, Wish, picker
from skileez.web.sessions import sessions
from skileez.web.times import Choice, InstantField, read

PAGES = {
    "schedule": "sessions.schedule",
    "reschedule": "sessions.reschedule",
    "approve": "sessions.approval",
    "counter": "sessions.approval",
}
"""Where a session's picker may stand, by its name."""
SEVERAL = ("reschedule", "counter")
TIMES = ("scheduled_at", "proposed_times", "new_scheduled_at")
"""What a refusal of a time calls its field."""


@sessions.get("/contracts/<int:contract_id>/slots")
@access(PARTICIPANT)
def contract_slots(contract_id: int) -> ResponseReturnValue:
    """A month of times for the contract's next session, and those of one day."""
    return _fragment(finding.of_contract(me().id, contract_id), _of_contract(contract_id))


@sessions.get("/sessions/<int:session_id>/slots")
@access(PARTICIPANT)
def session_slots(session_id: int) -> ResponseReturnValue:
    """A month of times for a session that is to move or has none, and those of one day."""
    meeting = finding.of_session(me().id, session_id)
    said = request.args.get("for", "")
    usual = "reschedule" if meeting.start else "schedule"
    return _fragment(meeting, _of_session(session_id, said if said in PAGES else usual))


def _fragment(meeting: Meeting, place: Place) -> ResponseReturnValue:
    shown = picker(meeting, me().id, place, _wish(request.args, me().zone), clock.now())
    return render_template("sessions/_slots.html", picker=shown)


def _of_contract(contract_id: int) -> Place:
    return Place(
        "book",
        url_for("sessions.book", contract_id=contract_id),
        url_for("sessions.contract_slots", contract_id=contract_id),
    )


def _of_session(session_id: int, name: str) -> Place:
    return Place(
        name,
        url_for(PAGES[name], session_id=session_id),
        url_for("sessions.session_slots", session_id=session_id),
        reschedule_rules.MAX_TIMES if name in SEVERAL else 1,
    )


# On a page with a form


def asked_zone() -> str | None:
    """The zone that the address asks to see times in, where it is one."""
    return _wish(request.args, "").zone or None


def asked_minutes() -> int | None:
    """The length that the address asks for, where it is one that a session may have."""
    return _wish(request.args, "").minutes


def to_book(
    contract_id: int,
    fields: Sequence[InstantField],
    zone: str,
    minutes: int | None,
    refused: Refused | None = None,
) -> Picker:
    """The picker of the page that books a contract's next session."""
    meeting = finding.of_contract(me().id, contract_id)
    return _on_page(meeting, _of_contract(contract_id), fields, zone, minutes, refused)


def of_session(
    session_id: int,
    name: str,
    fields: Sequence[InstantField],
    zone: str,
    refused: Refused | None = None,
) -> Picker:
    """The picker called ``name`` (see ``PAGES``) of a page about one session."""
    meeting = finding.of_session(me().id, session_id)
    return _on_page(meeting, _of_session(session_id, name), fields, zone, None, refused)


def _on_page(
    meeting: Meeting,
    place: Place,
    fields: Sequence[InstantField],
    zone: str,
    minutes: int | None,
    refused: Refused | None,
) -> Picker:
    wish = _wish(request.args, zone, minutes)
    if request.args.get("for", place.name) == place.name:
        _fill(fields, wish.at[: place.most], wish.zone)
    near = _wanted(fields, zone, refused)
    held = [(one.id, start) for one in fields if (start := _instant(str(one.data or ""), zone))]
    return picker(
        meeting,
        me().id,
        place,
        wish,
        clock.now(),
        chosen=[(name, start) for name, start in held if start != near],
        near=near,
        refused=next((name for name, start in held if start == near), None),
        suggest=True,
    )


def refused_row(fields: Sequence[InstantField], zone: str, refused: Refused) -> InstantField:
    """The field with the time that a refusal is about; the first where it names none."""
    start = refused.refusal.figures.get("start")
    rows = (one for one in fields if _instant(str(one.data or ""), zone) == start)
    return next(rows, fields[0]) if start else fields[0]


def _fill(fields: Sequence[InstantField], times: Sequence[datetime], zone: str) -> None:
    """Put the chosen times into the fields, which show them in ``zone``."""
    for one, start in zip(fields, times, strict=False):
        local = zones.local(start, zone)
        one.data = local.isoformat()
        both = zones.alternatives(local.replace(tzinfo=None, fold=0), zone)
        if len(both) > 1:
            one.meant = [Choice.of(time, zone) for time in both]


def _wanted(fields: Sequence[InstantField], zone: str, refused: Refused | None) -> datetime | None:
    """The time that could not be had: what the refusal names, else the first that was sent."""
    if refused is None or refused.refusal.field not in TIMES:
        return None
    start = refused.refusal.figures.get("start")
    if isinstance(start, datetime):
        return start
    return next((start for one in fields if (start := _instant(str(one.data or ""), zone))), None)


# What the address says; whatever cannot be used counts as not said.


def _wish(said: MultiDict[str, str], zone: str, minutes: int | None = None) -> Wish:
    wanted = said.get("zone", "")
    length = said.get("minutes", "")
    if length.isdecimal() and len(length) < 4:
        minutes = int(length)
    return Wish(
        zone=wanted if wanted and may_use_zone(wanted) is None else zone,
        month=_date(f"{said.get('month', '')}-01"),
        day=_date(said.get("day", "")),
        minutes=None if minutes is None or check_duration(minutes) else minutes,
        at=tuple(start for text in said.getlist("at")[:8] if (start := _instant(text))),
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str, zone: str = "UTC") -> datetime | None:
    try:
        return read(text, zone)
    except (ValueError, OverflowError):
        return None
