"""What the tests of accounts do with one, and what they look at."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from skileez import db, events
from skileez.accounts import actions
from skileez.accounts.models import Person
from skileez.accounts.passwords import Hashed
from skileez.errors import Refused

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PASSWORD = "correct horse"


def sign_up(email: str = "ada@example.org", **given: Any) -> Person:
    with db.transaction():
        return actions.sign_up(
            **{
                "email": email,
                "display_name": "Ada",
                "hashed": actions.hash_new_password(PASSWORD, email),
                "zone": "Europe/Berlin",
                "now": NOW,
                **given,
            }
        )


def sign_in(email: str = "ada@example.org", password: str = PASSWORD, now: datetime = NOW) -> str:
    checked = actions.check_password(email, password)
    with db.transaction():
        return actions.sign_in(checked, now=now, lasts=30 * DAY, agent="a browser")[1]


def administrator(email: str = "admin@example.org") -> Person:
    person = sign_up(email)
    with db.transaction():
        person.is_admin = True
    return person


def refused(code: str) -> Any:
    return pytest.raises(Refused, check=lambda error: error.code == code)


def verbs(person: Person) -> list[str]:
    told = select(events.Event.verb).where(events.Event.stream == f"person:{person.id}")
    return list(db.session.scalars(told.order_by(events.Event.position)))


def new_hash(password: str = "another horse") -> Hashed:
    return actions.hash_new_password(password, "ada@example.org")
