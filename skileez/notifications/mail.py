"""Messages by e-mail: over SMTP, or into the demo's mailbox on this machine.

A message keeps one Message-ID however often it is sent, so that a mailbox shows a repeat once;
the messages about one session refer to the same first one, so that they stand in one thread.
"""

import mailbox
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from skileez.accounts.models import Person
from skileez.accounts.rules import may_use_email
from skileez.config import Settings
from skileez.notifications.channels import MAIL, Failed
from skileez.notifications.letters import Letter
from skileez.notifications.models import Wishes
from skileez.notifications.rules import DAILY, WEEKLY

PATIENCE_SECONDS: Final = 15
"""For each answer of the mail server but the one to the message itself."""
TAKING_SECONDS: Final = 60
"""For that one: servers look into a message before they answer, and one that we do not wait for
may have taken it, so that it would come twice."""
DEFAULT_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
DEMO_FROM: Final = "Skileez Sessions <sessions@demo.example>"


@dataclass(frozen=True, slots=True)
class Mail:
    """E-mail to the address of a person's account."""

    settings: Settings
    name: str = MAIL

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        """Whether they want mail, and this digest."""
        if kind in (DAILY, WEEKLY):
            return wishes.daily if kind == DAILY else wishes.weekly
        return wishes.mail

    def send(self, letter: Letter, to: Person) -> None:
        """Hand it to the mail server, or lay it into the demo's mailbox."""
        if may_use_email(to.email) is not None:
            raise Failed(f"{to.email!r} is no e-mail address", for_good=True)
        message = compose(letter, to, self.settings)
        if self.settings.smtp_url:
            deliver(self.settings.smtp_url, message)
        elif self.settings.skileez_demo:
            demo_mailbox(self.settings).add(message)
        else:
            raise Failed("SMTP_URL is not set")


def compose(letter: Letter, to: Person, settings: Settings) -> EmailMessage:
    """The message as it travels: text and HTML, threaded by what it is about."""
    sender = settings.mail_from or DEMO_FROM
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage()
    message["From"] = sender
    # Also the odd line breaks, which a name may have and a header may not.
    message["To"] = formataddr((" ".join(to.display_name.split()), to.email))
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{domain}>"
    if letter.thread:
        first = f"<{letter.thread}@{domain}>"
        message["In-Reply-To"] = message["References"] = first
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def deliver(url: str, message: EmailMessage) -> None:
    """Hand ``message`` to the mail server of ``url``. Raises ``Failed``."""
    try:
        with _connected(url) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise Failed(f"{code} {_text(said)}", for_good=500 <= code < 600) from error
    except smtplib.SMTPResponseException as error:
        raise Failed(f"{error.smtp_code} {_text(error.smtp_error)}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise Failed(f"the mail server did not take it: {error}") from error


class _Patient(smtplib.SMTP):
    def data(self, msg: Any) -> tuple[int, bytes]:
        assert self.sock is not None
        self.sock.settimeout(TAKING_SECONDS)
        return super().data(msg)


class _PatientTls(_Patient, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


@contextmanager
def _connected(url: str) -> Iterator[smtplib.SMTP]:
    server = urlsplit(url)
    host, port = server.hostname or "", server.port or DEFAULT_PORTS[server.scheme]
    connection = (
        _PatientTls(host, port, timeout=PATIENCE_SECONDS, context=ssl.create_default_context())
        if server.scheme == "smtps"
        else _Patient(host, port, timeout=PATIENCE_SECONDS)
    )
    try:
        if server.scheme == "smtp+starttls":
            connection.starttls(context=ssl.create_default_context())
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
        yield connection
        # However it says goodbye, the message is taken.
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
    finally:
        connection.close()


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said


def demo_mailbox(settings: Settings) -> mailbox.Maildir:
    """Where the demo keeps its mail: beside its database."""
    path = Path(settings.database_url.removeprefix("sqlite:///")).with_suffix(".mail")
    return mailbox.Maildir(path, create=True)
