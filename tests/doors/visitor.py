"""Somebody with a browser: reads pages, fills in forms, is signed in or not."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from skileez import clock, db
from skileez.accounts import actions, passwords
from skileez.accounts.actions import Checked
from skileez.accounts.models import Person
from skileez.web.access import TOKEN

PASSWORD = "correct horse"
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def add_person(email: str = "ada@example.org", **columns: Any) -> Person:
    """A person with an account, made without a door."""
    with db.transaction():
        person = actions.sign_up(
            email=email,
            display_name=columns.pop("display_name", "Ada Lovelace"),
            hashed=passwords.current().hash(PASSWORD),
            zone=columns.pop("zone", "Europe/Berlin"),
            now=clock.now(),
        )
        for name, value in columns.items():
            setattr(person, name, value)
    db.session.remove()
    return person


class Visitor:
    """One browser."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **given: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, buffered=True, **given)

    def post(self, path: str, on: str = "/sign-in", **fields: Any) -> TestResponse:
        """Send a form, with the token that the page ``on`` has."""
        headers = fields.pop("headers", None)
        return self.client.post(
            path, data={"csrf_token": self.token(on), **fields}, headers=headers
        )

    def token(self, on: str) -> str:
        """The CSRF token on a page."""
        return token_of(self.client.get(on, follow_redirects=True))

    def sign_in(self, email: str = "ada@example.org", password: str = PASSWORD) -> TestResponse:
        """Sign in through the page."""
        return self.post("/sign-in", email=email, password=password)

    def come_in(self, email: str) -> None:
        """Be signed in, as if through the page."""
        db.session.remove()
        with db.transaction():
            person = actions.find_by_email(email)
            assert person, email
            checked = Checked(person.id, person.password_hash)
            _row, token = actions.sign_in(checked, now=clock.now(), lasts=timedelta(days=30))
        db.session.remove()
        with self.client.session_transaction() as session:
            session.permanent = True
            session[TOKEN] = token

    def is_signed_in(self) -> bool:
        """Whether the profile opens."""
        return self.get("/profile").status_code == 200


def token_of(page: TestResponse) -> str:
    """The CSRF token on a page."""
    found = _TOKEN.search(page.text)
    assert found, f"no form on {page.request.path}: {page.status}"
    return found[1]


def text_of(page: TestResponse) -> str:
    """A page's words, without its marks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def bell(visitor: Visitor, path: str = "/profile") -> str:
    """What the bell of a page says."""
    page = visitor.get(path).text
    return page.partition('data-bell="')[2].partition('"')[0]
