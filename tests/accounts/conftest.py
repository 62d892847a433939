"""A database for accounts, with cheap passwords."""

from collections.abc import Iterator

import pytest

from skileez import db
from skileez.accounts import passwords
from tests import engines


@pytest.fixture
def bound(database: str) -> Iterator[None]:
    passwords.configure(time_cost=1, memory_kib=8, at_once=2)
    engines.bind(database)
    yield
    db.session.remove()
