"""The mail of a simulated half year: what arrived, and senders who die while they send."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from skileez.accounts.models import Person
from skileez.notifications import channels
from skileez.notifications.channels import Failed
from skileez.notifications.letters import Letter
from skileez.notifications.models import Wishes
from skileez.notifications.rules import DIGESTS

if TYPE_CHECKING:
    from tests.sim.world import World


class Killed(BaseException):
    """The worker's process ends here."""


@dataclass(frozen=True)
class Received:
    """A message that arrived."""

    letter: Letter
    to: int
    at: datetime


class Post:
    """The mail peer: loses nothing, refuses sometimes; a sender may die after handing over."""

    name = channels.MAIL

    def __init__(self, world: "World") -> None:
        self.world = world
        self.received: list[Received] = []
        self.deaths: Counter[str] = Counter()
        """How often a sender died between handing a message over and marking it."""
        self.handed: str | None = None

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        return wishes.mail and kind not in DIGESTS  # one a day each: half the work, and no news

    def send(self, letter: Letter, to: Person) -> None:
        dice = self.world.random.random()
        if dice < 0.03:
            raise Failed("come back later")
        self.received.append(Received(letter, to.id, self.world.now))
        self.handed = letter.id
        if dice < 0.06 and self.world.mishaps:
            raise Killed
