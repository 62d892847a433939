"""A coach's own hours: looked at, tried out, saved, and done without."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.availability import actions, queries, rules
from skileez.availability.rules import Hours
from skileez.db import transaction
from skileez.errors import Refused
from skileez.events import Actor
from skileez.sessions import absence
from skileez.sessions.lines import Line
from skileez.sessions.outside import outside_hours
from skileez.web import hours_preview
from skileez.web.access import SIGNED_IN, access, me, typed
from skileez.web.display import in_zone, my_zone, sentence
from skileez.web.errors import STATUS, attach
from skileez.web.forms import PressForm
from skileez.web.hours_form import HoursForm
from skileez.web.language import gettext as _

SHOWN = 3
"""Sessions outside the hours that the page names; all of them are a press away."""

availability = Blueprint("availability", __name__, url_prefix="/availability")


@availability.get("")
@access(SIGNED_IN)
def show() -> ResponseReturnValue:
    """The hours as they stand; or, for a coach without any, usual ones to start from."""
    return _not_a_coach() or (_page(), 200)


@availability.post("")
@access(SIGNED_IN)
def save() -> ResponseReturnValue:
    """Save the hours; or, in a browser without scripts, add a span, copy a day, look at a week."""
    if refused := _not_a_coach():
        return refused
    form = HoursForm()
    press, _colon, where = request.form.get("do", "save").partition(":")
    if press not in ("save", "week"):
        form.change(press, where)
        return _page(form), 200
    hours = form.hours()
    if hours is None:
        return _page(form), 422
    if press == "week":
        return _page(form, hours, where), 200
    try:
        with transaction():
            actions.set_hours(
                me().id,
                hours,
                actor=Actor("person", me().id),
                version=form.known_version(0),
                now=clock.now(),
            )
    except Refused as error:
        if error.code == rules.HOURS_CHANGED:
            form.version.data = str(_standing()[1])
        status = attach(form, error)
        return _page(form, hours), status
    flash(_("Your hours are saved. What is booked stays booked."), "ok")
    return redirect(url_for(".show", week=request.form.get("week") or None), 303)


@availability.post("/preview")
@access(SIGNED_IN)
def preview() -> ResponseReturnValue:
    """The week of what is typed, to put in the page; writes nothing."""
    if refused := _not_a_coach():
        return refused
    form = HoursForm()
    hours = form.hours()
    press, _colon, where = request.form.get("do", "").partition(":")
    return render_template(
        "availability/_preview.html",
        preview=_preview(hours or _standing()[0] or _usual(), where if press == "week" else None),
        tried=hours is not None,
        form=form,
    )


@availability.route("/any-time", methods=["GET", "POST"])
@access(SIGNED_IN)
def any_time() -> ResponseReturnValue:
    """Do without hours: asks first."""
    if refused := _not_a_coach():
        return refused
    form = PressForm()
    why = None
    status = 200
    if request.method == "POST":
        try:
            with transaction():
                actions.clear_hours(
                    me().id,
                    actor=Actor("person", me().id),
                    version=form.known_version(0),
                    now=clock.now(),
                )
            flash(_("You have no hours any more: you may be booked at any time."), "ok")
            return redirect(url_for(".show"), 303)
        except Refused as refusal:
            why, status = sentence(refusal.refusal), STATUS[refusal.refusal.kind]
    hours, version = _standing()
    page = render_template("availability/any_time.html", has_hours=hours, version=version, why=why)
    return page, status


def _not_a_coach() -> ResponseReturnValue | None:
    refusal = rules.may_set_hours(offers_coaching=me().offers_coaching)
    if refusal is None:
        return None
    why = sentence(refusal)
    page = render_template("availability/not_a_coach.html", why=why, typed=typed())
    return page, STATUS[refusal.kind]


def _standing() -> tuple[Hours | None, int]:
    """The reader's hours with their version; None and 0 for none."""
    row = queries.row_of(me().id)
    return (row.hours, row.version) if row else (None, 0)


def _usual() -> Hours:
    return Hours(my_zone(), weekly=rules.USUAL)


def _preview(hours: Hours, week: str | None) -> hours_preview.Preview:
    now = clock.now()
    asked = week or request.values.get("week")
    return hours_preview.of(me(), hours, hours_preview.chosen_week(asked, now, hours.zone), now)


def _line(line: Line, now: datetime) -> dict[str, str]:
    assert line.start
    there = in_zone(line.start, my_zone(), now)
    return {
        "name": line.other_name,
        "when": f"{there.day}, {there.time}",
        "href": url_for("sessions.show", session_id=line.id),
    }


def _page(
    form: HoursForm | None = None, tried: Hours | None = None, week: str | None = None
) -> str:
    """The page; ``tried`` are typed hours, which its preview shows in place of the saved."""
    standing, version = _standing()
    hours, now = standing or _usual(), clock.now()
    outside = outside_hours(me().id, standing, now) if standing else []
    return render_template(
        "availability/show.html",
        form=form or HoursForm.of(queries.to_come(hours, now), version),
        preview=_preview(tried or hours, week),
        tried=form is None or tried is not None,
        has_hours=standing is not None,
        outside=len(outside),
        first_outside=[_line(one, now) for one in absence.lines_of(me().id, outside[:SHOWN])],
    )
