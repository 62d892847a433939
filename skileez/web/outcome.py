"""How a session ends: completed, cancelled, missed, and the correction of a missed one."""

from datetime import datetime
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.db import transaction
from skileez.errors import Refusal, Refused, require
from skileez.events import Actor
from skileez.sessions import actions, outcome_rules, policy, rules
from skileez.sessions.models import Session
from skileez.web import consequences, series_view, session_view
from skileez.web.access import PARTICIPANT, access, me
from skileez.web.errors import attach
from skileez.web.forms import (
    CorrectionForm,
    PressForm,
    SessionCancelForm,
    SessionCompletionForm,
    SessionForm,
    SessionMissedForm,
)
from skileez.web.language import gettext as _
from skileez.web.sessions import (
    Verb,
    actor,
    found,
    not_now,
    other_of,
    perform,
    press,
    sessions,
    show_page,
    to_page,
)


def _page(
    template: str, session: Session, role: str, form: SessionForm, told: list[str], status: int
) -> ResponseReturnValue:
    other = other_of(session, role)
    form.version.data = str(session.version)
    return render_template(
        template,
        part=series_view.scopes(session, role, clock.now(), to_move=False),
        session=session,
        contract=session.contract,
        role=role,
        other=other,
        form=form,
        consequences=told,
        times=session_view.both_zones(session.scheduled_at, other.zone)
        if session.scheduled_at
        else None,
    ), status


def _show(
    session_id: int, form_class: type[SessionForm], template: str, tell: Any, may: Any
) -> ResponseReturnValue:
    """A form's page, or why not now."""
    session, role = found(session_id)
    refusal: Refusal | None = may(session, role)
    if refusal:
        return not_now(session, role, refusal)
    return _page(template, session, role, form_class(formdata=None), tell(session, role), 200)


def _send(
    session_id: int, form: SessionForm, verb: Verb, does: str, template: str, tell: Any, done: str
) -> ResponseReturnValue:
    """Do what the form says, or show it again with the reason and all that was typed."""
    if not form.validate():
        session, role = found(session_id)
        return _page(template, session, role, form, tell(session, role), 422)
    try:
        perform(session_id, form, verb, does=does, settle=False)
    except Refused as refused:
        session, role = found(session_id)
        status = attach(form, refused)
        return _page(template, session, role, form, tell(session, role), status)
    return to_page(session_id, done)


# Completing


def _completing(session: Session, role: str) -> list[str]:
    return consequences.of_completing(session, session.contract)


@sessions.get("/sessions/<int:session_id>/complete-form")
@access(PARTICIPANT)
def complete_form(session_id: int) -> ResponseReturnValue:
    """The form to say that it took place."""
    return _show(
        session_id,
        SessionCompletionForm,
        "sessions/session_completion.html",
        _completing,
        lambda session, role: outcome_rules.may_complete(
            session.facts, role, clock.now(), session.account()
        ),
    )


@sessions.post("/sessions/<int:session_id>/complete")
@access(PARTICIPANT)
def complete(session_id: int) -> ResponseReturnValue:
    """It took place."""
    form = SessionCompletionForm()

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        session.mark_completed(
            form.said(form.notes),
            role,
            actual_minutes=form.actual_minutes.data,
            actor=who,
            now=now,
        )

    template = "sessions/session_completion.html"
    done = _("Completed. Well done.")
    return _send(session_id, form, verb, "session.completed", template, _completing, done)


# Cancelling


def _cancelling(session: Session, role: str) -> list[str]:
    name = other_of(session, role).display_name
    return consequences.of_cancelling(session, role, name, clock.now(), policy.in_force())


@sessions.get("/sessions/<int:session_id>/cancel-form")
@access(PARTICIPANT)
def cancel_form(session_id: int) -> ResponseReturnValue:
    """The form to call it off."""
    return _show(
        session_id,
        SessionCancelForm,
        "sessions/session_cancel.html",
        _cancelling,
        lambda session, role: outcome_rules.may_cancel(session.facts, role),
    )


@sessions.post("/sessions/<int:session_id>/cancel")
@access(PARTICIPANT)
def cancel(session_id: int) -> ResponseReturnValue:
    """Call it off."""
    form = SessionCancelForm()

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        session.cancel_session(by=role, reason=form.said(form.reason), actor=who, now=now)

    template = "sessions/session_cancel.html"
    done = _("Cancelled. The credit stays with the contract.")
    return _send(session_id, form, verb, "session.cancelled", template, _cancelling, done)


# Missing


def _missing(session: Session, role: str) -> list[str]:
    return consequences.of_missing(policy.in_force(), other_of(session, role).display_name)


@sessions.get("/sessions/<int:session_id>/missed-form")
@access(PARTICIPANT)
def missed_form(session_id: int) -> ResponseReturnValue:
    """The form to say that it did not take place."""
    return _show(
        session_id,
        SessionMissedForm,
        "sessions/session_missed.html",
        _missing,
        lambda session, role: outcome_rules.may_mark_missed(
            session.facts, role, clock.now(), session.account()
        ),
    )


@sessions.post("/sessions/<int:session_id>/missed")
@access(PARTICIPANT)
def missed(session_id: int) -> ResponseReturnValue:
    """It did not take place."""
    form = SessionMissedForm()

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        session.mark_missed(
            by=role,
            reason=form.said(form.reason),
            absent=form.absent.data,
            actor=who,
            now=now,
        )

    template = "sessions/session_missed.html"
    return _send(session_id, form, verb, "session.missed", template, _missing, _("Marked missed."))


# Correcting


def _correcting(session: Session, role: str) -> list[str]:
    name = other_of(session, role).display_name
    return [
        _("%(name)s or an administrator is asked to agree.", name=name),
        _("If they do, the session counts as completed; until then it stays missed."),
    ]


@sessions.get("/sessions/<int:session_id>/correction")
@access(PARTICIPANT)
def correction(session_id: int) -> ResponseReturnValue:
    """The form to say that a missed session did take place."""
    return _show(
        session_id,
        CorrectionForm,
        "sessions/session_correction.html",
        _correcting,
        lambda session, role: outcome_rules.may_request_correction(
            session.facts, role, clock.now(), policy.in_force()
        ),
    )


@sessions.post("/sessions/<int:session_id>/correction")
@access(PARTICIPANT)
def request_correction(session_id: int) -> ResponseReturnValue:
    """Say that it did."""
    form = CorrectionForm()

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        session.request_correction(role, form.said(form.reason), actor=who, now=now)

    template = "sessions/session_correction.html"
    done = _("Sent. It waits for their answer.")
    return _send(
        session_id, form, verb, "session.correction_requested", template, _correcting, done
    )


@sessions.post("/sessions/<int:session_id>/approve-correction")
@access(PARTICIPANT)
def approve_correction(session_id: int) -> ResponseReturnValue:
    """The other participant, or an administrator, agrees."""

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        session.approve_correction(role, actor=who, now=now)

    done = _("Corrected: the session counts as completed.")
    return _settle(session_id, verb, "session.corrected", done)


@sessions.post("/sessions/<int:session_id>/decline-correction")
@access(PARTICIPANT)
def decline_correction(session_id: int) -> ResponseReturnValue:
    """The other participant, or an administrator, disagrees."""

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        session.decline_correction(role, actor=who, now=now)

    done = _("Declined: the session stays missed.")
    return _settle(session_id, verb, "session.correction_declined", done)


def _settle(session_id: int, verb: Verb, does: str, done: str) -> ResponseReturnValue:
    """A participant's press; or an administrator's, who is not part of the contract."""
    if not me().is_admin:
        return press(session_id, verb, done, does=does)
    form, now, who = PressForm(), clock.now(), actor()
    try:
        with transaction():
            session = actions.find_any(session_id)
            require(rules.check_version(form.known_version(session.version), session.version))
            verb(session, session.role_of(who.id) or rules.Role.ADMIN, who, now)
    except Refused as refused:
        return show_page(session_id, refused=refused)
    return to_page(session_id, done)
