"""Giving sessions their time: booking under a contract, and placing one that lost its time."""

from datetime import datetime

from flask import render_template
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.contracts import queries as contract_queries
from skileez.contracts.models import Contract
from skileez.contracts.rules import contract_is_active, free_number, may_add_session
from skileez.db import transaction
from skileez.errors import Refusal, Refused
from skileez.events import Actor
from skileez.sessions import actions, policy, queries, rules
from skileez.sessions.models import Session, live_numbers
from skileez.web import slots
from skileez.web.access import PARTICIPANT, access, me
from skileez.web.display import sentence
from skileez.web.errors import STATUS, attach
from skileez.web.forms import SessionScheduleForm
from skileez.web.language import gettext as _
from skileez.web.reschedule import limits
from skileez.web.sessions import (
    actor,
    found,
    not_now,
    other_of,
    perform,
    sessions,
    show_page,
    to_page,
)


def _may_book(contract: Contract) -> Refusal | None:
    return contract_is_active(contract.status) or may_add_session(
        len(live_numbers(contract.id)), contract.total_sessions
    )


@sessions.get("/contracts/<int:contract_id>/schedule")
@access(PARTICIPANT)
def book(contract_id: int) -> ResponseReturnValue:
    """The form to book the contract's next session."""
    contract = contract_queries.seen_by(me().id, contract_id)
    refusal = _may_book(contract)
    if refusal:
        return render_template(
            "sessions/not_bookable.html", contract=contract, why=sentence(refusal)
        ), STATUS[refusal.kind]
    form = SessionScheduleForm(
        formdata=None,
        duration_minutes=slots.asked_minutes() or contract.duration_minutes,
        timezone=slots.asked_zone() or me().zone,
    )
    return _book_page(contract, form)


@sessions.post("/contracts/<int:contract_id>/schedule")
@access(PARTICIPANT)
def book_session(contract_id: int) -> ResponseReturnValue:
    """Book it; where it is booked already, its page says so."""
    form = SessionScheduleForm()
    start = _start(form)
    if start is None:
        return _book_page(contract_queries.seen_by(me().id, contract_id), form, 422)
    now, who = clock.now(), actor()
    try:
        with transaction():
            contract = actions.find_contract_for(who, contract_id)
            role = contract.role_of(who.id)
            assert role is not None
            booked = actions.book(
                contract, start, by=role, actor=who, minutes=form.duration_minutes.data, now=now
            )
    except Refused as refused:
        if own := queries.starting_at(contract_id, start):
            session_id, number = own
            return show_page(session_id, refused=Refused(rules.booked_already(number, start)))
        status = attach(form, refused)
        contract = contract_queries.seen_by(me().id, contract_id)
        return _book_page(contract, form, status, refused)
    return to_page(booked.id, _("Booked. It is in both calendars."))


def _start(form: SessionScheduleForm) -> datetime | None:
    return form.scheduled_at.instant(form.said(form.timezone)) if form.validate() else None


def _book_page(
    contract: Contract,
    form: SessionScheduleForm,
    status: int = 200,
    refused: Refused | None = None,
) -> ResponseReturnValue:
    role = contract.role_of(me().id)
    other = contract.student if role == "coach" else contract.coach
    now, inforce = clock.now(), policy.in_force()
    form.offer_zones(me().zone, other.zone, contract.timezone)
    taken = live_numbers(contract.id)
    zone = me().zone if form.timezone.errors else form.said(form.timezone) or me().zone
    return render_template(
        "sessions/schedule.html",
        contract=contract,
        session=None,
        role=role,
        other=other,
        form=form,
        number=free_number(taken, contract.total_sessions),
        left=contract.total_sessions - len(taken),
        picker=slots.to_book(
            contract.id, [form.scheduled_at], zone, form.duration_minutes.data, refused
        ),
        limits=limits(now, inforce, zone) if not form.timezone.errors else {},
        lead=inforce.min_lead,
    ), status


@sessions.get("/sessions/<int:session_id>/schedule")
@access(PARTICIPANT)
def schedule(session_id: int) -> ResponseReturnValue:
    """The form to pick a time for a session that has none."""
    session, role = found(session_id)
    refusal = rules.may_schedule(session.facts, role)
    if refusal:
        return not_now(session, role, refusal)
    form = SessionScheduleForm(
        formdata=None,
        duration_minutes=session.duration_minutes,
        timezone=slots.asked_zone() or me().zone,
        version=str(session.version),
    )
    return _schedule_page(session, role, form)


@sessions.post("/sessions/<int:session_id>/schedule")
@access(PARTICIPANT)
def place_session(session_id: int) -> ResponseReturnValue:
    """Give it that time."""
    session, role = found(session_id)
    form = SessionScheduleForm()
    form.duration_minutes.validators = ()
    start = _start(form)
    if start is None:
        return _schedule_page(session, role, form, 422)

    def verb(one: Session, as_role: str, who: Actor, now: datetime) -> None:
        one.schedule(start, by=as_role, actor=who, now=now)

    try:
        perform(session_id, form, verb, does="session.scheduled")
    except Refused as refused:
        session, role = found(session_id)
        form.version.data = str(session.version)
        return _schedule_page(session, role, form, attach(form, refused), refused)
    return to_page(session_id, _("The session has its new time."))


def _schedule_page(
    session: Session,
    role: str,
    form: SessionScheduleForm,
    status: int = 200,
    refused: Refused | None = None,
) -> ResponseReturnValue:
    now, inforce, other = clock.now(), policy.in_force(), other_of(session, role)
    form.offer_zones(me().zone, other.zone, session.timezone)
    zone = me().zone if form.timezone.errors else form.said(form.timezone) or me().zone
    return render_template(
        "sessions/schedule.html",
        contract=session.contract,
        session=session,
        role=role,
        other=other,
        form=form,
        number=session.session_number,
        left=None,
        picker=slots.of_session(session.id, "schedule", [form.scheduled_at], zone, refused),
        limits=limits(now, inforce, zone) if not form.timezone.errors else {},
        lead=inforce.min_lead,
    ), status
