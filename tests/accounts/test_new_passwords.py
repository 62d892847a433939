"""Passwords that are changed, and the links that reset them, on both databases."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from skileez import db
from skileez.accounts import actions
from skileez.accounts.models import PasswordReset
from skileez.errors import Refused
from tests.accounts.stage import NOW, PASSWORD, new_hash, refused, sign_in, sign_up, verbs

pytestmark = pytest.mark.usefixtures("bound")


def test_a_changed_password_ends_all_other_sign_ins_and_reset_links() -> None:
    sign_up()
    here, there = sign_in(), sign_in()
    with db.transaction():
        made = actions.request_reset("ada@example.org", now=NOW)
    assert made is not None
    checked = actions.check_password("ada@example.org", PASSWORD)
    with db.transaction():
        actions.change_password(checked, new_hash(), keep=here, now=NOW)
    assert actions.find_signed_in(here, now=NOW)
    assert actions.find_signed_in(there, now=NOW) is None
    with refused("reset_link_dead"):
        actions.find_reset(made[1], now=NOW)
    with refused("sign_in_failed"):
        actions.check_password("ada@example.org", PASSWORD)
    actions.check_password("ada@example.org", "another horse")


def test_a_password_is_not_changed_over_somebody_elses_change() -> None:
    person = sign_up()
    checked = actions.check_password("ada@example.org", PASSWORD)
    with db.transaction():
        person.password_hash = new_hash("third horse!")
    with refused("password_wrong"), db.transaction():
        actions.change_password(checked, new_hash(), keep=None, now=NOW)


def test_a_reset_link_works_once_and_ends_every_sign_in() -> None:
    person = sign_up()
    signed_in = sign_in()
    with db.transaction():
        made = actions.request_reset(" ADA@example.org", now=NOW)
    assert made is not None
    _, token = made
    assert actions.find_reset(token, now=NOW)[1].id == person.id
    with db.transaction():
        actions.reset_password(token, new_hash(), now=NOW)
    assert actions.find_signed_in(signed_in, now=NOW) is None
    actions.check_password("ada@example.org", "another horse")
    with refused("reset_link_dead"), db.transaction():
        actions.reset_password(token, new_hash(), now=NOW)
    assert verbs(person)[-2:] == ["person.reset_requested", "person.password_reset"]
    assert token not in db.session.scalars(select(PasswordReset)).one().token_hash


def test_a_reset_link_lasts_one_hour() -> None:
    sign_up()
    with db.transaction():
        made = actions.request_reset("ada@example.org", now=NOW)
    assert made is not None
    actions.find_reset(made[1], now=NOW + timedelta(minutes=59))
    with refused("reset_link_dead"):
        actions.find_reset(made[1], now=NOW + timedelta(hours=1))


def test_a_new_reset_link_takes_the_place_of_the_old() -> None:
    sign_up()
    with db.transaction():
        first = actions.request_reset("ada@example.org", now=NOW)
        second = actions.request_reset("ada@example.org", now=NOW)
    assert first is not None
    assert second is not None
    with refused("reset_link_dead"):
        actions.find_reset(first[1], now=NOW)
    actions.find_reset(second[1], now=NOW)


def test_nobody_gets_a_reset_link_for_an_account_that_is_not_there_or_closed() -> None:
    person = sign_up()
    with db.transaction():
        person.active = False
    with db.transaction():
        assert actions.request_reset("ada@example.org", now=NOW) is None
        assert actions.request_reset("nobody@example.org", now=NOW) is None


def test_of_two_presses_of_one_reset_link_one_counts() -> None:
    sign_up()
    with db.transaction():
        made = actions.request_reset("ada@example.org", now=NOW)
    assert made is not None
    start, outcomes, hashed = threading.Barrier(2), [], new_hash()

    def press() -> None:
        start.wait()
        try:
            with db.transaction():
                actions.reset_password(made[1], hashed, now=NOW)
            outcomes.append("done")
        except Refused as error:
            outcomes.append(error.code)
        finally:
            db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "reset_link_dead"]
