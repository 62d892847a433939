"""A coach's days away: set, looked at with who answered, taken back; and asking many at once."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.accounts.models import Person
from skileez.availability import days_away, queries
from skileez.availability.models import TimeOff
from skileez.db import transaction
from skileez.errors import NotFound, Refused
from skileez.sessions import absence as asking
from skileez.sessions.absence import Asked
from skileez.sessions.lines import Line
from skileez.sessions.outside import outside_hours
from skileez.sessions.reschedule_rules import MAX_TIMES
from skileez.web import absence_view
from skileez.web.absence_forms import AskForm, AwayForm
from skileez.web.access import PARTICIPANT, SIGNED_IN, access, me
from skileez.web.display import in_zone, my_zone, sentence
from skileez.web.errors import attach
from skileez.web.language import gettext as _
from skileez.web.sessions import actor

absence = Blueprint("absence", __name__, url_prefix="/availability")

TOLD = 5
"""Refusals told one by one after a press: what is told travels in a cookie."""


def _coach() -> Person:
    """The reader, who coaches. Raises ``NotFound`` for who does not."""
    if not me().offers_coaching:
        raise NotFound("coach")
    return me()


# The list


@absence.get("/away")
@access(SIGNED_IN)
def index() -> ResponseReturnValue:
    """The days away to come, the next first, and the form for more."""
    return _list(AwayForm(formdata=None))


@absence.post("/away")
@access(SIGNED_IN)
def add() -> ResponseReturnValue:
    """Be away."""
    _coach()
    form = AwayForm()
    if not form.validate():
        return _list(form, 422)
    try:
        with transaction():
            away = days_away.add(actor(), now=clock.now(), **form.times())
    except Refused as refused:
        return _list(form, attach(form, refused))
    flash(_("Kept: nobody is offered a time then."), "ok")
    return redirect(url_for(".show", time_off_id=away.id), 303)


def _list(form: AwayForm, status: int = 200) -> ResponseReturnValue:
    coach, now = _coach(), clock.now()
    standing = asking.in_the_way(coach.id, now)
    hours = queries.of_coach(coach.id)
    return render_template(
        "absence/index.html",
        form=form,
        zone=hours.zone if hours else coach.zone,
        stays=bool(hours and hours.stays),
        rows=[
            {
                "away": away,
                "days": absence_view.days(away, now),
                "when": in_zone(away.starts_at, away.zone, now),
                "in_the_way": standing.get(away.id, (0, 0)),
                "here": away.starts_at <= now,
            }
            for away in queries.time_off(coach.id, now)
        ],
    ), status


# One absence


@absence.get("/away/<int:time_off_id>")
@access(PARTICIPANT)
def show(time_off_id: int) -> ResponseReturnValue:
    """The days, the sessions they fall on, who was asked and what they said."""
    away = days_away.find(_coach().id, time_off_id)
    again = request.args.get("again", "")
    return _board(away, chosen=[int(again)] if again.isdecimal() and len(again) < 10 else None)


@absence.get("/away/<int:time_off_id>/answers")
@access(PARTICIPANT)
def answers(time_off_id: int) -> ResponseReturnValue:
    """Who answered, for a page that stands open; nothing where it shows that already."""
    now, away = clock.now(), days_away.find(_coach().id, time_off_id)
    places = asking.board(away, now)
    if request.args.get("mark") == absence_view.mark(places):
        return "", 204
    return render_template("absence/_answers.html", **_answered(away, places, now))


def _answered(
    away: TimeOff | None, places: Sequence[asking.Place], now: datetime
) -> dict[str, Any]:
    return {
        "away": away,
        "answers": absence_view.answers([one for one in places if not one.is_open], now, away),
        "counts": absence_view.counts(places),
        "mark": absence_view.mark(places),
        "waits": away and any(one.answer in _MAY_CHANGE for one in places),
    }


_MAY_CHANGE = (asking.Answer.WAITING, asking.Answer.THEIRS)


def _board(
    away: TimeOff,
    *,
    form: AskForm | None = None,
    chosen: Sequence[int] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    now = clock.now()
    places = asking.board(away, now)
    askable = [one for one in places if one.may_ask]
    if chosen is None:  # who said no is asked again only on purpose
        chosen = [one.line.id for one in askable if one.answer is not asking.Answer.DECLINED]
    days = absence_view.days(away, now)
    return render_template(
        "absence/show.html",
        days=days,
        weeks=absence_view.weeks(away, places),
        ask=absence_view.ask_of(
            [one.line for one in askable],
            now,
            reason=absence_view.reason_of(away, days),
            away=away,
            chosen=chosen,
            form=form,
        ),
        **_answered(away, places, now),
    ), status


@absence.post("/away/<int:time_off_id>/remove")
@access(PARTICIPANT)
def remove(time_off_id: int) -> ResponseReturnValue:
    """Be there again."""
    _coach()
    with transaction():
        days_away.remove(actor(), time_off_id, now=clock.now())
    flash(_("Removed: your hours hold again. Sessions that moved stay moved."), "ok")
    return redirect(url_for(".index"), 303)


# Asking many at once


@absence.get("/outside")
@access(SIGNED_IN)
def outside() -> ResponseReturnValue:
    """The booked sessions that the hours leave out, and the way to move them."""
    return _outside()


def _outside(
    *, form: AskForm | None = None, chosen: Sequence[int] | None = None, status: int = 200
) -> ResponseReturnValue:
    coach, now = _coach(), clock.now()
    hours = queries.of_coach(coach.id)
    ids = outside_hours(coach.id, hours, now) if hours else []
    places = asking.standing(asking.lines_of(coach.id, ids), now)
    return render_template(
        "absence/outside.html",
        ask=absence_view.ask_of(
            [one.line for one in places if one.may_ask],
            now,
            reason=_("My hours have changed. Can we meet at another time?"),
            chosen=chosen,
            form=form,
        ),
        **_answered(None, places, now),
    ), status


@absence.post("/ask-to-move")
@access(SIGNED_IN)
def ask() -> ResponseReturnValue:
    """Ask each student whose session is ticked about the times that the page showed."""
    coach, form, now = _coach(), AskForm(), clock.now()
    said = form.said(form.time_off)
    away = days_away.find(coach.id, _number(said)) if said else None
    proposals = {one: _times(one) for one in map(_number, request.form.getlist("session"))}
    page = _again(away, form, list(proposals))
    if not form.validate():
        return page(422)
    if not proposals:
        form.form_errors = [_("Choose at least one session.")]
        return page(422)
    if not all(proposals.values()):
        form.form_errors = [_("The proposed times could not be read. Here they are anew.")]
        return page(422)
    try:
        told = asking.ask_to_move(
            actor(), proposals, form.said(form.reason), now, away.id if away else None
        )
    except Refused as refused:
        return page(attach(form, refused))
    _tell(told, asking.lines_of(coach.id, list(proposals)), now)
    back = url_for(".show", time_off_id=away.id) if away else url_for(".outside")
    return redirect(back, 303)


def _again(
    away: TimeOff | None, form: AskForm, chosen: Sequence[int]
) -> Callable[[int], ResponseReturnValue]:
    def page(status: int) -> ResponseReturnValue:
        if away:
            return _board(away, form=form, chosen=chosen, status=status)
        return _outside(form=form, chosen=chosen, status=status)

    return page


def _number(said: str) -> int:
    """An id that a page wrote. Raises ``NotFound`` for what is none."""
    if not (said.isascii() and said.isdecimal() and len(said) < 10):
        raise NotFound("session")
    return int(said)


def _times(session_id: int) -> list[datetime]:
    """The times that the page proposed for this session; it wrote them with their offset."""
    times = []
    for said in request.form.getlist(f"times-{session_id}")[: MAX_TIMES + 1]:
        try:
            times.append(datetime.fromisoformat(said).astimezone(UTC))
        except (ValueError, OverflowError):
            continue
    return times


def _tell(told: Sequence[Asked], lines: Sequence[Line], now: datetime) -> None:
    known = {line.id: line for line in lines}
    refused = [one for one in told if one.refusal]
    done = len(told) - len(refused)
    if done:
        flash(_("Asked: %(count)s. You see here who answered.", count=done), "ok")
    for one in refused[:TOLD]:
        assert one.refusal
        line = known[one.session_id]
        start = in_zone(line.start, my_zone(), now) if line.start else None
        flash(
            _(
                "%(name)s, %(when)s, was not asked. %(why)s",
                name=line.other_name,
                when=f"{start.day}, {start.time}" if start else _("no time yet"),
                why=sentence(one.refusal),
            ),
            "warn",
        )
    if len(refused) > TOLD:
        flash(_("Not asked, too: %(count)s.", count=len(refused) - TOLD), "warn")
