"""The session forms. Their limits are asked of the rules; nothing is decided here.

The first six are the source document's. ``version`` is the session as the page showed it;
``timezone`` is the zone in which the page showed its times.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, Self

from wtforms import (
    Field,
    Form,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # not in its stubs
from wtforms.validators import DataRequired, InputRequired, StopValidation
from wtforms.widgets import NumberInput, URLInput

from skileez.accounts.rules import clean_text
from skileez.contracts import rules as contract_rules
from skileez.contracts.meeting_link_rules import URL_MAX, check_meeting_url
from skileez.contracts.rules import MAX_MINUTES, MIN_MINUTES, REASON_MAX, REASON_MIN
from skileez.errors import Refusal
from skileez.sessions import outcome_rules, presence_rules, reschedule_rules, rules
from skileez.sessions.presence_rules import Outcome
from skileez.web.account_forms import AccountForm, Rule, may_use_zone
from skileez.web.display import sentence
from skileez.web.language import lazy_gettext as _l
from skileez.web.times import InstantField, InstantList

ABSENT: Final = {
    rules.Absent.STUDENT: _l("The student"),
    rules.Absent.COACH: _l("The coach"),
    rules.Absent.BOTH: _l("Both of us"),
}
OUTCOMES: Final = {
    Outcome.HELD: _l("It was held"),
    Outcome.STUDENT_ABSENT: _l("The student was not there"),
    Outcome.COACH_ABSENT: _l("The coach was not there"),
    Outcome.TECHNICAL: _l("There was a technical problem"),
}


class Maybe(Rule):
    """A rule for a field that may stay empty."""

    def __init__(self, ask: Callable[[str], Refusal | None], **flags: Any) -> None:
        super().__init__(ask, **flags)
        self.field_flags = flags

    def __call__(self, form: Form, field: Field) -> None:
        if (field.data or "").strip():
            super().__call__(form, field)


def trim(raw: str | None) -> str:
    """Typed text as it is kept; browsers send CR LF, and the counter on the page counts one."""
    return clean_text(raw or "")


def reason_field(label: Any, *, required: bool = True) -> TextAreaField:
    """Why: 10 to 500 characters."""
    rule = Rule if required else Maybe
    return TextAreaField(
        label,
        [rule(contract_rules.check_reason, minlength=REASON_MIN, maxlength=REASON_MAX)],
        [trim],
    )


def _notes(label: Any) -> TextAreaField:
    return TextAreaField(
        label, [Maybe(outcome_rules.check_notes, maxlength=outcome_rules.NOTES_MAX)], [trim]
    )


class WholeNumber(IntegerField):
    """A whole number, refused in our own words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        said = valuelist[0].strip() if valuelist else ""
        self.data = None
        if said:
            try:
                self.data = int(said)
            except ValueError as error:
                raise ValueError(str(_l("Write a whole number."))) from error


def minutes_field(
    label: Any, check: Callable[[int | None], Refusal | None], **limits: Any
) -> Field:
    """A length in minutes, which ``check`` allows; ``limits`` become attributes."""

    def ask(form: Form, field: Field) -> None:
        if field.process_errors:
            raise StopValidation
        refusal = check(field.data)
        if refusal:
            raise StopValidation(sentence(refusal))

    return WholeNumber(label, [ask], widget=NumberInput(), render_kw=limits)


class VersionedForm(AccountForm):
    """A form that says of which version of a thing its page was."""

    version = HiddenField()

    def known_version(self, current: int) -> int:
        """The version that the page showed; ``current`` where it did not say.

        One that cannot be read is no page's: it is answered with one that nothing ever has.
        """
        said = self.version.data
        if said is None:
            return current
        return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else -1


class SessionForm(VersionedForm):
    """What the forms about one session share."""


class ReplacingForm(AccountForm):
    """A form that replaces one text, and remembers which: ``seen`` is a digest of it.

    The text is compared, not the version of the row that it is in: what else happens to a
    session, such as the other one's notes, makes nobody's own notes old.
    """

    seen = HiddenField()

    def showing(self, text: str | None) -> Self:
        """The form on a page that shows this text."""
        self.seen.data = _digest(text)
        return self

    def replaces(self, text: str | None) -> bool:
        """Whether the page showed this text, or did not say; from here on the form is of it."""
        seen = self.seen.data
        self.showing(text)
        return seen in (None, self.seen.data)


def _digest(text: str | None) -> str:
    return sha256((text or "").encode()).hexdigest()[:16]


class TimedForm(SessionForm):
    """A form with times, typed in the zone that the page named."""

    timezone = HiddenField(_l("Time zone"), [Maybe(may_use_zone)])

    def zone(self, otherwise: str) -> str:
        """The zone of the typed times."""
        said = str(self.timezone.data or "")
        return said if said and may_use_zone(said) is None else otherwise


class SessionScheduleForm(SessionForm):
    """Book a session, or give one its time."""

    scheduled_at = InstantField(_l("Date and time"), [DataRequired(_l("Choose a date and time."))])
    duration_minutes = minutes_field(
        _l("Duration in minutes"),
        contract_rules.check_duration,
        min=MIN_MINUTES,
        max=MAX_MINUTES,
        step=5,
    )
    timezone = SelectField(_l("Time zone"), [Rule(may_use_zone)], validate_choice=False)

    def offer_zones(self, *names: str) -> None:
        """The zones that matter here: the two people's, the contract's, and the one typed."""
        typed = self.said(self.timezone)
        known = [typed] if typed and may_use_zone(typed) is None else []
        self.timezone.choices = [
            SelectChoice(name, name.replace("_", " "))
            for name in dict.fromkeys([*names, *known, "UTC"])
        ]


class RescheduleRequestForm(TimedForm):
    """Ask to move a session: why, and to when."""

    reason = reason_field(_l("Why do you need to move it?"))
    proposed_times = InstantList(
        InstantField(_l("Proposed time")),
        # No most here: a fourth would be dropped in silence, where the rule says why not.
        min_entries=reschedule_rules.MAX_TIMES,
    )


class RescheduleApprovalForm(TimedForm):
    """Agree to a move: the time chosen."""

    new_scheduled_at = InstantField(_l("New date and time"), [DataRequired(_l("Choose a time."))])


class SessionCompletionForm(SessionForm):
    """It took place."""

    notes = _notes(_l("Session notes"))
    actual_minutes = minutes_field(
        _l("How long it really took, in minutes"),
        outcome_rules.check_actual_minutes,
        min=1,
        max=outcome_rules.ACTUAL_MINUTES_MAX,
    )


class SessionCancelForm(SessionForm):
    """Call it off."""

    reason = reason_field(_l("Why are you cancelling it?"))


class SessionMissedForm(SessionForm):
    """It did not take place."""

    absent = RadioField(
        _l("Who was not there?"),
        [InputRequired(_l("Say who was absent."))],
        choices=[SelectChoice(who.value, word) for who, word in ABSENT.items()],
    )
    reason = reason_field(_l("What happened?"))


def _outcome(label: Any) -> RadioField:
    return RadioField(
        label,
        [InputRequired(_l("Say what happened: choose one."))],
        choices=[SelectChoice(one.value, word) for one, word in OUTCOMES.items()],
    )


class OutcomeForm(SessionForm):
    """Say what became of it."""

    outcome = _outcome(_l("What happened?"))
    note = TextAreaField(
        _l("A word on it"),
        [Maybe(presence_rules.check_outcome_note, maxlength=presence_rules.OUTCOME_NOTE_MAX)],
        [trim],
    )


class CaseForm(SessionForm):
    """Decide what became of it, for both."""

    outcome = _outcome(_l("What do you decide?"))
    reason = reason_field(_l("Why do you decide so?"))


class CounterForm(TimedForm):
    """Answer a request with other times."""

    proposed_times = InstantList(
        InstantField(_l("Proposed time")),
        # No most here: a fourth would be dropped in silence, where the rule says why not.
        min_entries=reschedule_rules.MAX_TIMES,
    )
    counter_reason = reason_field(_l("A word on it"), required=False)


class DeclineForm(SessionForm):
    """Answer a request with no."""

    decline_reason = reason_field(_l("Why not?"), required=False)


class NotesForm(ReplacingForm):
    """One's own notes on a completed session."""

    notes = _notes(_l("Your notes"))


class CorrectionForm(SessionForm):
    """Say that a missed session did take place."""

    reason = reason_field(_l("What happened?"))


class MeetingLinkForm(ReplacingForm):
    """Where it is held."""

    meeting_url = StringField(
        _l("Meeting link"),
        [Maybe(check_meeting_url, maxlength=URL_MAX)],
        [trim],
        widget=URLInput(),
    )


class PressForm(SessionForm):
    """A verb that needs nothing but the press of its button."""
