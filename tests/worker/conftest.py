"""The cast on a database, and in place of mail a channel that keeps what it is given."""

from collections.abc import Iterator

import pytest

from skileez import worker
from skileez.notifications import channels, letters
from tests.cast import Cast
from tests.worker.stage import Post, begin


@pytest.fixture
def cast(database: str) -> Cast:
    return begin(database, _as_they_are)


def _as_they_are(cast: Cast) -> None:
    """Nothing happened yet."""


@pytest.fixture
def post() -> Iterator[Post]:
    letters.configure("https://sessions.example")
    post = Post()
    channels.forget()
    channels.add(post)
    yield post
    channels.forget()
    worker.stopping.clear()
