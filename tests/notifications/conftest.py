"""The cast on a database, and a mail channel that keeps what it is given."""

from collections.abc import Iterator

import pytest

from skileez.accounts.models import Person
from skileez.notifications import channels, letters
from skileez.notifications.letters import Letter
from skileez.notifications.models import Wishes
from skileez.notifications.rules import DIGESTS
from tests.cast import Cast, enter


class Post:
    """In place of mail: keeps what was sent, and fails when it is told to."""

    name = channels.MAIL

    def __init__(self) -> None:
        self.sent: list[tuple[str, Letter]] = []
        self.fails: Exception | None = None
        self.digests = False

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        return wishes.mail and (kind not in DIGESTS or self.digests)

    def send(self, letter: Letter, to: Person) -> None:
        if self.fails:
            raise self.fails
        self.sent.append((to.display_name, letter))

    @property
    def subjects(self) -> list[tuple[str, str]]:
        return [(name, letter.subject) for name, letter in self.sent]


@pytest.fixture
def cast(database: str) -> Cast:
    return enter(database)


@pytest.fixture
def post(cast: Cast) -> Iterator[Post]:
    letters.configure("https://sessions.example")
    post = Post()
    channels.forget()
    channels.add(post)
    yield post
    channels.forget()
