"""The words of a message: one Jinja template for each kind, laid out as text and as HTML.

A template has two blocks, ``subject`` and ``says``; what every message shows beside them (when,
with whom, why, where to go) is put together here once, in the recipient's zone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from babel.dates import format_datetime
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from skileez import zones
from skileez.contracts.models import Contract
from skileez.errors import N_, duration
from skileez.events import Event
from skileez.notifications import clock_words, links, rules, series_words, unsubscribing
from skileez.notifications.about import About
from skileez.notifications.link_rules import Act, Offer
from skileez.notifications.models import Delivery
from skileez.sessions.clock_rules import ZONE_RULES_CHANGED, wall_text
from skileez.sessions.dst_rules import CLOCK_CHANGE
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import OUTCOME_SAID

SESSION_PATH: Final = "/sessions/{}"
ANSWER_PATH: Final = "/sessions/{}/reschedule-approval"
OUTCOME_PATH: Final = "/sessions/{}/outcome"
CONTRACT_PATH: Final = "/contracts/{}"
SCHEDULE_PATH: Final = "/contracts/{}/schedule"
SERIES_PATH: Final = "/series/{}"
SERIES_ANSWER_PATH: Final = "/series/{}/answer"
SERIES_MOVE_PATH: Final = "/series/{}/move?from={}&time={}"
PROPOSAL_PATH: Final = "/proposals/{}"
DASHBOARD_PATH: Final = "/dashboard"
WISHES_PATH: Final = "/profile/notifications"
"""Where the web shows things (a test holds the two together)."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something the reader can do: a button in a mail, "main", "other" or "quiet"."""

    text: str
    url: str
    look: str = "main"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be sent. ``id`` stays the same however often it is sent."""

    id: str
    subject: str
    text: str
    html: str
    url: str
    at: datetime
    thread: str | None = None
    unsubscribe: str | None = None


_base_url = ""


def configure(public_url: str) -> None:
    """Where links lead: the address of the application, without a slash at its end."""
    global _base_url
    _base_url = public_url.rstrip("/")


def link(path: str) -> str:
    """The whole address of a page."""
    return f"{_base_url}{path}"


def write(delivery: Delivery, found: About, now: datetime) -> Letter:
    """The message of ``delivery``, with links that answer it. Raises what its template raises."""
    answers = links.make(delivery, found.session, found.role, now)
    return word(delivery, found, now, answers)


def word(
    delivery: Delivery, found: About, now: datetime, answers: Sequence[tuple[Offer, str]] = ()
) -> Letter:
    """The message of ``delivery``, put together from what was found; asks no database.

    ``answers`` are the acts that it offers, each with the path of its link.
    """
    said = _context(delivery, found, now, answers)
    subject = _subject(delivery.kind, said)
    thread = None
    if delivery.session_id is not None:
        thread = f"session-{delivery.session_id}"
    elif delivery.contract_id is not None:
        thread = f"contract-{delivery.contract_id}"
    return Letter(
        id=f"delivery-{delivery.id}",
        subject=subject,
        text=_laid_out("layout.txt", delivery.kind, said),
        html=_laid_out("layout.html", delivery.kind, said),
        url=said["url"],
        at=now,
        thread=thread,
        unsubscribe=link(unsubscribing.path(found.recipient.id, delivery.kind))
        if delivery.kind in rules.DIGESTS
        else None,
    )


def line(delivery: Delivery, found: About, now: datetime) -> str:
    """A message in one sentence, put together from what was found, for the centre in the pages."""
    return _subject(delivery.kind, _context(delivery, found, now))


def _context(
    delivery: Delivery, found: About, now: datetime, answers: Sequence[tuple[Offer, str]] = ()
) -> dict[str, Any]:
    event, session = found.event, found.session
    zone = found.recipient.zone
    actor = _actor(found)
    pages = [(text, link(path)) for text, path in _steps(delivery, found)]
    return {
        "kind": delivery.kind,
        "me": found.recipient,
        "role": found.role,
        "who": actor,
        "other": found.other.display_name if found.other else "",
        "session": session,
        "number": session.session_number if session else None,
        "contract": found.contract,
        "proposal": found.proposal,
        "title": found.contract.title if found.contract else getattr(found.proposal, "title", ""),
        "start": delivery.start or (session and session.scheduled_at),
        "lead": duration(delivery.start - now) if delivery.start and delivery.start > now else "",
        "event": event,
        "details": event.details if event else {},
        "clocks": clock_words.told(event, found.role) if event else {},
        "dates": series_words.dates(
            event.details, lambda one: _on_the_wall(one, zone), lambda one: when(one, zone)
        )
        if event
        else [],
        "facts": _facts(found, zone, delivery.start),
        "agenda": [
            (when(one.scheduled_at, zone), student.display_name, one)
            for one, student in found.agenda
            if one.scheduled_at
        ],
        "zone": zone,
        "url": pages[0][1],
        "steps": [
            *(Step(_act(one, zone), link(path), _look(one)) for one, path in answers),
            *(
                Step(*page, "quiet" if answers else "other" if n else "main")
                for n, page in enumerate(pages)
            ),
        ],
        "links_until": when(answers[0][0].until, zone) if answers else "",
        "wishes_url": link(WISHES_PATH),
    }


def _actor(found: About) -> str:
    """Who did it, by name; the system and administrators have none."""
    role = found.event.role if found.event else None
    person = {"student": found.student, "coach": found.coach}.get(role or "")
    return person.display_name if person else ""


def _facts(found: About, zone: str, start: datetime | None) -> list[tuple[str, str]]:
    """What stands in the small table under the sentence: label and value."""
    event, session, told = found.event, found.session, []
    if event is not None and event.session_id is not None:
        if _moved(event, zone):
            told.append((N_("Before"), when(event.old_time, zone)))
            told.append((N_("Now"), when(event.new_time, zone)))
        elif time := event.new_time or event.old_time or (session and session.scheduled_at):
            told.append((N_("When"), when(time, zone)))
        proposed = event.details.get("proposed_times") or []
        word = N_("Proposed %(n)s") if len(proposed) > 1 else N_("Proposed")
        told += [(word % {"n": n}, when(_instant(t), zone)) for n, t in enumerate(proposed, 1)]
    elif start is not None:
        first = event is not None and event.verb == CLOCK_CHANGE
        told.append((N_("First session") if first else N_("When"), when(start, zone)))
    if event is not None and (deadline := event.details.get("deadline")):
        told.append((N_("Answer until"), when(_instant(deadline), zone)))
    if found.other is not None:
        told.append((N_("With"), found.other.display_name))
    if session is not None and found.contract is not None:
        told.append((N_("Session"), _place(session, found.contract)))
    if event is not None and event.reason:
        told.append((N_("Why"), event.reason))
    return told


def _moved(event: Event, zone: str) -> bool:
    """Whether it is told as two times: a time kept on the wall is one, by the clocks there."""
    if not (event.old_time and event.new_time) or event.old_time == event.new_time:
        return False
    return (
        event.verb != ZONE_RULES_CHANGED or wall_text(event.new_time, zone) != event.details["wall"]
    )


def _place(session: Session, contract: Contract) -> str:
    """Which one of its contract: "3 of 8, Public speaking"."""
    return N_("%(number)s of %(total)s, %(title)s") % {
        "number": session.session_number,
        "total": contract.total_sessions,
        "title": contract.title,
    }


def _steps(delivery: Delivery, found: About) -> list[tuple[str, str]]:
    """Where to go from here: what the button says, and its path. Never empty."""
    session, contract, proposal = found.session, found.contract, found.proposal
    if delivery.kind in ("session.reschedule_requested", "session.reschedule_countered"):
        assert session
        return [(N_("Answer the request"), ANSWER_PATH.format(session.id))]
    if delivery.kind in (rules.OVERDUE, OUTCOME_SAID) and session:
        return [(N_("Say how it went"), OUTCOME_PATH.format(session.id))]
    if delivery.kind == CLOCK_CHANGE and found.event:
        return _keep_or_shift(found.event.details, found.role)
    if (event := found.event) and event.verb.startswith("series."):
        answers = event.verb == "series.move_requested"
        text = N_("Answer the request") if answers else N_("Open the series")
        path = SERIES_ANSWER_PATH if answers else SERIES_PATH
        return [(text, path.format(event.details["series_id"]))]
    if delivery.kind == rules.NOTHING_BOOKED and contract:
        return [(N_("Book a session"), SCHEDULE_PATH.format(contract.id))]
    if session is not None:
        return [(N_("Open the session"), SESSION_PATH.format(session.id))]
    if contract is not None:
        return [(N_("Open the contract"), CONTRACT_PATH.format(contract.id))]
    if proposal is not None:
        return [(N_("Open the proposal"), PROPOSAL_PATH.format(proposal.id))]
    return [(N_("Open your sessions"), DASHBOARD_PATH)]


def _keep_or_shift(details: dict[str, Any], role: str | None) -> list[tuple[str, str]]:
    """To the series as it is; and, for whose time changes, to asking for the usual one."""
    keep = SERIES_PATH.format(details["series_id"])
    mine = clock_words.mine(details, role)
    if mine is None:
        return [(N_("Open the series"), keep)]
    place, wanted = clock_words.shift(details, mine)
    return [
        (N_("Keep %(time)s") % {"time": mine["becomes"]}, keep),
        (N_("Shift the series"), SERIES_MOVE_PATH.format(details["series_id"], place, wanted)),
    ]


def _act(one: Offer, zone: str) -> str:
    """What the button of an act says; the zone of its time is named in the message."""
    match one.act:
        case Act.APPROVE:
            assert one.time is not None
            return N_("Approve %(time)s") % {"time": _on_the_wall(one.time, zone)}
        case Act.DECLINE:
            return N_("Decline")
        case Act.CONFIRM:
            return N_("Confirm the session")
        case Act.HELD:
            return N_("It took place")
        case Act.ALONE:
            return N_("I was alone")


def _look(one: Offer) -> str:
    return "other" if one.act in (Act.DECLINE, Act.ALONE) else "main"


def when(instant: datetime | None, zone: str) -> str:
    """An instant in the reader's zone, named: "Tue 3 Mar 2027, 14:00 (Berlin, GMT+1)"."""
    if instant is None:
        return N_("no time yet")
    said = _on_the_wall(instant, zone)
    place = zone.rpartition("/")[2].replace("_", " ")
    offset = zones.offset_label(instant, zone)
    return f"{said} ({offset})" if place == "UTC" else f"{said} ({place}, {offset})"


def _on_the_wall(instant: datetime, zone: str) -> str:
    there = zones.local(instant, zone).replace(tzinfo=None)
    return format_datetime(there, "EEE d MMM y, HH:mm", locale="en")


def _instant(said: object) -> datetime:
    return datetime.fromisoformat(str(said))


@lru_cache
def _templates(*, html: bool) -> Environment:
    made = Environment(
        loader=PackageLoader("skileez.notifications"),
        autoescape=html,  # noqa: S701 (plain text is not markup)
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    made.filters["when"] = when
    made.filters["paragraphs"] = _paragraphs
    return made


def _paragraphs(text: str) -> Markup:
    parts = [" ".join(one.split()) for one in re.split(r"\n\s*\n", str(text).strip())]
    # What the template said is escaped already.
    return Markup("").join(Markup("<p>{}</p>").format(Markup(part)) for part in parts)  # noqa: S704


def _subject(kind: str, said: dict[str, Any]) -> str:
    template = _templates(html=False).get_template(f"{kind}.jinja")
    context = template.new_context({**said, "layout": "layout.txt"})
    return " ".join("".join(template.blocks["subject"](context)).split())


def _laid_out(layout: str, kind: str, said: dict[str, Any]) -> str:
    environment = _templates(html=layout.endswith("html"))
    return environment.get_template(f"{kind}.jinja").render({**said, "layout": layout})
