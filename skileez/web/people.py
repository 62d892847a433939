"""The administrator's page about people."""

from typing import Final

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.accounts import actions, queries, rules
from skileez.config import Settings
from skileez.db import transaction
from skileez.web.access import ADMIN, access, me
from skileez.web.account_forms import RolesForm
from skileez.web.language import gettext as _

people = Blueprint("people", __name__, url_prefix="/admin/people")

PAGE_SIZE: Final = 50


@people.get("")
@access(ADMIN)
def index() -> ResponseReturnValue:
    """Everybody, by e-mail address, a page at a time."""
    search = rules.clean_line(request.args.get("q", ""))[: rules.EMAIL_MAX]
    after = rules.clean_line(request.args.get("after", ""))[: rules.EMAIL_MAX]
    found = queries.people(search=search, after=after, limit=PAGE_SIZE)
    shown = found[:PAGE_SIZE]
    following = shown[-1].email if len(found) > PAGE_SIZE else None
    return render_template(
        "people/index.html", people=shown, search=search, after=after, following=following
    )


@people.get("/<int:person_id>")
@access(ADMIN)
def show(person_id: int) -> ResponseReturnValue:
    """One person, and what may be done about their account."""
    person = actions.find_person(person_id)
    form = RolesForm(obj=person).showing()
    return render_template("people/show.html", person=person, form=form, lasts=rules.RESET_LASTS)


@people.post("/<int:person_id>/roles")
@access(ADMIN)
def set_roles(person_id: int) -> ResponseReturnValue:
    """Give or take the roles that were changed on the page; the others stay as they are by now."""
    changed = RolesForm().changed()
    with transaction():
        actions.set_roles(me().id, person_id, **changed, now=clock.now())
    flash(_("The roles are saved."), "ok")
    return redirect(url_for(".show", person_id=person_id), 303)


@people.post("/<int:person_id>/close")
@access(ADMIN)
def close(person_id: int) -> ResponseReturnValue:
    """Close an account."""
    with transaction():
        actions.set_active(me().id, person_id, active=False, now=clock.now())
    flash(_("The account is closed and signed out everywhere. Its history stays."), "ok")
    return redirect(url_for(".show", person_id=person_id), 303)


@people.post("/<int:person_id>/reopen")
@access(ADMIN)
def reopen(person_id: int) -> ResponseReturnValue:
    """Open a closed account again."""
    with transaction():
        actions.set_active(me().id, person_id, active=True, now=clock.now())
    flash(_("The account is open again."), "ok")
    return redirect(url_for(".show", person_id=person_id), 303)


@people.post("/<int:person_id>/reset-link")
@access(ADMIN)
def make_reset_link(person_id: int) -> ResponseReturnValue:
    """Make a link to set a new password, to be handed over; it is shown this once."""
    with transaction():
        person, token = actions.make_reset_link(me().id, person_id, now=clock.now())
    settings: Settings = current_app.config["SKILEEZ"]
    start = settings.public_url.rstrip("/") or request.host_url.rstrip("/")
    link = start + url_for("auth.reset", key=token)
    return render_template(
        "people/reset_link.html", person=person, link=link, lasts=rules.RESET_LASTS
    )
