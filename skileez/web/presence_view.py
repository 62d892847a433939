"""Who was there, and what both sides say of a session, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from skileez.accounts.models import Person
from skileez.sessions import presence_rules
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import Account, Outcome, Unsettled, Way
from skileez.sessions.rules import Policy, Role, Status
from skileez.web.display import clock, sentence
from skileez.web.forms import OUTCOMES
from skileez.web.language import gettext as _


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what they showed ("Joined the meeting at 14:02") and what they say."""

    role: str
    name: str
    mine: bool
    there: tuple[str, ...]
    says: str | None


@dataclass(frozen=True, slots=True)
class Presence:
    """What the page says of presence. ``may`` check in now; else ``opens`` says from when."""

    sides: tuple[Side, ...]
    may: bool
    opens: str | None
    here: bool
    """Whether the reader has said already that they are there."""
    begun: bool
    """Whether there is anything to show: from ten minutes before the start on."""
    disputed: bool


def of(
    session: Session,
    role: str | None,
    people: dict[str, Person],
    account: Account,
    now: datetime,
    policy: Policy,
) -> Presence:
    """The presence of both, for this reader."""
    facts = session.facts
    refusal = presence_rules.may_check_in(facts, role or Role.STUDENT, now, policy)
    early = refusal is not None and refusal.code == "check_in_too_early"
    return Presence(
        sides=tuple(
            Side(
                role=one,
                name=person.display_name,
                mine=one == role,
                there=_there(account, one),
                says=str(OUTCOMES[Outcome(said)]) if (said := account.said.get(one)) else None,
            )
            for one, person in people.items()
        ),
        may=role is not None and refusal is None,
        opens=sentence(refusal) if refusal is not None and early else None,
        here=any(one.role == role and one.way == Way.HERE for one in account.seen),
        begun=facts.start is not None and not early and (bool(account.seen) or refusal is None),
        disputed=account.disputed and not account.decided,
    )


def _there(account: Account, role: str) -> tuple[str, ...]:
    return tuple(
        _("Joined the meeting at %(time)s", time=clock(one.at))
        if one.way == Way.JOIN
        else _("Said “I’m here” at %(time)s", time=clock(one.at))
        for one in account.seen
        if one.role == role
    )


def choices(session: Session, role: str, name: str, account: Account) -> list[dict[str, Any]]:
    """What one may say of it, each with what that will cause."""
    return [
        {
            "value": outcome.value,
            "text": OUTCOMES[outcome],
            "detail": _will_cause(session, outcome, account.saying(role, outcome), name),
        }
        for outcome in presence_rules.offered_outcomes(account)
    ]


def _will_cause(session: Session, outcome: Outcome, account: Account, name: str) -> str:
    verdict = presence_rules.verdict(session.facts, account)
    completed = session.status == Status.COMPLETED
    if verdict is Unsettled.WAITING:
        return _("%(name)s is asked. If they say the same: %(end)s", name=name, end=_end(outcome))
    if verdict is Unsettled.DISAGREED and completed:
        return _("It stays completed. An administrator looks at it, decides, and tells you both.")
    if verdict is Unsettled.DISAGREED:
        return _("%(name)s says otherwise, so an administrator decides.", name=name)
    if completed:
        return _("It stays completed.")
    return _("You agree, which settles it at once: %(end)s", end=_end(outcome))


def _end(outcome: Outcome) -> str:
    if outcome is Outcome.HELD:
        return _("it is completed and counts towards the contract.")
    if outcome is Outcome.TECHNICAL:
        return _("it is cancelled, not paid, and its credit returns; nobody is to blame.")
    return _("it is marked missed, not paid, and its credit returns.")


def decisions(session: Session, account: Account) -> list[dict[str, Any]]:
    """What an administrator may decide, each with what that will cause."""
    open_still = session.status == Status.SCHEDULED
    return [
        {
            "value": outcome.value,
            "text": OUTCOMES[outcome],
            "detail": _("The session ends: %(end)s", end=_end(outcome))
            if open_still
            else _("The session stays as it is; your decision is kept with it and told to both."),
        }
        for outcome in presence_rules.offered_outcomes(account)
    ]
