"""The unread count told as it changes: server-sent events, for pages that stand open.

A stream holds a thread, of which a process has few: so only some are held, each for half a
minute. A page for which there is no room asks now and then.
"""

import json
import threading
from collections.abc import Iterator
from typing import Any, Final

from flask_babel import ngettext
from sqlalchemy.exc import SQLAlchemyError

from skileez import clock, db, logs
from skileez.accounts import actions
from skileez.config import Settings
from skileez.notifications import centre
from skileez.web import stopping
from skileez.web.language import gettext as _

HOLD_SECONDS: Final = 25
"""How long one stream is held; its browser then asks for the next. Proxies allow thirty."""
CHECK_SECONDS: Final = 1.5
AGAIN_MS: Final = 2_000
"""When the browser asks again after a stream that was held."""
LATER_MS: Final = 20_000
"""When it asks again where there was no room: so it polls."""
SIGN_OF_LIFE: Final = 4
"""A held stream says something at least every so many checks, so that one whose browser is gone
breaks and lets its thread go."""

_room = threading.BoundedSemaphore(0)
log = logs.logger(__name__)


def configure(settings: Settings) -> None:
    """How many streams this process holds at once: each holds one of its few threads."""
    global _room
    _room = threading.BoundedSemaphore(settings.streams_at_once)


def follow(token: str, known: int) -> Iterator[str]:
    """The events: ``known`` at once, then each change, until the sign-in of ``token`` ends."""
    # Nothing of ours may stay open on the database while we wait.
    db.session.remove()
    room = _room
    if not room.acquire(blocking=False):
        yield _event(known, LATER_MS)
        return
    try:
        yield _event(known, AGAIN_MS)
        for check in range(int(HOLD_SECONDS / CHECK_SECONDS)):
            if stopping.wait(CHECK_SECONDS) or (found := _unread_of(token)) is None:
                return
            if found != known:
                known = found
                yield _event(known, AGAIN_MS)
            elif check % SIGN_OF_LIFE == 0:
                yield ":\n\n"
    except SQLAlchemyError:
        # The browser asks again by itself.
        log.exception("stream.failed")
    finally:
        room.release()


def _unread_of(token: str) -> int | None:
    """How many there are now; None when its browser was signed out meanwhile."""
    try:
        person = actions.find_signed_in(token, now=clock.now())
        return None if person is None else centre.unread(person)
    finally:
        db.session.remove()


def _event(count: int, again_ms: int) -> str:
    return f"retry: {again_ms}\ndata: {json.dumps(told(count))}\n\n"


def told(count: int) -> dict[str, Any]:
    """What a page is told: the number, and what its bell says."""
    return {"unread": count, "words": _words(count)}


def _words(count: int) -> str:
    if not count:
        return _("Notifications")
    return str(ngettext("Notifications, %(num)s unread", "Notifications, %(num)s unread", count))
