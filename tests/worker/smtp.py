"""A real mail server on the loopback, for tests and for ``bench.kill``."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller


class Peer:
    """Takes every message, unless it is told to do otherwise."""

    def __init__(self) -> None:
        self.port = free_port()
        self.life = 0
        """Of the worker that sends; counted by whoever kills it."""
        self.came: list[tuple[str, int]] = []
        """The id of each message that came, and in which life."""
        self.refuses: dict[str, str] = {}
        """What it answers to a recipient's address."""
        self.hesitates = 0.0
        """For so many seconds before it has taken a message."""
        self.farewell = "221 bye"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if refusal := self.refuses.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content)
        self.came.append((str(message["Message-ID"]).strip("<>").partition("@")[0], self.life))
        await asyncio.sleep(self.hesitates)
        return "250 taken"

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        return self.farewell

    @property
    def ids(self) -> list[str]:
        """The id of each message that came."""
        return [name for name, _life in self.came]

    @contextmanager
    def listening(self) -> Iterator[int]:
        """Its port, where it takes messages meanwhile."""
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield self.port
        finally:
            controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
