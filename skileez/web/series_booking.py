"""Booking a series: its pattern, then every date of it with a choice for each, then all at once."""

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from skileez import clock, zones
from skileez.contracts import queries as contract_queries
from skileez.contracts.models import Contract
from skileez.contracts.rules import contract_is_active, may_add_session
from skileez.db import transaction
from skileez.errors import Refused
from skileez.sessions import actions, policy, rules
from skileez.sessions.models import live_numbers
from skileez.sessions.series_booking import book_series
from skileez.web import series_view
from skileez.web.access import PARTICIPANT, access, me
from skileez.web.display import sentence, weekdays, when
from skileez.web.errors import STATUS, attach
from skileez.web.language import gettext as _
from skileez.web.reschedule import limits
from skileez.web.series import series
from skileez.web.series_dates import PICK, Plan, mark_of, plan_of
from skileez.web.series_forms import PatternForm
from skileez.web.sessions import actor

BOOK: Final = "book"
"""What the button says that books; any other looks at the dates again."""


@series.get("/contracts/<int:contract_id>/series/new")
@access(PARTICIPANT)
def new(contract_id: int) -> ResponseReturnValue:
    """The form of the pattern."""
    contract = contract_queries.seen_by(me().id, contract_id)
    left = _left(contract)
    refusal = contract_is_active(contract.status) or may_add_session(
        contract.total_sessions - left, contract.total_sessions
    )
    if refusal:
        return render_template(
            "sessions/not_bookable.html", contract=contract, why=sentence(refusal)
        ), STATUS[refusal.kind]
    form = PatternForm(
        formdata=None,
        timezone=me().zone,
        duration_minutes=contract.duration_minutes,
        weekdays=[],
        count=left,
    )
    return _page(contract, form, left)


@series.post("/contracts/<int:contract_id>/series/new")
@access(PARTICIPANT)
def book(contract_id: int) -> ResponseReturnValue:
    """Its dates with a choice for each; or, where the reader has seen just these, book them."""
    contract = contract_queries.seen_by(me().id, contract_id)
    form, left, do = PatternForm(), _left(contract), request.form.get("do", "")
    plan = _plan(contract, form, left, do)
    if plan is None:
        return _page(contract, form, left, status=422)
    if do != BOOK:
        return _page(contract, form, left, plan)
    if why := _not_yet(form, plan):
        return _page(contract, form, left, plan, said=why, status=409)
    if plan.open:
        for row in plan.open:
            if not row.form.at.errors:
                row.form.choice.errors = [_("Choose what to do with this date.")]
        return _page(contract, form, left, plan, status=422)
    who = actor()
    try:
        with transaction():
            held = actions.find_contract_for(who, contract_id)
            role = held.role_of(who.id)
            assert role is not None
            booked = book_series(
                held, plan.pattern, plan.choices, by=role, actor=who, now=clock.now()
            )
            series_id = booked.id
    except Refused as refused:
        contract = contract_queries.seen_by(me().id, contract_id)
        status = attach(form, refused)
        plan = _plan(contract, form, _left(contract), do)
        return _page(contract, form, left, plan, status=status)
    count = len(plan.starts)
    flash(ngettext("Booked: %(num)s session.", "Booked: %(num)s sessions.", count), "ok")
    return redirect(url_for("series.show", series_id=series_id), 303)


def _left(contract: Contract) -> int:
    return contract.total_sessions - len(live_numbers(contract.id))


def _plan(contract: Contract, form: PatternForm, left: int, do: str) -> Plan | None:
    role = contract.role_of(me().id)
    assert role is not None
    now = clock.now()
    plan = plan_of(contract, form, left, by=role, now=now, do=do)
    if plan is None or form.first.errors:
        return plan
    # Told where it was typed, rather than at every date.
    first = plan.rows[0].planned.occurrence.start
    if refusal := rules.check_start(first, now, policy.in_force()):
        form.first.errors = [*form.first.errors, sentence(refusal)]
        return None
    return plan


def _not_yet(form: PatternForm, plan: Plan) -> str | None:
    """Why the press does not book yet: it would book other than the page said."""
    if not plan.seen:
        return _("The pattern is another one now. These are its dates; look at them, then book.")
    if plan.changed:
        return _("Some dates have changed since you looked, and are marked. Nothing was booked.")
    if not plan.open and form.said(form.promised) != str(len(plan.starts)):
        return str(
            ngettext(
                "With your choices, %(num)s session will be booked. Press again to book it.",
                "With your choices, %(num)s sessions will be booked. Press again to book them.",
                len(plan.starts),
            )
        )
    return None


def _page(
    contract: Contract,
    form: PatternForm,
    left: int,
    plan: Plan | None = None,
    *,
    said: str | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    role = contract.role_of(me().id)
    other = contract.student if role == "coach" else contract.coach
    form.offer_zones(me().zone, other.zone, contract.timezone)
    now, inforce = clock.now(), policy.in_force()
    zone = form.said(form.timezone)
    return render_template(
        "series/new.html",
        contract=contract,
        role=role,
        other=other,
        form=form,
        left=left,
        weekdays=weekdays(),
        limits=limits(now, inforce, zone) if zone in zones.VALID else {},
        my_limits=limits(now, inforce, me().zone),
        lead=inforce.min_lead,
        plan=plan,
        pattern=series_view.words(plan.pattern) if plan else None,
        shown=mark_of(plan.pattern) if plan else "",
        first=when(plan.starts[0]) if plan and plan.starts else None,
        last=when(plan.starts[-1]) if plan and plan.starts else None,
        said=said,
        PICK=PICK,
    ), status
