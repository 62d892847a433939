"""The forms about accounts. What a value must be like is asked of ``accounts.rules``."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Final

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from markupsafe import Markup, escape
from wtforms import (
    BooleanField,
    Field,
    Form,
    HiddenField,
    PasswordField,
    SelectField,
    StringField,
    i18n,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, StopValidation
from wtforms.widgets import EmailInput, Input, Select, TextArea
from wtforms.widgets.core import clean_key  # type: ignore[attr-defined]  # not in its stubs

from skileez import zones
from skileez.accounts import rules
from skileez.errors import Refusal, Refused
from skileez.web import language
from skileez.web.display import sentence
from skileez.web.language import lazy_gettext as _l

WRITE_PASSWORD: Final = _l("Write your password.")


class Rule:
    """A validator that asks a rule; ``flags`` become attributes of the input (maxlength …)."""

    def __init__(self, ask: Callable[[str], Refusal | None], **flags: Any) -> None:
        self.ask = ask
        self.field_flags: Mapping[str, Any] = {"required": True, **flags}

    def __call__(self, form: Form, field: Field) -> None:
        refusal = self.ask(field.data or "")
        if refusal is not None:
            raise StopValidation(sentence(refusal))


def may_use_zone(name: str) -> Refusal | None:
    """Whether there is a zone of that name."""
    try:
        zones.zone(name)
    except Refused as refused:
        return refused.refusal
    return None


ZONE_CHOICES: Final = [
    SelectChoice(name, (place or name).replace("_", " "), optgroup=region if place else None)
    for name in zones.ZONES
    for region, _slash, place in [name.partition("/")]
]


class ZoneSelect(Select):
    """The zones' options, of which there are over four hundred, each written once."""

    _written: ClassVar[dict[tuple[str, bool], Markup]] = {}

    @classmethod
    def render_option(cls, choice: SelectChoice) -> Markup:  # type: ignore[override]  # older stubs
        """The option as HTML."""
        key = (choice.value, choice.selected)
        if key not in cls._written:
            cls._written[key] = super().render_option(choice)  # type: ignore[call-arg]
        return cls._written[key]


def _clean_line(raw: str | None) -> str:
    return rules.clean_line(raw or "")


def _clean_email(raw: str | None) -> str:
    return rules.clean_email(raw or "")


def _email() -> StringField:
    return StringField(
        _l("E-mail address"),
        [Rule(rules.may_use_email, maxlength=rules.EMAIL_MAX)],
        [_clean_email],
        widget=EmailInput(),
    )


def _name() -> StringField:
    return StringField(
        _l("Name"), [Rule(rules.may_use_name, maxlength=rules.NAME_MAX)], [_clean_line]
    )


def _zone() -> SelectField:
    return SelectField(
        _l("Time zone"),
        [Rule(may_use_zone)],
        choices=ZONE_CHOICES,
        default="UTC",
        validate_choice=False,
        widget=ZoneSelect(),
    )


def _new_password() -> PasswordField:
    # No maxlength: a browser would cut a pasted password silently.
    return PasswordField(
        _l("New password"),
        [InputRequired(_l("Choose a password."))],
        render_kw={"minlength": rules.PASSWORD_MIN, "autocomplete": "new-password"},
    )


@cache
def _own_words(language: str) -> Any:
    """WTForms' own sentences in a language; Flask-WTF would read the file for every page."""
    return i18n.get_translations([language])


def _attributes(**given: Any) -> Markup:
    """What WTForms' own does, without taking a format string apart for each attribute."""
    said = sorted((clean_key(name), value) for name, value in given.items() if value is not False)
    return Markup(  # noqa: S704
        " ".join(name if value is True else f'{name}="{escape(value)}"' for name, value in said)
    )


_widgets: tuple[Any, ...] = (Input, TextArea, Select)
for _widget in _widgets:
    _widget.html_params = staticmethod(_attributes)


class AccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """What all of them are; ``form.said(form.email)`` is what was typed, as text."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """How WTForms reads this form."""

        csrf = False
        """``CSRFProtect`` has checked every POST before its view; pages write the token."""

        def wrap_formdata(self, form: Form, formdata: Any) -> Any:
            """Text only: no form takes files or JSON, and no field could read them."""
            return (request.form or None) if formdata is _Auto else formdata

        def get_translations(self, form: Form) -> Any:
            """The sentences of WTForms' own checks."""
            return _own_words(language.code())

    @staticmethod
    def said(field: Field) -> str:
        """What a field holds; the empty text where nothing came."""
        return str(field.data or "")


class SignInForm(AccountForm):
    """Sign in."""

    email = _email()
    password = PasswordField(_l("Password"), [InputRequired(WRITE_PASSWORD)])
    next = HiddenField()


class SignUpForm(AccountForm):
    """Open an account."""

    display_name = _name()
    email = _email()
    password = _new_password()
    zone = _zone()
    offers_coaching = BooleanField(_l("I offer coaching"))
    next = HiddenField()


class ResetRequestForm(AccountForm):
    """Ask for a link to set a new password."""

    email = _email()


class ResetForm(AccountForm):
    """Set a new password by such a link."""

    password = _new_password()


class ProfileForm(AccountForm):
    """What a person says about themselves."""

    display_name = _name()
    zone = _zone()
    offers_coaching = BooleanField(_l("I offer coaching"))


class PasswordForm(AccountForm):
    """Change the password, knowing the present one."""

    current_password = PasswordField(_l("Current password"), [InputRequired(WRITE_PASSWORD)])
    password = _new_password()


class RolesForm(AccountForm):
    """What an administrator may make of a person; ``seen`` are the roles that the page showed."""

    seen = HiddenField()
    is_admin = BooleanField(_l("Administrator"))
    offers_coaching = BooleanField(_l("Offers coaching"))

    def roles(self) -> dict[str, bool]:
        """Each role by its column's name: whether it is ticked."""
        return {role.name: role.data for role in (self.is_admin, self.offers_coaching)}

    def showing(self) -> "RolesForm":
        """The form as a page shows it, which remembers what it showed."""
        self.seen.data = " ".join(role for role, ticked in self.roles().items() if ticked)
        return self

    def changed(self) -> dict[str, bool]:
        """The roles that were ticked or unticked since the page showed them; all, if it did not."""
        if self.seen.data is None:
            return self.roles()
        seen = self.seen.data.split()
        return {role: ticked for role, ticked in self.roles().items() if ticked != (role in seen)}
