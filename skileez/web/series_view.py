"""A series as pages show it: its pattern in words, its starts in both zones, what clocks do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.lists import format_list

from skileez.errors import Refusal
from skileez.sessions import series_queries, series_rules
from skileez.sessions.models import Session
from skileez.sessions.recurrence import Note, Occurrence, Pattern, at_place
from skileez.sessions.series_moving import is_at_its_place
from skileez.sessions.series_planning import Shift
from skileez.sessions.series_queries import Part
from skileez.web import display, language
from skileez.web.display import Moment, in_zone, my_zone, sentence
from skileez.web.language import gettext as _


@dataclass(frozen=True, slots=True)
class When:
    """One start: in the reader's zone, and in the other's where it differs."""

    mine: Moment
    theirs: Moment | None
    their_day: str | None
    """The other's day, where it is not the reader's."""


def start_of(start: datetime, other_zone: str, now: datetime) -> When:
    """A start as a list has it: days short, with the year where it is another one."""
    mine, theirs = in_zone(start, my_zone(), now), in_zone(start, other_zone, now)
    same = (mine.day, mine.time) == (theirs.day, theirs.time)
    return When(
        mine,
        None if same else theirs,
        None if theirs.day == mine.day else theirs.day,
    )


def words(pattern: Pattern) -> str:
    """As "Every Monday and Wednesday at 18:00", and in which zone if not in the reader's."""
    names = [wide for _short, wide in display.weekdays()]
    days = format_list([names[day] for day in pattern.weekdays], locale=language.code())
    said = (
        _("Every %(days)s at %(time)s")
        if pattern.interval == 1
        else _("Every second week on %(days)s at %(time)s")
    ) % {"days": days, "time": f"{pattern.clock:%H:%M}"}
    if pattern.zone == my_zone():
        return str(said)
    return _("%(words)s in %(zone)s", words=said, zone=display.zone_label(pattern.zone))


def clock_notes(
    occurrence: Occurrence, shifts: Sequence[Shift], zone: str, other_name: str
) -> list[str]:
    """What clocks do on this date, for the reader, for the other and for the series itself."""
    told = []
    if occurrence.note is Note.GAP:
        told.append(
            _(
                "%(time)s does not exist in %(zone)s on this day, as the clocks go forward: "
                "it is %(shown)s instead.",
                time=f"{occurrence.wall:%H:%M}",
                zone=display.zone_label(zone),
                shown=f"{occurrence.shown:%H:%M}",
            )
        )
    elif occurrence.note is Note.FOLD:
        told.append(
            _(
                "%(time)s comes twice in %(zone)s on this day, as the clocks go back: "
                "the first is meant.",
                time=f"{occurrence.wall:%H:%M}",
                zone=display.zone_label(zone),
            )
        )
    # The zone of the series itself only leaves its clock where the note above says so.
    for shift in (one for one in shifts if one.zone != zone):
        figures: dict[str, Any] = {
            "before": f"{shift.before:%H:%M}",
            "after": f"{shift.after:%H:%M}",
        }
        if shift.zone == my_zone():
            told.append(_("Your %(before)s becomes %(after)s from here on.", **figures))
        else:
            told.append(
                _(
                    "For %(name)s %(before)s becomes %(after)s from here on.",
                    name=other_name,
                    **figures,
                )
            )
    return told


def why(refusal: Refusal | None) -> str | None:
    """A refusal's sentence, if there is one."""
    return sentence(refusal) if refusal else None


def place_of(place: str, zone: str) -> str:
    """When a place of the series is, for the reader: "Mon 8 Mar 2027, 18:00"."""
    return display.when(at_place(place, zone).start)


def scopes(session: Session, role: str, now: datetime, *, to_move: bool) -> Part | None:
    """Where more than this one session can be called off, or asked to be moved, at once."""
    start = session.scheduled_at
    part = series_queries.part_of(session) if start and start > now else None
    if part is None:
        return None
    facts = part.series.facts
    if not to_move:
        refusal = series_rules.may_cancel_series(facts, role)
    else:
        refusal = series_rules.may_request_move(facts, role)
        if not is_at_its_place(session, part.series):
            return None
    return part if refusal is None else None
