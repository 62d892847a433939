"""Answers by a press in a mail: each link is one act of one person, once, without signing in.

Only the SHA-256 of a token is stored. The token is made from the secret key and from what it is
for, so a mail that is written twice carries the same links and adds no rows. Looking at a link
changes nothing; ``follow`` runs the session's verb as its person would.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select

from skileez import db, events
from skileez.accounts.models import Person
from skileez.availability.rules import time_taken
from skileez.errors import NotFound, Refusal, require
from skileez.events import Actor
from skileez.notifications import link_rules
from skileez.notifications.link_rules import Act, Offer, Promise
from skileez.notifications.models import AnswerLink, Delivery, Standing
from skileez.sessions import actions, outcome_check, policy, queries
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import Account

PATH: Final = "/answer/{}"
"""Where the web shows a link (a test holds the two together)."""

BY: Final = "mail"
"""The one channel that carries links: it goes to one person's own address."""

_key: bytes | None = None


def configure(secret_key: str) -> None:
    """What tokens are made with: a key of their own, from the application's. Without it no mail
    carries links.
    """
    global _key
    _key = hmac.digest(secret_key.encode(), b"skileez answer links 1", "sha256")


def make(
    delivery: Delivery, session: Session | None, role: str | None, now: datetime
) -> list[tuple[Offer, str]]:
    """What the mail of ``delivery`` offers, each with its path; call inside ``transaction()``.

    Nothing for any other channel, nor for a message that is only looked at.
    """
    to_send = delivery.channel == BY and delivery.status == Standing.WAITING
    if session is None or _key is None or not to_send:
        return []
    offered = link_rules.offers(
        delivery.kind, role, session.facts, now, policy.in_force(), session.account()
    )
    if not offered:
        return []
    tokens = [_token(_key, delivery, one, session) for one in offered]
    hashes = [_digest(token) for token in tokens]
    there = set(db.session.scalars(_THERE, {"hashes": hashes}))
    for one, hashed in zip(offered, hashes, strict=True):
        if hashed not in there:
            db.session.add(
                AnswerLink(
                    token_hash=hashed,
                    person_id=delivery.recipient_id,
                    session_id=session.id,
                    act=one.act,
                    new_time=one.time,
                    asked_at=_question(one, session),
                    created_at=now,
                    expires_at=one.until,
                )
            )
    return [(one, PATH.format(token)) for one, token in zip(offered, tokens, strict=True)]


_THERE = select(AnswerLink.token_hash).where(
    AnswerLink.token_hash.in_(bindparam("hashes", expanding=True))
)


def _question(one: Offer, session: Session) -> datetime | None:
    return session.reschedule_asked_at if one.act in link_rules.ANSWERS else None


def _token(key: bytes, delivery: Delivery, one: Offer, session: Session) -> str:
    # More than the delivery's number, which a database that was restored gives out again.
    told: tuple[object, ...] = (
        *(delivery.id, delivery.occasion, delivery.recipient_id, session.id),
        *(delivery.at, one.act, one.time, _question(one, session), one.until),
    )
    message = "\n".join(one.isoformat() if isinstance(one, datetime) else str(one) for one in told)
    return urlsafe_b64encode(hmac.digest(key, message.encode(), "sha256")).decode().rstrip("=")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that there is: its act, whose it is, the session as it stands, and why it may not be
    followed (None: it may).
    """

    act: Act
    time: datetime | None
    until: datetime
    person: Person
    session: Session
    role: str
    account: Account
    why_not: Refusal | None
    tells: bool
    """Whether its holder may be told how the session stands."""


def look(token: str, now: datetime) -> Opened:
    """What a link is for, for looking. Raises ``NotFound`` for one that never was."""
    link, person = _find(token)
    opened = _opened(link, person, queries.seen_by(person.id, link.session_id), now)
    if opened.why_not is None and opened.act is Act.APPROVE and opened.time is not None:
        (whose,) = opened.session.taken_at(opened.time)
        if whose:
            return replace(opened, why_not=time_taken(whose, opened.time))
    return opened


def follow(token: str, now: datetime) -> Opened:
    """Do what a link is for, and use it up; call inside ``transaction()``.

    Raises ``NotFound``, and ``Refused`` as the link's rule and the session's verbs do.
    """
    link, person = _find(token)
    who = Actor("person", person.id)
    session = actions.find_for(who, link.session_id)
    # Asked again behind the lock: of two presses of one link only the first may count.
    link, person = _find(token)
    opened = _opened(link, person, session, now)
    require(opened.why_not)
    link.used_at = now
    by_mail = events.via.set(BY)
    try:
        _do(opened, who, now)
    finally:
        events.via.reset(by_mail)
    return opened


def _do(opened: Opened, who: Actor, now: datetime) -> None:
    session, role = opened.session, opened.role
    match opened.act:
        case Act.APPROVE:
            session.approve_reschedule(opened.time, by=role, actor=who, now=now)
        case Act.DECLINE:
            session.decline_reschedule(by=role, actor=who, now=now)
        case Act.CONFIRM:
            session.confirm(role, actor=who, now=now)
        case Act.HELD | Act.ALONE:
            outcome = link_rules.outcome_of(opened.act, role)
            outcome_check.say_outcome(session, role, outcome, actor=who, now=now)


def _find(token: str) -> tuple[AnswerLink, Person]:
    found = db.session.execute(
        select(AnswerLink, Person)
        .join(Person, Person.id == AnswerLink.person_id)
        .where(AnswerLink.token_hash == _digest(token))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("link")
    return found[0], found[1]


def _opened(link: AnswerLink, person: Person, session: Session, now: datetime) -> Opened:
    role = session.role_of(person.id)
    assert role is not None
    promise = Promise(
        act=link.act,
        time=link.new_time,
        asked_at=link.asked_at,
        until=link.expires_at,
        used=link.used_at is not None,
        account_open=person.active,
    )
    account = session.account()
    why_not = link_rules.may_follow(
        promise, session.reschedule_asked_at, session.facts, role, now, policy.in_force(), account
    )
    return Opened(
        act=Act(link.act),
        time=link.new_time,
        until=link.expires_at,
        person=person,
        session=session,
        role=role,
        account=account,
        why_not=why_not,
        tells=link_rules.may_tell(promise, now),
    )
