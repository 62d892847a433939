"""What this process sends with: set once at the start, from the settings."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from skileez.config import Settings
from skileez.notifications import channels, letters, links, unsubscribing
from skileez.notifications.mail import Mail

GROUP: Final = "skileez.channels"
"""The entry points by which another package adds a channel: each is called with the settings
and returns a ``Channel``."""


def configure(settings: Settings) -> None:
    """The channels of this process, and where the links in its messages lead."""
    letters.configure(settings.public_url)
    links.configure(settings.secret_key)
    unsubscribing.configure(settings.secret_key)
    channels.forget()
    channels.add(Mail(settings))
    for point in _installed():
        channels.add(point.load()(settings))


@cache
def _installed() -> tuple[EntryPoint, ...]:
    """Asked once: every installed package is looked at."""
    return tuple(entry_points(group=GROUP))
