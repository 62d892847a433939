"""Who was there, and what a session's two sides say became of it. Pure.

Either side may check in from ten minutes before the start; after the end each is asked what
happened. What they showed and said is one ``Account``, which the rules of an end ask as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from skileez.errors import N_, Kind, Refusal
from skileez.sessions.rules import (
    PARTICIPANTS,
    Facts,
    Policy,
    Role,
    Status,
    lead,
    other,
    refuse_stranger,
    refuse_unless_scheduled,
    refuse_without_time,
)


class Way(StrEnum):
    """How somebody showed that they are there."""

    JOIN = "join"
    """They opened the meeting link."""
    HERE = "here"
    """They pressed "I'm here"."""


class Outcome(StrEnum):
    """What a participant says became of a session."""

    HELD = "held"
    STUDENT_ABSENT = "student_absent"
    COACH_ABSENT = "coach_absent"
    TECHNICAL = "technical"


ABSENCES: Final[Mapping[str, str]] = {
    Outcome.STUDENT_ABSENT: Role.STUDENT,
    Outcome.COACH_ABSENT: Role.COACH,
}
"""Outcomes that lay an absence on somebody, and on whom."""


class Unsettled(StrEnum):
    """What two accounts come to that do not agree on an outcome."""

    WAITING = "waiting"
    """Somebody has not said anything yet."""
    DISAGREED = "disagreed"
    """An administrator has to decide."""


CHECKED_IN: Final = "session.checked_in"
OUTCOME_SAID: Final = "session.outcome_said"
CASE_OPENED: Final = "session.case_opened"
CASE_CLOSED: Final = "session.case_closed"
"""The verbs that events tell of."""

CHECK_IN_OPENS: Final = timedelta(minutes=10)
"""Before the start; a check-in counts as communication from then on."""
OUTCOME_NOTE_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """One side showed its presence."""

    role: str
    way: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """What the two of them showed and said of a session, at the time that it has now."""

    seen: tuple[Seen, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    """The outcome by role; who has said nothing is not in it."""
    disputed: bool = False
    """Whether a case about it was opened."""
    decided: bool = False
    """Whether that case was closed."""

    @property
    def both_there(self) -> bool:
        """Whether both checked in."""
        return {one.role for one in self.seen} >= set(PARTICIPANTS)

    @property
    def agreed(self) -> bool:
        """Whether both said the same."""
        return len(self.said) == len(PARTICIPANTS) and len(set(self.said.values())) == 1

    def saying(self, role: str, outcome: str) -> "Account":
        """The same, had this side said that."""
        return replace(self, said={**self.said, role: outcome})


NOTHING: Final = Account()
"""Nobody showed or said anything."""


class Happened(Protocol):
    """An event, as far as an account is made of it."""

    @property
    def verb(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def role(self) -> str | None: ...
    @property
    def details(self) -> Mapping[str, Any]: ...


def account_of(facts: Facts, history: Iterable[Happened]) -> Account:
    """What both showed and said, by what happened to a session, the oldest first."""
    seen: dict[tuple[str, str], Seen] = {}
    said: dict[str, str] = {}
    disputed = decided = False
    for event in history:
        role = event.role or ""
        if event.verb == CHECKED_IN and is_of_this_time(facts, event.at):
            way = event.details["way"]
            seen.setdefault((role, way), Seen(role, way, event.at))
        elif event.verb == OUTCOME_SAID:
            said[role] = event.details["outcome"]
        disputed = disputed or event.verb == CASE_OPENED
        decided = decided or event.verb == CASE_CLOSED
    return Account(tuple(seen.values()), said, disputed, decided)


# Checking in


def may_check_in(facts: Facts, role: str, now: datetime, policy: Policy) -> Refusal | None:
    """A participant, from ten minutes before the start until the grace after the end is over."""
    if refusal := (
        refuse_stranger(role) or refuse_unless_scheduled(facts) or refuse_without_time(facts)
    ):
        return refusal
    assert facts.start is not None
    assert facts.end is not None
    wait = lead(facts.start, now) - CHECK_IN_OPENS
    if wait > timedelta(0):
        return Refusal(
            "check_in_too_early",
            N_("Check-in opens in %(wait)s, %(before)s before the start."),
            {"wait": wait, "before": CHECK_IN_OPENS},
        )
    closes = facts.end + policy.no_show_grace
    if now >= closes:
        return Refusal(
            "check_in_too_late",
            N_("Check-in closed at %(closes)s. Say how the session went instead."),
            {"closes": closes},
        )
    return None


def is_of_this_time(facts: Facts, at: datetime) -> bool:
    """Whether a check-in at this instant was for the time the session has now: a move undoes it."""
    return facts.start is not None and lead(facts.start, at) <= CHECK_IN_OPENS


# Saying what became of it


def check_outcome(outcome: str | None, account: Account) -> Refusal | None:
    """It is one of the four; nobody is called absent of a session to which both checked in."""
    if outcome not in tuple(Outcome):
        return Refusal(
            "outcome_missing", N_("Say what happened: choose one."), {}, Kind.INVALID, "outcome"
        )
    if outcome in ABSENCES and account.both_there:
        return Refusal(
            "both_checked_in",
            N_(
                "Both of you checked in, so nobody was absent: it was held, "
                "or there was a technical problem."
            ),
            {},
            Kind.CONFLICT,
            "outcome",
        )
    return None


def offered_outcomes(account: Account) -> tuple[Outcome, ...]:
    """What may be said."""
    return tuple(one for one in Outcome if check_outcome(one, account) is None)


def check_outcome_note(note: str | None) -> Refusal | None:
    """A note is optional and has at most 500 characters."""
    length = len((note or "").strip())
    if length > OUTCOME_NOTE_MAX:
        return Refusal(
            "outcome_note_too_long",
            N_("Keep the note to %(most)s characters; this one has %(length)s."),
            {"most": OUTCOME_NOTE_MAX, "length": length},
            Kind.INVALID,
            "note",
        )
    return None


def may_say_outcome(
    facts: Facts, role: str, now: datetime, policy: Policy, account: Account
) -> Refusal | None:
    """Either side, once it is over; of a completed one for 72 hours, unless that was agreed."""
    if refusal := refuse_stranger(role):
        return refusal
    if facts.status == Status.SCHEDULED:
        return refuse_without_time(facts) or _refuse_before_end(facts, now)
    corrected = facts.missed_at is not None
    if facts.status != Status.COMPLETED or corrected or account.agreed or account.decided:
        return Refusal(
            "outcome_settled",
            N_("What became of this session is settled: it is %(status)s."),
            {"status": facts.status},
        )
    until = objection_until(facts, policy)
    if until is None or now > until:
        return Refusal(
            "outcome_too_late",
            N_("It was completed; one could object for %(within)s, until %(until)s."),
            {"within": policy.correction_within, "until": until or now},
        )
    return None


def objection_until(facts: Facts, policy: Policy) -> datetime | None:
    """Until when a participant may say that a completed session went otherwise."""
    return facts.completed_at + policy.correction_within if facts.completed_at else None


def settle_outcome(
    student_said: str | None, coach_said: str | None, *, completed: bool = False
) -> Outcome | Unsettled:
    """What both accounts come to: agreement settles it, disagreement is for an administrator.

    That a session is ``completed`` stands for "held" where a side has said nothing else.
    """
    if completed:
        student_said, coach_said = student_said or Outcome.HELD, coach_said or Outcome.HELD
    if student_said is None or coach_said is None:
        return Unsettled.WAITING
    return Outcome(student_said) if student_said == coach_said else Unsettled.DISAGREED


def verdict(facts: Facts, account: Account) -> Outcome | Unsettled:
    """What the account of a session comes to."""
    return settle_outcome(
        account.said.get(Role.STUDENT),
        account.said.get(Role.COACH),
        completed=facts.status == Status.COMPLETED,
    )


def refuse_against(role: str | None, ends_as: Iterable[str], account: Account) -> Refusal | None:
    """Nobody ends alone what the other says went otherwise: the outcome check is for that."""
    if role not in PARTICIPANTS:
        return None
    theirs = account.said.get(other(role))
    if theirs is None or theirs in ends_as:
        return None
    return Refusal(
        "other_says_otherwise",
        N_(
            "The %(other)s says that it went otherwise. Say how it went for you; "
            "if you do not agree, an administrator decides."
        ),
        {"other": other(role)},
    )


# The administrator's case


def may_decide_case(role: str, *, closed: bool) -> Refusal | None:
    """An administrator who took no part in the session, once."""
    if role != Role.ADMIN:
        return Refusal(
            "own_case",
            N_("You took part in this session, so another administrator decides."),
            {},
            Kind.FORBIDDEN,
        )
    if closed:
        return Refusal("case_closed", N_("This case is decided already."))
    return None


def _refuse_before_end(facts: Facts, now: datetime) -> Refusal | None:
    if facts.end is not None and now < facts.end:
        return Refusal(
            "not_over",
            N_("It is not over yet: %(left)s left, until %(end)s."),
            {"left": facts.end - now, "end": facts.end},
        )
    return None
