"""What time alone decides, seen and set going by an administrator."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.sessions import actions, policy, queries
from skileez.web.access import ADMIN, access
from skileez.web.language import gettext as _
from skileez.web.session_view import row

sweeps = Blueprint("sweeps", __name__, url_prefix="/admin/due")


@sweeps.get("")
@access(ADMIN)
def index() -> ResponseReturnValue:
    """Requests whose time to answer is over, silent sessions, and disputed no-shows."""
    now, inforce = clock.now(), policy.in_force()
    return render_template(
        "sweeps/index.html",
        due=[row(line, now) for line in queries.due(now, now - inforce.no_show_grace)],
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
