"""What the two servers serve: the product as ``create_app`` makes it, and its floor.

The product gets one thing added, the same that the floor does: a header with the number of
statements that a request took.
"""

from typing import Any

from flask import Flask, g
from sqlalchemy import event


def product() -> Flask:
    """The product, as production wires it."""
    from skileez import db
    from skileez.app import create_app

    app = create_app()

    @event.listens_for(db.session.get_bind(), "before_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if g and not statement.startswith("BEGIN"):
            g.queries = g.get("queries", 0) + 1

    @app.after_request
    def tell(response: Any) -> Any:
        response.headers["X-Queries"] = str(g.get("queries", 0))
        return response

    return app


def floor() -> Flask:
    """The floor."""
    from bench.floor import app

    return app
