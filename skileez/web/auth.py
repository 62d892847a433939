"""Coming in and going out: sign in, sign up, sign out, and a new password by a link."""

from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    after_this_request,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from skileez import clock
from skileez.accounts import actions
from skileez.accounts.actions import Checked
from skileez.accounts.rules import RESET_LASTS
from skileez.config import Settings
from skileez.db import transaction
from skileez.errors import Refused
from skileez.web import reset_mail, throttle
from skileez.web.access import PUBLIC, SIGNED_IN, TOKEN, access, my_token, safe_path
from skileez.web.account_forms import ResetForm, ResetRequestForm, SignInForm, SignUpForm
from skileez.web.display import sentence
from skileez.web.errors import attach
from skileez.web.language import gettext as _

auth = Blueprint("auth", __name__)


def _settings() -> Settings:
    settings: Settings = current_app.config["SKILEEZ"]
    return settings


@auth.route("/sign-in", methods=["GET", "POST"])
@access(PUBLIC)
@throttle.failures("sign_in_failures_per_account", "15 minutes", throttle.account)
@throttle.failures("sign_in_failures_per_address", "15 minutes")
def sign_in() -> ResponseReturnValue:
    """Sign in, then on to where one wanted to go."""
    form = SignInForm(next=request.args.get("next", ""))
    if request.method == "GET" and current_user.is_authenticated:
        return _onwards(form.next.data)
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                checked = actions.check_password(form.said(form.email), form.said(form.password))
                _begin(checked)
                return _onwards(form.next.data)
            except Refused as refused:
                status = attach(form, refused)
    return render_template("auth/sign_in.html", form=form, demo=_settings().skileez_demo), status


@auth.route("/sign-up", methods=["GET", "POST"])
@access(PUBLIC)
@throttle.posts("sign_ups_per_hour", "hour")
def sign_up() -> ResponseReturnValue:
    """Open an account, and be signed in."""
    form = SignUpForm(next=request.args.get("next", ""))
    if request.method == "GET" and current_user.is_authenticated:
        return _onwards(form.next.data)
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                _open_account(form)
                flash(_("Welcome. Your account is ready."), "ok")
                return _onwards(form.next.data)
            except Refused as refused:
                status = attach(form, refused)
    return render_template("auth/sign_up.html", form=form), status


@auth.post("/sign-out")
@access(SIGNED_IN)
def sign_out() -> ResponseReturnValue:
    """End this sign-in, on the server too."""
    with transaction():
        actions.sign_out(my_token(), now=clock.now())
    session.clear()
    flash(_("You are signed out."), "ok")
    return redirect(url_for(".sign_in"), 303)


@auth.route("/reset", methods=["GET", "POST"])
@access(PUBLIC)
@throttle.posts("resets_per_hour", "hour", throttle.account)
@throttle.posts("resets_per_hour", "hour")
def reset_request() -> ResponseReturnValue:
    """Ask for a link to set a new password; the answer is the same whoever asks for whom."""
    form = ResetRequestForm()
    settings = _settings()
    can_deliver = reset_mail.can_deliver(settings)
    if can_deliver and form.validate_on_submit():
        start = settings.public_url.rstrip("/") or request.host_url.rstrip("/")
        path = url_for(".reset", key="-").removesuffix("-")
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        reset_mail.answer_later(
            app, settings, form.said(form.email), lambda token: start + path + token
        )
        return render_template(
            "auth/reset_sent.html",
            email=form.email.data,
            demo=not settings.smtp_url,
            lasts=RESET_LASTS,
        )
    status = 422 if form.is_submitted() else 200
    return render_template("auth/reset_request.html", form=form, can_deliver=can_deliver), status


@auth.route("/reset/<key>", methods=["GET", "POST"])
@access(PUBLIC)
@throttle.failures("sign_in_failures_per_address", "15 minutes")
def reset(key: str) -> ResponseReturnValue:
    """Set a new password by a link; the link is used up by setting it, not by looking."""
    after_this_request(_keep_address)
    form = ResetForm()
    try:
        _link, person = actions.find_reset(key, now=clock.now())
    except Refused as refused:
        return render_template("auth/reset_dead.html", text=sentence(refused.refusal)), 409
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                hashed = actions.hash_new_password(form.said(form.password), person.email)
                with transaction():
                    actions.reset_password(key, hashed, now=clock.now())
                session.clear()
                flash(_("Your new password is set. Sign in with it."), "ok")
                return redirect(url_for(".sign_in"), 303)
            except Refused as refused:
                status = attach(form, refused)
    return render_template("auth/reset.html", form=form, email=person.email), status


def _keep_address(response: Response) -> Response:
    """The address is the secret: what the page loads says whose it is, and no more.

    Not "no-referrer", with which a browser would not say either where the form comes from.
    """
    response.headers["Referrer-Policy"] = "origin"
    return response


def _open_account(form: SignUpForm) -> None:
    hashed = actions.hash_new_password(form.said(form.password), form.said(form.email))
    now = clock.now()
    with transaction():
        person = actions.sign_up(
            email=form.said(form.email),
            display_name=form.said(form.display_name),
            hashed=hashed,
            zone=form.said(form.zone),
            offers_coaching=form.offers_coaching.data,
            now=now,
        )
        _begin(Checked(person.id, hashed))


def _begin(checked: Checked) -> None:
    """Sign in, in a new browser session: nothing an earlier visitor planted lives on."""
    settings = _settings()
    with transaction():
        if my_token():
            actions.sign_out(my_token(), now=clock.now())
        _row, token = actions.sign_in(
            checked,
            now=clock.now(),
            lasts=timedelta(days=settings.sign_in_days),
            agent=request.user_agent.string,
        )
    session.clear()
    session.permanent = True
    session[TOKEN] = token


def _onwards(target: str | None) -> ResponseReturnValue:
    return redirect(safe_path(target, url_for("dashboard.show")), 303)
