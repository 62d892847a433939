"""Answering a request for a reset link, behind the request's back.

Everything that depends on whether the account exists happens after the answer, in a thread of
its own, so that neither words nor time tell. If the process dies, the person asks again.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from email.message import EmailMessage
from typing import Final

import click
from flask import Flask

from skileez import clock, db, logs
from skileez.accounts import actions, rules
from skileez.accounts.models import Person
from skileez.config import Settings
from skileez.notifications import mail
from skileez.web.display import length
from skileez.web.language import gettext as _

log = logs.logger(__name__)
_thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reset-mail")


def can_deliver(settings: Settings) -> bool:
    """Whether a link reaches the person without an administrator's help."""
    return bool(settings.smtp_url) or settings.skileez_demo


def answer_later(
    app: Flask, settings: Settings, email: str, link: Callable[[str], str]
) -> Future[None]:
    """Make and deliver a link for ``email``, if it has an account; ``link`` is given the token."""

    def work() -> None:
        try:
            with app.app_context():
                _answer(settings, email, link)
        except Exception:
            log.exception("reset_mail.failed")
        finally:
            db.session.remove()

    return _thread.submit(copy_context().run, work)


def _answer(settings: Settings, email: str, link: Callable[[str], str]) -> None:
    with db.transaction():
        made = actions.request_reset(email, now=clock.now())
    if made is None:
        return
    person, token = made
    if settings.smtp_url:
        mail.deliver(settings.smtp_url, _message(settings, person, link(token)))
        log.info("reset_mail.sent", person=person.id)
    else:
        click.echo(f"\n  Password reset for {person.email}: {link(token)}\n")


def _message(settings: Settings, person: Person, link: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = person.email
    message["Subject"] = _("Set a new password")
    message.set_content(
        _(
            "Hello %(name)s,\n\n"
            "somebody, most likely you, asked for a new password for your account. "
            "Set it here within %(lasts)s; the link works once:\n\n%(link)s\n\n"
            "If it was not you, there is nothing to do: your password stays as it is.\n",
            name=person.display_name,
            lasts=length(rules.RESET_LASTS),
            link=link,
        )
    )
    return message
