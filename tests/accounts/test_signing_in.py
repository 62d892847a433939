"""Signing up, in and out, on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from skileez import db, events
from skileez.accounts import actions, passwords, queries
from skileez.accounts.models import Person, SignIn
from skileez.accounts.passwords import Hashed
from skileez.errors import NotFound
from tests.accounts.stage import DAY, NOW, PASSWORD, new_hash, refused, sign_in, sign_up, verbs

pytestmark = pytest.mark.usefixtures("bound")


def test_signing_up_keeps_what_was_said_and_tells_of_it() -> None:
    person = sign_up(" Ada@Example.org ", display_name=" Ada \n Lovelace")
    assert (person.email, person.display_name) == ("ada@example.org", "Ada Lovelace")
    assert (person.zone, person.active, person.is_admin) == ("Europe/Berlin", True, False)
    assert person.created_at == NOW
    assert PASSWORD not in person.password_hash
    assert verbs(person) == ["person.signed_up"]
    assert list(events.broken_links()) == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"email": "nobody"}, "email_invalid"),
        ({"display_name": " \0 "}, "name_missing"),
        ({"display_name": "x" * 81}, "name_too_long"),
        ({"zone": "Mars/Olympus"}, "unknown_zone"),
    ],
)
def test_signing_up_with_something_wrong_is_refused(given: dict[str, Any], code: str) -> None:
    with refused(code):
        sign_up(**{"hashed": Hashed("x"), **given})
    assert db.session.scalars(select(Person)).all() == []


def test_an_address_has_one_account_however_it_is_written() -> None:
    sign_up("ada@example.org")
    with refused("email_taken"):
        sign_up("ADA@example.org")


def test_of_two_who_sign_up_at_once_the_database_refuses_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sign_up("ada@example.org")
    monkeypatch.setattr(actions, "find_by_email", lambda email: None)
    with refused("email_taken"):
        sign_up("ada@example.org", hashed=Hashed("x"))


def test_a_weak_password_is_never_hashed() -> None:
    with refused("password_too_short"):
        actions.hash_new_password("short", "ada@example.org")


def test_signing_in_gives_a_token_that_leads_to_the_person() -> None:
    person = sign_up()
    token = sign_in()
    found = actions.find_signed_in(token, now=NOW)
    assert found is not None
    assert found.id == person.id
    row = db.session.scalars(select(SignIn)).one()
    assert (row.agent, row.expires_at) == ("a browser", NOW + 30 * DAY)
    assert token not in row.token_hash


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.org", "wrong horse"), ("nobody@example.org", PASSWORD), ("", "")],
)
def test_a_wrong_password_and_an_unknown_address_are_refused_alike(
    email: str, password: str
) -> None:
    sign_up()
    with refused("sign_in_failed"):
        actions.check_password(email, password)


def test_a_closed_account_is_refused_like_an_unknown_one() -> None:
    person = sign_up()
    token = sign_in()
    with db.transaction():
        person.active = False
    with refused("sign_in_failed"):
        actions.check_password("ada@example.org", PASSWORD)
    assert actions.find_signed_in(token, now=NOW) is None


def test_a_sign_in_ends_by_itself() -> None:
    sign_up()
    token = sign_in()
    assert actions.find_signed_in(token, now=NOW + 30 * DAY - timedelta(seconds=1))
    assert actions.find_signed_in(token, now=NOW + 30 * DAY) is None
    sign_in(now=NOW + 31 * DAY)
    assert len(db.session.scalars(select(SignIn)).all()) == 1


@pytest.mark.parametrize("token", ["", "x", "\ud800", "x" * 10_000])
def test_a_made_up_token_leads_to_nobody(token: str) -> None:
    assert actions.find_signed_in(token, now=NOW) is None


def test_signing_out_ends_it_on_the_server() -> None:
    person = sign_up()
    token = sign_in()
    with db.transaction():
        actions.sign_out(token, now=NOW)
        actions.sign_out(token, now=NOW)
    assert actions.find_signed_in(token, now=NOW) is None
    assert verbs(person) == ["person.signed_up", "person.signed_in", "person.signed_out"]


def test_a_hash_of_old_parameters_is_renewed_on_the_way_in() -> None:
    person = sign_up()
    old = person.password_hash
    passwords.configure(time_cost=2, memory_kib=8, at_once=2)
    sign_in()
    assert person.password_hash != old
    assert "t=2" in person.password_hash
    sign_in()


def test_a_password_changed_between_check_and_sign_in_lets_nobody_in() -> None:
    person = sign_up()
    checked = actions.check_password("ada@example.org", PASSWORD)
    with db.transaction():
        person.password_hash = new_hash()
    with refused("sign_in_failed"), db.transaction():
        actions.sign_in(checked, now=NOW, lasts=DAY)


def test_one_may_end_ones_own_sign_ins_and_nobody_elses() -> None:
    ada, eve = sign_up(), sign_up("eve@example.org")
    here, there, hers = sign_in(), sign_in(), sign_in("eve@example.org")
    rows = {row.token_hash: row.id for row in db.session.scalars(select(SignIn))}
    with pytest.raises(NotFound), db.transaction():
        actions.end_sign_in(ada.id, rows[actions.digest(hers)], now=NOW)
    with db.transaction():
        actions.end_sign_in(ada.id, rows[actions.digest(there)], now=NOW)
    assert [row.id for row in queries.sign_ins(ada.id, now=NOW)] == [rows[actions.digest(here)]]
    sign_in()
    with db.transaction():
        actions.end_other_sign_ins(ada.id, keep=here, now=NOW)
    assert [row.id for row in queries.sign_ins(ada.id, now=NOW)] == [rows[actions.digest(here)]]
    assert len(queries.sign_ins(eve.id, now=NOW)) == 1
