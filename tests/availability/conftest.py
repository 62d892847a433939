"""The cast, on a database of the test's own."""

import pytest

from tests.cast import Cast, enter


@pytest.fixture
def cast(database: str) -> Cast:
    return enter(database)
