"""The pages of a series: its dates; confirming, calling off and stopping what is to come."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from skileez import clock
from skileez.accounts.models import Person
from skileez.db import transaction
from skileez.errors import Refusal, Refused, require
from skileez.events import Actor
from skileez.sessions import (
    actions,
    policy,
    rules,
    series_booking,
    series_ending,
    series_moving,
    series_queries,
    series_rules,
)
from skileez.sessions.models import Session
from skileez.sessions.series import Series
from skileez.sessions.series_ending import Scope
from skileez.sessions.series_queries import SeriesPage
from skileez.web import consequences, series_view, session_view
from skileez.web.access import PARTICIPANT, access, me, typed
from skileez.web.clock_view import clocks_of
from skileez.web.display import sentence, when
from skileez.web.errors import STATUS, attach
from skileez.web.forms import SessionForm
from skileez.web.language import gettext as _
from skileez.web.series_forms import ALL, CancelSeriesForm, ConfirmSeriesForm, StopForm
from skileez.web.sessions import actor

series = Blueprint("series", __name__)

Verb = Callable[[Series, str, Actor, datetime], None]


def found(series_id: int) -> SeriesPage:
    """The reader's series, for looking. Raises ``NotFound``."""
    return series_queries.of_person(me().id, series_id)


def other_of(page: SeriesPage) -> Person:
    """The other participant."""
    return page.contract.student if page.role == "coach" else page.contract.coach


def perform(series_id: int, form: SessionForm, verb: Verb) -> None:
    """Run ``verb`` on the reader's series in one transaction, as ``sessions.perform`` does on a
    session: a request whose time is over is settled first, an older page is refused.
    """
    now, who = clock.now(), actor()
    with transaction():
        one = actions.find_series_for(who, series_id)
        role = one.contract.role_of(who.id)
        assert role is not None
        settled = series_moving.settle_move(one, now=now)
        if settled is None:
            require(rules.check_version(form.known_version(one.version), one.version))
            verb(one, role, who, now)
    if settled is not None:
        raise Refused(series_rules.SETTLED[settled])


def to_page(series_id: int, message: str) -> ResponseReturnValue:
    """Back to the page of the series, with word of what was done."""
    flash(message, "ok")
    return redirect(url_for("series.show", series_id=series_id), 303)


def not_now(page: SeriesPage, refusal: Refusal) -> ResponseReturnValue:
    """The page in place of a form whose verb is not possible now, with what was typed into it."""
    return render_template(
        "series/not_now.html", page=page, series=page.series, why=sentence(refusal), typed=typed()
    ), STATUS[refusal.kind]


# The page


@series.get("/series/<int:series_id>")
@access(PARTICIPANT)
def show(series_id: int) -> ResponseReturnValue:
    """The pattern in words, its sessions with their states, and what may be done with it."""
    return show_page(series_id)


def show_page(series_id: int, refused: Refused | None = None) -> ResponseReturnValue:
    """The page of the series; with a refusal it says what was not done, and why."""
    page = found(series_id)
    now, one, other = clock.now(), page.series, other_of(page)
    facts, role = one.facts, page.role
    coming = page.coming(now)
    waiting = one.request
    answer = series_rules.may_answer_move(facts, role, now)
    move = series_rules.may_request_move(facts, role) or series_rules.check_meant(len(coming))
    unconfirmed = [
        one
        for one in coming
        if rules.awaits_confirmation(one.facts, now)
        and rules.may_confirm(one.facts, role, now) is None
    ]
    return render_template(
        "series/show.html",
        page=page,
        series=one,
        contract=page.contract,
        role=role,
        other=other,
        words=series_view.words(one.pattern),
        rows=rows(page, other, now),
        clocks=clocks_of(page, other.display_name, now),
        coming=len(coming),
        unconfirmed=len(unconfirmed),
        seen=_mark(unconfirmed),
        waiting=waiting,
        asked=series_view.words(waiting.pattern(one)) if waiting else None,
        asked_from=series_view.place_of(waiting.from_place, one.zone) if waiting else None,
        silence=consequences.of_series_silence(waiting) if waiting else None,
        may_answer=waiting is not None and answer is None,
        may_withdraw=series_rules.may_withdraw_move(facts, role) is None,
        may_move=move is None,
        may_cancel=series_rules.may_cancel_series(facts, role) is None and bool(coming),
        may_stop=series_rules.may_stop(facts, role) is None,
        why_not=sentence(move) if move and not waiting else None,
        said=sentence(refused.refusal) if refused else None,
        typed=typed() if refused else [],
    ), STATUS[refused.refusal.kind] if refused else 200


def rows(page: SeriesPage, other: Person, now: datetime) -> list[dict[str, Any]]:
    """The sessions as rows, each by its place: "3 of 8", also where it was moved."""
    places, made = page.places, []
    for session in page.sessions:
        start, place = session.scheduled_at, session.series_place or ""
        made.append(
            {
                "session": session,
                "number": places.index(place) + 1 if place else None,
                "start": series_view.start_of(start, other.zone, now) if start else None,
                "state": session_view.shown_state(session.facts, session.state),
                "moved_from": series_view.place_of(place, page.series.zone)
                if place and session.status == rules.Status.SCHEDULED and page.moved(session)
                else None,
            }
        )
    return made


# Confirming


@series.post("/series/<int:series_id>/confirm")
@access(PARTICIPANT)
def confirm(series_id: int) -> ResponseReturnValue:
    """The coach confirms all that the page showed, with one press."""
    form = ConfirmSeriesForm()
    confirmed: list[Session] = []

    def verb(one: Series, role: str, who: Actor, now: datetime) -> None:
        seen, waiting = form.said(form.seen), series_booking.unconfirmed(one, now, lock=True)
        if seen and waiting and seen != _mark(waiting):
            raise Refused(series_rules.CHANGED)
        confirmed.extend(series_booking.confirm(one, by=role, actor=who, now=now))

    try:
        perform(series_id, form, verb)
    except Refused as refused:
        return show_page(series_id, refused)
    count = len(confirmed)
    return to_page(
        series_id,
        ngettext("%(num)s session is confirmed.", "%(num)s sessions are confirmed.", count),
    )


def _mark(sessions: Iterable[Session]) -> str:
    """Which sessions a page shows, and as of which change of each."""
    return " ".join(f"{one.id}.{one.version}" for one in sessions)


# Calling off


@series.get("/series/<int:series_id>/cancel")
@access(PARTICIPANT)
def cancel_form(series_id: int) -> ResponseReturnValue:
    """The form to cancel all that is to come, or all from one on."""
    place = request.args.get("from") or ALL
    page = found(series_id)
    form = CancelSeriesForm(formdata=None, start_from=place, version=str(page.series.version))
    return _cancel_page(page, form)


@series.post("/series/<int:series_id>/cancel")
@access(PARTICIPANT)
def cancel(series_id: int) -> ResponseReturnValue:
    """Cancel them."""
    form = CancelSeriesForm()
    if not form.validate():
        return _cancel_page(found(series_id), form, 422)
    cancelled: list[Session] = []

    def verb(one: Series, role: str, who: Actor, now: datetime) -> None:
        place = form.said(form.start_from)
        cancelled.extend(
            series_ending.cancel(
                one,
                Scope.ALL if place == ALL else Scope.FOLLOWING,
                None if place == ALL else place,
                by=role,
                reason=form.said(form.reason),
                actor=who,
                now=now,
            )
        )

    try:
        perform(series_id, form, verb)
    except Refused as refused:
        page = found(series_id)
        form.version.data = str(page.series.version)
        return _cancel_page(page, form, attach(form, refused))
    count = len(cancelled)
    return to_page(
        series_id,
        ngettext("%(num)s session is cancelled.", "%(num)s sessions are cancelled.", count),
    )


def _cancel_page(
    page: SeriesPage, form: CancelSeriesForm, status: int = 200
) -> ResponseReturnValue:
    now, place, other = clock.now(), form.said(form.start_from), other_of(page)
    coming = page.coming(now)
    meant = [one for one in coming if place == ALL or (one.series_place or "") >= place]
    refusal = (
        series_rules.may_cancel_series(page.series.facts, page.role)
        or series_rules.check_places({place}, {"", ALL, *page.places})
        or series_rules.check_meant(len(meant))
    )
    if refusal:
        return not_now(page, refusal)
    return render_template(
        "series/cancel.html",
        page=page,
        series=page.series,
        contract=page.contract,
        other=other,
        form=form,
        words=series_view.words(page.series.pattern),
        meant=[row for row in rows(page, other, now) if row["session"] in meant],
        choices=[(one.series_place, one.scheduled_at) for one in coming],
        this=next((one for one in coming if one.series_place == place), None),
        label=ngettext("Cancel %(num)s session", "Cancel %(num)s sessions", len(meant)),
        consequences=consequences.of_cancelling_several(
            meant, page.role, other.display_name, now, policy.in_force()
        ),
    ), status


# Stopping


@series.get("/series/<int:series_id>/stop")
@access(PARTICIPANT)
def stop_form(series_id: int) -> ResponseReturnValue:
    """The form to end the series."""
    page = found(series_id)
    form = StopForm(formdata=None, keep="keep", version=str(page.series.version))
    return _stop_page(page, form)


@series.post("/series/<int:series_id>/stop")
@access(PARTICIPANT)
def stop(series_id: int) -> ResponseReturnValue:
    """End it; its sessions stay as single ones, or are cancelled."""
    form = StopForm()
    if not form.validate():
        return _stop_page(found(series_id), form, 422)
    keep = form.said(form.keep) != "cancel"

    def verb(one: Series, role: str, who: Actor, now: datetime) -> None:
        series_ending.stop(
            one, keep=keep, by=role, reason=form.said(form.reason), actor=who, now=now
        )

    try:
        perform(series_id, form, verb)
    except Refused as refused:
        page = found(series_id)
        form.version.data = str(page.series.version)
        return _stop_page(page, form, attach(form, refused))
    if keep:
        return to_page(series_id, _("The series is stopped; its sessions stay as single ones."))
    return to_page(series_id, _("The series is stopped, and what was to come is cancelled."))


def _stop_page(page: SeriesPage, form: StopForm, status: int = 200) -> ResponseReturnValue:
    refusal = series_rules.may_stop(page.series.facts, page.role)
    if refusal:
        return not_now(page, refusal)
    now, other = clock.now(), other_of(page)
    coming = page.coming(now)
    starts = [one.scheduled_at for one in coming if one.scheduled_at]
    return render_template(
        "series/stop.html",
        page=page,
        series=page.series,
        contract=page.contract,
        other=other,
        form=form,
        words=series_view.words(page.series.pattern),
        coming=len(coming),
        first=when(min(starts)) if starts else None,
        last=when(max(starts)) if starts else None,
    ), status
