"""The language of a page."""

from functools import lru_cache
from typing import Any, Final

from flask import Flask, g, request
from flask_babel import Babel, get_domain, get_locale
from flask_babel.speaklater import LazyString
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

LANGUAGES: Final[tuple[str, ...]] = ("en",)


def gettext(message: str, /, **figures: Any) -> str:
    """``message`` in the reader's language, its figures filled in; for code, as ``_``."""
    said = _said(code(), message)
    return said % figures if figures else said


def lazy_gettext(message: str, /, **figures: Any) -> LazyString:
    """The same, in the language of whoever reads it later; for what is made at start, as ``_l``."""
    return LazyString(gettext, message, **figures)


def code() -> str:
    """The reader's language: "en"."""
    if len(LANGUAGES) == 1:
        return LANGUAGES[0]
    if "language" not in g:
        g.language = str(get_locale() or LANGUAGES[0])
    return str(g.language)


@lru_cache(maxsize=4096)
def _said(language: str, message: str) -> str:
    """Asked some hundred times a page; ``language`` is the one of this request."""
    return str(get_domain().get_translations().ugettext(message))


@lru_cache(maxsize=4096)
def _counted(language: str, singular: str, plural: str, number: int) -> str:
    return str(get_domain().get_translations().ungettext(singular, plural, number))


@lru_cache(maxsize=4096)
def _marked(language: str, message: str) -> Markup:
    # Catalogues are ours, like templates: their text is trusted, the figures are not.
    return Markup(_said(language, message))  # noqa: S704


def init_app(app: Flask) -> None:
    """Choose the language for every request; mark strings with ``_()``, ``{% trans %}``."""
    Babel(app, locale_selector=_chosen)
    # Flask-Babel looks its translations up for every string, and Jinja formats every string:
    # together a sixth of a page's time. Here it is once a page, and only where there is a "%".
    app.jinja_env.globals.update(_=_gettext, gettext=_gettext, ngettext=_ngettext, language=code)


def _chosen() -> str | None:
    return request.accept_languages.best_match(LANGUAGES)


@pass_eval_context
def _gettext(context: EvalContext, message: str, /, **figures: Any) -> str:
    said = (_marked if context.autoescape else _said)(code(), message)
    return said % figures if "%" in said else said


@pass_eval_context
def _ngettext(
    context: EvalContext, singular: str, plural: str, number: int, /, **figures: Any
) -> str:
    said = _counted(code(), singular, plural, number)
    text = Markup(said) if context.autoescape else said  # noqa: S704
    return text % {"num": number, **figures} if "%" in said else text
