"""The administrator's page about people."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from skileez import db
from skileez.accounts.models import Person
from skileez.web import people
from tests.doors.stage import hidden_fields
from tests.doors.visitor import Visitor, add_person, text_of

ON = "/sessions"


@pytest.fixture
def admin(app: Flask) -> Visitor:
    add_person("admin@example.org", display_name="Grace", is_admin=True)
    visitor = Visitor(app)
    visitor.sign_in("admin@example.org")
    return visitor


def find(email: str) -> Person:
    db.session.remove()
    return db.session.scalars(select(Person).where(Person.email == email)).one()


def test_everybody_is_listed_a_page_at_a_time(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PAGE_SIZE", 2)
    for name in "dbc":
        add_person(f"{name}@example.org")
    first = admin.get("/admin/people")
    assert re.findall(r"\b(\w+)@example\.org", text_of(first)) == ["admin", "b"]
    following = re.search(r'href="(/admin/people\?after=[^"]+)"', first.text)
    assert following
    second = admin.get(following[1])
    assert re.findall(r"\b(\w+)@example\.org", text_of(second)) == ["c", "d"]
    assert "after=d" not in second.text


def test_people_are_found_by_a_part_of_name_or_address(admin: Visitor) -> None:
    add_person("ada@example.org", display_name="Ada Lovelace")
    page = text_of(admin.get("/admin/people?q=LOVE"))
    assert "ada@example.org" in page
    assert "admin@example.org" not in page
    nobody = admin.get("/admin/people?q=<script>")
    assert nobody.status_code == 200
    assert "Nobody found" in text_of(nobody)
    assert "<script>" not in re.sub(
        r"<script src=[^>]+></script>|<script src=[^>]+>", "", nobody.text
    )


def test_roles_are_given_and_taken(admin: Visitor) -> None:
    person = add_person()
    path = f"/admin/people/{person.id}"
    assert admin.post(f"{path}/roles", ON, is_admin="y", offers_coaching="y").location == path
    assert (find("ada@example.org").is_admin, find("ada@example.org").offers_coaching) == (
        True,
        True,
    )
    admin.post(f"{path}/roles", ON)
    assert not find("ada@example.org").is_admin


def test_a_role_that_changed_since_the_page_was_opened_is_not_taken_back(admin: Visitor) -> None:
    person = add_person()
    path = f"/admin/people/{person.id}"
    hidden = hidden_fields(admin.get(path).text, f"{path}/roles")
    admin.post(f"{path}/roles", ON, offers_coaching="y")  # in another tab, or Ada by herself
    admin.post(f"{path}/roles", ON, is_admin="y", **hidden)
    ada = find("ada@example.org")
    assert (ada.is_admin, ada.offers_coaching) == (True, True)


def test_an_administrator_cannot_lock_themselves_out(admin: Visitor) -> None:
    me = find("admin@example.org").id
    for verb in ("roles", "close"):
        answer = admin.post(f"/admin/people/{me}/{verb}", ON)
        assert answer.status_code == 409
        assert "Ask another administrator" in text_of(answer)
    assert find("admin@example.org").is_admin


def test_an_account_is_closed_and_opened_again(app: Flask, admin: Visitor) -> None:
    person = add_person()
    ada = Visitor(app)
    ada.sign_in()
    admin.post(f"/admin/people/{person.id}/close", ON)
    assert not ada.is_signed_in()
    assert ada.sign_in().status_code == 422
    assert "Closed" in text_of(admin.get(f"/admin/people/{person.id}"))
    admin.post(f"/admin/people/{person.id}/reopen", ON)
    assert ada.sign_in().status_code == 303


def test_a_reset_link_is_shown_once_to_be_handed_over(app: Flask, admin: Visitor) -> None:
    person = add_person()
    answer = admin.post(f"/admin/people/{person.id}/reset-link", ON)
    link = re.search(r'value="https://localhost(/reset/[^"]+)"', answer.text)
    assert link
    ada = Visitor(app)
    assert ada.post(link[1], link[1], password="another horse").status_code == 303
    assert ada.sign_in(password="another horse").status_code == 303


@pytest.mark.parametrize("verb", ["roles", "close", "reopen", "reset-link"])
def test_nobody_there_is_404(admin: Visitor, verb: str) -> None:
    assert admin.post(f"/admin/people/999/{verb}", ON).status_code == 404
    assert admin.get("/admin/people/999").status_code == 404
