"""The forms about days away. Their limits are asked of the rules."""

from datetime import date, datetime, time
from typing import Any

from wtforms import Field, Form, HiddenField, StringField, TextAreaField
from wtforms.validators import DataRequired, StopValidation
from wtforms.widgets import DateInput, TimeInput

from skileez.availability import rules
from skileez.contracts.rules import REASON_MAX, REASON_MIN, check_reason
from skileez.web.account_forms import AccountForm, Rule
from skileez.web.forms import Maybe, trim
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l


def _is_day(form: Form, field: Field) -> None:
    if field.data and _day(field.data) is None:
        raise StopValidation(_("Write the day like 2027-03-10."))


def _is_clock(form: Form, field: Field) -> None:
    if field.data and _clock(field.data) is None:
        raise StopValidation(_("Write a time of the day, such as 14:00."))


def _day(said: Any) -> date | None:
    try:
        return datetime.strptime(said, "%Y-%m-%d").date()  # noqa: DTZ007  a day on the wall
    except ValueError:
        return None


def _clock(said: Any) -> time | None:
    try:
        return datetime.strptime(said[:5], "%H:%M").time()  # noqa: DTZ007  a time on the wall
    except ValueError:
        return None


class AwayForm(AccountForm):
    """Be away: from a day to a day, or parts of them."""

    first = StringField(
        _l("First day"),
        [DataRequired(_l("Choose the first day.")), _is_day],
        [trim],
        widget=DateInput(),
    )
    until = StringField(_l("Last day"), [_is_day], [trim], widget=DateInput())
    begins = StringField(_l("On the first day, from"), [_is_clock], [trim], widget=TimeInput())
    ends = StringField(_l("On the last day, until"), [_is_clock], [trim], widget=TimeInput())
    reason = StringField(
        _l("Reason"), [Maybe(rules.check_away_reason, maxlength=rules.REASON_MAX)], [trim]
    )

    def times(self) -> dict[str, Any]:
        """What was typed, as ``days_away.add`` takes it; without a last day the first is it."""
        first = _day(self.first.data)
        assert first
        return {
            "first": first,
            "last": _day(self.until.data) if self.until.data else first,
            "begins": _clock(self.begins.data) if self.begins.data else None,
            "ends": _clock(self.ends.data) if self.ends.data else None,
            "reason": self.said(self.reason),
        }


class AskForm(AccountForm):
    """Ask the students of several sessions to move them; ``time_off`` is the absence, if one."""

    time_off = HiddenField()
    reason = TextAreaField(
        _l("What they read"),
        [Rule(check_reason, minlength=REASON_MIN, maxlength=REASON_MAX)],
        [trim],
    )
