"""Asking to move the pattern of a series: what it would do, and the other side's answer."""

from datetime import datetime
from typing import Any, Final

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from skileez import clock
from skileez.accounts.models import Person
from skileez.errors import Refused
from skileez.events import Actor
from skileez.sessions import policy, series_moving, series_rules
from skileez.sessions.series import Series
from skileez.sessions.series_planning import MovePlan
from skileez.sessions.series_queries import SeriesPage
from skileez.web import consequences, series_view
from skileez.web.access import PARTICIPANT, access
from skileez.web.display import sentence, weekdays, when
from skileez.web.errors import attach
from skileez.web.forms import DeclineForm, PressForm, SessionForm
from skileez.web.language import gettext as _
from skileez.web.series import (
    Verb,
    found,
    not_now,
    other_of,
    perform,
    series,
    show_page,
    to_page,
)
from skileez.web.series_forms import MovePatternForm

SEND: Final = "send"
"""What the button says that asks; any other looks at the new times again."""


@series.get("/series/<int:series_id>/move")
@access(PARTICIPANT)
def move(series_id: int) -> ResponseReturnValue:
    """The form to ask for another pattern."""
    page = found(series_id)
    pattern = page.series.pattern
    form = MovePatternForm(
        formdata=None,
        start_from=request.args.get("from", ""),
        weekdays=list(pattern.weekdays),
        clock=request.args.get("time", "")[:5] or f"{pattern.clock:%H:%M}",
        interval=str(pattern.interval),
        version=str(page.series.version),
    )
    return _move_page(page, form)


@series.post("/series/<int:series_id>/move")
@access(PARTICIPANT)
def request_move(series_id: int) -> ResponseReturnValue:
    """Each session's new time; or, where the reader has seen just these, the request."""
    page, form, now = found(series_id), MovePatternForm(), clock.now()
    sends = request.form.get("do") == SEND
    valid = not sends or form.validate()
    asked = form.asked()
    if asked is None or not valid:
        return _move_page(page, form, status=422)
    place = form.said(form.start_from)
    try:
        plan = series_moving.preview_move(page.series, place, **asked, by=page.role, now=now)
    except Refused as refused:
        return _move_page(page, form, status=attach(form, refused))
    if not sends:
        return _move_page(page, form, plan)
    if form.said(form.seen) != _mark(form):
        said = _("Look at the new times first, then send the request.")
        return _move_page(page, form, plan, said=said, status=409)

    def verb(one: Series, role: str, who: Actor, now: datetime) -> None:
        series_moving.request_move(
            one, place, **asked, reason=form.said(form.reason), by=role, actor=who, now=now
        )

    try:
        perform(series_id, form, verb)
    except Refused as refused:
        page = found(series_id)
        form.version.data = str(page.series.version)
        return _move_page(page, form, plan, status=attach(form, refused))
    name = other_of(page).display_name
    return to_page(series_id, _("%(name)s has been asked to move the series.", name=name))


def _mark(form: MovePatternForm) -> str:
    """What tells one question from another."""
    days = "".join(str(day) for day in form.weekdays.data or ())
    return f"{form.said(form.start_from)} {days} {form.said(form.clock)} {form.said(form.interval)}"


def _move_page(
    page: SeriesPage,
    form: MovePatternForm,
    plan: MovePlan | None = None,
    *,
    said: str | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    now, inforce, other = clock.now(), policy.in_force(), other_of(page)
    coming = [one for one in page.coming(now) if not page.moved(one)]
    refusal = series_rules.may_request_move(
        page.series.facts, page.role
    ) or series_rules.check_meant(len(coming))
    if refusal:
        return not_now(page, refusal)
    places = [one.series_place or "" for one in coming]
    if form.said(form.start_from) not in places:
        form.start_from.data = places[0]
    chosen = form.said(form.start_from)
    form.start_from.choices = [
        (one.series_place, _("%(time)s and all that follow", time=when(one.scheduled_at)))
        for one in coming
        if one.scheduled_at
    ]
    told: list[str] = []
    late = None
    if plan:
        form.seen.data = _mark(form)
        first = min((one.session for one in plan.moves), key=lambda one: one.listed_at)
        late = series_rules.check_first(first.facts, page.role, now, inforce)
        if late is None:
            told = consequences.of_moving_series(first, page.role, other.display_name, now, inforce)
    return render_template(
        "series/move.html",
        page=page,
        series=page.series,
        contract=page.contract,
        other=other,
        form=form,
        words=series_view.words(page.series.pattern),
        weekdays=weekdays(),
        plan=plan,
        new_words=series_view.words(plan.pattern) if plan else None,
        moves=_moves(page, plan, other, now) if plan else [],
        alone=_alone(page, chosen, now),
        why_not=sentence(late) if late else None,
        said=said,
        consequences=told,
        this=next(one for one in coming if one.series_place == chosen),
        scoped=bool(request.args.get("from")),
    ), status


def _moves(page: SeriesPage, plan: MovePlan, other: Person, now: datetime) -> list[dict[str, Any]]:
    places = page.places
    return [
        {
            "number": places.index(one.session.series_place or "") + 1,
            "old": series_view.start_of(one.old, other.zone, now),
            "new": series_view.start_of(one.new, other.zone, now),
            "why": series_view.why(one.refusal),
            "notes": series_view.clock_notes(
                one.occurrence, (), plan.pattern.zone, other.display_name
            ),
        }
        for one in plan.moves
    ]


def _alone(page: SeriesPage, place: str, now: datetime) -> str | None:
    """Word of the sessions that were moved on their own, and so stay."""
    count = sum(page.moved(one) for one in page.coming(now) if (one.series_place or "") >= place)
    if not count:
        return None
    return str(
        ngettext(
            "%(num)s session was moved on its own, and stays where it is.",
            "%(num)s sessions were moved on their own, and stay where they are.",
            count,
        )
    )


# Answering


@series.get("/series/<int:series_id>/answer")
@access(PARTICIPANT)
def answer(series_id: int) -> ResponseReturnValue:
    """What the request would move, and the answer to it."""
    return _answer_page(series_id, DeclineForm(formdata=None))


@series.post("/series/<int:series_id>/approve")
@access(PARTICIPANT)
def approve(series_id: int) -> ResponseReturnValue:
    """Say yes: the pattern moves."""

    def verb(one: Series, role: str, who: Actor, now: datetime) -> None:
        series_moving.approve_move(one, by=role, actor=who, now=now)

    done = _("Approved. The series has its new times.")
    return _answer(series_id, PressForm(), verb, done)


@series.post("/series/<int:series_id>/decline")
@access(PARTICIPANT)
def decline(series_id: int) -> ResponseReturnValue:
    """Say no; the series stays."""
    form = DeclineForm()
    if not form.validate():
        return _answer_page(series_id, form, status=422)

    def verb(one: Series, role: str, who: Actor, now: datetime) -> None:
        reason = form.said(form.decline_reason)
        series_moving.decline_move(one, by=role, reason=reason, actor=who, now=now)

    return _answer(series_id, form, verb, _("Declined. The series stays as it was."))


@series.post("/series/<int:series_id>/withdraw")
@access(PARTICIPANT)
def withdraw(series_id: int) -> ResponseReturnValue:
    """Who asked takes it back."""

    def verb(one: Series, role: str, who: Actor, now: datetime) -> None:
        series_moving.withdraw_move(one, by=role, actor=who, now=now)

    try:
        perform(series_id, PressForm(), verb)
    except Refused as refused:
        return show_page(series_id, refused)
    return to_page(series_id, _("The request is withdrawn; the series stays as it is."))


def _answer(series_id: int, form: SessionForm, verb: Verb, done: str) -> ResponseReturnValue:
    try:
        perform(series_id, form, verb)
    except Refused as refused:
        if not isinstance(form, DeclineForm):
            form = DeclineForm(formdata=None)
        return _answer_page(series_id, form, refused, status=attach(form, refused))
    return to_page(series_id, done)


def _answer_page(
    series_id: int, form: DeclineForm, refused: Refused | None = None, *, status: int = 200
) -> ResponseReturnValue:
    page, now = found(series_id), clock.now()
    one, other, asked = page.series, other_of(page), page.series.request
    if asked is None:
        why = refused.refusal if refused else series_rules.check_waiting(one.facts)
        assert why is not None
        return not_now(page, why)
    try:
        plan = series_moving.waiting_plan(one, now=now)
    except Refused as gone:  # nothing is left that could move
        return not_now(page, gone.refusal)
    form.version.data = str(one.version)
    return render_template(
        "series/answer.html",
        page=page,
        series=one,
        contract=page.contract,
        role=page.role,
        other=other,
        form=form,
        asked=asked,
        words=series_view.words(one.pattern),
        new_words=series_view.words(plan.pattern),
        plan=plan,
        moves=_moves(page, plan, other, now),
        alone=_alone(page, asked.from_place, now),
        silence=consequences.of_series_silence(asked),
        may_answer=series_rules.may_answer_move(one.facts, page.role, now) is None,
        may_withdraw=series_rules.may_withdraw_move(one.facts, page.role) is None,
    ), status
