"""The link of a digest that ends it: for one person, without signing in, as long as there are
digests. It tells whose and which, and is signed; it does one harmless thing, so it never expires.
"""

import hmac
from typing import Final

from skileez.errors import NotFound
from skileez.notifications.rules import DIGESTS

PATH: Final = "/unsubscribe/{}"
"""Where the web shows it (a test holds the two together)."""

_key = b""


def configure(secret_key: str) -> None:
    """What links are signed with: a key of their own, from the application's."""
    global _key
    _key = hmac.digest(secret_key.encode(), b"skileez unsubscribe links 1", "sha256")


def path(person_id: int, kind: str) -> str:
    """Where a person ends their digests of this kind."""
    told = f"{person_id}.{kind.removeprefix('digest.')}"
    return PATH.format(f"{told}.{_signature(told)}")


def read(token: str) -> tuple[int, str]:
    """Whose digests it ends, and of which kind. Raises NotFound for a link that we did not make."""
    told, _dot, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(told).encode()):
        raise NotFound
    person_id, _dot, kind = told.partition(".")
    if f"digest.{kind}" not in DIGESTS:
        raise NotFound
    return int(person_id), f"digest.{kind}"


def _signature(told: str) -> str:
    return hmac.new(_key, told.encode(), "sha256").hexdigest()[:40]
