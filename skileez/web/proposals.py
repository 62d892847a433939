"""The proposal pages: sent and received, a new one, one of them and its answer."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.contracts import actions, queries, rules
from skileez.contracts.models import Proposal
from skileez.contracts.queries import Box
from skileez.db import transaction
from skileez.errors import Refused, require
from skileez.events import Actor
from skileez.web import life_line
from skileez.web.access import PARTICIPANT, SIGNED_IN, access, me, typed
from skileez.web.contract_forms import (
    DEFAULT_MINUTES,
    DEFAULT_SESSIONS,
    AnswerForm,
    ProposalForm,
)
from skileez.web.display import sentence
from skileez.web.errors import STATUS, attach
from skileez.web.language import gettext as _

proposals = Blueprint("proposals", __name__, url_prefix="/proposals")

Verb = Callable[[Proposal, Actor, datetime], object]


@proposals.get("")
@access(SIGNED_IN)
def index() -> ResponseReturnValue:
    """What the reader received, and what they sent."""
    pending, said = queries.count_pending(me().id), request.args.get("box")
    box: Box = "sent" if said == "sent" or (not said and _sends_rather(pending)) else "received"
    before = request.args.get("before", "")
    known = before.isascii() and before.isdecimal() and len(before) < 10
    page = queries.proposals_of(me().id, box, int(before) if known else None)
    return render_template(
        "proposals/index.html",
        box=box,
        rows=page.rows,
        pending=pending,
        before=before if known else None,
        following=page.next,
    )


def _sends_rather(pending: dict[Box, int]) -> bool:
    """A coach opens the page for what they sent, unless something waits for them."""
    return me().offers_coaching and not pending["received"]


@proposals.route("/new", methods=["GET", "POST"])
@access(SIGNED_IN)
def new() -> ResponseReturnValue:
    """Offer a student a number of sessions."""
    coach = me()
    refusal = rules.may_propose(
        offers_coaching=coach.offers_coaching, to_self=False, student_active=True
    )
    if refusal:
        page = render_template("proposals/not_a_coach.html", why=sentence(refusal), typed=typed())
        return page, STATUS[refusal.kind]
    if request.method == "GET":
        form = ProposalForm(
            formdata=None,
            student_email=request.args.get("to", ""),
            total_sessions=DEFAULT_SESSIONS,
            duration_minutes=DEFAULT_MINUTES,
            currency=rules.CURRENCIES[0],
            timezone=coach.zone,
        )
        return _new_page(form), 200
    form, status = ProposalForm(), 422
    if form.validate():
        try:
            terms, zone = form.terms(), form.said(form.timezone)
            with transaction():
                sent = actions.propose(
                    coach,
                    form.said(form.student_email),
                    terms,
                    zone=zone,
                    actor=Actor("person", coach.id),
                    now=clock.now(),
                )
            flash(_("Your proposal is sent."), "ok")
            return redirect(url_for(".show", proposal_id=sent.id), 303)
        except Refused as refused:
            status = attach(form, refused)
    return _new_page(form), status


def _new_page(form: ProposalForm) -> str:
    return render_template(
        "proposals/new.html",
        form=form,
        digits={code: rules.minor_digits(code) for code in rules.CURRENCIES},
    )


@proposals.get("/<int:proposal_id>")
@access(PARTICIPANT)
def show(proposal_id: int) -> ResponseReturnValue:
    """One proposal: its terms, and what the reader may answer."""
    return _page(proposal_id)


@proposals.post("/<int:proposal_id>/accept")
@access(PARTICIPANT)
def accept(proposal_id: int) -> ResponseReturnValue:
    """Say yes: a contract starts."""
    started: list[int] = []

    def verb(proposal: Proposal, who: Actor, now: datetime) -> None:
        started.append(proposal.accept(actor=who, now=now).id)

    refused = _answer(proposal_id, AnswerForm(), verb)
    if refused is not None:
        return refused
    flash(_("Accepted: the contract has started. Book the first session."), "ok")
    return redirect(url_for("contracts.show", contract_id=started[0]), 303)


@proposals.post("/<int:proposal_id>/decline")
@access(PARTICIPANT)
def decline(proposal_id: int) -> ResponseReturnValue:
    """Say no, with a word on why."""
    form = AnswerForm()

    def verb(proposal: Proposal, who: Actor, now: datetime) -> None:
        proposal.decline(actor=who, now=now, reason=form.said(form.reason))

    return _answer(proposal_id, form, verb) or _done(proposal_id, _("The proposal is declined."))


@proposals.post("/<int:proposal_id>/withdraw")
@access(PARTICIPANT)
def withdraw(proposal_id: int) -> ResponseReturnValue:
    """Take it back before it is answered."""

    def verb(proposal: Proposal, who: Actor, now: datetime) -> None:
        proposal.withdraw(actor=who, now=now)

    return _answer(proposal_id, AnswerForm(), verb) or _done(
        proposal_id, _("The proposal is withdrawn.")
    )


def _done(proposal_id: int, said: str) -> ResponseReturnValue:
    flash(said, "ok")
    return redirect(url_for(".show", proposal_id=proposal_id), 303)


def _answer(proposal_id: int, form: AnswerForm, verb: Verb) -> ResponseReturnValue | None:
    """Run ``verb`` on the reader's proposal; None when it is done, else the page again."""
    who = Actor("person", me().id)
    if not form.validate():
        return _page(proposal_id, form, 422)
    try:
        with transaction():
            proposal = actions.find_proposal_for(who, proposal_id)
            known = form.known_version(proposal.version)
            require(rules.check_unchanged(proposal.status, known, proposal.version))
            verb(proposal, who, clock.now())
    except Refused as refused:
        status = attach(form, refused)
        return _page(proposal_id, form, status, sentence(refused.refusal))
    return None


def _page(
    proposal_id: int, form: AnswerForm | None = None, status: int = 200, why: str | None = None
) -> ResponseReturnValue:
    reader = me()
    proposal = queries.proposal_seen_by(reader.id, proposal_id, admin=reader.is_admin)
    is_student = proposal.student_id == reader.id
    is_coach = proposal.coach_id == reader.id
    shown = form or AnswerForm(formdata=None)
    may_answer = rules.may_answer_proposal(proposal.status, is_student=is_student) is None
    page = render_template(
        "proposals/show.html",
        proposal=proposal,
        is_student=is_student,
        is_coach=is_coach,
        other=proposal.coach if is_student else proposal.student,
        may_answer=may_answer,
        may_withdraw=rules.may_withdraw_proposal(proposal.status, is_coach=is_coach) is None,
        form=shown,
        why=why,
        typed=[] if may_answer else typed(),
        timeline=life_line.timeline(queries.proposal_history(proposal.id)),
    )
    return page, status
