"""What kind of answer a request asks for."""

from flask import Request


def fragment(asked: Request) -> bool:
    """Whether htmx asks, to put the answer inside the page it stands on."""
    return asked.headers.get("HX-Request") == "true" and "HX-Boosted" not in asked.headers


def json(asked: Request) -> bool:
    """Whether a program asks, that would rather read JSON than a page."""
    if asked.is_json:
        return True
    accepted = asked.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]
