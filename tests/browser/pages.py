"""Every page of the product: which there are, and in which of its moods each is looked at.

The people and sessions are the demo's. ``{…}`` in a path is a session in that mood, seen by that
person; see ``moods``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from skileez import db, worker
from skileez.accounts.models import Person
from skileez.accounts.rules import NAME_MAX
from skileez.contracts.models import Contract, Proposal
from skileez.contracts.rules import MAX_PRICE, REASON_MAX, TITLE_MAX
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR

if TYPE_CHECKING:
    from tests.browser.site import Site, Someone

PAGES: dict[str, tuple[str, ...]] = {
    "nobody": ("/reset/dead-link", "/demo/mail"),
    "student": (
        "/dashboard",
        "/sessions",
        "/contracts",
        "/contracts/{contract}",
        "/proposals/{proposal}",
        "/notifications",
        "/sessions/{confirmed}",
        "/sessions/{mine}",
        "/sessions/{theirs}",
        "/sessions/{overdue}/complete-form",
        "/sessions/{open}",
        "/series/{series}",
        "/calendar?view=list",
    ),
    "coach": (
        "/dashboard",
        "/calendar?view=week",
        "/proposals/{proposal}",
        "/availability",
        "/availability/away",
        "/contracts/{contract}",
        "/sessions/{scheduled}",
        "/sessions/{disputed}",
        "/sessions/{completed}",
    ),
    "admin": (
        "/dashboard",
        "/admin/people",
        "/admin/due",
        "/admin/cases",
        "/admin/worker",
        "/admin/messages",
    ),
    "newcomer": (
        "/dashboard",
        "/sessions",
        "/contracts",
        "/notifications",
    ),
}
"""By who looks: the newcomer has nothing yet.

Pages with a form stand below: with its errors a form shows all that it shows without them.
"""

TALKERS = (
    "/dashboard",
    "/calendar?view=list",
    "/sessions?view=all",
    "/contracts/{contract}",
    "/contracts/{contract}/schedule",
    "/sessions/{mine}",
    "/sessions/{confirmed}/cancel-form",
    "/proposals/{proposal}",
    "/notifications",
)
"""Pages of the talker, whose names and texts are long and hostile: do they fit?"""

FORMS: dict[str, tuple[str, ...]] = {
    "nobody": ("/sign-in", "/sign-up", "/reset"),
    "student": (
        "/contracts/{contract}/schedule",
        "/contracts/{contract}/series/new",
        "/sessions/{confirmed}/reschedule",
        "/sessions/{confirmed}/cancel-form",
        "/sessions/{overdue}/missed-form",
        "/sessions/{overdue}/outcome",
        "/profile",
    ),
    "talker": ("/sessions/{missed}/correction",),
    "coach": (
        "/proposals/new",
        "/sessions/{theirs}/reschedule-approval",
        "/profile/notifications",
    ),
}
"""Forms that are sent empty, to be looked at with their errors."""


@dataclass(frozen=True)
class Moods:
    """One of each kind for one person: an id by its word."""

    found: dict[str, int]

    def path(self, pattern: str) -> str:
        """The path with its words filled in; KeyError where the demo lacks such a one."""
        return pattern.format_map(self.found)


def moods(email: str, now: datetime) -> Moods:
    """What this person has to look at."""
    person = db.session.scalars(select(Person).where(Person.email == email)).one()
    mine = or_(Session.coach_id == person.id, Session.student_id == person.id)
    if person.is_admin:
        mine = Session.id > 0
    role = (
        "student" if person.id not in set(db.session.scalars(select(Session.coach_id))) else "coach"
    )
    other = "coach" if role == "student" else "student"
    conditions = {
        "scheduled": (Session.state == "scheduled", Session.confirmed_by_coach.is_(False)),
        "confirmed": (Session.state == "scheduled", Session.confirmed_by_coach.is_(True)),
        "mine": (Session.reschedule_requested_by == role,),
        "theirs": (Session.reschedule_requested_by == other,),
        "completed": (Session.state == "completed", Session.coach_notes != ""),
        "missed": (Session.state == "missed", Session.correction_by.is_(None)),
        "disputed": (Session.correction_by.is_not(None),),
        "open": (Session.state == "scheduled", Session.scheduled_at.is_(None)),
        "overdue": (Session.state == "scheduled", Session.ends_at < now),
    }
    found = {}
    for word, those in conditions.items():
        latest = select(func.max(Session.id)).where(mine, *those)
        if (one := db.session.scalar(latest)) is not None:
            found[word] = one
    ours = or_(Contract.coach_id == person.id, Contract.student_id == person.id)
    if person.is_admin:
        ours = Contract.id > 0
    first = select(func.min(Contract.id)).where(ours, Contract.status == "active")
    if (one := db.session.scalar(first)) is not None:
        found["contract"] = one
    sent = select(func.max(Proposal.id)).where(
        or_(Proposal.coach_id == person.id, Proposal.student_id == person.id)
    )
    found["proposal"] = db.session.scalar(sent) or 0
    recurs = select(func.max(Session.series_id)).where(mine)
    found["series"] = db.session.scalar(recurs) or 0
    db.session.remove()
    return Moods(found)


LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
HOSTILE = f"<b>\"{LONG}</b>' {{{{7*7}}}} <script>alert(1)</script> &amp; \u202eabc\u202c 👩🏽‍🚀 "


def hostile(site: "Site") -> "Someone":
    """A student with one contract, whose every name and text is as bad as the rules allow."""
    student = site.person("student", LONG[:NAME_MAX], "America/Argentina/Buenos_Aires")
    coach = site.person("coach", "W" * NAME_MAX, "Australia/Lord_Howe")
    title = (HOSTILE + LONG * 3)[:TITLE_MAX]
    text = (HOSTILE * 20)[:REASON_MAX]
    contract = site.contract(coach, student, 12, title=title, message=text, price=MAX_PRICE)
    now = site.clock()
    starts = [now + days * DAY for days in (2, 3, 4, 5)]
    first, second, third, _fourth = (site.session(contract, student, one) for one in starts)
    times = [starts[0] + 10 * DAY, starts[0] + 11 * DAY, starts[0] + 12 * DAY]
    site.verb(student, second, "request_reschedule", "student", text, proposed_times=times)
    site.verb(coach, third, "cancel_session", by="coach", reason=text)
    site.clock.strike(starts[0] + HOUR)
    site.verb(coach, first, "mark_missed", by="coach", reason=text, absent="student")
    site.clock.strike(now)
    worker.dispatch(now)
    return student
