"""The cast, with a contract that has room for a series."""

import pytest

from tests.cast import Cast, enter


@pytest.fixture
def cast(database: str) -> Cast:
    return enter(database, 8)
