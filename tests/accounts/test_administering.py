"""Profiles, what an administrator does with accounts, and the lists of them, on both databases."""

import threading

import pytest
from sqlalchemy import select

from skileez import db, events
from skileez.accounts import actions, queries
from skileez.accounts.passwords import Hashed
from skileez.errors import NotFound, Refused
from tests.accounts.stage import NOW, administrator, new_hash, refused, sign_in, sign_up, verbs

pytestmark = pytest.mark.usefixtures("bound")


def test_a_profile_change_tells_what_was_and_what_is() -> None:
    person = sign_up()
    with db.transaction():
        actions.update_profile(person.id, display_name="Ada L", zone="Asia/Kathmandu", now=NOW)
    last = db.session.scalars(select(events.Event).order_by(events.Event.id.desc())).first()
    assert last is not None
    assert last.details == {
        "display_name": ["Ada", "Ada L"],
        "zone": ["Europe/Berlin", "Asia/Kathmandu"],
    }


def test_a_profile_saved_as_it_was_is_no_event() -> None:
    person = sign_up()
    with db.transaction():
        actions.update_profile(person.id, display_name="Ada", zone="Europe/Berlin", now=NOW)
    assert verbs(person) == ["person.signed_up"]


@pytest.mark.parametrize(
    ("name", "zone", "code"),
    [("", "UTC", "name_missing"), ("Ada", "Nowhere", "unknown_zone")],
)
def test_a_bad_profile_is_refused(name: str, zone: str, code: str) -> None:
    person = sign_up()
    with refused(code), db.transaction():
        actions.update_profile(person.id, display_name=name, zone=zone, now=NOW)


def test_an_administrator_gives_and_takes_roles() -> None:
    admin, person = administrator(), sign_up()
    with db.transaction():
        actions.set_roles(admin.id, person.id, is_admin=True, offers_coaching=True, now=NOW)
    assert (person.is_admin, person.offers_coaching) == (True, True)
    with db.transaction():
        actions.set_roles(admin.id, person.id, is_admin=False, offers_coaching=True, now=NOW)
    assert (person.is_admin, person.offers_coaching) == (False, True)
    told = db.session.scalars(select(events.Event).order_by(events.Event.id.desc())).first()
    assert told is not None
    assert (told.verb, told.actor_id) == ("person.roles_changed", admin.id)


def test_nobody_else_administers() -> None:
    admin, person = administrator(), sign_up()
    for verb in (
        lambda: actions.set_roles(
            person.id, person.id, is_admin=True, offers_coaching=True, now=NOW
        ),
        lambda: actions.set_active(person.id, admin.id, active=False, now=NOW),
        lambda: actions.make_reset_link(person.id, admin.id, now=NOW),
    ):
        with refused("administrators_only"), db.transaction():
            verb()
    assert (person.is_admin, admin.active) == (False, True)


def test_an_administrator_cannot_lock_themselves_out() -> None:
    admin = administrator()
    with refused("own_administration"), db.transaction():
        actions.set_roles(admin.id, admin.id, is_admin=False, offers_coaching=False, now=NOW)
    with refused("own_administration"), db.transaction():
        actions.set_active(admin.id, admin.id, active=False, now=NOW)
    with db.transaction():
        actions.set_roles(admin.id, admin.id, is_admin=True, offers_coaching=True, now=NOW)


def test_closing_an_account_signs_it_out_and_kills_its_links() -> None:
    admin, person = administrator(), sign_up()
    token = sign_in()
    with db.transaction():
        _, link = actions.make_reset_link(admin.id, person.id, now=NOW)
        actions.set_active(admin.id, person.id, active=False, now=NOW)
    assert actions.find_signed_in(token, now=NOW) is None
    with db.transaction():
        actions.set_active(admin.id, person.id, active=True, now=NOW)
    assert actions.find_signed_in(token, now=NOW) is None
    with refused("reset_link_dead"):
        actions.find_reset(link, now=NOW)
    sign_in()


def test_a_link_made_by_an_administrator_works() -> None:
    admin, person = administrator(), sign_up()
    with db.transaction():
        _, token = actions.make_reset_link(admin.id, person.id, now=NOW)
    with db.transaction():
        actions.reset_password(token, new_hash(), now=NOW)
    sign_in(password="another horse")


def test_nobody_is_not_found() -> None:
    admin = administrator()
    with pytest.raises(NotFound):
        actions.find_person(999)
    with pytest.raises(NotFound), db.transaction():
        actions.set_active(admin.id, 999, active=False, now=NOW)


def test_the_chain_of_events_holds_after_all_of_it() -> None:
    admin, person = administrator(), sign_up()
    sign_in()
    with db.transaction():
        actions.set_roles(admin.id, person.id, is_admin=True, offers_coaching=True, now=NOW)
        actions.make_reset_link(admin.id, person.id, now=NOW)
    db.session.remove()
    assert list(events.broken_links()) == []


def test_people_come_by_address_a_page_at_a_time() -> None:
    for name in "dcbae":
        sign_up(f"{name}@example.org", hashed=Hashed("x"))
    first = queries.people(limit=2)
    assert [one.email[0] for one in first] == ["a", "b", "c"]
    assert [one.email[0] for one in queries.people(after="b@example.org", limit=5)] == [*"cde"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ADA", ["ada@example.org"]),
        ("lovelace", ["ada@example.org"]),
        ("example", ["ada@example.org", "bob@example.org"]),
        ("%", []),
        ("_", []),
        ("'; DROP TABLE person; --", []),
    ],
)
def test_a_search_takes_its_letters_for_themselves(search: str, found: list[str]) -> None:
    sign_up("ada@example.org", display_name="Ada Lovelace", hashed=Hashed("x"))
    sign_up("bob@example.org", display_name="Bob", hashed=Hashed("x"))
    assert [one.email for one in queries.people(search=search)] == found


def test_two_administrators_who_dismiss_each_other_at_once_do_not_both_succeed() -> None:
    pair = [administrator("a@example.org").id, administrator("b@example.org").id]
    start, outcomes = threading.Barrier(2), []

    def dismiss(actor: int, other: int) -> None:
        start.wait()
        try:
            with db.transaction():
                actions.set_roles(actor, other, is_admin=False, offers_coaching=False, now=NOW)
            outcomes.append("done")
        except Refused as error:
            outcomes.append(error.code)
        finally:
            db.session.remove()

    threads = [threading.Thread(target=dismiss, args=way) for way in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["administrators_only", "done"]
    db.session.remove()
    assert [one.is_admin for one in queries.people()].count(True) == 1
