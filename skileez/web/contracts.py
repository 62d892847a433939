"""The contract pages: the reader's list, one contract, what may be done with it; all of them
for the administrator.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, ngettext

from skileez import clock
from skileez.accounts.rules import EMAIL_MAX, clean_line
from skileez.contracts import queries, rules, standing_rules
from skileez.contracts.meeting_link_rules import check_link_shown, may_set_meeting_link
from skileez.contracts.models import Contract
from skileez.contracts.rules import ContractStatus
from skileez.db import transaction
from skileez.errors import Refused, require
from skileez.events import Actor
from skileez.sessions import actions, policy, progress, series_queries
from skileez.sessions import queries as session_queries
from skileez.sessions.lines import Line
from skileez.sessions.rules import State, Status
from skileez.web import life_line, series_view, session_view
from skileez.web.access import ADMIN, PARTICIPANT, SIGNED_IN, access, me, typed
from skileez.web.account_forms import AccountForm
from skileez.web.contract_forms import ContractLinkForm, EndForm, PauseForm
from skileez.web.display import sentence
from skileez.web.errors import attach
from skileez.web.forms import PressForm
from skileez.web.language import gettext as _
from skileez.web.session_view import Row

contracts = Blueprint("contracts", __name__)

MOST_PARTS: Final = 60
"""A contract of more sessions shows its progress as one ring only."""

Verb = Callable[[Contract, str, Actor, datetime], object]


class Forms(NamedTuple):
    """What stands on a contract's page; the one that was refused comes as it was sent."""

    pause: PauseForm
    end: EndForm
    link: ContractLinkForm


@contracts.get("/contracts")
@access(SIGNED_IN)
def index() -> ResponseReturnValue:
    """The reader's contracts, in either role, by status."""
    status = _status()
    page = queries.page_of(me().id, status, _before())
    return render_template(
        "contracts/index.html",
        rows=page.rows,
        live=session_queries.live_counts([contract.id for contract in page.rows]),
        status=status,
        statuses=list(ContractStatus),
        counts=queries.count_by_status(me().id),
        pending=queries.count_pending(me().id),
        before=_before(),
        following=page.next,
    )


@contracts.get("/admin/contracts")
@access(ADMIN)
def admin_index() -> ResponseReturnValue:
    """Everybody's contracts, for the administrator."""
    status, search = _status(), clean_line(request.args.get("q", ""))[:EMAIL_MAX]
    page = queries.everyones(status, search, _before())
    return render_template(
        "contracts/admin_index.html",
        rows=page.rows,
        live=session_queries.live_counts([contract.id for contract in page.rows]),
        status=status,
        statuses=list(ContractStatus),
        counts=queries.count_everyones(search),
        search=search,
        before=_before(),
        following=page.next,
    )


def _status() -> ContractStatus | None:
    said = request.args.get("status", "")
    return ContractStatus(said) if said in tuple(ContractStatus) else None


def _before() -> int | None:
    said = request.args.get("before", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None


@contracts.get("/contracts/<int:contract_id>")
@access(PARTICIPANT)
def show(contract_id: int) -> ResponseReturnValue:
    """One contract: its terms, its progress, its sessions, and what may be done with it."""
    return _page(contract_id)


@contracts.post("/contracts/<int:contract_id>/pause")
@access(PARTICIPANT)
def pause(contract_id: int) -> ResponseReturnValue:
    """Pause it: no booking and no completing until somebody resumes it."""
    form = PauseForm()

    def verb(contract: Contract, role: str, who: Actor, now: datetime) -> None:
        contract.pause(actor=who, role=role, now=now, reason=form.said(form.pause_reason))

    return _do(contract_id, form, verb, _("The contract is paused."))


@contracts.post("/contracts/<int:contract_id>/resume")
@access(PARTICIPANT)
def resume(contract_id: int) -> ResponseReturnValue:
    """End the pause that the page showed; an administrator may, too."""
    form = PressForm()

    def verb(contract: Contract, role: str, who: Actor, now: datetime) -> None:
        last = _last_pause(queries.history(contract))
        require(standing_rules.check_pause(contract.status, form.known_version(last), last))
        contract.resume(actor=who, role=role, now=now)

    return _do(contract_id, form, verb, _("The contract is active again."), admin=True)


@contracts.post("/contracts/<int:contract_id>/end")
@access(PARTICIPANT)
def end(contract_id: int) -> ResponseReturnValue:
    """End it before its last session; an administrator may, too."""
    form = EndForm()

    def verb(contract: Contract, role: str, who: Actor, now: datetime) -> None:
        actions.end_contract(
            contract,
            by=role,
            actor=who,
            reason=form.said(form.reason),
            now=now,
            shown=form.shown(),
        )

    said = _("The contract is ended, and its open sessions are cancelled.")
    return _do(contract_id, form, verb, said, admin=True)


@contracts.post("/contracts/<int:contract_id>/meeting-link")
@access(PARTICIPANT)
def meeting_link(contract_id: int) -> ResponseReturnValue:
    """Say where its sessions are held, instead of where the page showed that they are."""
    form = ContractLinkForm()

    def verb(contract: Contract, role: str, who: Actor, now: datetime) -> None:
        url, shown = form.said(form.meeting_url), form.replaces(contract.meeting_url)
        # Who may not is told so, whatever their page showed.
        require(may_set_meeting_link(contract.status, is_coach=role == "coach"))
        require(check_link_shown(contract.meeting_url, url, shown=shown))
        contract.set_meeting_url(url, actor=who, role=role, now=now)

    return _do(contract_id, form, verb, _("The meeting link is saved."))


def _do(
    contract_id: int, form: AccountForm, verb: Verb, said: str, *, admin: bool = False
) -> ResponseReturnValue:
    """Run ``verb`` on the reader's contract; refused, the page comes again as it was sent.

    ``admin``: an administrator may do this in anybody's contract.
    """
    administers, who, status = me().is_admin, Actor("person", me().id), 422
    if form.validate():
        try:
            with transaction():
                contract = actions.find_contract_for(who, contract_id, admin=admin and administers)
                verb(contract, contract.role_of(who.id) or "admin", who, clock.now())
            flash(said, "ok")
            return redirect(url_for(".show", contract_id=contract_id), 303)
        except Refused as refused:
            status = attach(form, refused)
            why = sentence(refused.refusal) if form.form_errors else None
            return _page(contract_id, form, status, why)
    return _page(contract_id, form, status)


def _page(
    contract_id: int, sent: AccountForm | None = None, status: int = 200, why: str | None = None
) -> ResponseReturnValue:
    reader, now = me(), clock.now()
    contract = queries.seen_by(reader.id, contract_id, admin=reader.is_admin)
    role = contract.role_of(reader.id)
    lines = session_queries.of_contract(contract.id, reader.id)
    live = [line for line in lines if progress.is_live(line.state)]
    refusal = rules.contract_is_active(contract.status) or rules.may_add_session(
        len(live), contract.total_sessions
    )
    may_pause = role is not None and standing_rules.may_pause(contract.status) is None
    may_end = standing_rules.may_end(contract.status) is None
    may_link = may_set_meeting_link(contract.status, is_coach=role == "coach") is None
    open_sessions = [line.id for line in lines if line.facts.status == Status.SCHEDULED]
    history = queries.history(contract)
    there = {PauseForm: may_pause, EndForm: may_end, ContractLinkForm: may_link}
    page = render_template(
        "contracts/show.html",
        contract=contract,
        role=role,
        other=contract.student if role == "coach" else contract.coach,
        terms=_terms(contract),
        parts=progress.parts(lines, contract.total_sessions)
        if contract.total_sessions <= MOST_PARTS
        else [],
        live=len(live),
        groups=_groups(lines, now, reads_along=role is None),
        series=[
            {
                "id": one.id,
                "words": series_view.words(one.pattern),
                "zone": one.zone,
                "stopped": one.stopped_at is not None,
                "asked": one.request is not None,
            }
            for one in series_queries.of_contract(contract.id)
        ],
        why_no_booking=sentence(refusal) if refusal else None,
        may_pause=may_pause,
        may_resume=standing_rules.may_resume(contract.status) is None,
        may_end=may_end,
        may_link=may_link,
        open_count=len(open_sessions),
        pause=_last_pause(history),
        forms=_forms(contract, sent, open_sessions),
        sent=type(sent).__name__ if sent else None,
        why=why,
        typed=[] if sent is None or there.get(type(sent)) else typed(),
        timeline=life_line.timeline(
            # The contract's start tells the same again.
            [told for told in history if told[0].verb != "proposal.accepted"]
        ),
    )
    return page, status


def _last_pause(history: Sequence[life_line.Told]) -> int:
    """The event of the contract's last pause; 0 for none."""
    return max((event.id for event, _name in history if event.verb == "contract.paused"), default=0)


def _forms(contract: Contract, sent: AccountForm | None, open_sessions: list[int]) -> Forms:
    end = sent if isinstance(sent, EndForm) else EndForm(formdata=None)
    end.seen.data = " ".join(map(str, open_sessions))  # as this page shows them
    return Forms(
        sent if isinstance(sent, PauseForm) else PauseForm(formdata=None),
        end,
        sent
        if isinstance(sent, ContractLinkForm)
        else ContractLinkForm(formdata=None, meeting_url=contract.meeting_url or "").showing(
            contract.meeting_url
        ),
    )


def _terms(contract: Contract) -> dict[str, Any]:
    """Dates and sums in words."""
    return {
        "starts": _day(contract.starts_on),
        "ends": _day(contract.ends_on) if contract.ends_on else None,
        "sum": contract.rate * contract.total_sessions,
        "count": ngettext("%(num)s session", "%(num)s sessions", contract.total_sessions),
    }


def _day(when: date) -> str:
    return str(format_date(when, "d MMMM y"))


def _groups(lines: list[Line], now: datetime, *, reads_along: bool) -> dict[str, list[Row]]:
    """The sessions as rows: those still open, those held (newest first), and the history."""
    inforce = policy.in_force()

    def row(line: Line) -> Row:
        step = None if reads_along else session_view.todo(line, now, inforce)
        return session_view.row(line, now, step.note if step else None)

    def by_time(line: Line) -> tuple[datetime, int]:
        return line.listed_at, line.id

    ahead = (State.SCHEDULED, State.RESCHEDULE_REQUESTED)
    by_age = sorted(lines, key=by_time)
    return {
        "ahead": [row(line) for line in by_age if line.state in ahead],
        "held": [row(line) for line in reversed(by_age) if line.state is State.COMPLETED],
        "history": [
            row(line) for line in reversed(by_age) if line.state in (State.CANCELLED, State.MISSED)
        ],
    }
