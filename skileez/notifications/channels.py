"""The ways a message reaches a person; ``add`` adds one more."""

from collections.abc import Iterator
from typing import Final, Protocol

from skileez.accounts.models import Person
from skileez.notifications.letters import Letter
from skileez.notifications.models import Wishes
from skileez.notifications.rules import DIGESTS

APP: Final = "app"
MAIL: Final = "mail"


class Failed(Exception):
    """A message did not go out. ``for_good``: trying again would not help."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


class Channel(Protocol):
    """A way to reach a person."""

    @property
    def name(self) -> str:
        """At most 20 characters, kept with every delivery: never change it."""

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        """Whether somebody with these wishes hears of this kind of message on this channel."""

    def send(self, letter: Letter, to: Person) -> None:
        """Send it; raises ``Failed`` (or any other exception, which is tried again).

        May be called twice with the same ``letter.id`` when a crash came in between: hand the
        id on, so that the other side can tell.
        """


class InApp:
    """The centre in the pages: the delivery itself is the message."""

    name = APP

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        """Everything but digests, which say nothing that the pages do not."""
        return kind not in DIGESTS

    def send(self, letter: Letter, to: Person) -> None:
        """Nothing to do: marking it sent shows it."""


_channels: dict[str, Channel] = {}


def add(channel: Channel) -> None:
    """Use ``channel`` from now on; one of the same name is replaced."""
    _channels[channel.name] = channel


def forget() -> None:
    """Leave only the centre."""
    _channels.clear()
    add(InApp())


def wanted(kind: str, wishes: Wishes) -> Iterator[str]:
    """The channels on which somebody with these wishes hears of this kind."""
    return (name for name, one in _channels.items() if one.wanted(kind, wishes))


def find(name: str) -> Channel:
    """The channel of this name. Raises ``Failed`` where no package brings it any more."""
    channel = _channels.get(name)
    if channel is None:
        raise Failed(f"there is no channel {name} here")
    return channel


forget()
