"""The cast, on a database of the test's own, and a session of theirs."""

import pytest

from skileez.sessions.models import Session
from tests.cast import Cast, enter


@pytest.fixture
def cast(database: str) -> Cast:
    return enter(database)


@pytest.fixture
def session(cast: Cast) -> Session:
    """Booked by the student, 60 hours ahead."""
    return cast.book()
