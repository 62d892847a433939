"""The forms about proposals and contracts. Limits are asked of ``contracts.rules``."""

from collections.abc import Callable
from typing import Any, Final

from wtforms import Field, Form, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # not in its stubs
from wtforms.validators import InputRequired, StopValidation
from wtforms.widgets import EmailInput, NumberInput, URLInput

from skileez.accounts.rules import EMAIL_MAX, clean_email, clean_line, may_use_email
from skileez.contracts import rules
from skileez.contracts.meeting_link_rules import URL_MAX, check_meeting_url
from skileez.contracts.rules import Terms
from skileez.errors import Refusal, Refused
from skileez.web.account_forms import ZONE_CHOICES, AccountForm, Rule, ZoneSelect, may_use_zone
from skileez.web.display import sentence
from skileez.web.forms import Maybe, ReplacingForm, VersionedForm, WholeNumber, trim
from skileez.web.language import lazy_gettext as _l

DEFAULT_SESSIONS: Final = 10
DEFAULT_MINUTES: Final = 60


def _line(raw: str | None) -> str:
    return clean_line(raw or "")


def _address(raw: str | None) -> str:
    return clean_email(raw or "")


def _whole(
    label: Any, missing: Any, ask: Callable[[int | None], Refusal | None], **limits: Any
) -> WholeNumber:
    def may(form: Form, field: Field) -> None:
        if field.process_errors:
            raise StopValidation
        if field.data is None:
            raise StopValidation(str(missing))
        if refusal := ask(field.data):
            raise StopValidation(sentence(refusal))

    return WholeNumber(label, [may], widget=NumberInput(), render_kw={"required": True, **limits})


def _reason(label: Any, *, required: bool) -> TextAreaField:
    rule = Rule if required else Maybe
    limits = {"minlength": rules.REASON_MIN, "maxlength": rules.REASON_MAX}
    return TextAreaField(label, [rule(rules.check_reason, **limits)], [trim])


class ProposalForm(AccountForm):
    """A coach's offer; the price is typed in major units ("95.50")."""

    student_email = StringField(
        _l("Your student's e-mail address"),
        [Rule(may_use_email, maxlength=EMAIL_MAX)],
        [_address],
        widget=EmailInput(),
    )
    title = StringField(
        _l("Title"),
        [Rule(rules.check_title, minlength=1, maxlength=rules.TITLE_MAX)],
        [_line],
    )
    total_sessions = _whole(
        _l("Number of sessions"),
        _l("Say how many sessions."),
        rules.check_count,
        min=1,
        max=rules.MAX_SESSIONS,
    )
    duration_minutes = _whole(
        _l("Length of a session, in minutes"),
        _l("Say how long a session is."),
        rules.check_duration,
        min=rules.MIN_MINUTES,
        max=rules.MAX_MINUTES,
    )
    price = StringField(
        _l("Price of one session"),
        [InputRequired(_l("Say what a session costs; 0 if nothing."))],
        render_kw={"inputmode": "decimal"},
    )
    currency = SelectField(
        _l("Currency"),
        choices=[SelectChoice(code, code) for code in rules.CURRENCIES],
        validate_choice=False,
    )
    timezone = SelectField(
        _l("Time zone of the contract"),
        [Rule(may_use_zone)],
        choices=ZONE_CHOICES,
        validate_choice=False,
        widget=ZoneSelect(),
    )
    message = TextAreaField(
        _l("Message"), [Maybe(rules.check_message, maxlength=rules.MESSAGE_MAX)], [trim]
    )

    def terms(self) -> Terms:
        """What was typed, as terms. Raises Refused ``price_unreadable``."""
        currency = self.said(self.currency)
        price = rules.price_in_minor(self.said(self.price), currency)
        if isinstance(price, Refusal):
            raise Refused(price)
        return Terms(
            title=self.said(self.title),
            total_sessions=self.total_sessions.data or 0,
            duration_minutes=self.duration_minutes.data or 0,
            price=price,
            currency=currency,
            message=self.said(self.message),
        )


class AnswerForm(VersionedForm):
    """Answer a proposal."""

    reason = _reason(_l("A word on why"), required=False)


class PauseForm(AccountForm):
    """Pause a contract."""

    pause_reason = _reason(_l("Why are you pausing it?"), required=False)


class EndForm(AccountForm):
    """End a contract before its last session; ``seen`` are the open ones that the page showed."""

    seen = HiddenField()
    reason = _reason(_l("Why are you ending it?"), required=True)

    def shown(self) -> set[int] | None:
        """The ids of the open sessions that the page showed; None where it did not say."""
        if self.seen.data is None:
            return None
        return {int(one) for one in self.seen.data.split() if one.isdecimal() and len(one) < 10}


class ContractLinkForm(ReplacingForm):
    """Where the sessions of a contract are held."""

    meeting_url = StringField(
        _l("Meeting link"),
        [Maybe(check_meeting_url, maxlength=URL_MAX)],
        [trim],
        widget=URLInput(),
    )
