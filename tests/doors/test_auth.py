"""Coming in and going out, through the pages."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from skileez import clock, db
from skileez.accounts import actions
from skileez.accounts.models import Person, SignIn
from skileez.web import reset_mail, throttle
from tests.doors.visitor import PASSWORD, Visitor, add_person, text_of


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def cookie(visitor: Visitor) -> str:
    found = visitor.client.get_cookie("__Host-skileez")
    return found.value if found else ""


# --- signing up ------------------------------------------------------------------------------

FORM = {
    "display_name": "Ada Lovelace",
    "email": "Ada@Example.org",
    "password": PASSWORD,
    "zone": "Asia/Kathmandu",
}


def test_signing_up_opens_an_account_and_signs_in(visitor: Visitor) -> None:
    answer = visitor.post("/sign-up", "/sign-up", **FORM, offers_coaching="y")
    assert (answer.status_code, answer.location) == (303, "/dashboard")
    assert visitor.is_signed_in()
    person = db.session.scalars(select(Person)).one()
    assert (person.email, person.zone) == ("ada@example.org", "Asia/Kathmandu")
    assert (person.offers_coaching, person.is_admin) == (True, False)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("display_name", "", "Write the name that others should see."),
        ("display_name", "x" * 81, "The name has 81 characters; at most 80 fit."),
        ("email", "nobody", "Write an e-mail address such as name@example.org."),
        ("password", "", "Choose a password."),
        ("password", "short", "The password has 5 characters; it needs at least 10."),
        ("password", "ada@example.org", "must not be your e-mail address"),
        ("zone", "Mars/Olympus", "There is no time zone called “Mars/Olympus”."),
        ("zone", "", "There is no time zone called “”."),
    ],
)
def test_a_bad_sign_up_says_what_is_wrong_and_keeps_the_rest(
    visitor: Visitor, field: str, value: str, says: str
) -> None:
    answer = visitor.post("/sign-up", "/sign-up", **{**FORM, field: value})
    assert answer.status_code == 422
    assert says in text_of(answer)
    for kept in {"display_name": "Ada Lovelace", "email": "ada@example.org"}.items():
        if kept[0] != field:
            assert f'value="{kept[1]}"' in answer.text
    assert PASSWORD not in answer.text
    assert db.session.scalars(select(Person)).all() == []


def test_an_address_that_is_taken_is_a_conflict(visitor: Visitor) -> None:
    add_person()
    answer = visitor.post("/sign-up", "/sign-up", **FORM)
    assert answer.status_code == 409
    assert "already an account" in text_of(answer)


def test_nobody_signs_up_as_administrator(visitor: Visitor) -> None:
    visitor.post("/sign-up", "/sign-up", **FORM, is_admin="y", active="", id="7")
    assert not db.session.scalars(select(Person)).one().is_admin


def test_the_zones_are_chosen_from_a_list_that_scripts_can_preset(visitor: Visitor) -> None:
    page = visitor.get("/sign-up").text
    assert re.search(r"<select[^>]* data-browser-zone", page)
    assert '<option value="America/Argentina/Buenos_Aires">Argentina/Buenos Aires</option>' in page
    assert '<option selected value="UTC">' in page


# --- signing in and out ----------------------------------------------------------------------


def test_signing_in_leads_to_the_dashboard(visitor: Visitor) -> None:
    add_person()
    answer = visitor.sign_in(email=" ADA@example.org ")
    assert (answer.status_code, answer.location) == (303, "/dashboard")
    assert visitor.is_signed_in()


def test_a_wrong_password_and_an_unknown_address_read_alike(app: Flask) -> None:
    add_person()
    add_person("closed@example.org", active=False)
    answers = [
        Visitor(app).sign_in("ada@example.org", "wrong password"),
        Visitor(app).sign_in("nobody@example.org", "wrong password"),
        Visitor(app).sign_in("closed@example.org", PASSWORD),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    said = {text_of(answer) for answer in answers}
    assert len(said) == 1
    assert "do not go together" in said.pop()
    assert 'value="ada@example.org"' in answers[0].text


def test_an_empty_sign_in_says_what_to_fill_in(visitor: Visitor) -> None:
    answer = visitor.post("/sign-in")
    assert answer.status_code == 422
    assert "Write an e-mail address" in text_of(answer)
    assert "Write your password." in text_of(answer)


def test_signing_in_begins_a_new_session(visitor: Visitor) -> None:
    add_person()
    visitor.get("/sign-in")
    with visitor.client.session_transaction() as planted:
        planted["planted"] = "by somebody else"
    before = cookie(visitor)
    token = visitor.token("/sign-in")
    visitor.client.post(
        "/sign-in",
        data={"csrf_token": token, "email": "ada@example.org", "password": PASSWORD},
    )
    assert cookie(visitor) != before
    with visitor.client.session_transaction() as session:
        assert "planted" not in session
    assert visitor.token("/profile") != token


def test_signing_in_again_ends_the_sign_in_before(visitor: Visitor) -> None:
    add_person()
    add_person("eve@example.org")
    visitor.sign_in()
    token = visitor.token("/profile")
    visitor.client.post(
        "/sign-in", data={"csrf_token": token, "email": "eve@example.org", "password": PASSWORD}
    )
    assert len(db.session.scalars(select(SignIn)).all()) == 1
    assert "eve@example.org" in visitor.get("/profile").text


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(visitor: Visitor) -> None:
    add_person()
    said = visitor.sign_in().headers["Set-Cookie"]
    assert said.startswith("__Host-skileez=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert part in said
    assert "Domain" not in said


def test_signing_out_ends_it_on_the_server_too(app: Flask) -> None:
    add_person()
    visitor, thief = Visitor(app), Visitor(app)
    visitor.sign_in()
    thief.client.set_cookie("__Host-skileez", cookie(visitor), secure=True)
    assert thief.is_signed_in()
    answer = visitor.post("/sign-out", "/profile")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert not visitor.is_signed_in()
    assert not thief.is_signed_in()


def test_a_link_cannot_sign_anybody_out(visitor: Visitor) -> None:
    add_person()
    visitor.sign_in()
    assert visitor.get("/sign-out").status_code == 405
    assert visitor.is_signed_in()


def test_a_sign_in_ends_after_thirty_days(visitor: Visitor) -> None:
    add_person()
    visitor.sign_in()
    with time_machine.travel(clock.now() + timedelta(days=29, hours=23), tick=False):
        assert visitor.is_signed_in()
    with time_machine.travel(clock.now() + timedelta(days=30, minutes=1), tick=False):
        assert not visitor.is_signed_in()


def test_a_cookie_that_somebody_made_up_signs_nobody_in(visitor: Visitor) -> None:
    add_person()
    visitor.client.set_cookie("__Host-skileez", "eyJfdXNlcl9pZCI6IjEifQ.x.y", secure=True)
    assert not visitor.is_signed_in()


def test_whoever_is_signed_in_need_not_sign_in(visitor: Visitor) -> None:
    add_person()
    visitor.sign_in()
    assert visitor.get("/sign-in").location == "/dashboard"
    assert visitor.get("/sign-up").location == "/dashboard"


# --- too many tries --------------------------------------------------------------------------


def test_an_account_that_is_guessed_at_has_to_wait_from_everywhere(app: Flask) -> None:
    add_person()
    for n in range(10):
        visitor = Visitor(app)
        visitor.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{n}"
        assert visitor.sign_in(password="wrong password").status_code == 422
    answer = Visitor(app).sign_in()
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert "Wait 15 min" in text_of(answer)


def test_no_address_fills_the_store_of_counts(app: Flask) -> None:
    with app.test_request_context("/sign-in", method="POST", data={"email": "x" * 60_000}):
        assert len(throttle.account()) < 300


def test_an_unknown_account_has_to_wait_just_so(app: Flask) -> None:
    for _ in range(10):
        assert Visitor(app).sign_in("nobody@example.org").status_code == 422
    assert Visitor(app).sign_in("nobody@example.org").status_code == 429


def test_an_address_that_guesses_at_many_has_to_wait(app: Flask) -> None:
    add_person()
    visitor = Visitor(app)
    for n in range(50):
        assert visitor.sign_in(f"guess{n}@example.org").status_code == 422
    assert visitor.sign_in().status_code == 429
    elsewhere = Visitor(app)
    elsewhere.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert elsewhere.sign_in().status_code == 303


def test_signing_in_rightly_counts_for_nothing(app: Flask) -> None:
    add_person()
    for _ in range(12):
        assert Visitor(app).sign_in().status_code == 303


def test_resets_are_throttled(visitor: Visitor, app: Flask) -> None:
    visitor_settings(app, skileez_demo=False, smtp_url="smtp://127.0.0.1:1")
    for _ in range(5):
        assert visitor.post("/reset", email="nobody@example.org").status_code == 200
    assert visitor.post("/reset", email="nobody@example.org").status_code == 429


# --- a new password by a link ----------------------------------------------------------------


def visitor_settings(app: Flask, **changed: object) -> None:
    """Settings as if the application had been started with others."""
    import dataclasses

    given = {"mail_from": "hello@example.org", "public_url": "https://sessions.example.org"}
    app.config["SKILEEZ"] = dataclasses.replace(app.config["SKILEEZ"], **given, **changed)


@pytest.fixture
def mails(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been mailed."""
    visitor_settings(app, smtp_url="smtp://127.0.0.1:1")
    sent: list[str] = []
    monkeypatch.setattr(
        reset_mail.mail,
        "deliver",
        lambda url, mail: sent.append(f"{mail['To']}\n{mail.get_content()}"),
    )
    return sent


def wait_for_the_thread() -> None:
    reset_mail._thread.submit(int).result()


def test_the_answer_to_a_reset_does_not_tell_who_exists(visitor: Visitor, mails: list[str]) -> None:
    add_person()
    known = visitor.post("/reset", email="ada@example.org")
    unknown = visitor.post("/reset", email="eve@example.org")
    wait_for_the_thread()
    assert known.status_code == unknown.status_code == 200
    assert text_of(known).replace("ada@", "") == text_of(unknown).replace("eve@", "")
    assert [mail.split()[0] for mail in mails] == ["ada@example.org"]


def test_the_link_in_the_mail_sets_a_new_password(app: Flask, mails: list[str]) -> None:
    add_person()
    elsewhere, visitor = Visitor(app), Visitor(app)
    elsewhere.sign_in()
    evil = {"X-Forwarded-Host": "evil.example.com"}
    visitor.post("/reset", email="ada@example.org", headers=evil)
    wait_for_the_thread()
    link = re.search(r"https://sessions\.example\.org(/reset/\S+)", mails[0])
    assert link, mails
    assert "evil" not in mails[0]
    path = link[1]
    assert "ada@example.org" in text_of(visitor.get(path))
    weak = visitor.post(path, path, password="short")
    assert weak.status_code == 422
    assert "it needs at least 10" in text_of(weak)
    assert visitor.post(path, path, password="another horse").location == "/sign-in"
    assert not elsewhere.is_signed_in()
    assert visitor.sign_in().status_code == 422
    assert visitor.sign_in(password="another horse").status_code == 303
    dead = visitor.get(path)
    assert dead.status_code == 409
    assert "used or is too old" in text_of(dead)


def test_what_the_page_of_a_link_loads_does_not_tell_its_address(visitor: Visitor) -> None:
    add_person()
    with db.transaction():
        made = actions.request_reset("ada@example.org", now=clock.now())
    assert made
    path = f"/reset/{made[1]}"
    for answer in (
        visitor.get(path),
        visitor.post(path, path, password="short"),
        visitor.post(path, path, password="another horse"),
        visitor.get(path),
    ):
        assert answer.headers.getlist("Referrer-Policy") == ["origin"]


def test_looking_at_a_link_does_not_use_it_up(visitor: Visitor, app: Flask) -> None:
    add_person()
    with db.transaction():
        made = actions.request_reset("ada@example.org", now=clock.now())
    assert made
    for _ in range(3):
        assert visitor.get(f"/reset/{made[1]}").status_code == 200


@pytest.mark.parametrize("key", ["x", "x" * 500, "%00", "..%2f..", "ü"])
def test_a_made_up_link_is_dead(visitor: Visitor, key: str) -> None:
    assert visitor.get(f"/reset/{key}").status_code in (409, 404)


def test_a_site_without_mail_says_whom_to_ask(visitor: Visitor) -> None:
    page = visitor.get("/reset")
    assert "Ask its administrator" in text_of(page)
    add_person()
    answer = visitor.post("/reset", email="ada@example.org")
    assert "Ask its administrator" in text_of(answer)


def test_the_demo_prints_the_link(
    app: Flask, visitor: Visitor, capsys: pytest.CaptureFixture[str]
) -> None:
    add_person()
    visitor_settings(app, skileez_demo=True)
    answer = visitor.post("/reset", email="ada@example.org")
    wait_for_the_thread()
    assert "terminal" in text_of(answer)
    assert "/reset/" in capsys.readouterr().out


def test_a_mail_server_that_is_down_is_not_the_readers_problem(
    capsys: pytest.CaptureFixture[str], app: Flask, visitor: Visitor
) -> None:
    add_person()
    visitor_settings(app, smtp_url="smtp://127.0.0.1:1")
    assert visitor.post("/reset", email="ada@example.org").status_code == 200
    wait_for_the_thread()
    assert "reset_mail.failed" in capsys.readouterr().err
