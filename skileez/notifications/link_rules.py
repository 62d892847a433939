"""What a mail's link may do, for whom, and until when. Pure, like ``rules``.

A link allows one act of one person, once. It asks the rules of the session as every door does;
what stands here is only what is the link's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from skileez.errors import N_, Kind, Refusal
from skileez.notifications.rules import OVERDUE, PLACES_TIME
from skileez.sessions import presence_rules, reschedule_rules, rules
from skileez.sessions.presence_rules import NOTHING, Account, Outcome
from skileez.sessions.rules import Facts, Policy, Role


class Act(StrEnum):
    """What a link does."""

    APPROVE = "approve"
    DECLINE = "decline"
    CONFIRM = "confirm"
    HELD = "held"
    """It took place."""
    ALONE = "alone"
    """The other side did not come."""


ANSWERS: Final = (Act.APPROVE, Act.DECLINE)
OUTCOMES: Final = (Act.HELD, Act.ALONE)

ASKS_TO_MOVE: Final = ("session.reschedule_requested", "session.reschedule_countered")

OUTCOME_WITHIN: Final = timedelta(hours=72)
"""For how long after a session's end the links of "How did it go?" work."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One act that a mail offers.

    ``time`` is the start that is approved, or the start that the session has meanwhile (an
    answer to a request needs none); ``until`` is when the offer ends.
    """

    act: Act
    time: datetime | None
    until: datetime


def outcome_of(act: str, role: str) -> Outcome:
    """What somebody in this role says by an act of ``OUTCOMES``."""
    if act == Act.HELD:
        return Outcome.HELD
    return Outcome.COACH_ABSENT if role == Role.STUDENT else Outcome.STUDENT_ABSENT


def offers(
    kind: str,
    role: str | None,
    facts: Facts,
    now: datetime,
    policy: Policy,
    account: Account = NOTHING,
) -> list[Offer]:
    """The acts that a mail of this kind offers its reader now, the likeliest first.

    Nothing to somebody without a part in it (``role`` None): to the session's rules that is the
    system itself.
    """
    if role is None:
        return []
    return [
        one
        for one in _offered(kind, facts)
        if now < one.until and may_do(one.act, one.time, facts, role, now, policy, account) is None
    ]


def _offered(kind: str, facts: Facts) -> Iterator[Offer]:
    if kind in ASKS_TO_MOVE and facts.pending:
        until = facts.pending.deadline
        yield from (Offer(Act.APPROVE, time, until) for time in facts.pending.times)
        yield Offer(Act.DECLINE, None, until)
    if kind in PLACES_TIME and facts.start and not facts.confirmed:
        yield Offer(Act.CONFIRM, facts.start, facts.start)
    if kind == OVERDUE and facts.end:
        until = facts.end + OUTCOME_WITHIN
        yield Offer(Act.HELD, facts.start, until)
        yield Offer(Act.ALONE, facts.start, until)


def may_do(
    act: str,
    time: datetime | None,
    facts: Facts,
    role: str,
    now: datetime,
    policy: Policy,
    account: Account = NOTHING,
) -> Refusal | None:
    """Whether the session's own rules allow the act."""
    match act:
        case Act.APPROVE:
            return reschedule_rules.may_approve(facts, role, time, now, policy)
        case Act.DECLINE:
            return reschedule_rules.may_decline(facts, role, now)
        case Act.CONFIRM:
            return rules.may_confirm(facts, role, now)
        case Act.HELD | Act.ALONE:
            return presence_rules.may_say_outcome(
                facts, role, now, policy, account
            ) or presence_rules.check_outcome(outcome_of(act, role), account)
    raise ValueError(f"there is no act {act!r}")


@dataclass(frozen=True, slots=True)
class Promise:
    """A link as it was made, and what became of it."""

    act: str
    time: datetime | None
    asked_at: datetime | None
    until: datetime
    used: bool = False
    account_open: bool = True


DEAD: Final = Refusal(
    "link_dead", N_("This link no longer works. Nothing was done."), kind=Kind.GONE
)
USED: Final = Refusal("link_used", N_("This link was used; it works once."), kind=Kind.GONE)
OVERTAKEN: Final = Refusal(
    "link_overtaken",
    N_("This was answered or changed after the mail was written, so nothing was done."),
    kind=Kind.GONE,
)


def may_follow(
    link: Promise,
    asked_at: datetime | None,
    facts: Facts,
    role: str,
    now: datetime,
    policy: Policy,
    account: Account = NOTHING,
) -> Refusal | None:
    """Whether a link does what it was made for; ``asked_at`` is when the pending request came.

    Whoever closed their account has no links any more, whatever became of them.
    """
    if not link.account_open:
        return DEAD
    if link.used:
        return USED
    if now >= link.until:
        return Refusal(
            "link_expired",
            N_("This link worked until %(until)s. Nothing was done."),
            {"until": link.until},
            kind=Kind.GONE,
        )
    if is_overtaken(link, asked_at, facts):
        return OVERTAKEN
    return may_do(link.act, link.time, facts, role, now, policy, account)


def is_overtaken(link: Promise, asked_at: datetime | None, facts: Facts) -> bool:
    """Whether what the mail spoke of is over: another request, another start, confirmed."""
    if link.act in ANSWERS:
        return asked_at is None or asked_at != link.asked_at
    if link.act == Act.CONFIRM and facts.confirmed:
        return True
    return facts.start != link.time


def may_tell(link: Promise, now: datetime) -> bool:
    """Whether a link that does nothing any more still tells its holder how the session stands."""
    return link.account_open and now < link.until
