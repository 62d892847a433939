"""The centre: what one was told in the pages, its count in the head of each, and how one wants to
be told.

Reading is a press: opening the page marks nothing, since looking never writes.
"""

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.exc import SQLAlchemyError

from skileez import clock, db, logs, zones
from skileez.accounts import actions
from skileez.db import transaction
from skileez.errors import Refused
from skileez.notifications import centre, unsubscribing, wishes
from skileez.notifications.centre import Line
from skileez.notifications.rules import DAILY
from skileez.sessions.queries import Cursor
from skileez.web import life_line
from skileez.web.access import LINK, PARTICIPANT, SIGNED_IN, access, me, my_token
from skileez.web.display import in_zone, my_zone
from skileez.web.errors import attach
from skileez.web.language import gettext as _
from skileez.web.wishes_form import WishesForm

notifications = Blueprint("notifications", __name__)

HOLD_SECONDS: Final = 25
"""How long one stream is held; its browser then asks for the next. Proxies allow thirty."""
CHECK_SECONDS: Final = 1.5
AT_ONCE: Final = 3
"""Streams held at once by a process: each holds one of its few threads."""
AGAIN_MS: Final = 2_000
"""When the browser asks again after a stream that was held."""
LATER_MS: Final = 20_000
"""When it asks again where there was no room: so it polls."""
SIGN_OF_LIFE: Final = 4
"""A held stream says something at least every so many checks, so that one whose browser is gone
breaks and lets its thread go."""

_room = threading.BoundedSemaphore(AT_ONCE)
log = logs.logger(__name__)


@notifications.get("/notifications")
@access(SIGNED_IN)
def index() -> ResponseReturnValue:
    """What one was told, the newest first, by day."""
    only_unread = request.args.get("show") == "unread"
    said = request.args.get("before")
    page = centre.page(me(), Cursor.parse(said), only_unread=only_unread)
    now = clock.now()
    return render_template(
        "notifications/index.html",
        days=_by_day(page.lines, now),
        only_unread=only_unread,
        before=said,
        following=page.next,
        until=now.isoformat(),
        unread=centre.unread(me()),
    )


@notifications.post("/notifications/<int:delivery_id>/read")
@access(PARTICIPANT)
def read(delivery_id: int) -> ResponseReturnValue:
    """Mark one read, and go where it leads."""
    with transaction():
        path = centre.read(me().id, delivery_id, clock.now())
    return redirect(path, 303)


@notifications.post("/notifications/read")
@access(SIGNED_IN)
def read_all() -> ResponseReturnValue:
    """Mark everything read that the page could show; what came since stays unread."""
    now = clock.now()
    with transaction():
        count = centre.read_all(me().id, _instant(request.form.get("until", ""), now), now)
    flash(
        ngettext("%(num)s is marked read.", "%(num)s are marked read.", count)
        if count
        else _("There was nothing unread."),
        "ok",
    )
    return redirect(url_for(".index"), 303)


def _instant(said: str, otherwise: datetime) -> datetime:
    try:
        told = datetime.fromisoformat(said)
    except ValueError:
        return otherwise
    return min(told, otherwise) if told.tzinfo else otherwise


@notifications.get("/notifications/unread")
@access(SIGNED_IN)
def unread() -> ResponseReturnValue:
    """How many are unread, for a page that asks now and then."""
    return _count(centre.unread(me()))


@notifications.get("/notifications/stream")
@access(SIGNED_IN)
def stream() -> ResponseReturnValue:
    """The same, told whenever it changes (server-sent events), for half a minute."""
    told = _follow(my_token(), centre.unread(me()))
    return Response(
        stream_with_context(told),
        mimetype="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


def _follow(token: str, known: int) -> Iterator[str]:
    # Nothing of ours may stay open on the database while we wait.
    db.session.remove()
    room = _room
    if not room.acquire(blocking=False):
        yield _event(known, LATER_MS)
        return
    try:
        yield _event(known, AGAIN_MS)
        for check in range(int(HOLD_SECONDS / CHECK_SECONDS)):
            _pause(CHECK_SECONDS)
            found = _unread_of(token)
            if found is None:
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


def _pause(seconds: float) -> None:
    time.sleep(seconds)


def _unread_of(token: str) -> int | None:
    """How many there are now; None when its browser was signed out meanwhile."""
    try:
        person = actions.find_signed_in(token, now=clock.now())
        return None if person is None else centre.unread(person)
    finally:
        db.session.remove()


def _event(count: int, again_ms: int) -> str:
    return f"retry: {again_ms}\ndata: {json.dumps(_count(count))}\n\n"


def _count(count: int) -> dict[str, Any]:
    return {"unread": count, "words": words(count)}


def words(count: int) -> str:
    """What the bell says."""
    if not count:
        return _("Notifications")
    return str(ngettext("Notifications, %(num)s unread", "Notifications, %(num)s unread", count))


def _by_day(lines: list[Line], now: datetime) -> list[tuple[str, list[dict[str, Any]]]]:
    zone = my_zone()
    today = zones.local(now, zone).date()

    def name(line: Line) -> str:
        ago = (today - zones.local(line.told_at, zone).date()).days
        if ago in (0, 1):
            return _("Yesterday") if ago else _("Today")
        return in_zone(line.told_at, zone, now)["day"]

    return [(day, [_row(line, now) for line in those]) for day, those in groupby(lines, name)]


def _row(line: Line, now: datetime) -> dict[str, Any]:
    zone = my_zone()
    icon, tone = life_line.look(line.kind)

    def short(instant: datetime | None) -> str | None:
        if instant is None:
            return None
        there = in_zone(instant, zone, now)
        return f"{there['day']}, {there['time']}"

    return {
        "line": line,
        "icon": icon,
        "tone": tone,
        "told": in_zone(line.told_at, zone, now),
        "old": short(line.old),
        "new": short(line.new),
        "proposed": [short(one) for one in line.proposed],
    }


# --- how one wants to be told ---------------------------------------------------------------


@notifications.route("/profile/notifications", methods=["GET", "POST"])
@access(SIGNED_IN)
def choose() -> ResponseReturnValue:
    """Choose by mail or not, the reminders, the quiet hours, a coach's digests."""
    reader = me()
    chosen, digests = wishes.of(reader.id), wishes.gets_digests(reader)
    form = WishesForm.of(chosen)
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                with transaction():
                    wishes.choose(reader.id, form.choice(chosen, digests=digests), clock.now())
                flash(_("Saved. You are told like this from now on."), "ok")
                return redirect(url_for(".choose"), 303)
            except Refused as refused:
                status = attach(form, refused)
    return render_template(
        "notifications/wishes.html", form=form, digests=digests, now=clock.now()
    ), status


@notifications.route("/unsubscribe/<token>", methods=["GET", "POST"])
@access(LINK)
def unsubscribe(token: str) -> ResponseReturnValue:
    """End one digest by the link in it: looking asks, a press does it.

    A mail program presses by itself (RFC 8058), without our form.
    """
    person_id, kind = unsubscribing.read(token)
    person = actions.find_person(person_id)
    done = request.method == "POST"
    if done:
        with transaction():
            wishes.unsubscribe(person_id, kind, clock.now())
    page = render_template(
        "notifications/unsubscribe.html",
        done=done,
        daily=kind == DAILY,
        email=person.email,
        token=token,
    )
    return page, 200, {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
