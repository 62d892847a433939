"""Plants the demo: everything happens through the verbs, each at its own past instant.

So events, hash chains and figures are those of real use. Everything follows from the start of
the current hour; the same hour gives the same demo.
"""

from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Final

from skileez import db
from skileez.accounts import actions as accounts
from skileez.accounts.models import Person
from skileez.accounts.passwords import Hashed
from skileez.contracts import actions as contracts
from skileez.contracts.models import Proposal
from skileez.contracts.rules import Terms
from skileez.demo import cast, disputes, hours, offers, plans, post, words
from skileez.demo.calendar import Calendar
from skileez.demo.life import Life
from skileez.demo.offers import Offer
from skileez.demo.story import Script
from skileez.events import Actor

MEMBERS_FOR_DAYS: Final = 320
NEWS_WITHIN_HOURS: Final = 96

People = dict[str, Person]


def is_planted() -> bool:
    """Whether the demo's people are there already."""
    return accounts.find_by_email(cast.DOORS[0].email) is not None


def plant(now: datetime) -> bool:
    """Make the demo's data in one transaction; False, and nothing, if it is there already."""
    if is_planted():
        return False
    hour = now.replace(minute=0, second=0, microsecond=0)
    random = Random(2026)  # noqa: S311 - meant to be the same every time, and no secret
    # Hashing is slow on purpose, and all of them share one password.
    hashed = accounts.hash_new_password(cast.PASSWORD, cast.DOORS[0].email)
    with db.transaction():
        people = _people(hour, random, hashed)
        for at, _, deed in sorted(_script(people, hour, random), key=lambda line: line[:2]):
            deed(at)
        disputes.dispute(hour)
        hours.keep(people, hour)
        post.settle(hour)
    return True


def _people(hour: datetime, random: Random, hashed: Hashed) -> People:
    people = {}
    for player in (*cast.DOORS, *cast.OTHERS):
        joined = hour - timedelta(days=MEMBERS_FOR_DAYS + random.randint(0, 90))
        people[player.key] = accounts.sign_up(
            email=player.email,
            display_name=player.name,
            hashed=hashed,
            zone=player.zone,
            offers_coaching=player.coaches,
            now=joined,
        )
        if player.key == "admin":
            accounts.appoint_administrator(player.email, now=joined + timedelta(minutes=5))
    return people


def _script(people: People, hour: datetime, random: Random) -> Script:
    """Everything that happens between these people, in no order yet."""
    script: Script = []
    calendar = Calendar()
    ids = {key: person.id for key, person in people.items()}
    lives = [Life(plan, ids, calendar, hour, random, script) for plan in plans.CONTRACTS]
    for life in lives:
        life.reserve()
    for life in lives:
        life.write(partial(_propose, life.plan.offer, people))
    _add_proposals(script, people, hour, random)
    return script


def _propose(offer: Offer, people: People, now: datetime) -> Proposal:
    coach = people[offer.coach]
    terms = Terms(
        offer.title, offer.sessions, offer.minutes, offer.price, offer.currency, offer.message
    )
    return contracts.propose(
        coach,
        people[offer.student].email,
        terms,
        zone=offer.zone,
        actor=Actor("person", coach.id),
        now=now,
    )


def _add_proposals(script: Script, people: People, hour: datetime, random: Random) -> None:
    """Those that never became a contract: waiting, declined, withdrawn."""

    def send(offer: Offer) -> tuple[datetime, list[Proposal]]:
        sent: list[Proposal] = []
        at = hour - timedelta(minutes=random.randint(10 * 60, NEWS_WITHIN_HOURS * 60))
        deed = partial(_propose, offer, people)
        script.append((at, len(script), lambda now: sent.append(deed(now))))
        return at, sent

    def decline(sent: list[Proposal], reason: str, now: datetime) -> None:
        sent[0].decline(actor=Actor("person", sent[0].student_id), now=now, reason=reason)

    def withdraw(sent: list[Proposal], now: datetime) -> None:
        sent[0].withdraw(actor=Actor("person", sent[0].coach_id), now=now)

    for offer in offers.WAITING:
        send(offer)
    for offer, reason in zip(offers.DECLINED, words.REFUSING, strict=True):
        at, sent = send(offer)
        script.append((at + timedelta(hours=9), len(script), partial(decline, sent, reason)))
    for offer in offers.WITHDRAWN:
        at, sent = send(offer)
        script.append((at + timedelta(hours=3), len(script), partial(withdraw, sent)))
