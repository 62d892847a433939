"""Answering from a mail: a link shows what its press will do, and a press does it.

Looking never changes anything, so a mail scanner that opens every link does no harm; one that
also presses buttons is past what we can tell from a person. A link signs nobody in: the page
speaks to the link's own person, whoever is signed in here.
"""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, g, render_template
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.db import transaction
from skileez.errors import NotFound, Refusal, Refused
from skileez.notifications import links
from skileez.notifications.link_rules import ANSWERS, OUTCOMES, OVERTAKEN, USED, Act, outcome_of
from skileez.notifications.links import Opened
from skileez.sessions import policy, presence_rules
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import Outcome, Unsettled
from skileez.sessions.rules import Status
from skileez.web import consequences, session_view, throttle
from skileez.web.access import LINK, access
from skileez.web.display import in_zone, sentence, when
from skileez.web.errors import STATUS
from skileez.web.language import gettext as _
from skileez.web.language import lazy_gettext as _l
from skileez.web.sessions import other_of

answers = Blueprint("answers", __name__)


@dataclass(frozen=True, slots=True)
class Words:
    """What the page of an act says: the question, its button, and what stands when it is done."""

    question: Any
    button: Any
    done: Any
    danger: bool = False


WORDS: Final = {
    Act.APPROVE: Words(
        _l("Move the session to this time?"),
        _l("Approve this time"),
        _l("Approved. The session has its new time."),
    ),
    Act.DECLINE: Words(
        _l("Decline, and keep the time?"),
        _l("Decline the request"),
        _l("Declined. The session stays where it was."),
        danger=True,
    ),
    Act.CONFIRM: Words(_l("Confirm the session?"), _l("Confirm it"), _l("Confirmed.")),
    Act.HELD: Words(
        _l("Did the session take place?"), _l("It took place"), _l("Thank you, that is noted.")
    ),
    Act.ALONE: Words(
        _l("Were you alone?"), _l("I was alone"), _l("Thank you, that is noted."), danger=True
    ),
}


@answers.get("/answer/<token>")
@access(LINK)
def show(token: str) -> ResponseReturnValue:
    """What a press will do, for whom, and until when; or why this link does nothing any more."""
    now = clock.now()
    opened = _of(links.look(token, now))
    if opened.why_not is not None:
        return _told(opened, opened.why_not)
    session, other = opened.session, other_of(opened.session, opened.role)
    shown = opened.time or session.scheduled_at
    return render_template(
        "answers/show.html",
        token=token,
        opened=opened,
        words=WORDS[opened.act],
        session=session,
        other=other,
        times=session_view.both_zones(shown, other.zone) if shown else None,
        before=when(session.scheduled_at)
        if opened.act is Act.APPROVE and session.scheduled_at
        else None,
        proposed=[when(one) for one in session.proposed_times] if opened.act is Act.DECLINE else [],
        why=session.reschedule_reason if opened.act in ANSWERS else None,
        consequences=_consequences(opened, other.display_name),
    )


@answers.post("/answer/<token>")
@access(LINK)
@throttle.failures("sign_in_failures_per_address", "15 minutes", codes=(404, 410))
def press(token: str) -> ResponseReturnValue:
    """Do it, once."""
    now = clock.now()
    try:
        with transaction():
            links.follow(token, now)
    except Refused as refused:
        return _told(_of(links.look(token, now)), refused.refusal)
    opened = _of(links.look(token, now))
    text = None
    if opened.act in OUTCOMES and opened.session.status == Status.SCHEDULED:
        text = _("It is settled once the other side says the same.")
    return _how_it_stands(opened, str(WORDS[opened.act].done), text), 200


@answers.errorhandler(NotFound)
def unknown(error: NotFound) -> ResponseReturnValue:
    """A link that never was: mistyped, cut off, or made up."""
    text = _("It may have been cut off on its way. Open it from the mail once more, or sign in.")
    title = _("This link is not known")
    # Without one, Flask's own session would stand for it.
    return render_template("answers/told.html", title=title, text=text, session=None), 404


@answers.after_request
def keep_quiet(response: Response) -> Response:
    """The address is the secret: no other page and no search engine hears of it."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _of(opened: Opened) -> Opened:
    """The same, with its person's zone for every time on the page."""
    g.zone = opened.person.zone
    return opened


def _told(opened: Opened, refusal: Refusal) -> ResponseReturnValue:
    """Why nothing was done; how the session stands, if the link may still tell."""
    titles = {
        USED.code: _("This is done already"),
        OVERTAKEN.code: _("Things have moved on"),
    }
    gone = STATUS[refusal.kind] == 410
    title = titles.get(
        refusal.code, _("This link has ended") if gone else _("This is not possible now")
    )
    return _how_it_stands(opened, title, sentence(refusal)), STATUS[refusal.kind]


def _how_it_stands(opened: Opened, title: str, text: str | None) -> str:
    session = opened.session if opened.tells else None
    start = session.scheduled_at if session else None
    return render_template(
        "answers/told.html",
        title=title,
        text=text,
        session=session,
        state=session_view.shown_state(session.facts, session.state) if session else None,
        time=in_zone(start, opened.person.zone) if start else None,
    )


def _consequences(opened: Opened, name: str) -> list[str]:
    session = opened.session
    match opened.act:
        case Act.APPROVE:
            return consequences.of_approval(session, name, opened.role)
        case Act.DECLINE:
            return [_("The session stays at its time; %(name)s sees that you declined.", name=name)]
        case Act.CONFIRM:
            return [_("%(name)s sees that the session is on.", name=name)]
        case Act.HELD | Act.ALONE:
            outcome = outcome_of(opened.act, opened.role)
            account = opened.account.saying(opened.role, outcome)
            return _of_saying(session, presence_rules.verdict(session.facts, account), name)


def _of_saying(session: Session, verdict: Outcome | Unsettled, name: str) -> list[str]:
    """Saying what became of a session, once the other side's word is added."""
    if verdict is Unsettled.WAITING:
        return [
            _("%(name)s is asked as well. If you agree, it is settled at once.", name=name),
            _("If you do not, an administrator decides."),
        ]
    if verdict is Unsettled.DISAGREED:
        return [_("%(name)s says otherwise, so an administrator decides.", name=name)]
    if session.status != Status.SCHEDULED:
        return [_("You agree, so it is settled.")]
    if verdict is Outcome.HELD:
        return consequences.of_completing(session, session.contract)
    return consequences.of_missing(policy.in_force(), name)
