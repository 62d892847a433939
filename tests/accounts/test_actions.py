"""The life of an account, on both databases."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from skileez import db, events
from skileez.accounts import actions, passwords, queries
from skileez.accounts.models import PasswordReset, Person, SignIn
from skileez.accounts.passwords import Hashed
from skileez.errors import NotFound, Refused
from tests import engines

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def bound(database: str) -> Iterator[None]:
    passwords.configure(time_cost=1, memory_kib=8, at_once=2)
    engines.bind(database)
    yield
    db.session.remove()


def sign_up(email: str = "ada@example.org", **given: Any) -> Person:
    with db.transaction():
        return actions.sign_up(
            **{
                "email": email,
                "display_name": "Ada",
                "hashed": actions.hash_new_password(PASSWORD, email),
                "zone": "Europe/Berlin",
                "now": NOW,
                **given,
            }
        )


def sign_in(email: str = "ada@example.org", password: str = PASSWORD, now: datetime = NOW) -> str:
    checked = actions.check_password(email, password)
    with db.transaction():
        return actions.sign_in(checked, now=now, lasts=30 * DAY, agent="a browser")[1]


def administrator(email: str = "admin@example.org") -> Person:
    person = sign_up(email)
    with db.transaction():
        person.is_admin = True
    return person


def refused(code: str) -> Any:
    return pytest.raises(Refused, check=lambda error: error.code == code)


def verbs(person: Person) -> list[str]:
    told = select(events.Event.verb).where(events.Event.stream == f"person:{person.id}")
    return list(db.session.scalars(told.order_by(events.Event.position)))


def new_hash(password: str = "another horse") -> Hashed:
    return actions.hash_new_password(password, "ada@example.org")


# --- signing up ------------------------------------------------------------------------------


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


# --- signing in ------------------------------------------------------------------------------


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


# --- passwords -------------------------------------------------------------------------------


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


# --- profile and administration --------------------------------------------------------------


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


# --- the lists -------------------------------------------------------------------------------


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
