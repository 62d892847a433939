"""One's own account, through the page."""

import pytest
from flask import Flask
from sqlalchemy import select

from skileez import db
from skileez.accounts.models import Person, SignIn
from skileez.web.profile import browser
from tests.doors.visitor import PASSWORD, Visitor, add_person, text_of

ON = "/sessions"


@pytest.fixture
def ada(app: Flask) -> Visitor:
    add_person()
    visitor = Visitor(app)
    visitor.sign_in()
    return visitor


def person() -> Person:
    db.session.remove()
    return db.session.scalars(select(Person).where(Person.email == "ada@example.org")).one()


def test_a_profile_is_saved(ada: Visitor) -> None:
    answer = ada.post(
        "/profile", ON, display_name="Ada  King", zone="Asia/Kathmandu", offers_coaching="y"
    )
    assert (answer.status_code, answer.location) == (303, "/profile")
    page = text_of(ada.get("/profile"))
    assert "Your profile is saved." in page
    assert "Asia/Kathmandu" in page
    saved = person()
    assert (saved.display_name, saved.zone) == ("Ada King", "Asia/Kathmandu")
    assert saved.offers_coaching


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"display_name": "", "zone": "UTC"}, "Write the name"),
        ({"display_name": "x" * 81, "zone": "UTC"}, "81 characters"),
        ({"display_name": "Ada", "zone": "Moon/Base"}, "Moon/Base"),
        ({}, "Write the name"),
    ],
)
def test_a_bad_profile_says_why(ada: Visitor, fields: dict[str, str], says: str) -> None:
    answer = ada.post("/profile", ON, **fields)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert person().display_name == "Ada Lovelace"


def test_a_hostile_name_comes_out_as_text(ada: Visitor) -> None:
    ada.post("/profile", ON, display_name="<script>alert(1)</script>", zone="UTC")
    page = ada.get("/profile").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_changed_password_signs_out_every_other_browser(app: Flask, ada: Visitor) -> None:
    other = Visitor(app)
    other.sign_in()
    answer = ada.post("/profile/password", ON, current_password=PASSWORD, password="another horse")
    assert answer.status_code == 303
    assert ada.is_signed_in()
    assert not other.is_signed_in()
    assert Visitor(app).sign_in().status_code == 422
    assert Visitor(app).sign_in(password="another horse").status_code == 303


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "Write your password."),
        ({"current_password": "wrong", "password": "another horse"}, "not your current password"),
        ({"current_password": PASSWORD, "password": "short"}, "it needs at least 10"),
        ({"current_password": PASSWORD, "password": "p" * 201}, "at most 200"),
    ],
)
def test_a_password_is_not_changed_by_half(ada: Visitor, fields: dict[str, str], says: str) -> None:
    answer = ada.post("/profile/password", ON, **fields)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert 'value="Ada Lovelace"' in answer.text
    assert PASSWORD not in answer.text
    assert ada.is_signed_in()


def test_guessing_at_the_current_password_is_throttled(ada: Visitor) -> None:
    for _ in range(10):
        ada.post("/profile/password", ON, current_password="wrong", password="another horse")
    answer = ada.post("/profile/password", ON, current_password=PASSWORD, password="new horse 1")
    assert answer.status_code == 429


def test_another_browser_can_be_signed_out(app: Flask, ada: Visitor) -> None:
    other = Visitor(app)
    other.sign_in()
    newest = db.session.scalars(select(SignIn.id).order_by(SignIn.id.desc())).first()
    assert ada.post(f"/profile/sign-ins/{newest}/end", ON).status_code == 303
    assert not other.is_signed_in()
    assert ada.is_signed_in()
    other.sign_in()
    assert ada.post("/profile/sign-ins/end-others", ON).status_code == 303
    assert not other.is_signed_in()
    assert ada.is_signed_in()


def test_nobody_signs_out_somebody_else(app: Flask, ada: Visitor) -> None:
    add_person("eve@example.org")
    eve = Visitor(app)
    eve.sign_in("eve@example.org")
    hers = db.session.scalars(select(SignIn.id).order_by(SignIn.id.desc())).first()
    assert ada.post(f"/profile/sign-ins/{hers}/end", ON).status_code == 404
    assert eve.is_signed_in()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
    ],
)
def test_a_browser_is_named_as_its_owner_would(agent: str, name: str) -> None:
    assert browser(agent) == name
