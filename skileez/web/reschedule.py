"""Moving a session by request and answer: the two pages and their four ways to end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from skileez import clock, zones
from skileez.errors import Refused
from skileez.events import Actor
from skileez.sessions import policy, reschedule_rules
from skileez.sessions.models import Session
from skileez.sessions.rules import Policy
from skileez.web import consequences, series_view, session_view, slots
from skileez.web.access import PARTICIPANT, access, me
from skileez.web.display import sentence
from skileez.web.errors import STATUS, attach
from skileez.web.forms import (
    CounterForm,
    DeclineForm,
    RescheduleApprovalForm,
    RescheduleRequestForm,
    TimedForm,
)
from skileez.web.language import gettext as _
from skileez.web.sessions import found, not_now, other_of, perform, sessions, to_page
from skileez.web.times import instants


def limits(now: datetime, inforce: Policy, zone: str) -> dict[str, str]:
    """The earliest and latest time an input takes, as wall-clock text in ``zone``."""
    earliest = zones.local(now + inforce.min_lead, zone) + timedelta(minutes=1)
    latest = zones.local(now + inforce.horizon, zone)
    return {"min": f"{earliest:%Y-%m-%dT%H:%M}", "max": f"{latest:%Y-%m-%dT%H:%M}"}


# Asking


@sessions.get("/sessions/<int:session_id>/reschedule")
@access(PARTICIPANT)
def reschedule(session_id: int) -> ResponseReturnValue:
    """The form to ask for another time."""
    session, role = found(session_id)
    refusal = reschedule_rules.may_request_reschedule(
        session.facts, role, clock.now(), policy.in_force()
    )
    if refusal:
        return not_now(session, role, refusal)
    zone = slots.asked_zone() or me().zone
    form = RescheduleRequestForm(formdata=None, version=str(session.version), timezone=zone)
    return _request_page(session, role, form)


@sessions.post("/sessions/<int:session_id>/reschedule")
@access(PARTICIPANT)
def request_reschedule(session_id: int) -> ResponseReturnValue:
    """Ask for another time."""
    form = RescheduleRequestForm()
    valid = form.validate()
    times = instants(form.proposed_times, form.zone(me().zone))
    if times == []:
        first = form.proposed_times[0]
        first.errors = [*first.errors, _("Propose at least one time.")]
    if not valid or not times:
        session, role = found(session_id)
        return _request_page(session, role, form, 422)

    name = ""

    def verb(one: Session, as_role: str, who: Actor, now: datetime) -> None:
        nonlocal name
        one.request_reschedule(
            as_role, form.said(form.reason), proposed_times=times, actor=who, now=now
        )
        name = other_of(one, as_role).display_name

    try:
        perform(session_id, form, verb, does="session.reschedule_requested")
    except Refused as refused:
        return _again(session_id, form, refused, _request_page)
    return to_page(session_id, _("%(name)s has been asked to move it.", name=name))


def _request_page(
    session: Session,
    role: str,
    form: RescheduleRequestForm,
    status: int = 200,
    refused: Refused | None = None,
) -> ResponseReturnValue:
    now, inforce = clock.now(), policy.in_force()
    other = other_of(session, role)
    form.timezone.data = zone = form.zone(me().zone)
    possible = reschedule_rules.may_request_reschedule(session.facts, role, now, inforce) is None
    return render_template(
        "sessions/request_reschedule.html",
        part=series_view.scopes(session, role, now, to_move=True),
        session=session,
        role=role,
        other=other,
        form=form,
        zone=zone,
        picker=slots.of_session(
            session.id, "reschedule", form.proposed_times.entries, zone, refused
        ),
        times=session_view.both_zones(session.scheduled_at, other.zone)
        if session.scheduled_at
        else None,
        limits=limits(now, inforce, zone),
        lead=inforce.min_lead,
        consequences=consequences.of_request(session, role, other.display_name, now, inforce)
        if possible
        else [],
    ), status


def _again(session_id: int, form: Any, refused: Refused, page: Any) -> ResponseReturnValue:
    """The form again with the sentence at its field and all that was typed, on today's facts."""
    session, role = found(session_id)
    form.version.data = str(session.version)
    status = place(form, refused)
    answer: ResponseReturnValue = page(session, role, form, status, refused)
    return answer


def place(form: Any, refused: Refused) -> int:
    """Put a refusal where it is read: at the time it is about, else where ``attach`` puts it."""
    rows = getattr(form, "proposed_times", None)
    if refused.refusal.field == "proposed_times" and rows is not None:
        row = slots.refused_row(rows.entries, form.zone(me().zone), refused)
        row.errors = [*row.errors, sentence(refused.refusal)]
        return STATUS[refused.refusal.kind]
    return attach(form, refused)


# Answering


@sessions.get("/sessions/<int:session_id>/reschedule-approval")
@access(PARTICIPANT)
def approval(session_id: int) -> ResponseReturnValue:
    """The page to answer a request: choose a time, propose others, or decline."""
    session, role = found(session_id)
    refusal = reschedule_rules.may_answer(session.facts, role, clock.now())
    if refusal:
        return not_now(session, role, refusal)
    return _approval_page(session, role)


@sessions.post("/sessions/<int:session_id>/approve-reschedule")
@access(PARTICIPANT)
def approve_reschedule(session_id: int) -> ResponseReturnValue:
    """Agree to one of the times."""
    form = RescheduleApprovalForm()
    valid = form.validate()
    chosen = form.new_scheduled_at.instant(form.zone(me().zone)) if valid else None
    if chosen is None:
        session, role = found(session_id)
        return _approval_page(session, role, approve=form, status=422)

    def verb(one: Session, as_role: str, who: Actor, now: datetime) -> None:
        one.approve_reschedule(chosen, by=as_role, actor=who, now=now)

    try:
        perform(session_id, form, verb, does="session.reschedule_approved")
    except Refused as refused:
        return _answer_again(session_id, refused, approve=form)
    return to_page(session_id, _("Approved. The session has its new time."))


@sessions.post("/sessions/<int:session_id>/counter-reschedule")
@access(PARTICIPANT)
def counter_reschedule(session_id: int) -> ResponseReturnValue:
    """Answer with other times."""
    form = CounterForm()
    valid = form.validate()
    times: Sequence[datetime] | None = instants(form.proposed_times, form.zone(me().zone))
    if times == []:
        first = form.proposed_times[0]
        first.errors = [*first.errors, _("Propose at least one time.")]
    if not valid or not times:
        session, role = found(session_id)
        return _approval_page(session, role, counter=form, status=422)

    name = ""

    def verb(one: Session, as_role: str, who: Actor, now: datetime) -> None:
        nonlocal name
        one.counter_reschedule(
            as_role, times, reason=form.said(form.counter_reason), actor=who, now=now
        )
        name = other_of(one, as_role).display_name

    try:
        perform(session_id, form, verb, does="session.reschedule_countered")
    except Refused as refused:
        return _answer_again(session_id, refused, counter=form)
    return to_page(session_id, _("Your times were sent to %(name)s.", name=name))


@sessions.post("/sessions/<int:session_id>/decline-reschedule")
@access(PARTICIPANT)
def decline_reschedule(session_id: int) -> ResponseReturnValue:
    """Say no; the original time stands."""
    form = DeclineForm()
    if not form.validate():
        session, role = found(session_id)
        return _approval_page(session, role, decline=form, status=422)

    def verb(one: Session, as_role: str, who: Actor, now: datetime) -> None:
        one.decline_reschedule(
            by=as_role, reason=form.said(form.decline_reason), actor=who, now=now
        )

    try:
        perform(session_id, form, verb, does="session.reschedule_declined")
    except Refused as refused:
        return _answer_again(session_id, refused, decline=form)
    return to_page(session_id, _("Declined. The session stays where it was."))


def _answer_again(session_id: int, refused: Refused, **forms: Any) -> ResponseReturnValue:
    session, role = found(session_id)
    (form,) = forms.values()
    status = place(form, refused)
    if not session.reschedule_requested:
        return not_now(session, role, refused.refusal)
    return _approval_page(session, role, **forms, status=status, refused=refused)


def _approval_page(
    session: Session,
    role: str,
    *,
    approve: RescheduleApprovalForm | None = None,
    counter: CounterForm | None = None,
    decline: DeclineForm | None = None,
    status: int = 200,
    refused: Refused | None = None,
) -> ResponseReturnValue:
    if not session.reschedule_requested:
        refusal = reschedule_rules.may_answer(session.facts, role, clock.now())
        assert refusal is not None
        return not_now(session, role, refusal)
    now, inforce, zone = clock.now(), policy.in_force(), slots.asked_zone() or me().zone
    other, times = other_of(session, role), session.proposed_times
    blank = {"formdata": None, "timezone": zone}
    forms = {
        "approve": approve or RescheduleApprovalForm(**blank),
        "counter": counter or CounterForm(**blank),
        "decline": decline or DeclineForm(formdata=None),
    }
    for form in forms.values():
        form.version.data = str(session.version)
        if isinstance(form, TimedForm):
            form.timezone.data = form.zone(zone)
    chosen = request.form.get("new_scheduled_at")
    where = "counter" if times else "approve"  # without times to choose from, any may be taken
    fields = (
        forms["counter"].proposed_times.entries if times else [forms["approve"].new_scheduled_at]
    )
    return render_template(
        "sessions/reschedule_approval.html",
        session=session,
        role=role,
        other=other,
        zone=zone,
        chosen=chosen,
        current=session_view.both_zones(session.scheduled_at, other.zone)
        if session.scheduled_at
        else None,
        proposed=[
            {
                "instant": one,
                "times": session_view.both_zones(one, other.zone),
                "taken": taken,
            }
            for one, taken in zip(times, session.taken_at(*times), strict=True)
        ],
        picker=slots.of_session(session.id, where, fields, forms[where].zone(zone), refused),
        limits=limits(now, inforce, zone),
        silence=consequences.of_silence(session),
        consequences=consequences.of_approval(session, other.display_name, role),
        **forms,
    ), status
