"""What a reader gets when something is refused or fails: a page, a fragment or JSON."""

from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from wtforms import Form

from skileez import clock, db
from skileez.errors import Kind, NotFound, Refused
from skileez.web import access, wants
from skileez.web.display import sentence
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l
from skileez.web.throttle import limiter

STATUS: Final = {Kind.INVALID: 422, Kind.FORBIDDEN: 403, Kind.CONFLICT: 409, Kind.GONE: 410}

WORDS: Final = {
    400: (_l("This could not be read"), _l("Something in the request was not as it should be.")),
    401: (_l("Please sign in"), _l("This is only for people who are signed in.")),
    403: (_l("This is not yours to do"), _l("Your account may not open this page.")),
    404: (
        _l("There is nothing here"),
        _l("The address may be mistyped, or what it showed is not meant for your account."),
    ),
    405: (_l("Not that way"), _l("This address does not take that kind of request.")),
    409: (
        _l("Things have changed"),
        _l("This changed since you opened the page. Open it again to see how it stands."),
    ),
    410: (
        _l("This is over"),
        _l("It was here once, and there is nothing left to do."),
    ),
    413: (
        _l("That is too much at once"),
        _l("What you sent is larger than any form here. Shorten it and send it again."),
    ),
    422: (_l("This could not be done"), _l("Please check what you entered.")),
    429: (_l("Please wait a little"), _l("There were too many tries in a short time.")),
    500: (
        _l("Something broke on our side"),
        _l("It was not your fault, nothing was half done, and it has been noted."),
    ),
}
_KEPT_HEADERS: Final = ("Allow", "Retry-After")

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Answer every error of ``app`` in our own words."""
    app.register_error_handler(Refused, on_refused)
    app.register_error_handler(NotFound, lambda error: answer(404))
    app.register_error_handler(StaleDataError, lambda error: answer(409, code="stale"))
    app.register_error_handler(CSRFError, on_csrf)
    app.register_error_handler(RateLimitExceeded, on_too_many)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_failure)


def on_refused(error: Refused) -> Response:
    """A rule said no, and the view left it to us."""
    return answer(
        STATUS[error.refusal.kind], sentence(error.refusal), code=error.code, typed=access.typed()
    )


def on_csrf(error: CSRFError) -> Response:
    """The form's safety token is missing or of another sign-in."""
    text = _("This page had been open since before you signed in or out, so nothing was done.")
    hint = _("Go back, load the page again, and send it once more.")
    return answer(400, f"{text} {hint}", code="csrf", typed=access.typed())


def on_too_many(error: RateLimitExceeded) -> Response:
    """Too many tries; says how long to wait."""
    broken = limiter.current_limit
    seconds = error.limit.limit.get_expiry()
    if broken is not None:
        left = broken.reset_at - int(clock.now().timestamp())
        seconds = max(1, min(seconds, left))
    minutes = -(-seconds // 60)
    text = _("There were too many tries. Wait %(minutes)s min, then try again.", minutes=minutes)
    return answer(429, text, code="too_many", headers={"Retry-After": str(seconds)})


def on_http(error: HTTPException) -> ResponseReturnValue:
    """Any error with a status code of its own."""
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response(request.environ)
    headers = {name: value for name, value in error.get_headers() if name in _KEPT_HEADERS}
    # Werkzeug's own descriptions are English for programmers; only ours are shown.
    said = error.description if error.description != type(error).description else None
    if error.code not in (400, 401):
        return answer(error.code, headers=headers)
    return answer(error.code, said, headers=headers, typed=access.typed())


def on_failure(error: Exception) -> Response:
    """A fault of ours: it is logged whole, and the reader learns only that it happened."""
    log.error("request.failed", exc_info=error)
    db.session.rollback()
    try:
        return answer(500)
    except Exception:
        # What broke may be what the page needs to greet its reader: the database.
        log.exception("error_page.failed")
    access.greet_nobody()
    try:
        return answer(500)
    except Exception:
        log.exception("error_page.failed_again")
        title, text = WORDS[500]
        return Response(f"{title}. {text}\n", 500, mimetype="text/plain")


def answer(
    status: int,
    text: str | None = None,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    typed: Sequence[tuple[str, str]] = (),
) -> Response:
    """The answer for ``status``, in the kind that the request asks for."""
    title, usual = WORDS.get(status, WORDS[400 if status < 500 else 500])
    said = text or str(usual)
    if wants.json(request):
        body = {"error": {"status": status, "code": code or str(status), "message": said}}
        response = make_response(body, status)
    else:
        page = "errors/fragment.html" if wants.fragment(request) else "errors/page.html"
        back = access.way_back(request) if status == 401 else None
        shown = render_template(
            page, status=status, title=str(title), text=said, typed=typed, way_back=back
        )
        response = make_response(shown, status)
    response.headers.update(headers or {})
    return response


def attach(form: Form, refused: Refused) -> int:
    """Put a refusal beside the field it is about (or above the form); its status code.

    Catch ``Refused`` around a verb, ``attach`` it, and show the form again: so what was typed
    is kept.
    """
    said = sentence(refused.refusal)
    field = getattr(form, "_fields", {}).get(refused.refusal.field or "")
    if field is None:
        form.form_errors = [*form.form_errors, said]
    else:
        field.errors = [*field.errors, said]
    return STATUS[refused.refusal.kind]
