"""What the two servers serve: the product as ``skileez serve`` does, and its floor.

Both get the same two things added: headers with the number of statements that a request took, and
with the processor time that it took, which says more than the clock on a machine that is busy.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, g
from sqlalchemy import event


def product() -> Flask:
    """The product, as production serves it."""
    from skileez import db
    from skileez.app import serve

    app = serve()

    @event.listens_for(db.session.get_bind(), "before_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if g and not statement.startswith("BEGIN"):
            g.queries = g.get("queries", 0) + 1

    @app.after_request
    def tell(response: Any) -> Any:
        response.headers["X-Queries"] = str(g.get("queries", 0))
        return response

    return _timed(app)


def _timed(app: Flask) -> Flask:
    inner = app.wsgi_app

    def timed(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        began = time.thread_time()

        def tell(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            micros = int((time.thread_time() - began) * 1e6)
            return start(status, [*headers, ("X-Processor", str(micros))], *rest)

        return inner(environ, tell)

    app.wsgi_app = timed  # type: ignore[method-assign]
    return app


def floor() -> Flask:
    """The floor."""
    from bench.floor import app

    return _timed(app)
