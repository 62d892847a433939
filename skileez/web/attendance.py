"""Being there, and saying how it went: the join button, "I'm here", the outcome check."""

from datetime import datetime

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.errors import Refused
from skileez.events import Actor
from skileez.sessions import outcome_check, policy, presence_rules
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import Outcome, Unsettled, Way
from skileez.sessions.rules import Status, other
from skileez.web import presence_view, session_view
from skileez.web.access import PARTICIPANT, access
from skileez.web.errors import attach
from skileez.web.forms import OUTCOMES, OutcomeForm, PressForm
from skileez.web.language import gettext as _
from skileez.web.sessions import (
    Verb,
    found,
    not_now,
    other_of,
    perform,
    press,
    sessions,
    show_page,
    to_page,
)


def _is_there(way: Way) -> Verb:
    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        session.check_in(role, way, actor=who, now=now)

    return verb


@sessions.post("/sessions/<int:session_id>/join")
@access(PARTICIPANT)
def join(session_id: int) -> ResponseReturnValue:
    """Note that the reader is there, and go on to the meeting."""
    try:
        perform(session_id, PressForm(), _is_there(Way.JOIN), once=False)
    except Refused as refused:
        return show_page(session_id, refused=refused)
    return redirect(url_for("sessions.meeting", session_id=session_id), 303)


@sessions.get("/sessions/<int:session_id>/meeting")
@access(PARTICIPANT)
def meeting(session_id: int) -> ResponseReturnValue:
    """The step to the meeting of who has just joined: a page that goes on by itself.

    Not a redirect to another site: our content policy lets forms lead to this one only, and
    browsers hold that against every redirect that follows.
    """
    session, role = found(session_id)
    joined = any((one.role, one.way) == (role, Way.JOIN) for one in session.account().seen)
    if session.status != Status.SCHEDULED or not joined:
        return redirect(url_for("sessions.show", session_id=session_id), 303)
    return render_template(
        "sessions/meeting.html", session=session, link=session.link, other=other_of(session, role)
    )


@sessions.post("/sessions/<int:session_id>/check-in")
@access(PARTICIPANT)
def check_in(session_id: int) -> ResponseReturnValue:
    """Say "I'm here": for a meeting that no link opens."""
    return press(session_id, _is_there(Way.HERE), _("You are checked in."), once=False)


@sessions.get("/sessions/<int:session_id>/outcome")
@access(PARTICIPANT)
def outcome_form(session_id: int) -> ResponseReturnValue:
    """The form to say what became of it."""
    session, role = found(session_id)
    account, now = session.account(), clock.now()
    refusal = presence_rules.may_say_outcome(session.facts, role, now, policy.in_force(), account)
    if refusal:
        return not_now(session, role, refusal)
    said = outcome_check.said_of(session_id).get(role)
    mine = {"outcome": said.outcome, "note": said.note} if said else {}
    return _page(session, role, OutcomeForm(formdata=None, **mine), 200)


@sessions.post("/sessions/<int:session_id>/outcome")
@access(PARTICIPANT)
def outcome(session_id: int) -> ResponseReturnValue:
    """Say what became of it."""
    form = OutcomeForm()
    verdicts: list[Outcome | Unsettled] = []

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        said, note = str(form.outcome.data), form.said(form.note)
        verdicts.append(outcome_check.say_outcome(session, role, said, note, actor=who, now=now))

    session, role = found(session_id)
    if not form.validate():
        return _page(session, role, form, 422)
    try:
        # Not only from a fresh page: what somebody saw does not depend on what the other says.
        perform(session_id, form, verb, once=False, settle=False)
    except Refused as refused:
        session, role = found(session_id)
        return _page(session, role, form, attach(form, refused))
    return to_page(session_id, _told(verdicts[-1], other_of(session, role).display_name))


def _told(verdict: Outcome | Unsettled, name: str) -> str:
    if verdict is Unsettled.WAITING:
        return _("Said. %(name)s is asked as well.", name=name)
    if verdict is Unsettled.DISAGREED:
        return _("Said. You do not agree, so an administrator looks at it and decides.")
    return _("You agree: it is settled.")


def _page(session: Session, role: str, form: OutcomeForm, status: int) -> ResponseReturnValue:
    them, account = other_of(session, role), session.account()
    form.version.data = str(session.version)
    theirs = outcome_check.said_of(session.id).get(other(role))
    return render_template(
        "sessions/session_outcome.html",
        session=session,
        contract=session.contract,
        role=role,
        other=them,
        form=form,
        ways=presence_view.choices(session, role, them.display_name, account),
        theirs=theirs,
        they_say=OUTCOMES[Outcome(theirs.outcome)] if theirs else None,
        times=session_view.both_zones(session.scheduled_at, them.zone)
        if session.scheduled_at
        else None,
    ), status
