"""The form about how one wants to be told. Its limits are asked of ``notifications.rules``."""

import re
from typing import Any, Final, Self

from wtforms import BooleanField, Form, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import StopValidation
from wtforms.widgets import TimeInput

from skileez.notifications.rules import REMINDER_CHOICES
from skileez.notifications.wishes import Choice
from skileez.web.account_forms import AccountForm
from skileez.web.language import lazy_gettext as _l

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(:[0-5]\d)?", re.ASCII)


class ClockField(StringField):
    """A time of the day, kept as it was typed; ``minutes`` since midnight, None if empty."""

    @property
    def minutes(self) -> int | None:
        """The minutes since midnight of what was typed."""
        found = _CLOCK.fullmatch((self.data or "").strip())
        return int(found[1]) * 60 + int(found[2]) if found else None


def _is_clock(form: Form, field: ClockField) -> None:
    if (field.data or "").strip() and field.minutes is None:
        raise StopValidation(str(_l("Write a time of the day, such as 22:00.")))


def _minutes(said: Any) -> int:
    try:
        return int(said)
    except ValueError:
        return 0  # which the rule refuses


def _clock(minutes: int | None) -> str:
    return "" if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"


class WishesForm(AccountForm):
    """How one wants to be told."""

    mail = BooleanField(_l("Tell me by e-mail, too"))
    reminders = SelectMultipleField(
        _l("Remind me before a session"),
        choices=[SelectChoice(minutes, str(minutes)) for minutes in REMINDER_CHOICES],
        coerce=_minutes,
        validate_choice=False,
    )
    quiet_from = ClockField(_l("Quiet from"), [_is_clock], widget=TimeInput())
    quiet_to = ClockField(_l("Quiet until"), [_is_clock], widget=TimeInput())
    daily = BooleanField(_l("Each morning with a session: what is in my calendar today"))
    weekly = BooleanField(_l("On Mondays: what is in my calendar this week"))

    @classmethod
    def of(cls, chosen: Choice) -> Self:
        """The form as it was sent, or filled in with what is chosen now."""
        known: dict[str, Any] = {
            "mail": chosen.mail,
            "reminders": list(chosen.reminders),
            "quiet_from": _clock(chosen.quiet_from),
            "quiet_to": _clock(chosen.quiet_to),
            "daily": chosen.daily,
            "weekly": chosen.weekly,
        }
        return cls(data=known)

    def choice(self, before: Choice, *, digests: bool) -> Choice:
        """What was chosen; ``digests``: they were offered, too."""
        return Choice(
            mail=self.mail.data,
            reminders=tuple(self.reminders.data or ()),
            quiet_from=self.quiet_from.minutes,
            quiet_to=self.quiet_to.minutes,
            daily=self.daily.data if digests else before.daily,
            weekly=self.weekly.data if digests else before.weekly,
        )
