"""Every date of a series that is to be booked, with the choice made for each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask_babel import ngettext

from skileez.contracts.models import Contract
from skileez.errors import Refused
from skileez.sessions import series_planning
from skileez.sessions.recurrence import Pattern
from skileez.sessions.series_planning import Planned
from skileez.web import series_view
from skileez.web.display import clock, day, iso, my_zone, sentence, when
from skileez.web.errors import attach
from skileez.web.language import gettext as _
from skileez.web.series_forms import ChoiceForm, PatternForm
from skileez.web.series_view import When
from skileez.zones import FIRST_YEAR, LAST_YEAR

SKIP: Final = "skip"
PICK: Final = "pick"
SKIP_TAKEN: Final = "skip-taken"
NEXT_TAKEN: Final = "next-taken"


@dataclass(frozen=True, slots=True)
class Row:
    """One date: as the pattern has it (``first``), as it is chosen, and the choices there are."""

    number: int | None
    """Its number among the sessions that will be booked."""
    first: When
    chosen: When | None
    """Another start, where one is chosen."""
    state: str
    """"free", "taken", "moved" (to another start) or "skipped"."""
    why: str | None
    notes: list[str]
    options: list[tuple[str, str]]
    form: ChoiceForm
    planned: Planned
    changed: bool
    """Whether it is otherwise than the reader last saw it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be booked, date by date."""

    pattern: Pattern
    rows: list[Row]
    left: int
    choices: dict[str, datetime | None]
    starts: list[datetime]
    """Those that will be booked, in order."""
    seen: bool
    """Whether these dates, and no others, are those that the reader saw."""

    @property
    def changed(self) -> bool:
        """Whether any date is otherwise than the reader saw it."""
        return any(row.changed for row in self.rows)

    @property
    def skipped(self) -> int:
        """How many dates are left out."""
        return sum(row.state == "skipped" for row in self.rows)

    @property
    def moved(self) -> int:
        """How many have another start."""
        return sum(row.state == "moved" for row in self.rows)

    @property
    def open(self) -> list[Row]:
        """Those that need a choice first."""
        return [row for row in self.rows if row.state == "taken" or row.form.at.errors]

    @property
    def label(self) -> str:
        """What the button says."""
        return str(ngettext("Book %(num)s session", "Book %(num)s sessions", len(self.starts)))


def plan_of(
    contract: Contract, form: PatternForm, left: int, *, by: str, now: datetime, do: str
) -> Plan | None:
    """What the form and its choices come to; None with the errors told. Reads only.

    ``do`` may settle at once all dates that are not free: leave them out, or take the next time.
    """
    pattern = form.pattern(left)
    if pattern is None:
        return None
    try:
        found = series_planning.preview(contract, pattern, by=by, now=now)
    except Refused as refused:
        attach(form, refused)
        return None
    forms = [ChoiceForm(prefix=f"on-{one.place[:10]}-") for one in found.dates]
    choices: dict[str, datetime | None] = {}
    for planned, made in zip(found.dates, forms, strict=True):
        _settle(planned, made, do)
        _choose(planned, made, choices)
    chosen = (
        series_planning.preview(contract, pattern, by=by, now=now, choices=choices)
        if choices
        else found
    )
    other = contract.student if by == "coach" else contract.coach
    seen = form.said(form.shown) == mark_of(pattern)
    starts: list[datetime] = []
    rows = []
    for planned, one, made in zip(found.dates, chosen.dates, forms, strict=True):
        if one.refusal and made.choice.data == PICK:
            made.at.errors = [sentence(one.refusal)]
        fine = one.start is not None and one.refusal is None and not made.at.errors
        if fine and one.start:
            starts.append(one.start)
        rows.append(
            Row(
                number=len(starts) if fine else None,
                first=series_view.start_of(planned.occurrence.start, other.zone, now),
                chosen=series_view.start_of(one.start, other.zone, now)
                if one.start and one.start != planned.occurrence.start
                else None,
                state=_state(planned, one, made),
                why=series_view.why(
                    one.refusal if one.refusal and not made.at.errors else planned.refusal
                ),
                notes=series_view.clock_notes(
                    planned.occurrence, planned.shifts, pattern.zone, other.display_name
                ),
                options=_options(planned, made),
                form=made,
                planned=planned,
                changed=seen and made.said(made.seen) not in ("", _as_it_is(planned)),
            )
        )
        made.seen.data = _as_it_is(planned)
    return Plan(pattern, rows, found.left, choices, sorted(starts), seen)


def mark_of(pattern: Pattern) -> str:
    """What tells one pattern from another."""
    return f"{pattern.zone} {pattern.dtstart:%Y-%m-%dT%H:%M} {pattern.rrule} {pattern.minutes}"


def _as_it_is(planned: Planned) -> str:
    return planned.refusal.code if planned.refusal else "free"


def _settle(planned: Planned, made: ChoiceForm, do: str) -> None:
    if planned.refusal is None or made.choice.data:
        return
    if do == SKIP_TAKEN:
        made.choice.data = SKIP
    elif do == NEXT_TAKEN and planned.free:
        made.choice.data = iso(planned.free)


def _choose(planned: Planned, made: ChoiceForm, choices: dict[str, datetime | None]) -> None:
    """Enter the choice that was made for a date, if any; told at its field where it is none."""
    said = made.said(made.choice)
    if said == SKIP:
        choices[planned.place] = None
    elif said == PICK:
        start = made.at.instant(my_zone())
        if start:
            choices[planned.place] = start
        elif not made.at.errors:
            made.at.errors = [_("Choose a date and time.")]
    elif start := _instant(said):
        choices[planned.place] = start
        made.choice.data = iso(start)
    else:
        made.choice.data = ""


def _instant(said: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    return found if found.tzinfo and FIRST_YEAR <= found.year < LAST_YEAR else None


def _state(planned: Planned, chosen: Planned, made: ChoiceForm) -> str:
    if chosen.start is None:
        return "skipped"
    if chosen.refusal:
        return "taken"
    return "moved" if chosen.start != planned.occurrence.start else "free"


def _options(planned: Planned, made: ChoiceForm) -> list[tuple[str, str]]:
    """The choices for a date: as planned (or none yet), the next free time, none, another."""
    free, said = planned.free, made.said(made.choice)
    options = [("", _("Choose…") if planned.refusal else _("Book it"))]
    for start in dict.fromkeys(one for one in (free, _instant(said)) if one):
        words = _("Next free: %(time)s") if start == free else _("Instead: %(time)s")
        same_day = day(start) == day(planned.occurrence.start)
        options.append((iso(start), words % {"time": clock(start) if same_day else when(start)}))
    return [*options, (SKIP, _("Leave it out")), (PICK, _("Pick another time"))]
