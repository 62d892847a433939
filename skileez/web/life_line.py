"""The life line of a session: every event as a person reads it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from skileez.events import Event
from skileez.notifications.links import BY
from skileez.notifications.rules import OVERDUE, REMINDER
from skileez.sessions.presence_rules import Way
from skileez.web.display import iso, when
from skileez.web.forms import OUTCOMES
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l

ROLE_WORDS: Final = {
    "student": _l("student"),
    "coach": _l("coach"),
    "admin": _l("administrator"),
    None: _l("the system"),
}


_TOLD: Final[dict[str, tuple[Any, str, str]]] = {
    "session.booked": (_l("Booked"), "calendar-plus", "blue"),
    "session.scheduled": (_l("Time picked"), "calendar-plus", "blue"),
    "session.confirmed": (_l("Confirmed"), "calendar-check", "green"),
    "session.reschedule_requested": (_l("Asked to move it"), "move", "amber"),
    "session.reschedule_countered": (_l("Proposed other times"), "repeat", "amber"),
    "session.reschedule_approved": (_l("Move approved"), "check-circle", "green"),
    "session.reschedule_auto_approved": (
        _l("Move approved, as nobody answered in time"),
        "hourglass",
        "green",
    ),
    "session.reschedule_declined": (_l("Move declined"), "x-circle", "grey"),
    "session.reschedule_withdrawn": (_l("Request withdrawn"), "undo", "grey"),
    "session.reschedule_lapsed": (_l("Request lapsed without an answer"), "hourglass", "grey"),
    "session.to_be_scheduled": (
        _l("No proposed time was left; it is to be scheduled"),
        "open",
        "amber",
    ),
    "session.completed": (_l("Completed"), "check-circle", "accent"),
    "session.notes_changed": (_l("Notes changed"), "note", "grey"),
    "session.cancelled": (_l("Cancelled"), "x-circle", "grey"),
    "session.missed": (_l("Marked missed"), "missed", "red"),
    "session.correction_requested": (_l("Said that it did take place"), "flag", "amber"),
    "session.correction_declined": (_l("Correction declined"), "x-circle", "grey"),
    "session.corrected": (_l("Corrected: it did take place"), "check-circle", "accent"),
    "session.meeting_link_set": (_l("Meeting link changed"), "link", "grey"),
    "session.moved": (_l("Moved with its series"), "move", "green"),
    "series.booked": (_l("Series booked"), "calendar-plus", "blue"),
    "series.confirmed": (_l("Sessions of the series confirmed"), "calendar-check", "green"),
    "series.move_requested": (_l("Asked to move the series"), "move", "amber"),
    "series.move_approved": (_l("Move of the series approved"), "check-circle", "green"),
    "series.move_auto_approved": (
        _l("Move of the series approved, as nobody answered in time"),
        "hourglass",
        "green",
    ),
    "series.move_declined": (_l("Move of the series declined"), "x-circle", "grey"),
    "series.move_withdrawn": (_l("Request to move the series withdrawn"), "undo", "grey"),
    "series.move_lapsed": (_l("Request to move the series lapsed"), "hourglass", "grey"),
    "series.cancelled": (_l("Sessions of the series cancelled"), "x-circle", "grey"),
    "series.stopped": (_l("Series stopped"), "x-circle", "grey"),
    "series.clock_kept": (_l("Keeps the time that clocks bring"), "check-circle", "green"),
    "series.zone_rules_changed": (
        _l("Series kept its time, as clocks go by new rules"),
        "clock",
        "blue",
    ),
    "series.clock_change": (_l("Clocks change for one side"), "clock", "blue"),
    "session.zone_rules_changed": (_l("Kept its time, as clocks go by new rules"), "clock", "blue"),
    "session.zone_rules_collided": (
        _l("Could not keep its time under the clocks' new rules"),
        "clock",
        "amber",
    ),
    "session.checked_in": (_l("Checked in"), "video", "green"),
    "session.outcome_said": (_l("Said how it went"), "chat", "blue"),
    "session.case_opened": (_l("Not agreed: an administrator decides"), "flag", "amber"),
    "session.case_closed": (_l("Decided"), "shield", "accent"),
    "proposal.sent": (_l("Proposed"), "send", "blue"),
    "proposal.accepted": (_l("Proposal accepted"), "check-circle", "green"),
    "proposal.declined": (_l("Proposal declined"), "x-circle", "red"),
    "proposal.withdrawn": (_l("Proposal withdrawn"), "undo", "grey"),
    "contract.started": (_l("Contract started"), "play", "green"),
    "contract.meeting_link_set": (_l("Meeting link changed"), "link", "grey"),
    "contract.paused": (_l("Paused"), "pause", "amber"),
    "contract.resumed": (_l("Resumed"), "play", "green"),
    "contract.completed": (_l("Completed: the last session was held"), "flag", "accent"),
    "contract.cancelled": (_l("Ended early"), "x-circle", "red"),
}


Told = tuple[Any, str | None] | Row[Event, str]
"""An event, whole or the columns that are told of, and the name of who did it."""


def look(kind: str) -> tuple[str, str]:
    """The icon and the tone of an event, or of a message that no event is behind."""
    _words, icon, tone = _TOLD.get(kind, (None, "clock", "blue"))
    return icon, tone


def words_of(kind: str) -> str:
    """What a message is about, in a word or two."""
    if kind in _REMINDS:
        return str(_REMINDS[kind])
    return str(_TOLD[kind][0]) if kind in _TOLD else kind


_REMINDS: Final = {REMINDER: _l("Reminder of the start"), OVERDUE: _l("Asked how it went")}


def timeline(events: Sequence[Told]) -> list[dict[str, Any]]:
    """Everything that happened, newest first, as the macro ``timeline`` takes it."""
    return [_told(event, name) for event, name in reversed(events)]


def _told(event: Any, name: str | None) -> dict[str, Any]:
    title, icon, tone = _TOLD.get(event.verb, (event.verb, "info", "grey"))
    details = event.details
    old, new = event.old_time, event.new_time
    return {
        "icon": icon,
        "tone": tone,
        "title": _detailed(str(title), event),
        "who": _who(event, name),
        "when": when(event.at),
        "iso": iso(event.at),
        "reason": event.reason,
        "old": when(old) if old and new and old != new else None,
        "new": when(new) if new and old != new else None,
        "times": [when(datetime.fromisoformat(one)) for one in details.get("proposed_times", ())],
    }


def _who(event: Any, name: str | None) -> str:
    if not name:
        return _("Automatically")
    said = _("%(name)s (%(role)s)", name=name, role=ROLE_WORDS.get(event.role, event.role))
    # Whoever has the mail can press: it is not quite as sure as somebody who signed in.
    return _("%(who)s, by a link in a mail", who=said) if event.details.get("via") == BY else said


def _detailed(title: str, event: Any) -> Any:
    details = event.details
    if event.verb == "session.cancelled" and details.get("late"):
        return _("Cancelled late")
    if event.verb == "session.missed" and details.get("absent"):
        absent = {
            "student": _("the student was absent"),
            "coach": _("the coach was absent"),
            "both": _("both were absent"),
        }.get(details["absent"], "")
        return _("Marked missed: %(absent)s", absent=absent)
    if event.verb == "session.checked_in" and details.get("way") == Way.JOIN:
        return _("Joined the meeting")
    if event.verb in ("session.outcome_said", "session.case_closed"):
        return _("%(said)s: %(what)s", said=title, what=OUTCOMES[details["outcome"]])
    if event.verb == "session.reschedule_requested" and not details.get("proposed_times"):
        return _("Asked to move it, any time suits")
    return title
