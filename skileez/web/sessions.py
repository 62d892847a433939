"""The session pages: the list, one session, and the verbs that need only a press.

The forms are in ``reschedule`` and ``outcome``; all verbs run through ``perform``.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.contracts.meeting_link_rules import check_link_shown
from skileez.cursor import Cursor
from skileez.db import transaction
from skileez.errors import Refusal, Refused, require
from skileez.events import Actor
from skileez.sessions import (
    actions,
    outcome_rules,
    policy,
    presence_rules,
    queries,
    rules,
    series_queries,
)
from skileez.sessions.lines import Line
from skileez.sessions.models import Session
from skileez.sessions.queries import Filter, View
from skileez.sessions.reschedule_rules import SETTLED
from skileez.sessions.rules import State
from skileez.web import consequences, life_line, presence_view, session_view
from skileez.web.access import PARTICIPANT, SIGNED_IN, access, me, typed
from skileez.web.display import iso, sentence, when
from skileez.web.errors import STATUS
from skileez.web.forms import MeetingLinkForm, NotesForm, PressForm, SessionForm
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l

sessions = Blueprint("sessions", __name__)

Verb = Callable[[Session, str, Actor, datetime], None]


def actor() -> Actor:
    """The reader, as the one who acts."""
    return Actor("person", me().id)


def perform(
    session_id: int,
    form: SessionForm | None,
    verb: Verb,
    *,
    does: str | None = None,
    once: bool = True,
    settle: bool = True,
) -> None:
    """Run ``verb`` on the reader's session in one transaction.

    ``settle``: a request whose deadline has passed is settled first, and then the reader is told,
    since what they saw is no longer true; verbs that end the session close the request instead.
    ``once`` refuses a page that the session has moved on from, as ``form`` says; without a form
    the verb sees to that itself. ``does`` is the event that the verb tells: who has just done it
    (a double click) is told so. Raises ``NotFound`` for a stranger and ``Refused``.
    """
    now, who = clock.now(), actor()
    with transaction():
        session = actions.find_for(who, session_id)
        role = session.role_of(who.id)
        assert role is not None
        settled = session.settle_silence(now=now) if settle else None
        if settled is None:
            if once and form is not None:
                known, current = form.known_version(session.version), session.version
                stale = known != current
                done_at = queries.did_last(session.id, role, does) if does and stale else None
                require(rules.check_version(known, current, done_at=done_at))
            verb(session, role, who, now)
    if settled is not None:
        raise Refused(SETTLED[settled])


def found(session_id: int) -> tuple[Session, str]:
    """The reader's session, for looking, and their role in it. Raises ``NotFound``."""
    session = queries.seen_by(me().id, session_id)
    role = session.role_of(me().id)
    assert role is not None
    return session, role


def other_of(session: Session, role: str) -> Any:
    """The other participant."""
    return session.contract.student if role == "coach" else session.contract.coach


def to_page(session_id: int, message: str) -> ResponseReturnValue:
    """Back to the session's page, with word of what was done."""
    flash(message, "ok")
    return redirect(url_for("sessions.show", session_id=session_id), 303)


def not_now(session: Session, role: str, refusal: Refusal) -> tuple[str, int]:
    """The page in place of a form whose verb is not possible now, with what was typed into it."""
    page = render_template(
        "sessions/not_now.html", session=session, role=role, why=sentence(refusal), typed=typed()
    )
    return page, STATUS[refusal.kind]


# The list


@sessions.get("/sessions")
@access(SIGNED_IN)
def index() -> ResponseReturnValue:
    """The reader's sessions, by state and contract, a page at a time."""
    now, wanted = clock.now(), _filter()
    page = queries.page(me().id, wanted, now, Cursor.parse(request.args.get("at")))
    inforce = policy.in_force()
    lines = [(line, session_view.todo(line, now, inforce)) for line in page.lines]
    return render_template(
        "sessions/index.html",
        rows=[session_view.row(line, now, step.note if step else None) for line, step in lines],
        wanted=wanted,
        contracts=queries.contracts_of(me().id),
        states=list(State),
        previous=_link(wanted, page.previous) if page.previous else None,
        next=_link(wanted, page.next) if page.next else None,
        link=_link,
    )


def _filter() -> Filter:
    said = request.args
    view, contract = said.get("view", ""), said.get("contract", "")
    state = State(said["state"]) if said.get("state") in tuple(State) else None
    shown = View(view) if view in tuple(View) else View.ALL if state else View.UPCOMING
    if shown is View.UPCOMING and state in (State.COMPLETED, State.CANCELLED, State.MISSED):
        shown = View.ALL  # nothing that is over is still to come
    return Filter(
        shown, state, int(contract) if contract.isdecimal() and len(contract) < 10 else None
    )


def _link(wanted: Filter, cursor: Cursor | None = None, **changed: Any) -> str:
    said = {
        "view": wanted.view.value,
        "state": wanted.state.value if wanted.state else None,
        "contract": wanted.contract_id,
        "at": str(cursor) if cursor else None,
        **changed,
    }
    return url_for("sessions.index", **said)


@sessions.get("/sessions.csv")
@access(SIGNED_IN)
def export() -> ResponseReturnValue:
    """The same list as a CSV file, whole; times in UTC and in the reader's zone."""
    now, wanted, reader = clock.now(), _filter(), me()
    found_lines = list(queries.every(reader.id, wanted, now))
    return Response(
        # Whole, not streamed: the reader's language is known only while the request lasts.
        "".join(_csv(found_lines, reader.zone)),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="sessions.csv"'},
    )


_HEADINGS = (
    _l("id"),
    _l("contract"),
    _l("number"),
    _l("of"),
    _l("with"),
    _l("your role"),
    _l("state"),
    _l("confirmed"),
    _l("start (UTC)"),
    _l("start (your zone)"),
    _l("minutes"),
)


def _csv(lines: list[Line], zone: str) -> Iterator[str]:
    yield _csv_row([str(heading) for heading in _HEADINGS])
    for line in lines:
        yield _csv_row(
            [
                line.id,
                line.title,
                line.number,
                line.total,
                line.other_name,
                line.role,
                session_view.shown_state(line.facts, line.state),
                _("yes") if line.facts.confirmed else _("no"),
                iso(line.start) if line.start else "",
                when(line.start, zone) if line.start else "",
                line.minutes,
            ]
        )


def _csv_row(values: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_inert(value) for value in values])
    return text.getvalue()


def _inert(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula, made text again.

    Also behind a semicolon: many countries' spreadsheets part cells there, whatever the quotes.
    """
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


_FORMULA = re.compile(r"((?:^|;)\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


# One session


@sessions.get("/sessions/<int:session_id>")
@access(PARTICIPANT)
def show(session_id: int) -> ResponseReturnValue:
    """Everything about one session: its state, times, next steps, notes and life line."""
    return show_page(session_id)


def show_page(
    session_id: int,
    *,
    refused: Refused | None = None,
    notes_form: NotesForm | None = None,
    link_form: MeetingLinkForm | None = None,
    status: int | None = None,
) -> ResponseReturnValue:
    """The session's page; with a refusal it says what was not done, and why."""
    reader = me()
    session = queries.seen_by(reader.id, session_id, admin=reader.is_admin)
    role = session.role_of(reader.id)
    now, inforce = clock.now(), policy.in_force()
    facts = session.facts
    other = other_of(session, role or "student")
    people = {"student": session.contract.student, "coach": session.contract.coach}
    history = queries.history(session.id)
    account = presence_rules.account_of(facts, [event for event, _name in history])
    made = session_view.steps(session, role, now, inforce, account) if role else []
    may_add_notes = role is not None and outcome_rules.may_add_notes(facts, role) is None
    may_set_link = role is not None and rules.may_set_meeting_url(facts, role) is None
    mine = session.student_notes if role == "student" else session.coach_notes
    link = session.meeting_url
    form_is_gone = (notes_form and not may_add_notes) or (link_form and not may_set_link)
    return render_template(
        "sessions/show.html",
        session=session,
        contract=session.contract,
        role=role,
        other=other,
        facts=facts,
        state=session_view.shown_state(facts, session.state),
        times=session_view.both_zones(session.scheduled_at, other.zone)
        if session.scheduled_at
        else None,
        proposed=[session_view.both_zones(one, other.zone) for one in session.proposed_times],
        countdown=session_view.from_now(session.scheduled_at, now)
        if session.scheduled_at
        else None,
        steps=[step for step in made if step.why_not is None],
        refused_steps=[step for step in made if step.why_not is not None],
        silence=consequences.of_silence(session) if session.reschedule_requested else None,
        timeline=life_line.timeline(history),
        part=series_queries.part_of(session),
        presence=presence_view.of(session, role, people, account, now, inforce),
        may_settle_correction=session.correction_by is not None
        and outcome_rules.may_answer_correction(facts, role or "admin") is None,
        may_set_link=may_set_link,
        may_add_notes=may_add_notes,
        notes_form=(notes_form or NotesForm(formdata=None, notes=mine).showing(mine))
        if may_add_notes
        else None,
        notes_refused=notes_form is not None and refused is not None and may_add_notes,
        mine=mine,
        link_form=(link_form or MeetingLinkForm(formdata=None, meeting_url=link).showing(link))
        if may_set_link
        else None,
        link_sent=link_form is not None,
        said=sentence(refused.refusal) if refused else None,
        typed=typed() if form_is_gone else [],
        overdue=outcome_rules.is_overdue(facts, now),
    ), status or (STATUS[refused.refusal.kind] if refused else 200)


def press(
    session_id: int, verb: Verb, done: str, *, does: str | None = None, once: bool = True
) -> ResponseReturnValue:
    """Answer a verb that needs only a press: done and back, or the page with the reason.

    Pressed on the dashboard (by htmx, in place) either is told there.
    """
    in_place = request.args.get("back") == "dashboard"
    try:
        perform(session_id, PressForm(), verb, does=does, once=once)
    except Refused as refused:
        if not in_place:
            return show_page(session_id, refused=refused)
        flash(sentence(refused.refusal), "danger")
    else:
        if not in_place:
            return to_page(session_id, done)
        flash(done, "ok")
    return redirect(url_for("dashboard.show"), 303)


@sessions.post("/sessions/<int:session_id>/confirm")
@access(PARTICIPANT)
def confirm(session_id: int) -> ResponseReturnValue:
    """The coach confirms what the page showed; a second press changes nothing."""
    form = PressForm()

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        if not session.confirmed_by_coach:  # else it is a second press, which changes nothing
            require(rules.check_version(form.known_version(session.version), session.version))
        session.confirm(role, actor=who, now=now)

    return press(session_id, verb, _("Confirmed."), once=False)


@sessions.post("/sessions/<int:session_id>/withdraw-reschedule")
@access(PARTICIPANT)
def withdraw(session_id: int) -> ResponseReturnValue:
    """Who asked takes the request back."""

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        session.withdraw_reschedule(role, actor=who, now=now)

    done = _("The request is withdrawn; the original time stands.")
    return press(session_id, verb, done, does="session.reschedule_withdrawn")


@sessions.post("/sessions/<int:session_id>/meeting-link")
@access(PARTICIPANT)
def meeting_link(session_id: int) -> ResponseReturnValue:
    """The coach says where this one is held, instead of where the page showed that it is."""
    form = MeetingLinkForm()

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        url, shown = form.said(form.meeting_url), form.replaces(session.meeting_url)
        # Who may not is told so, whatever their page showed.
        require(rules.may_set_meeting_url(session.facts, role))
        require(check_link_shown(session.meeting_url, url, shown=shown))
        session.set_meeting_url(url, role, actor=who, now=now)

    found(session_id)
    if not form.validate():
        return show_page(session_id, link_form=form, status=422)
    try:
        perform(session_id, None, verb)
    except Refused as refused:
        return show_page(session_id, refused=refused, link_form=form)
    return to_page(session_id, _("The meeting link is saved."))


@sessions.post("/sessions/<int:session_id>/notes")
@access(PARTICIPANT)
def notes(session_id: int) -> ResponseReturnValue:
    """A participant adds or changes their own notes, which are still those that the page showed."""
    form = NotesForm()

    def verb(session: Session, role: str, who: Actor, now: datetime) -> None:
        before = session.student_notes if role == "student" else session.coach_notes
        said, shown = form.said(form.notes), form.replaces(before)
        require(outcome_rules.check_notes_shown(before, said, shown=shown))
        session.add_notes(said, role, actor=who, now=now)

    found(session_id)
    if not form.validate():
        return show_page(session_id, notes_form=form, status=422)
    try:
        perform(session_id, None, verb)
    except Refused as refused:
        return show_page(session_id, refused=refused, notes_form=form)
    return to_page(session_id, _("Your notes are saved."))
