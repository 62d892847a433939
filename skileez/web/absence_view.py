"""Days away as a page shows them: the days in words and as weeks, who answered, whom to ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from flask import url_for
from flask_babel import ngettext

from skileez import zones
from skileez.availability.models import TimeOff
from skileez.sessions import absence, policy
from skileez.sessions.absence import BATCH, Answer, Place
from skileez.sessions.lines import Line
from skileez.sessions.reschedule_rules import request_kind
from skileez.sessions.rules import Policy, RequestKind, Role, lead
from skileez.web.absence_forms import AskForm
from skileez.web.access import me
from skileez.web.display import in_zone, length, my_zone, sentence, when, zone_label
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l

SETTLED: Final = (Answer.MOVED, Answer.CANCELLED, Answer.OVER)
WEEKS: Final = 8
"""Weeks that the picture draws; of a longer absence those that a session falls on."""

WORDS: Final = {
    Answer.OPEN: (_l("Not asked yet"), "open", "open"),
    Answer.WAITING: (_l("Waiting"), "hourglass", "amber"),
    Answer.THEIRS: (_l("Other times proposed"), "repeat", "blue"),
    Answer.DECLINED: (_l("Declined"), "x-circle", "red"),
    Answer.LAPSED: (_l("No answer"), "hourglass", "red"),
    Answer.MOVED: (_l("Moved"), "check-circle", "green"),
    Answer.NO_TIME: (_l("To be scheduled"), "open", "amber"),
    Answer.CANCELLED: (_l("Cancelled"), "x-circle", "grey"),
    Answer.OVER: (_l("Over"), "clock", "grey"),
}
"""Each answer's word, icon and tone."""
CANNOT: Final = (_l("Cannot be asked"), "lock", "red")


# The days


def days(away: TimeOff, now: datetime) -> str:
    """When it is, in words, by the clocks it was set by: "Wed 10 Mar to Fri 12 Mar"."""
    last = away.ends_at - timedelta(seconds=1)
    first_day, last_day = (in_zone(one, away.zone, now).day for one in (away.starts_at, last))
    whole_start, whole_end = (_is_edge(one) for one in (away.wall_start, away.wall_end))
    begins, ends = away.wall_start[11:], away.wall_end[11:]
    if whole_start and whole_end:
        if first_day == last_day:
            return str(first_day)
        return _("%(first)s to %(last)s", first=first_day, last=last_day)
    if first_day == last_day:
        ends = "24:00" if whole_end else ends
        return _("%(day)s, %(begins)s to %(ends)s", day=first_day, begins=begins, ends=ends)
    return _(
        "%(first)s to %(last)s",
        first=first_day if whole_start else f"{first_day}, {begins}",
        last=last_day if whole_end else f"{last_day}, {ends}",
    )


def reason_of(away: TimeOff, days: str) -> str:
    """What a student reads, until the coach writes something else; clocks with their zone."""
    if _is_edge(away.wall_start) and _is_edge(away.wall_end):
        return _("I am away: %(days)s. Can we meet at another time?", days=days)
    return _(
        "I am away: %(days)s (%(zone)s time). Can we meet at another time?",
        days=days,
        zone=zone_label(away.zone),
    )


def _is_edge(wall: str) -> bool:
    return wall.endswith("T00:00")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the picture: "whole", "part" or "" of it away; how many sessions it holds."""

    number: int
    month: str
    away: str
    sessions: int


def weeks(away: TimeOff, places: Sequence[Place]) -> list[list[Day]]:
    """The weeks of an absence, Monday first, with the sessions that are still in its way."""
    starts = [
        zones.local(place.line.start, away.zone).date()
        for place in places
        if place.line.start and place.answer not in SETTLED
    ]
    first = zones.local(away.starts_at, away.zone).date()
    last = zones.local(away.ends_at - timedelta(seconds=1), away.zone).date()
    monday = first - timedelta(days=first.weekday())
    mondays = [monday + timedelta(weeks=week) for week in range((last - monday).days // 7 + 1)]
    if len(mondays) > WEEKS:
        held = {day - timedelta(days=day.weekday()) for day in starts}
        mondays = [one for one in mondays if one in held][:WEEKS]
    return [[_day(one + timedelta(days=day), away, starts) for day in range(7)] for one in mondays]


def _day(day: date, away: TimeOff, starts: Sequence[date]) -> Day:
    there = zones.stretches(day, away.zone)
    covered = ""
    if there and there[0][0] < away.ends_at and there[-1][1] > away.starts_at:
        whole = away.starts_at <= there[0][0] and there[-1][1] <= away.ends_at
        covered = "whole" if whole else "part"
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Day(day.day, in_zone(noon, "UTC").month, covered, starts.count(day))


# Who answered


def answers(
    places: Sequence[Place], now: datetime, away: TimeOff | None = None
) -> list[dict[str, Any]]:
    """Each session of the board: with whom, its time, what was answered, what to do now."""
    return [_answer(place, now, away) for place in places]


def _answer(place: Place, now: datetime, away: TimeOff | None) -> dict[str, Any]:
    line = place.line
    word, icon, tone = CANNOT if place.why_not else WORDS[place.answer]
    return {
        "id": line.id,
        "name": line.other_name,
        "title": titled(line),
        "href": url_for("sessions.show", session_id=line.id),
        "when": in_zone(line.start, my_zone(), now) if line.start else None,
        "theirs": _theirs(line.start, line.other_zone, now) if line.start else None,
        "word": word,
        "icon": icon,
        "tone": tone,
        "note": _note(place),
        "step": _step(place, away),
    }


def _note(place: Place) -> str | None:
    """What one should know beyond the word; the reason why the student cannot be asked."""
    facts = place.line.facts
    if place.why_not:
        return sentence(place.why_not)
    if place.answer is Answer.WAITING and facts.pending:
        said = (
            _("Until %(deadline)s; without a yes it stays where it is.")
            if facts.pending.kind == RequestKind.LATE
            else _("Until %(deadline)s; without an answer it moves to the first time still free.")
        )
        return said % {"deadline": when(facts.pending.deadline)}
    if place.answer is Answer.THEIRS and facts.pending:
        return _("Answer until %(deadline)s.", deadline=when(facts.pending.deadline))
    return {
        Answer.DECLINED: _("It stays inside your days away."),
        Answer.LAPSED: _("It stays inside your days away: a late request needs a yes."),
        Answer.NO_TIME: _("Nobody answered, and no proposed time was left."),
    }.get(place.answer)


def _step(place: Place, away: TimeOff | None) -> dict[str, str] | None:
    """The next step of the coach, if there is one."""
    one = place.line.id
    if place.answer is Answer.THEIRS:
        return {"text": _("Answer"), "href": url_for("sessions.approval", session_id=one)}
    if place.answer is Answer.NO_TIME:
        return {"text": _("Pick a time"), "href": url_for("sessions.schedule", session_id=one)}
    if away and place.may_ask:
        again = url_for("absence.show", time_off_id=away.id, again=one, _anchor="ask")
        return {"text": _("Ask again"), "href": again}
    if place.why_not:
        return {"text": _("Cancel it"), "href": url_for("sessions.cancel_form", session_id=one)}
    return None


def counts(places: Sequence[Place]) -> dict[str, int]:
    """How many are settled, wait for their student, wait for the coach, and are not asked."""
    found = {"done": 0, "waiting": 0, "yours": 0, "open": 0}
    for place in places:
        found[_count(place)] += 1
    return found


def _count(place: Place) -> str:
    if place.answer in SETTLED:
        return "done"
    if place.answer is Answer.WAITING:
        return "waiting"
    return "open" if place.is_open else "yours"


def mark(places: Sequence[Place]) -> str:
    """What the board showed, in few letters: another mark is another board."""
    return "-".join(f"{place.line.id}.{place.line.version}.{place.answer}" for place in places)


# Whom to ask


def ask_of(
    lines: Sequence[Line],
    now: datetime,
    *,
    reason: str,
    away: TimeOff | None = None,
    chosen: Sequence[int] | None = None,
    form: AskForm | None = None,
) -> dict[str, Any]:
    """What the macro ``ask_form`` takes: each session with the times its student is asked about.

    ``chosen`` are those ticked; None = all for which there is a time. Two queries a session, of
    which the first ``BATCH`` are shown.
    """
    shown = lines[:BATCH]
    offered = absence.offers(me().id, shown, now, until=away.ends_at if away else None)
    rows = [_row(line, offered, chosen, now) for line in shown]
    return {
        "form": form or AskForm(formdata=None, reason=reason, time_off=away and str(away.id)),
        "rows": rows,
        "words": [_words(count) for count in range(len(rows) + 1)],
        "count": sum(row["checked"] for row in rows),
        "later": len(lines) - len(shown),
        "consequences": _consequences(rows, policy.in_force()),
    }


def _consequences(rows: Sequence[Mapping[str, Any]], inforce: Policy) -> list[str]:
    """What pressing causes."""
    told = [
        _(
            "Each has %(within)s to answer, at most until the session starts; meanwhile it "
            "stays where it is.",
            within=length(inforce.answer_within),
        )
    ]
    if not all(row["late"] for row in rows):
        told.append(_("Without an answer a session moves to the first of its times still free."))
    if any(row["late"] for row in rows):
        told.append(
            _(
                "Where less than %(needed)s are left the request is late: without a yes the "
                "session stays.",
                needed=length(inforce.notice(Role.COACH)),
            )
        )
    return told


def _words(count: int) -> str:
    """What the button says for so many sessions ticked."""
    if not count:
        return _("Choose whom to ask")
    return str(ngettext("Ask to move %(num)s session", "Ask to move %(num)s sessions", count))


def _row(
    line: Line,
    offered: Mapping[int, Sequence[datetime]],
    chosen: Sequence[int] | None,
    now: datetime,
) -> dict[str, Any]:
    assert line.start
    times = offered[line.id]
    return {
        "id": line.id,
        "name": line.other_name,
        "title": titled(line),
        "when": in_zone(line.start, my_zone(), now),
        "theirs": _theirs(line.start, line.other_zone, now),
        "times": [
            {
                "value": one.isoformat(),
                "mine": in_zone(one, my_zone(), now),
                "theirs": _theirs(one, line.other_zone, now),
            }
            for one in times
        ],
        "late": request_kind(Role.COACH, lead(line.start, now), policy.in_force())
        == RequestKind.LATE,
        "checked": bool(times) and (chosen is None or line.id in chosen),
        "by_hand": url_for("sessions.reschedule", session_id=line.id),
        "cancel": url_for("sessions.cancel_form", session_id=line.id),
    }


def titled(line: Line) -> str:
    """A session's contract and number."""
    return _(
        "%(title)s · %(number)s of %(total)s",
        title=line.title,
        number=line.number,
        total=line.total,
    )


def _theirs(instant: datetime, zone: str, now: datetime) -> str | None:
    """The student's clocks then, where they differ: "12:00 in New York", "Fri 5 Mar, 01:00 …"."""
    mine, theirs = zones.local(instant, my_zone()), zones.local(instant, zone)
    if mine.utcoffset() == theirs.utcoffset():
        return None
    said = in_zone(instant, zone, now)
    clock = said.time if mine.date() == theirs.date() else f"{said.day}, {said.time}"
    return _("%(clock)s in %(place)s", clock=clock, place=zone_label(zone))
