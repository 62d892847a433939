"""What waits for an administrator, for the first page: cases, disputes, and a worker in trouble."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from flask import url_for
from flask_babel import ngettext

from skileez import clock
from skileez.insights import operation
from skileez.insights.rules import Going
from skileez.sessions import outcome_check, policy, queries
from skileez.web.display import length
from skileez.web.language import gettext as _

Duty = dict[str, str]
"""What it is, why it waits, where to go, what the button says, and the icon."""

MOST: Final = 100
"""Cases and disputes are counted as far as this."""


def of_operator(now: datetime) -> Iterator[Duty]:
    """Everything that an administrator should look at now, the most urgent first."""
    found = operation.look(now, policy.in_force(), speed=clock.speed())
    if found.going is not Going.ON_TIME:
        yield _worker(found)
    if parked := sum(found.parked.values()):
        yield {
            "title": ngettext(
                "%(num)s message or event was put aside",
                "%(num)s messages or events were put aside",
                parked,
            ),
            "note": _("It failed too often. Read why, and send it again."),
            "href": url_for("operations.worker"),
            "step": _("Look"),
            "icon": "alert",
        }
    if cases := len(outcome_check.cases(closed=False, limit=MOST)):
        yield {
            "title": ngettext("%(num)s case to decide", "%(num)s cases to decide", cases),
            "note": _("Student and coach tell different stories of how it went."),
            "href": url_for("cases.index"),
            "step": _("Decide"),
            "icon": "flag",
        }
    if disputed := len(queries.disputed(MOST)):
        yield {
            "title": ngettext(
                "%(num)s no-show is disputed", "%(num)s no-shows are disputed", disputed
            ),
            "note": _("One says that it did take place; the other has not answered yet."),
            "href": url_for("sweeps.index"),
            "step": _("Look"),
            "icon": "hourglass",
        }


def _worker(found: operation.Operation) -> Duty:
    if found.going is Going.NO_WORKER:
        title = _("No worker is running")
        note = _("Nothing is lost, but reminders and deadlines wait until one runs.")
    else:
        title = _("The worker is behind")
        note = _("The oldest that is due has waited for %(time)s.", time=length(found.longest))
    return {
        "title": title,
        "note": note,
        "href": url_for("operations.worker"),
        "step": _("Look"),
        "icon": "alert",
    }
