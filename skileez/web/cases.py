"""Cases: two accounts of a session that do not agree, with the evidence, for an administrator."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.db import transaction
from skileez.errors import Refused
from skileez.notifications import evidence
from skileez.sessions import outcome_check, policy, presence_rules, queries
from skileez.sessions.presence_rules import Outcome
from skileez.web import life_line, presence_view, session_view
from skileez.web.access import ADMIN, access, me, typed
from skileez.web.display import length, sentence
from skileez.web.errors import attach
from skileez.web.forms import OUTCOMES, CaseForm
from skileez.web.language import gettext as _
from skileez.web.sessions import actor

cases = Blueprint("cases", __name__, url_prefix="/admin/cases")


@cases.get("")
@access(ADMIN)
def index() -> ResponseReturnValue:
    """Cases that wait for a decision, the oldest first, and the latest that were decided."""
    waiting, decided = outcome_check.cases(closed=False), outcome_check.cases(closed=True, limit=20)
    now = clock.now()
    lines = {
        line.id: line for line in queries.lines([one.session_id for one in (*waiting, *decided)])
    }

    def row(case: Any, note: str) -> session_view.Row:
        shown = session_view.row(lines[case.session_id], now, note)
        # Who decides reads of both: the clock of one of them alone would not say whose it is.
        return replace(shown, theirs="", href=url_for(".show", case_id=case.id))

    return render_template(
        "cases/index.html",
        waiting=[
            row(
                one,
                _("waits for %(time)s", time=length(now - one.opened_at)),
            )
            for one in waiting
        ],
        decided=[
            row(one, _("Decided: %(what)s", what=OUTCOMES[Outcome(one.decision)]))
            for one in decided
        ],
    )


@cases.get("/<int:case_id>")
@access(ADMIN)
def show(case_id: int) -> ResponseReturnValue:
    """One case: what each says, who was there, what both were told, and the decision."""
    return _page(case_id, CaseForm(formdata=None), 200)


@cases.post("/<int:case_id>")
@access(ADMIN)
def decide(case_id: int) -> ResponseReturnValue:
    """Decide it."""
    form = CaseForm()
    if not form.validate():
        return _page(case_id, form, 422)
    try:
        with transaction():
            session, case = outcome_check.find_case(case_id)
            outcome_check.decide_case(
                session,
                case,
                str(form.outcome.data),
                form.said(form.reason),
                actor=actor(),
                now=clock.now(),
            )
    except Refused as refused:
        return _page(case_id, form, attach(form, refused))
    flash(_("Decided. Both of them are told."), "ok")
    return redirect(url_for(".show", case_id=case_id), 303)


def _page(case_id: int, form: CaseForm, status: int) -> ResponseReturnValue:
    case = outcome_check.seen_case(case_id)
    session = queries.seen_by(me().id, case.session_id, admin=True)
    contract, now = session.contract, clock.now()
    people = {"student": contract.student, "coach": contract.coach}
    history = queries.history(session.id)
    facts = session.facts
    account = presence_rules.account_of(facts, [event for event, _name in history])
    said = outcome_check.said_of(session.id)
    role = session.role_of(me().id) or "admin"
    refusal = presence_rules.may_decide_case(role, closed=case.closed_at is not None)
    return render_template(
        "cases/show.html",
        case=case,
        session=session,
        contract=contract,
        state=session_view.shown_state(facts, session.state),
        presence=presence_view.of(session, None, people, account, now, policy.in_force()),
        said=said,
        told=[
            {
                "name": people[one.role].display_name,
                "what": life_line.words_of(one.kind),
                "sent": one.sent,
                "read": one.read_at,
            }
            for one in evidence.told_of(session)
        ],
        timeline=life_line.timeline(history),
        decision=OUTCOMES[Outcome(case.decision)] if case.decision else None,
        ways=presence_view.decisions(session, account),
        refusal=sentence(refusal) if refusal and case.closed_at is None else None,
        typed=typed() if refusal else [],
        form=form,
    ), status
