"""Headers that keep a page to itself, and what is refused before any view runs."""

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest

from skileez.web import access
from skileez.web.language import gettext as _

LARGEST_REQUEST: Final = 64 * 1024
"""Bytes of the largest request; the longest form has some ten thousand characters."""

POLICY: Final = (
    "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
    "object-src 'none'; img-src 'self' data:"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TRANSPORT: Final = "max-age=31536000"
_UNSAFE_METHODS: Final = ("POST", "PUT", "PATCH", "DELETE")


def init_app(app: Flask) -> None:
    """Set the limits, and the headers of every answer."""
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST
    app.after_request(add_headers)


def refuse_other_sites() -> None:
    """Before every request: browsers say where a form came from, and it must be from here.

    Beside the CSRF token, not in its place: the oldest browsers say nothing at all.
    """
    if request.method in _UNSAFE_METHODS and _comes_from_elsewhere() and not access.is_link():
        raise BadRequest(_("This was sent from another site, so nothing was done."))


def _comes_from_elsewhere() -> bool:
    came_from = request.headers.get("Sec-Fetch-Site")
    if came_from is not None:
        return came_from in ("cross-site", "same-site")
    origin = request.headers.get("Origin")
    return origin is not None and _host(origin) != _host(f"//{request.host}")


def _host(address: str) -> str | None:
    # Without the port: a proxy may not pass on its own.
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def refuse_nul() -> None:
    """Before every request: no database stores a NUL, and nobody types one."""
    values = (*request.args.values(), *request.form.values())
    if any("\0" in value for value in values):
        raise BadRequest(_("It contains a character that cannot be stored. Type it again by hand."))


def add_headers(response: Response) -> Response:
    """The headers; and a page, which is always somebody's own, is not kept by anyone.

    What a page has set itself stays: a frame's policy, an address that is told to nobody.
    """
    own = HEADERS.keys() & {name for name, _said in response.headers}
    response.headers.extend(
        {name: HEADERS[name] for name in HEADERS.keys() - own} if own else HEADERS
    )
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = TRANSPORT
    if not response.cache_control.public:
        response.headers["Cache-Control"] = "no-store"
        response.headers.add("Vary", "Cookie, HX-Request")
    return response
