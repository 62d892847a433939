"""Static files under an address that changes with them, so that browsers may keep them."""

import hashlib
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app, request, send_file, send_from_directory
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from skileez.web.access import PUBLIC, access

FOLDER: Final = Path(__file__).parent / "static"
YEAR_SECONDS: Final = 365 * 24 * 3600
SILENT: Final = Markup(' aria-hidden="true"')
SHEETS: Final = (
    *("tokens", "base", "layout", "shell", "auth", "nav", "icon", "button", "chip", "card"),
    *("head", "tabs", "empty", "notice", "stat", "avatar", "table", "field", "choice", "slots"),
    *("session-row", "when", "timeline", "progress", "parts"),
    *("session-page", "series", "hours", "week", "absence", "letter", "news"),
    *("calendar", "agenda", "dialog", "print"),
)
"""One file a component, in the order of the cascade; a page loads them as one, ``ALL_SHEETS``."""
ALL_SHEETS: Final = "css/all.css"

assets = Blueprint("assets", __name__)


def init_app(app: Flask) -> None:
    """Serve the files; give the templates ``static_url(name)``, the icons' drawing, and a
    quicker ``url_for``.
    """
    build = _build()
    app.config["SKILEEZ_BUILD"] = build
    app.register_blueprint(assets)

    # A page asks for some eighty files (most are icons), and url_for is slow.
    def static_url(name: str) -> str:
        return f"{request.script_root}/static/{build}/{name}"

    @lru_cache(maxsize=1024)
    def drawn(root: str, name: str, label: str | None) -> Markup:
        said = Markup(' role="img" aria-label="{}"').format(label) if label else SILENT
        use = Markup('<use href="{}/static/{}/icons.svg#{}"/>').format(root, build, name)
        return Markup('<svg class="icon"{} focusable="false">{}</svg>').format(said, use)

    def icon(name: str, label: str | None = None) -> Markup:
        return drawn(request.script_root, name, label)

    # Half the addresses of a page stand in its frame, and are the same on every page.
    @lru_cache(maxsize=1024)
    def fixed(root: str, endpoint: str) -> str:
        return app.url_for(endpoint)

    def url_for(endpoint: str, **values: Any) -> str:
        if values or endpoint.startswith("."):
            return app.url_for(endpoint, **values)
        return fixed(request.script_root, endpoint)

    app.add_template_global(url_for)
    app.add_template_global(static_url)
    app.add_template_global(icon, "icon_from_sprite")


@assets.get("/static/<build>/<path:name>")
@access(PUBLIC)
def show(build: str, name: str) -> ResponseReturnValue:
    """One file. The build is part of the path, so that relative addresses in CSS keep it."""
    known = build == current_app.config["SKILEEZ_BUILD"]
    age = YEAR_SECONDS if known else 0
    response: Response = (
        send_file(BytesIO(all_sheets()), mimetype="text/css", max_age=age, etag=build)
        if name == ALL_SHEETS
        else send_from_directory(FOLDER, name, max_age=age)
    )
    response.cache_control.public = True
    response.cache_control.immutable = known
    return response


@cache
def all_sheets() -> bytes:
    """Every stylesheet, one after another: one request in place of thirty."""
    return b"\n".join((FOLDER / "css" / f"{name}.css").read_bytes() for name in SHEETS)


def _build() -> str:
    """A hash over every static file: one changed file changes all addresses."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
