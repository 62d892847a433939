"""Who may enter: every view says so, and an undeclared one stops the start.

    @pages.get("/sessions/<int:session_id>")
    @access(PARTICIPANT)
    def show(session_id: int) -> ...

Entering is not seeing: a PARTICIPANT view finds its thing through the reader
(``find_for(me(), id)``), which raises NotFound for a stranger, so that they get a 404.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from flask import (
    Flask,
    Request,
    Response,
    current_app,
    flash,
    g,
    redirect,
    request,
    session,
    url_for,
)
from flask_login import AnonymousUserMixin, current_user
from werkzeug.exceptions import Forbidden, Unauthorized

from skileez.accounts.models import Person
from skileez.web import wants
from skileez.web.language import gettext as _


class Access(StrEnum):
    """Who may enter a view."""

    PUBLIC = "public"
    LINK = "link"
    """Whoever holds the secret in its address, signed in or not.

    Nothing proves more than that secret: a form's token and the site it was sent from are not
    asked for, since another site that knew the address would need nobody's browser. The page
    greets nobody, so that it never acts for whoever happens to be signed in here.
    """
    SIGNED_IN = "signed_in"
    ADMIN = "admin"
    PARTICIPANT = "participant"


PUBLIC: Final = Access.PUBLIC
LINK: Final = Access.LINK
SIGNED_IN: Final = Access.SIGNED_IN
ADMIN: Final = Access.ADMIN
PARTICIPANT: Final = Access.PARTICIPANT

TOKEN: Final = "_user_id"
"""Where the session cookie keeps the sign-in's token (Flask-Login reads it there)."""

_DECLARED: Final = "skileez_access"
_SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
_NEVER_KEPT: Final = ("csrf_token", "password", "current_password", "version", "seen", "next")

View = TypeVar("View", bound=Callable[..., Any])


def access(who: Access) -> Callable[[View], View]:
    """Declare who may enter a view; stands directly above the function."""

    def declare(view: View) -> View:
        setattr(view, _DECLARED, who)
        return view

    return declare


def declared(app: Flask, endpoint: str) -> Access | None:
    """What the view of ``endpoint`` declares; None if nothing."""
    return getattr(app.view_functions.get(endpoint), _DECLARED, None)


def check_every_route(app: Flask) -> None:
    """Raise RuntimeError if any route of ``app`` does not say who may enter."""
    silent = sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if declared(app, rule.endpoint) is None
    )
    if silent:
        raise RuntimeError(f"these routes do not declare their access: {', '.join(silent)}")


def links(app: Flask) -> Iterator[Callable[..., Any]]:
    """Every view of ``app`` that is declared LINK."""
    return (view for name, view in app.view_functions.items() if declared(app, name) is LINK)


def is_link() -> bool:
    """Whether the request is for a view that is declared LINK."""
    return request.endpoint is not None and declared(current_app, request.endpoint) is LINK


def greet_nobody() -> None:
    """Show this page as to somebody who is not signed in, whoever is."""
    setattr(g, "_login_user", AnonymousUserMixin())  # noqa: B010  where Flask-Login looks


def me() -> Person:
    """Who is signed in. Only for views that are not PUBLIC."""
    reader = current_user._get_current_object()
    if not reader.is_authenticated:
        raise Unauthorized
    return cast(Person, reader)


def my_token() -> str:
    """The token of this very sign-in; empty when nobody is signed in."""
    return str(session.get(TOKEN, ""))


def guard() -> Response | None:
    """Before every request: let in, or answer instead (sign-in page, 401, 403)."""
    endpoint = request.endpoint
    if endpoint is None or request.method == "OPTIONS":
        return None
    who = declared(current_app, endpoint)
    if who is PUBLIC:
        return None
    if who is LINK:
        greet_nobody()
        return None
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    if who is None or (who is ADMIN and not me().is_admin):
        raise Forbidden
    return None


def _ask_to_sign_in() -> Response:
    if wants.json(request):
        raise Unauthorized
    if request.method not in _SAFE_METHODS:
        words = _("You were signed out in the meantime. Sign in, then send it again.")
        if typed():
            raise Unauthorized(words)  # a page that keeps it
        flash(words, "warn")
    place = url_for("auth.sign_in", next=way_back(request))
    if wants.fragment(request):
        # A fragment's place is inside another page: the whole page has to go.
        return Response(status=204, headers={"HX-Redirect": place})
    return cast(Response, redirect(place, 303))


def typed() -> list[tuple[str, str]]:
    """What was typed into the form that was sent: never a secret, nor what the page wrote there."""
    if request.method != "POST":
        return []
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _NEVER_KEPT and value.strip()
    ]


def way_back(asked: Request) -> str | None:
    """The page to return to: the one asked for, or the one its form stands on."""
    if asked.method in _SAFE_METHODS and not wants.fragment(asked):
        return asked.full_path.rstrip("?") if asked.path != "/" else None
    try:
        before = urlsplit(asked.headers.get("HX-Current-URL") or asked.referrer or "")
    except ValueError:
        return None
    return before.path or None if before.netloc == asked.host else None


def safe_path(target: str | None, otherwise: str) -> str:
    """``target`` if it is a path on this site, else ``otherwise``: no open redirects."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return otherwise
    # Browsers read "\" as "/" and drop control characters: "/\evil", "/<tab>/evil".
    if "\\" in target or any(ord(character) < 33 or ord(character) == 127 for character in target):
        return otherwise
    return target
