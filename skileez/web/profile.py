"""One's own account: name, zone, password, and where one is signed in."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from skileez import clock
from skileez.accounts import actions, queries
from skileez.accounts.rules import PASSWORD_WRONG, SIGN_IN_FAILED
from skileez.db import transaction
from skileez.errors import Refused
from skileez.web import throttle
from skileez.web.access import SIGNED_IN, access, me, my_token
from skileez.web.account_forms import PasswordForm, ProfileForm
from skileez.web.errors import attach
from skileez.web.language import gettext as _

profile = Blueprint("profile", __name__, url_prefix="/profile")


@profile.get("")
@access(SIGNED_IN)
def show() -> ResponseReturnValue:
    """The profile."""
    return _page(ProfileForm(obj=me()), PasswordForm()), 200


@profile.post("")
@access(SIGNED_IN)
def update() -> ResponseReturnValue:
    """Change name, zone, and whether one coaches."""
    form = ProfileForm()
    status = 422
    if form.validate():
        try:
            with transaction():
                actions.update_profile(
                    me().id,
                    display_name=form.said(form.display_name),
                    zone=form.said(form.zone),
                    offers_coaching=form.offers_coaching.data,
                    now=clock.now(),
                )
            flash(_("Your profile is saved."), "ok")
            return redirect(url_for(".show"), 303)
        except Refused as refused:
            status = attach(form, refused)
    return _page(form, PasswordForm(formdata=None)), status


@profile.post("/password")
@access(SIGNED_IN)
@throttle.failures("sign_in_failures_per_account", "15 minutes", lambda: f"person:{me().id}")
def change_password() -> ResponseReturnValue:
    """Change the password; every other sign-in ends."""
    form = PasswordForm()
    status = 422
    if form.validate():
        try:
            email = me().email
            checked = actions.check_password(email, form.said(form.current_password))
            hashed = actions.hash_new_password(form.said(form.password), email)
            with transaction():
                actions.change_password(checked, hashed, keep=my_token(), now=clock.now())
            flash(_("Your password is changed, and all other browsers are signed out."), "ok")
            return redirect(url_for(".show"), 303)
        except Refused as refused:
            # Here the address is known to be right: it can only be the password.
            wrong = refused.refusal is SIGN_IN_FAILED
            status = attach(form, Refused(PASSWORD_WRONG) if wrong else refused)
    return _page(ProfileForm(obj=me(), formdata=None), form), status


@profile.post("/sign-ins/<int:sign_in_id>/end")
@access(SIGNED_IN)
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    """Sign out one other browser."""
    with transaction():
        actions.end_sign_in(me().id, sign_in_id, now=clock.now())
    flash(_("That browser is signed out."), "ok")
    return redirect(url_for(".show"), 303)


@profile.post("/sign-ins/end-others")
@access(SIGNED_IN)
def end_other_sign_ins() -> ResponseReturnValue:
    """Sign out all other browsers."""
    with transaction():
        actions.end_other_sign_ins(me().id, keep=my_token(), now=clock.now())
    flash(_("All other browsers are signed out."), "ok")
    return redirect(url_for(".show"), 303)


def _page(form: ProfileForm, password_form: PasswordForm) -> str:
    this = actions.digest(my_token())
    sign_ins = [
        {
            "id": row.id,
            "browser": browser(row.agent),
            "since": row.created_at,
            "here": row.token_hash == this,
        }
        for row in queries.sign_ins(me().id, now=clock.now())
    ]
    return render_template(
        "profile/show.html",
        form=form,
        password_form=password_form,
        sign_ins=sign_ins,
        now=clock.now(),
    )


_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser(agent: str) -> str:
    """A browser as its owner would call it: "Firefox, Linux"."""
    names = [
        next((name for mark, name in known if mark in agent), "") for known in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, names)) or _("Unknown browser")
