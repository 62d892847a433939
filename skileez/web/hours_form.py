"""The form of a coach's hours: spans, dates, stays and figures, kept as they were typed.

Spans are pairs of clock inputs under one name; dates and stays are rows. What is wrong is asked
of ``availability.rules`` and put at its field, all at once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Final, Self

from wtforms import (
    Field,
    FieldList,
    Form,
    FormField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import StopValidation
from wtforms.widgets import DateInput, NumberInput

from skileez.availability import rules
from skileez.availability.rules import BOUNDS, DAY, STEPS, WEEKDAYS, Hours, Span, Stay
from skileez.web.account_forms import ZONE_CHOICES, Rule, ZoneSelect, may_use_zone
from skileez.web.display import length, sentence
from skileez.web.forms import SessionForm, WholeNumber
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l

HOUR: Final = 60
UNITS: Final = {1: _l("minutes"), HOUR: _l("hours"), DAY: _l("days")}
_CLOCK: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(:[0-5]\d)?", re.ASCII)
_TEXT_MAX: Final = 40
_TEXTS_MAX: Final = 8 * rules.MAX_SPANS
"""Inputs of one day that are read; the rule refuses far fewer."""


def _minutes(said: str) -> int | None:
    found = _CLOCK.fullmatch(said)
    minutes = int(found[1]) * HOUR + int(found[2]) if found else DAY + 1
    return minutes if minutes <= DAY else None


def _texts(span: Span) -> tuple[str, str]:
    # A clock input knows no 24:00: the midnight that ends a day is 00:00, too.
    start, end = span
    return rules.clock_text(start), rules.clock_text(end % DAY)


class SpansField(Field):
    """Spans of a day as pairs of texts, ``data``; ``spans`` once they were read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spans: list[Span] = []

    def process_data(self, value: Sequence[Span] | None) -> None:
        """From spans in minutes."""
        self.data = [_texts(span) for span in value or ()]

    def process_formdata(self, valuelist: list[str]) -> None:
        """From the inputs, of which each span has two."""
        said = [text.strip()[:_TEXT_MAX] for text in valuelist[:_TEXTS_MAX]]
        self.data = list(zip(said[::2], said[1::2], strict=False))

    def read(self) -> bool:
        """Whether all pairs are clock times; a pair that is empty is none."""
        self.spans = []
        for start, end in self.data or ():
            if not start and not end:
                continue
            opens, closes = _minutes(start), _minutes(end)
            if opens is None or closes is None:
                self.errors = [_("Give every span its start and its end, such as 09:00 to 12:00.")]
                return False
            self.spans.append((opens, closes or DAY))
        return True


class DayField(StringField):
    """A date, kept as it was typed; ``day`` once it was read."""

    widget = DateInput()
    day: date | None = None

    def process_data(self, value: Any) -> None:
        """From a date."""
        self.data = value.isoformat() if isinstance(value, date) else value

    def read(self) -> date | None:
        """The date; None, with the error told, if it is none."""
        try:
            self.day = date.fromisoformat((self.data or "").strip()[:_TEXT_MAX])
        except ValueError:
            self.day = None
            self.errors = [_("Choose a date.")]
        return self.day


class RowList(FieldList):  # type: ignore[type-arg]  # its stub is generic, the class is not
    """Rows of several fields each."""

    def _extract_indices(self, prefix: str, formdata: Iterable[str]) -> Iterator[int]:
        row = re.compile(rf"{re.escape(prefix)}-([0-9]{{1,3}})-\w+", re.ASCII)
        return (int(found[1]) for name in formdata if (found := row.fullmatch(name)))


def _zone(label: Any) -> SelectField:
    return SelectField(
        label,
        [Rule(may_use_zone)],
        choices=ZONE_CHOICES,
        validate_choice=False,
        widget=ZoneSelect(),
    )


class DatedForm(Form):
    """A date with hours of its own; without any it is closed."""

    day = DayField(_l("Date"))
    spans = SpansField(_l("Hours on that date"))


class StayForm(Form):
    """Days in another zone."""

    zone = _zone(_l("Time zone"))
    first = DayField(_l("First day"))
    last = DayField(_l("Last day"))


def _figure(label: Any, name: str, *, optional: bool = False) -> WholeNumber:
    least, most = BOUNDS[name]

    def ask(form: Form, field: Field) -> None:
        if field.process_errors:
            raise StopValidation
        if field.data is None and not optional:
            raise StopValidation(_("Write a number."))

    return WholeNumber(label, [ask], widget=NumberInput(), render_kw={"min": least, "max": most})


class HoursForm(SessionForm):
    """When a coach may be booked; without hours its version is 0."""

    zone = _zone(_l("These are the clocks of"))
    MO = SpansField(_l("Monday"))
    TU = SpansField(_l("Tuesday"))
    WE = SpansField(_l("Wednesday"))
    TH = SpansField(_l("Thursday"))
    FR = SpansField(_l("Friday"))
    SA = SpansField(_l("Saturday"))
    SU = SpansField(_l("Sunday"))
    copy_from = SelectField(_l("Copy the hours of"), default=WEEKDAYS[0], validate_choice=False)
    copy_to = SelectMultipleField(_l("to"), default=WEEKDAYS[1:5], validate_choice=False)
    dates = RowList(FormField(DatedForm), _l("Dates with other hours"))
    stays = RowList(FormField(StayForm), _l("Days in another zone"))
    buffer_before = _figure(_l("Free before each session"), "buffer_before")
    buffer_after = _figure(_l("Free after each session"), "buffer_after")
    notice = WholeNumber(_l("Notice you need"), widget=NumberInput(), render_kw={"min": 0})
    notice_unit = SelectField(
        _l("Unit of the notice"),
        choices=[SelectChoice(minutes, word) for minutes, word in UNITS.items()],
        coerce=int,
        default=HOUR,
    )
    horizon = _figure(_l("How far ahead"), "horizon")
    step = SelectField(_l("A start every"), coerce=int, validate_choice=False)
    per_day = _figure(_l("Most sessions a day"), "per_day", optional=True)
    per_week = _figure(_l("Most sessions a week"), "per_week", optional=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.step.choices = [SelectChoice(minutes, length(minutes)) for minutes in STEPS]
        names = [SelectChoice(field.name, str(field.label.text)) for field in self.weekdays]
        self.copy_from.choices = self.copy_to.choices = names

    @classmethod
    def of(cls, hours: Hours, version: int) -> Self:
        """The form filled in with these hours, nothing sent."""
        unit = next(unit for unit in (DAY, HOUR, 1) if hours.notice % unit == 0)
        unit = unit if hours.notice else HOUR
        known: dict[str, Any] = {
            **{name: hours.weekly.get(day, ()) for day, name in enumerate(WEEKDAYS)},
            "version": str(version),
            "zone": hours.zone,
            "dates": [{"day": day, "spans": spans} for day, spans in sorted(hours.dates.items())],
            "stays": [asdict(stay) for stay in hours.stays],
            "notice": hours.notice // unit,
            "notice_unit": unit,
            "step": hours.step,
            **{name: getattr(hours, name) for name in BOUNDS},
        }
        return cls(formdata=None, data=known)

    def pattern(self, name: str) -> Any:
        """A blank row for scripts, which take the zones from where they stand already."""
        row = self.blank(name)
        if name == "stays":
            row.form.zone.choices = []
        return row

    @property
    def weekdays(self) -> list[SpansField]:
        """The seven days, Monday first."""
        return [self[name] for name in WEEKDAYS]

    def blank(self, name: str) -> Any:
        """One more row of ``dates`` or ``stays``, to be filled in."""
        row: Any = self[name].append_entry()
        if name == "dates":
            row.form.spans.data.append(("", ""))
        return row

    # Spans and rows that a press adds or takes away, in a browser without scripts

    def change(self, verb: str, where: str) -> None:
        """Do what a button of the form says: add ``MO``, remove ``MO:1`` or ``dates-2``, copy."""
        name, _colon, place = where.partition(":")
        spans, rows = self._spans().get(name), {"dates": self.dates, "stays": self.stays}
        if verb == "copy":
            self._copy()
        elif verb == "add" and spans is not None:
            spans.data.append(("", ""))
        elif verb == "add" and name in rows:
            self.blank(name)
        elif verb == "remove" and spans is not None:
            if place.isdecimal() and len(place) < 4 and int(place) < len(spans.data):
                del spans.data[int(place)]
        elif verb == "remove":
            for row in rows.values():
                names = [entry.name for entry in row.entries]
                if name in names:
                    del row.entries[names.index(name)]

    def _spans(self) -> dict[str, SpansField]:
        dated = [entry.form.spans for entry in self.dates.entries]
        return {field.name: field for field in (*self.weekdays, *dated)}

    def _copy(self) -> None:
        if self.copy_from.data in WEEKDAYS:
            hours = self[self.copy_from.data].data
            for name in set(self.copy_to.data or ()) & set(WEEKDAYS):
                self[name].data = list(hours)

    # Reading it

    def hours(self) -> Hours | None:
        """The hours that were typed; None where something is wrong, which is then told.

        What can be read is checked even where something else cannot, so that all is told at once.
        """
        sound = self.validate()
        for spans in self._spans().values():
            sound = spans.read() and sound
        dates, stays = self._dates(), self._stays()
        figures = {name: self[name].data for name in BOUNDS}
        hours = Hours(
            zone=self.said(self.zone),
            weekly={day: field.spans for day, field in enumerate(self.weekdays) if field.spans},
            dates={day: row.spans.spans for day, row in dates.items()},
            stays=[Stay(str(row.zone.data), row.first.day, row.last.day) for row in stays],
            notice=(self.notice.data or 0) * self.notice_unit.data,
            step=self.step.data,
            **{name: given for name, given in figures.items() if given is not None},
        )
        for fault in rules.faults(hours):
            kind, _dash, which = (fault.field or "").partition("-")
            if kind == "dates" and which:
                field = dates[date.fromisoformat(which)].spans
            elif kind == "stays" and which:
                field = stays[int(which)].last
            else:
                field = self[which or kind]
            field.errors = [*field.errors, sentence(fault)]
            sound = False
        rows = (row for entry in (*self.dates.entries, *self.stays.entries) for row in entry.form)
        return hours if sound and not any(field.errors for field in rows) else None

    def validate_notice(self, field: WholeNumber) -> None:
        """It is needed, and one that the rule can be asked about."""
        if field.data is None and not field.process_errors:
            raise StopValidation(_("Write a number."))

    def _dates(self) -> dict[date, Any]:
        """The rows of dates that can be read; one that is empty is none."""
        found: dict[date, Any] = {}
        for row in (entry.form for entry in self.dates.entries):
            if not row.day.data and not any(map(any, row.spans.data)):
                continue
            day = row.day.read()
            if day in found:
                row.day.errors = [_("This date stands here twice. Keep one of them.")]
            elif day:
                found[day] = row
        return found

    def _stays(self) -> list[Any]:
        """The rows of stays that can be read; one without days is none."""
        rows = [entry.form for entry in self.stays.entries]
        filled = [row for row in rows if row.first.data or row.last.data]
        return [row for row in filled if all([row.first.read(), row.last.read()])]
