"""What happens to accounts. Each verb runs inside a door's ``transaction()``, takes ``now``,
appends its event, and never commits.

Passwords are checked and hashed before the transaction (see ``passwords``): ``check_password``
and ``hash_new_password`` are the first half of the verbs that take their answers.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import undefer_group

from skileez import db, events, zones
from skileez.accounts import passwords, rules
from skileez.accounts.models import FOR_READERS, PasswordReset, Person, SignIn
from skileez.accounts.passwords import Hashed
from skileez.errors import NotFound, Refused, require
from skileez.events import SYSTEM, Actor


@dataclass(frozen=True, slots=True)
class Checked:
    """A password that was right, for the person ``person_id`` as they were a moment ago."""

    person_id: int
    password_hash: str
    renewed: Hashed | None = None


def find_person(person_id: int) -> Person:
    """The person, whoever asks. Raises NotFound."""
    return _or_not_found(db.session.get(Person, person_id))


def find_by_email(email: str) -> Person | None:
    """The person with this e-mail address, as typed."""
    return db.session.scalar(select(Person).where(Person.email == rules.clean_email(email)))


def find_signed_in(token: str, *, now: datetime) -> Person | None:
    """Who is signed in by ``token``; None if nobody is (any longer). Reads only."""
    return db.session.scalar(_SIGNED_IN, {"token_hash": digest(token), "now": now})


# Asked for every page, so it is put together once.
_SIGNED_IN = (
    select(Person)
    .join(SignIn, SignIn.person_id == Person.id)
    .where(
        SignIn.token_hash == bindparam("token_hash"),
        SignIn.expires_at > bindparam("now"),
        Person.active,
    )
    .options(undefer_group(FOR_READERS))
)


def check_password(email: str, password: str) -> Checked:
    """Whether ``password`` opens the account of ``email``; takes as long if there is none.

    Call outside a transaction. Raises Refused ``sign_in_failed`` (the same for a wrong password,
    an unknown address and a closed account) and ``too_many_at_once``.
    """
    hasher = passwords.current()
    person = find_by_email(email)
    fits = hasher.fits(person.password_hash if person else None, password)
    if person is None or not fits or not person.active:
        raise Refused(rules.SIGN_IN_FAILED)
    stale = hasher.is_stale(person.password_hash)
    return Checked(person.id, person.password_hash, hasher.hash(password) if stale else None)


def hash_new_password(password: str, email: str) -> Hashed:
    """The hash of a password that is good enough for ``email``. Call outside a transaction.

    Raises Refused ``password_*`` and ``too_many_at_once``.
    """
    require(rules.may_use_password(password, rules.clean_email(email)))
    return passwords.current().hash(password)


def sign_up(
    *,
    email: str,
    display_name: str,
    hashed: Hashed,
    zone: str,
    offers_coaching: bool = False,
    now: datetime,
) -> Person:
    """Open an account. Raises Refused ``email_*``, ``name_*``, ``unknown_zone``."""
    email, name = rules.clean_email(email), rules.clean_line(display_name)
    require(rules.may_use_email(email))
    require(rules.may_use_name(name))
    zones.zone(zone)
    if find_by_email(email) is not None:
        raise Refused(rules.EMAIL_TAKEN)
    person = Person(
        email=email,
        display_name=name,
        password_hash=hashed,
        zone=zone,
        offers_coaching=offers_coaching,
        created_at=now,
    )
    db.session.add(person)
    db.session.flush()
    _tell(person, "person.signed_up", now)
    return person


def sign_in(
    checked: Checked, *, now: datetime, lasts: timedelta, agent: str = ""
) -> tuple[SignIn, str]:
    """Sign the person in on one browser; the token returned belongs in its cookie.

    Raises Refused ``sign_in_failed`` if the account changed since the password was checked.
    """
    person = _lock(checked.person_id)
    if not person.active or person.password_hash != checked.password_hash:
        raise Refused(rules.SIGN_IN_FAILED)
    if checked.renewed is not None:
        person.password_hash = checked.renewed
    db.session.execute(
        delete(SignIn).where(SignIn.person_id == person.id, SignIn.expires_at <= now)
    )
    token = secrets.token_urlsafe(32)
    row = SignIn(
        person_id=person.id,
        token_hash=digest(token),
        created_at=now,
        expires_at=now + lasts,
        agent=rules.clean_line(agent)[: rules.AGENT_MAX],
    )
    db.session.add(row)
    _tell(person, "person.signed_in", now)
    return row, token


def sign_out(token: str, *, now: datetime) -> None:
    """End the sign-in of ``token``, if it is one."""
    row = db.session.scalar(select(SignIn).where(SignIn.token_hash == digest(token)))
    if row is None:
        return
    person = _lock(row.person_id)
    db.session.delete(row)
    _tell(person, "person.signed_out", now)


def end_sign_in(person_id: int, sign_in_id: int, *, now: datetime) -> None:
    """End one of a person's own sign-ins. Raises NotFound for anybody else's."""
    person = _lock(person_id)
    row = db.session.get(SignIn, sign_in_id)
    if row is None or row.person_id != person_id:
        raise NotFound
    db.session.delete(row)
    _tell(person, "person.signed_out", now, details={"elsewhere": True})


def end_other_sign_ins(person_id: int, *, keep: str, now: datetime) -> None:
    """End all of a person's sign-ins but that of the token ``keep``."""
    person = _lock(person_id)
    ended = _end_sign_ins(person_id, keep=keep)
    _tell(person, "person.signed_out", now, details={"elsewhere": True, "ended": ended})


def change_password(checked: Checked, hashed: Hashed, *, keep: str | None, now: datetime) -> Person:
    """Set a new password and end every sign-in but that of the token ``keep``.

    Unused reset links die with the old password. Raises Refused ``password_wrong`` if it was
    changed by somebody else since it was checked.
    """
    person = _lock(checked.person_id)
    if person.password_hash != checked.password_hash:
        raise Refused(rules.PASSWORD_WRONG)
    person.password_hash = hashed
    _forget_reset_links(person.id)
    _end_sign_ins(person.id, keep=keep)
    _tell(person, "person.password_changed", now)
    return person


def request_reset(
    email: str, *, now: datetime, actor: Actor | None = None
) -> tuple[Person, str] | None:
    """A single-use token for whoever owns ``email``; None if nobody does."""
    person = find_by_email(email)
    if person is None or not person.active:
        return None
    person = _lock(person.id)
    token = _new_reset_link(person, now)
    _tell(person, "person.reset_requested", now, actor)
    return person, token


def find_reset(token: str, *, now: datetime) -> tuple[PasswordReset, Person]:
    """The reset link of ``token`` and whose it is. Raises Refused ``reset_link_dead``."""
    found = db.session.execute(
        select(PasswordReset, Person)
        .join(Person, Person.id == PasswordReset.person_id)
        .where(
            PasswordReset.token_hash == digest(token),
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > now,
            Person.active,
        )
    ).first()
    if found is None:
        raise Refused(rules.RESET_LINK_DEAD)
    return found[0], found[1]


def reset_password(token: str, hashed: Hashed, *, now: datetime) -> Person:
    """Set a new password by a reset link, use it up, and end every sign-in of its owner.

    Raises Refused ``reset_link_dead``.
    """
    person = _lock(find_reset(token, now=now)[1].id)
    # Asked again behind the lock: of two presses of one link only the first may count.
    link, person = find_reset(token, now=now)
    link.used_at = now
    person.password_hash = hashed
    db.session.flush()
    _forget_reset_links(person.id)
    _end_sign_ins(person.id)
    _tell(person, "person.password_reset", now)
    return person


def update_profile(
    person_id: int,
    *,
    display_name: str,
    zone: str,
    offers_coaching: bool | None = None,
    now: datetime,
) -> Person:
    """Change what a person says about themselves. Raises Refused ``name_*``, ``unknown_zone``."""
    name = rules.clean_line(display_name)
    require(rules.may_use_name(name))
    zones.zone(zone)
    person = _lock(person_id)
    wanted: dict[str, Any] = {"display_name": name, "zone": zone}
    if offers_coaching is not None:
        wanted["offers_coaching"] = offers_coaching
    _apply(person, wanted, "person.profile_changed", now, _as(person))
    return person


def set_roles(
    actor_id: int,
    person_id: int,
    *,
    is_admin: bool | None = None,
    offers_coaching: bool | None = None,
    now: datetime,
) -> Person:
    """Give or take roles; None leaves one as it is.

    Raises Refused ``administrators_only``, ``own_administration``.
    """
    actor, person = _lock_administrator_and(actor_id, person_id)
    if person.is_admin and is_admin is False:
        require(rules.may_lose_administration(is_self=actor.id == person.id))
    said = {"is_admin": is_admin, "offers_coaching": offers_coaching}
    wanted = {role: value for role, value in said.items() if value is not None}
    _apply(person, wanted, "person.roles_changed", now, _as(actor))
    return person


def appoint_administrator(email: str, *, now: datetime) -> Person:
    """Make somebody an administrator without another one's word: the operator's own verb.

    Raises NotFound.
    """
    person = _lock(_or_not_found(find_by_email(email)).id)
    _apply(person, {"is_admin": True, "active": True}, "person.roles_changed", now, SYSTEM)
    return person


def set_active(actor_id: int, person_id: int, *, active: bool, now: datetime) -> Person:
    """Close an account (and sign it out everywhere) or open it again; history stays.

    Raises Refused ``administrators_only``, ``own_administration``.
    """
    actor, person = _lock_administrator_and(actor_id, person_id)
    if not active:
        require(rules.may_lose_administration(is_self=actor.id == person.id))
        _end_sign_ins(person.id)
        _forget_reset_links(person.id)
    verb = "person.reopened" if active else "person.closed"
    _apply(person, {"active": active}, verb, now, _as(actor))
    return person


def make_reset_link(actor_id: int, person_id: int, *, now: datetime) -> tuple[Person, str]:
    """A reset token that an administrator hands to a person. Raises ``administrators_only``."""
    actor, person = _lock_administrator_and(actor_id, person_id)
    token = _new_reset_link(person, now)
    _tell(person, "person.reset_requested", now, _as(actor))
    return person, token


def digest(token: str) -> str:
    """What is stored of a token: it is random and long, so a plain SHA-256 keeps it secret."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _or_not_found(person: Person | None) -> Person:
    if person is None:
        raise NotFound
    return person


def _lock(person_id: int) -> Person:
    """The person's row as it is now, ours until the transaction ends. Raises NotFound."""
    return _or_not_found(
        db.session.get(Person, person_id, with_for_update=True, populate_existing=True)
    )


def _lock_administrator_and(actor_id: int, person_id: int) -> tuple[Person, Person]:
    # In one order, and asked behind the lock: two administrators cannot dismiss each other.
    locked = {one: _lock(one) for one in sorted({actor_id, person_id})}
    actor = locked[actor_id]
    require(rules.may_administer(is_admin=actor.is_admin, active=actor.active))
    return actor, locked[person_id]


def _new_reset_link(person: Person, now: datetime) -> str:
    _forget_reset_links(person.id)
    token = secrets.token_urlsafe(32)
    db.session.add(
        PasswordReset(
            person_id=person.id,
            token_hash=digest(token),
            asked_at=now,
            expires_at=now + rules.RESET_LASTS,
        )
    )
    return token


def _forget_reset_links(person_id: int) -> None:
    db.session.execute(
        delete(PasswordReset).where(
            PasswordReset.person_id == person_id, PasswordReset.used_at.is_(None)
        )
    )


def _end_sign_ins(person_id: int, *, keep: str | None = None) -> int:
    mine = select(SignIn).where(SignIn.person_id == person_id)
    kept = digest(keep) if keep else None
    ended = [row for row in db.session.scalars(mine) if row.token_hash != kept]
    for row in ended:
        db.session.delete(row)
    return len(ended)


def _apply(
    person: Person, wanted: Mapping[str, Any], verb: str, now: datetime, actor: Actor
) -> None:
    """Set what differs and tell of it; nothing differs: nothing happened."""
    changed = {
        name: [getattr(person, name), value]
        for name, value in wanted.items()
        if getattr(person, name) != value
    }
    if not changed:
        return
    for name, (_, value) in changed.items():
        setattr(person, name, value)
    _tell(person, verb, now, actor, details=changed)


def _as(person: Person) -> Actor:
    return Actor("person", person.id)


def _tell(
    person: Person,
    verb: str,
    now: datetime,
    actor: Actor | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    events.append(f"person:{person.id}", verb, at=now, actor=actor or _as(person), details=details)
