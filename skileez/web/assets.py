"""Static files under an address that changes with them, so that browsers may keep them."""

import hashlib
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, Response, current_app, request, send_from_directory
from flask.typing import ResponseReturnValue

from skileez.web.access import PUBLIC, access

FOLDER: Final = Path(__file__).parent / "static"
YEAR_SECONDS: Final = 365 * 24 * 3600

assets = Blueprint("assets", __name__)


def init_app(app: Flask) -> None:
    """Serve the files and give the templates ``static_url(name)``."""
    build = _build()
    app.config["SKILEEZ_BUILD"] = build
    app.register_blueprint(assets)
    # A page asks for some eighty files (most are icons), and url_for is slow.
    app.add_template_global(
        lambda name: f"{request.script_root}/static/{build}/{name}", "static_url"
    )


@assets.get("/static/<build>/<path:name>")
@access(PUBLIC)
def show(build: str, name: str) -> ResponseReturnValue:
    """One file. The build is part of the path, so that relative addresses in CSS keep it."""
    known = build == current_app.config["SKILEEZ_BUILD"]
    response: Response = send_from_directory(FOLDER, name, max_age=YEAR_SECONDS if known else 0)
    response.cache_control.public = True
    response.cache_control.immutable = known
    return response


def _build() -> str:
    """A hash over every static file: one changed file changes all addresses."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
