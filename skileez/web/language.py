"""The language of a page."""

from collections.abc import Mapping
from typing import Any, Final, cast

from babel.support import NullTranslations
from flask import Flask, g, request
from flask_babel import Babel, get_domain, get_locale
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

LANGUAGES: Final = ("en",)


def gettext(message: str, /, **figures: Any) -> str:
    """``message`` in the reader's language, its figures filled in; for code, as ``_``."""
    said = str(_translations().ugettext(message))
    return said % figures if figures else said


def code() -> str:
    """The reader's language: "en"."""
    if "language" not in g:
        g.language = str(get_locale() or "en")
    return str(g.language)


def init_app(app: Flask) -> None:
    """Choose the language for every request; mark strings with ``_()``, ``{% trans %}``."""
    Babel(app, locale_selector=_chosen)
    # Flask-Babel looks its translations up for every string, and Jinja formats every string:
    # together a sixth of a page's time. Here it is once a page, and only where there is a "%".
    app.jinja_env.globals.update(_=_gettext, gettext=_gettext, ngettext=_ngettext)


def _chosen() -> str | None:
    return request.accept_languages.best_match(LANGUAGES)


def _translations() -> NullTranslations:
    found = g.get("translations")
    if found is None:
        found = g.setdefault("translations", get_domain().get_translations())
    return cast(NullTranslations, found)


@pass_eval_context
def _gettext(context: EvalContext, message: str, /, **figures: Any) -> str:
    return _filled(context, _translations().ugettext(message), figures)


@pass_eval_context
def _ngettext(
    context: EvalContext, singular: str, plural: str, number: int, /, **figures: Any
) -> str:
    said = _translations().ungettext(singular, plural, number)
    return _filled(context, said, {"num": number, **figures})


def _filled(context: EvalContext, said: str, figures: Mapping[str, Any]) -> str:
    # Catalogues are ours, like templates: their text is trusted, the figures are not.
    text = Markup(said) if context.autoescape else said  # noqa: S704
    return text % figures if "%" in said else text
