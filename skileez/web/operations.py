"""The administrator's pages about what happens by itself: the worker, and its messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel.speaklater import LazyString
from werkzeug.exceptions import NotFound

from skileez import __version__, clock, logs, outbox
from skileez.db import transaction
from skileez.heartbeat import Worker
from skileez.insights import operation
from skileez.insights.rules import Going
from skileez.notifications import rules, samples, sending
from skileez.notifications.letters import Letter
from skileez.sessions import policy
from skileez.web.access import ADMIN, access
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l

operations = Blueprint("operations", __name__, url_prefix="/admin")

log = logs.logger(__name__)

PREVIEW_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox"
)
"""A mail brings its styles with it, and nothing else: no script, no form, no other host."""

DID: Final[Mapping[str, LazyString]] = {
    "events": _l("events acted upon"),
    "sent": _l("messages sent"),
    "retried": _l("to be tried again"),
    "dropped": _l("no longer true"),
    "parked": _l("parked"),
    "approved": _l("moved by silence"),
    "to_be_scheduled": _l("left without a time"),
    "lapsed": _l("requests lapsed"),
    "missed": _l("marked missed"),
    "errors": _l("jobs failed"),
}
"""What a worker counts, in words, in the order of the page."""

VARIANTS: Final[Mapping[str, LazyString]] = {
    "student": _l("To the student"),
    "coach": _l("To the coach"),
    samples.ITSELF: _l("By itself"),
}


# The worker


@operations.get("/worker")
@access(ADMIN)
def worker() -> ResponseReturnValue:
    """Whether what should happen by itself does, and what failed too often."""
    now = clock.now()
    found = operation.look(now, policy.in_force(), speed=clock.speed())
    return render_template(
        "operations/worker.html",
        now=now,
        found=found,
        going=found.going,
        Going=Going,
        version=__version__,
        others=sorted({w.version for w in found.workers if w.alive and w.version != __version__}),
        did=_did,
        failing=sending.failing(now),
        events=outbox.parked() if found.parked["events"] else (),
        messages=sending.parked() if found.parked["messages"] else (),
    )


def _did(one: Worker) -> str:
    done = {word: one.figures.get(figure) for figure, word in DID.items()}
    return ", ".join(f"{word}: {count}" for word, count in done.items() if count)


@operations.post("/worker/messages", defaults={"delivery_id": None})
@operations.post("/worker/messages/<int:delivery_id>")
@access(ADMIN)
def send_again(delivery_id: int | None) -> ResponseReturnValue:
    """Let parked messages, all or this one, be sent once more."""
    with transaction():
        count = sending.send_again(clock.now(), delivery_id)
    log.info("operations.send_again", delivery=delivery_id, count=count)
    return _back(count)


@operations.post("/worker/events", defaults={"event_id": None})
@operations.post("/worker/events/<int:event_id>")
@access(ADMIN)
def try_again(event_id: int | None) -> ResponseReturnValue:
    """Let parked events, all or this one, be acted upon once more."""
    with transaction():
        count = outbox.try_again(clock.now(), event_id)
    log.info("operations.try_again", event_id=event_id, count=count)
    return _back(count)


def _back(count: int) -> ResponseReturnValue:
    if count:
        flash(_("Taken up again: %(count)s. The worker does it next.", count=count), "ok")
    else:
        flash(_("There is nothing left to take up: it was done or taken up already."), "info")
    return redirect(url_for(".worker"), 303)


# The messages


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message on the list: its name, to whom, its subject; or why it cannot be."""

    name: str
    variants: tuple[str, ...]
    subject: str = ""
    error: str = ""


@operations.get("/messages")
@access(ADMIN)
def messages() -> ResponseReturnValue:
    """Every kind of message there is, with its subject."""
    groups: dict[str, list[Kind]] = {}
    for kind in rules.KINDS:
        groups.setdefault(_group(kind), []).append(_kind(kind))
    return render_template("operations/messages.html", groups=groups, variants=VARIANTS)


@operations.get("/messages/<kind>")
@access(ADMIN)
def message(kind: str) -> ResponseReturnValue:
    """One kind of message, with made-up people and times."""
    variant = _variant(kind)
    letter, error = _sample(kind, variant)
    return render_template(
        "operations/message.html",
        kind=kind,
        variant=variant,
        variants=[
            {
                "text": VARIANTS[one],
                "href": url_for(".message", kind=kind, to=one),
                "current": one == variant,
            }
            for one in samples.variants(kind)
        ],
        letter=letter,
        error=error,
    )


@operations.get("/messages/<kind>/page")
@access(ADMIN)
def message_page(kind: str) -> ResponseReturnValue:
    """Its HTML as a mail program shows it, for the frame of its preview."""
    letter, _error = _sample(kind, _variant(kind))
    if letter is None:
        raise NotFound
    # A link of a made-up session leads nowhere, and must not lead anywhere from here.
    page = Response(letter.html.replace("<a href=", "<a data-leads-to="))
    page.headers["Content-Security-Policy"] = PREVIEW_POLICY
    page.headers["X-Frame-Options"] = "SAMEORIGIN"
    return page


def _kind(kind: str) -> Kind:
    variants = samples.variants(kind)
    letter, error = _sample(kind, variants[0])
    return Kind(kind, variants, letter.subject if letter else "", error)


def _variant(kind: str) -> str:
    """Which variant is asked for. Raises NotFound for a kind or a variant that is not there."""
    if kind not in rules.KINDS:
        raise NotFound
    there = samples.variants(kind)
    asked = request.args.get("to", there[0])
    if asked not in there:
        raise NotFound
    return asked


def _sample(kind: str, variant: str) -> tuple[Letter | None, str]:
    """The sample; or what its template failed with, which is what the worker would meet."""
    try:
        return samples.letter(kind, variant, clock.now(), policy.in_force()), ""
    except Exception as error:
        log.exception("operations.sample_failed", kind=kind)
        return None, f"{type(error).__name__}: {error}"


def _group(kind: str) -> str:
    if kind in rules.DIGESTS:
        return _("Digests")
    if kind in (rules.REMINDER, rules.OVERDUE, rules.NOTHING_BOOKED):
        return _("Reminders and nudges")
    if kind.startswith("proposal."):
        return _("Proposals")
    if kind.startswith("contract."):
        return _("Contracts")
    if "reschedule" in kind or kind == "session.to_be_scheduled":
        return _("Moving a session")
    return _("Sessions")
