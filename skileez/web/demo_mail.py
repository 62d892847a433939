"""The demo's mailbox: what the demo would have sent, for everybody who looks. Nowhere else."""

import mailbox
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parsedate_to_datetime
from typing import Final

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from skileez.config import Settings
from skileez.errors import NotFound
from skileez.notifications.mail import demo_mailbox
from skileez.web.access import PUBLIC, access
from skileez.web.display import my_zone

demo_mail = Blueprint("demo_mail", __name__, url_prefix="/demo/mail")

SHOWN: Final = 100
"""Messages on the page, the newest."""
LOOKED_AT: Final = 1000

FRAME: Final = {
    # A mail's own styles, and nothing else of it: no script, no form, no picture from elsewhere.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-top-navigation-by-user-activation allow-popups",
    "X-Frame-Options": "SAMEORIGIN",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the list shows it."""

    key: str
    to: str
    subject: str
    at: datetime
    thread: str


def _box() -> mailbox.Maildir:
    settings: Settings = current_app.config["SKILEEZ"]
    if not settings.skileez_demo:
        raise NotFound
    return demo_mailbox(settings)


@demo_mail.get("")
@access(PUBLIC)
def index() -> ResponseReturnValue:
    """Every message, the newest first; of one recipient or one thread, if asked."""
    box = _box()
    to, thread = request.args.get("to", ""), request.args.get("thread", "")
    messages = _messages(box)
    wanted = [one for one in messages if to in ("", one.to) and thread in ("", one.thread)]
    return render_template(
        "demo/mail.html",
        messages=wanted[:SHOWN],
        more=len(wanted) - SHOWN,
        recipients=sorted({one.to for one in messages}),
        to=to,
        thread=thread,
        zone=my_zone(),
    )


@demo_mail.get("/<key>")
@access(PUBLIC)
def show(key: str) -> ResponseReturnValue:
    """One message: its head, its HTML in a frame, its text."""
    message = _read(_box(), key)
    text = message.get_body(("plain",))
    return render_template(
        "demo/message.html",
        message=_head(key, message),
        sender=str(message["From"]),
        headers=[(name, str(said)) for name, said in message.items()],
        text=text.get_content() if text else "",
        has_html=message.get_body(("html",)) is not None,
        zone=my_zone(),
    )


@demo_mail.get("/<key>/html")
@access(PUBLIC)
def html(key: str) -> ResponseReturnValue:
    """The message's HTML for the frame; its links open in the whole window."""
    body = _read(_box(), key).get_body(("html",))
    if body is None:
        raise NotFound
    said = str(body.get_content()).replace("<head>", '<head><base target="_top">', 1)
    return Response(said, headers=FRAME)


def _messages(box: mailbox.Maildir) -> list[Message]:
    # A key begins with the second in which it was laid down.
    keys = sorted(box.keys(), key=_laid_down, reverse=True)[:LOOKED_AT]
    parser = BytesHeaderParser(policy=policy.default)
    found = []
    for key in keys:
        with suppress(KeyError, OSError):
            found.append(_head(key, parser.parsebytes(box.get_bytes(key))))
    return sorted(found, key=lambda one: one.at, reverse=True)


def _laid_down(key: str) -> tuple[int, str]:
    second = key.partition(".")[0]
    return int(second) if second.isdecimal() else 0, key


def _head(key: str, message: EmailMessage) -> Message:
    said = message["Date"]  # of ours, which has one
    return Message(
        key=key,
        to=str(message["To"].addresses[0].addr_spec) if message["To"] else "",
        subject=str(message["Subject"] or ""),
        at=parsedate_to_datetime(str(said)).astimezone(UTC),
        thread=str(message["In-Reply-To"] or "").strip("<>").partition("@")[0],
    )


def _read(box: mailbox.Maildir, key: str) -> EmailMessage:
    try:
        return BytesParser(policy=policy.default).parsebytes(box.get_bytes(key))
    except (KeyError, OSError):
        raise NotFound from None
