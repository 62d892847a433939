"""The first page: what needs me now, what is next, how my contracts stand."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from skileez import clock
from skileez.contracts import queries as contract_queries
from skileez.insights import queries as insights
from skileez.sessions import policy, queries, series_queries, series_rules
from skileez.sessions.lines import Line
from skileez.sessions.queries import Filter, View
from skileez.web import duties, series_view, session_view
from skileez.web.access import PUBLIC, SIGNED_IN, access, me
from skileez.web.language import gettext as _
from skileez.web.session_view import Step

dashboard = Blueprint("dashboard", __name__)

NEXT = 5
"""Sessions shown as coming next."""


@dashboard.get("/")
@access(PUBLIC)
def home() -> ResponseReturnValue:
    """The address alone leads to the dashboard, which asks to sign in first."""
    return redirect(url_for(".show"))


@dashboard.get("/dashboard")
@access(SIGNED_IN)
def show() -> ResponseReturnValue:
    """What needs me now, what is next, progress per contract, and the figures."""
    now, inforce, reader = clock.now(), policy.in_force(), me()
    waiting = [
        (line, step)
        for line in queries.waiting(reader.id, now)
        if (step := session_view.todo(line, now, inforce))
    ]
    coming = queries.page(reader.id, Filter(View.UPCOMING), now, size=NEXT + 20).lines
    coming = [line for line in coming if line.start is not None][:NEXT]
    rows = [session_view.row(line, now) for line in coming]
    if rows:
        rows[0] = replace(rows[0], next=True)
    contracts = contract_queries.active_of(reader.id)
    return render_template(
        "dashboard/show.html",
        duties=list(duties.of_operator(now)) if reader.is_admin else [],
        waiting=list(_entries(waiting, now)),
        proposals=contract_queries.proposals_to_answer(reader.id),
        series=_series(reader.id, now),
        coming=rows,
        contracts=contracts,
        live=queries.live_counts([contract.id for contract in contracts]),
        figures=insights.of_person(reader.id),
        now=now,
    )


def _entries(waiting: Sequence[tuple[Line, Step]], now: datetime) -> Iterator[dict[str, Any]]:
    """What is asked, each with its step; the sessions of one series to confirm are one entry."""
    together = Counter(line.series_id for line, step in waiting if step.key == "confirm")
    told = set()
    for line, step in waiting:
        row, count = session_view.row(line, now, step.note), together[line.series_id]
        if step.key != "confirm" or line.series_id is None or count == 1:
            yield {"row": row, "step": step}
        elif line.series_id not in told:
            told.add(line.series_id)
            href = url_for("series.show", series_id=line.series_id)
            title = ngettext(
                "%(title)s · %(num)s session of a series",
                "%(title)s · %(num)s sessions of a series",
                count,
                title=line.title,
            )
            note = _(
                "%(name)s waits for your confirmation; this is the first date.",
                name=line.other_name,
            )
            yield {
                "row": replace(row, href=href, title=title, note=note),
                "step": replace(step, text=_("Look and confirm"), href=href, post=None),
            }


def _series(reader_id: int, now: datetime) -> list[dict[str, Any]]:
    """The series that the reader is asked to let move."""
    rows = []
    for one in series_queries.waiting(reader_id):
        asked, role = one.request, one.contract.role_of(reader_id)
        if asked and role and series_rules.may_answer_move(one.facts, role, now) is None:
            other = one.contract.student if role == "coach" else one.contract.coach
            rows.append(
                {
                    "id": one.id,
                    "words": series_view.words(one.pattern),
                    "name": other.display_name,
                    "asked": series_view.words(asked.pattern(one)),
                    "deadline": asked.deadline,
                }
            )
    return rows
