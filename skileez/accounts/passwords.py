"""Hashing passwords (argon2id), a bounded number at once, and in constant company.

One hash takes about 0.15 s and 64 MB; without a bound a burst of sign-ins would take the
machine's memory. Hash outside of a transaction: on SQLite everybody else would wait for it.
"""

import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final, NewType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from skileez.errors import N_, Kind, Refusal, Refused

Hashed = NewType("Hashed", str)
"""A password's hash: only this module makes one, so that no plain password gets stored."""

LONGEST_WAIT_SECONDS: Final = 10
TOO_MANY: Final = Refusal(
    "too_many_at_once",
    N_("Many people are signing in at this moment. Wait a few seconds and try again."),
    kind=Kind.CONFLICT,
)


class Passwords:
    """A hasher with its parameters: ``memory_kib`` and ``time_cost`` for each hash."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65536, at_once: int = 2) -> None:
        self._argon = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._turns = BoundedSemaphore(at_once)
        salt, digest = (b64encode(b"0" * n).rstrip(b"=").decode() for n in (16, 32))
        # Nobody's: it costs as much to check as a real one and never fits.
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={time_cost},p=1${salt}${digest}"

    def hash(self, password: str) -> Hashed:
        """A new hash of ``password``. Raises Refused ``too_many_at_once``."""
        with self._turn():
            return Hashed(self._argon.hash(_normal(password)))

    def fits(self, hashed: str | None, password: str) -> bool:
        """Whether ``password`` belongs to ``hashed``; None takes as long and is never right.

        Raises Refused ``too_many_at_once``.
        """
        with self._turn():
            try:
                self._argon.verify(hashed or self._nobodys, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
            return hashed is not None

    def is_stale(self, hashed: str) -> bool:
        """Whether ``hashed`` was made with other parameters than today's."""
        return self._argon.check_needs_rehash(hashed)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise Refused(TOO_MANY)
        try:
            yield
        finally:
            self._turns.release()


def _normal(password: str) -> bytes:
    # The same letters typed on two keyboards may come as different characters.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


_current = Passwords()


def configure(*, time_cost: int, memory_kib: int, at_once: int) -> None:
    """Use these parameters from now on (the application says so once, at its start)."""
    global _current
    _current = Passwords(time_cost=time_cost, memory_kib=memory_kib, at_once=at_once)


def current() -> Passwords:
    """The hasher in use."""
    return _current
