"""The centre: what one was told in the pages, its count in the head of each, and how one wants to
be told.

Reading is a press: opening the page marks nothing, since looking never writes.
"""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

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

from skileez import clock, zones
from skileez.accounts import actions
from skileez.cursor import Cursor
from skileez.db import transaction
from skileez.errors import Refused
from skileez.notifications import centre, unsubscribing, wishes
from skileez.notifications.centre import Line
from skileez.notifications.rules import DAILY
from skileez.web import life_line, stream
from skileez.web.access import LINK, PARTICIPANT, SIGNED_IN, access, me, my_token
from skileez.web.display import in_zone, my_zone
from skileez.web.errors import attach
from skileez.web.language import gettext as _
from skileez.web.wishes_form import WishesForm

notifications = Blueprint("notifications", __name__)


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
        return min(told.astimezone(UTC), otherwise) if told.tzinfo else otherwise
    except (ValueError, OverflowError):
        return otherwise


@notifications.get("/notifications/unread")
@access(SIGNED_IN)
def unread() -> ResponseReturnValue:
    """How many are unread, for a page that asks now and then."""
    return stream.told(centre.unread(me()))


@notifications.get("/notifications/stream")
@access(SIGNED_IN)
def listen() -> ResponseReturnValue:
    """The same, told whenever it changes (server-sent events), for half a minute."""
    told = stream.follow(my_token(), centre.unread(me()))
    return Response(
        stream_with_context(told),
        mimetype="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


def _by_day(lines: list[Line], now: datetime) -> list[tuple[str, list[dict[str, Any]]]]:
    zone = my_zone()
    today = zones.local(now, zone).date()

    def name(line: Line) -> str:
        ago = (today - zones.local(line.told_at, zone).date()).days
        if ago in (0, 1):
            return _("Yesterday") if ago else _("Today")
        return in_zone(line.told_at, zone, now).day

    return [(day, [_row(line, now) for line in those]) for day, those in groupby(lines, name)]


def _row(line: Line, now: datetime) -> dict[str, Any]:
    zone = my_zone()
    icon, tone = life_line.look(line.kind)

    def short(instant: datetime | None) -> str | None:
        if instant is None:
            return None
        there = in_zone(instant, zone, now)
        return f"{there.day}, {there.time}"

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
