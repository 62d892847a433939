"""The forms about series: a pattern, what becomes of each of its dates, and how it may change."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final

from wtforms import Field, HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # not in its stubs
from wtforms.validators import DataRequired, InputRequired

from skileez import zones
from skileez.contracts import rules
from skileez.errors import Refused
from skileez.sessions import recurrence
from skileez.sessions.recurrence import Pattern
from skileez.web.account_forms import AccountForm, Rule, may_use_zone
from skileez.web.errors import attach
from skileez.web.forms import SessionForm, WholeNumber, minutes_field, reason_field
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l
from skileez.web.times import InstantField

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK: Final = re.compile(r"(\d\d):(\d\d)(:00)?", re.ASCII)
ALL: Final = "all"
"""Said in place of a place: all that are to come."""
EVERY: Final = ((1, _l("Every week")), (2, _l("Every second week")))


class WallField(InstantField):
    """A date and time as clocks show it; one that comes twice needs no answer here."""

    def wall(self, zone: str) -> datetime | None:
        """What was typed, naive; None for an empty field and, with the error told, a bad one."""
        try:
            typed = datetime.fromisoformat(str(self.data or ""))
            if typed.tzinfo is None and not zones.is_missing(typed, zone):
                return typed
        except (ValueError, OverflowError):  # a refusal is one of them; the field says it
            pass
        start = self.instant(zone)
        return zones.local(start, zone).replace(tzinfo=None) if start else None


class WeekdaysField(Field):
    """Days of the week, 0 = Monday, as ticked boxes."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = sorted({int(one) for one in valuelist if one in tuple("0123456")})

    def _value(self) -> Sequence[int]:
        return self.data or ()


class DateField(StringField):
    """A date; ``day()`` reads it."""

    def day(self) -> date | None:
        """None, with the error told, for one that cannot be read."""
        try:
            if _DATE.fullmatch(str(self.data or "")):
                return date.fromisoformat(str(self.data))
        except ValueError:
            pass
        self.errors = [*self.errors, _("Write the date like 2027-03-31.")]
        return None


class ClockField(StringField):
    """A time of day; ``clock()`` reads it."""

    def clock(self) -> time | None:
        """None, with the error told, for one that cannot be read."""
        if not self.data:
            self.errors = self.errors or [_("Choose a time.")]
            return None
        found = _CLOCK.fullmatch(str(self.data).strip())
        try:
            if found:
                return time(int(found[1]), int(found[2]))
        except ValueError:
            pass
        self.errors = [*self.errors, _("Write the time like 18:00.")]
        return None


def _interval() -> RadioField:
    return RadioField(
        _l("How often?"),
        choices=[SelectChoice(str(weeks), word) for weeks, word in EVERY],
        default="1",
        validate_choice=False,
    )


def _weeks(field: RadioField) -> int:
    said = str(field.data or "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 3 else 0


class PatternForm(AccountForm):
    """What a series is to be: its first start, its days, how often, for how long."""

    first = WallField(_l("First date and time"), [DataRequired(_l("Choose a date and time."))])
    timezone = SelectField(_l("Time zone"), [Rule(may_use_zone)], validate_choice=False)
    weekdays = WeekdaysField(_l("On which days?"))
    interval = _interval()
    ends = RadioField(
        _l("Until when?"),
        choices=[
            SelectChoice("contract", _l("Until the contract’s sessions are used up")),
            SelectChoice("count", _l("For a number of sessions")),
            SelectChoice("until", _l("Until a date")),
        ],
        default="contract",
        validate_choice=False,
    )
    count = WholeNumber(_l("Number of sessions"))
    until = DateField(_l("Last date"))
    duration_minutes = minutes_field(
        _l("Length of a session, in minutes"),
        rules.check_duration,
        min=rules.MIN_MINUTES,
        max=rules.MAX_MINUTES,
        step=5,
    )
    shown = HiddenField()
    """The pattern whose dates the page showed."""
    promised = HiddenField()
    """How many sessions its button promised to book."""

    def offer_zones(self, *names: str) -> None:
        """The zones that matter here: the two people's, the contract's, and the one typed."""
        typed = self.said(self.timezone)
        known = [typed] if typed and may_use_zone(typed) is None else []
        self.timezone.choices = [
            SelectChoice(name, name.replace("_", " ")) for name in dict.fromkeys([*names, *known])
        ]

    def pattern(self, left: int) -> Pattern | None:
        """What was typed, as a pattern; None with the errors told. ``left`` = yet to be booked."""
        valid = self.validate()
        zone = self.said(self.timezone)
        first = self.first.wall(zone) if not self.timezone.errors else None
        ends = self.said(self.ends)
        count, until = self.count.data, None
        if ends == "until":
            count, until = None, self.until.day()
        elif ends == "count":
            if count is None and not self.count.errors:
                self.count.errors = [*self.count.errors, _("Say how many sessions.")]
        else:
            count = max(left, 1)  # where nothing is left, whoever plans it says so
        if not valid or first is None or (count is None and until is None):
            return None
        try:
            return recurrence.starting(
                zone,
                first.date(),
                first.time(),
                self.weekdays.data or [first.weekday()],
                self.duration_minutes.data,
                interval=_weeks(self.interval),
                count=count,
                until=until,
            )
        except Refused as refused:
            attach(self, refused)
        return None


class ChoiceForm(AccountForm):
    """What becomes of one date: ``choice`` is empty (as planned), "skip", "pick" or an instant."""

    choice = StringField(_l("What to do"))
    at = InstantField(_l("Another time"))
    seen = HiddenField()


class MovePatternForm(SessionForm):
    """Ask for another pattern: from which session on, to when, and why."""

    start_from = SelectField(_l("From which session on?"), validate_choice=False)
    weekdays = WeekdaysField(_l("On which days?"))
    clock = ClockField(_l("At what time?"), [InputRequired(_l("Choose a time."))])
    interval = _interval()
    reason = reason_field(_l("Why do you need to move it?"))
    seen = HiddenField()

    def asked(self) -> dict[str, Any] | None:
        """The new days, time and weeks, as the verb takes them; None with the errors told."""
        clock = self.clock.clock()
        if clock is None:
            return None
        return {
            "weekdays": self.weekdays.data or [],
            "clock": clock,
            "interval": _weeks(self.interval),
        }


class CancelSeriesForm(SessionForm):
    """Call off the sessions from one on."""

    start_from = HiddenField(
        _l("Which of them?"), [InputRequired(_l("Say which of them you mean."))]
    )
    """A place, or ``ALL``."""
    reason = reason_field(_l("Why are you cancelling them?"))


class ConfirmSeriesForm(SessionForm):
    """Confirm the sessions that the page showed."""

    seen = HiddenField()


class StopForm(SessionForm):
    """End a series, and say what becomes of its sessions."""

    keep = RadioField(
        _l("What becomes of the sessions that are booked?"),
        [InputRequired(_l("Say what becomes of them."))],
        choices=[SelectChoice("keep", _l("Keep them")), SelectChoice("cancel", _l("Cancel them"))],
    )
    reason = reason_field(_l("Why are you stopping it?"), required=False)
