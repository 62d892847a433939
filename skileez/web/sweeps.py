"""What time alone decides, seen and set going by an administrator."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.sessions import actions, policy, queries
from skileez.web.access import ADMIN, access
from skileez.web.language import gettext as _
from skileez.web.session_view import row

sweeps = Blueprint("sweeps", __name__, url_prefix="/admin/due")


SHOWN = 100
"""Sessions of each kind on the page; settling takes all that are due."""


@sweeps.get("")
@access(ADMIN)
def index() -> ResponseReturnValue:
    """Requests whose time to answer is over, silent sessions, and disputed no-shows."""
    now, inforce = clock.now(), policy.in_force()
    unanswered = actions.due_requests(now, SHOWN)
    silent = actions.due_no_shows(now, inforce, SHOWN)
    return render_template(
        "sweeps/index.html",
        unanswered=[row(line, now) for line in queries.lines(unanswered)],
        silent=[row(line, now) for line in queries.lines(silent)],
        disputed=[row(line, now) for line in queries.disputed()],
        grace=inforce.no_show_grace,
    )


@sweeps.post("")
@access(ADMIN)
def sweep() -> ResponseReturnValue:
    """Settle all of it now."""
    done = actions.sweep(clock.now())
    flash(
        _(
            "Settled: %(approved)s approved, %(open)s to be scheduled, %(lapsed)s lapsed, "
            "%(missed)s marked missed.",
            approved=done.approved,
            open=done.to_be_scheduled,
            lapsed=done.lapsed,
            missed=done.missed,
        ),
        "ok",
    )
    return redirect(url_for(".index"), 303)
