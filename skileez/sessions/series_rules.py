"""What may be done with a series, by whom and until when; pure, like ``skileez.sessions.rules``.

Asking to move the pattern is asking to move a session, many at once: notice is that of the first
session that would move, and its rules are those of ``skileez.sessions.reschedule_rules``.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from skileez.errors import N_, Kind, Refusal
from skileez.sessions import reschedule_rules, rules
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.rules import Facts, Pending, Policy, RequestKind


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What the rules need to know of a series."""

    stopped: bool = False
    pending: Pending | None = None


def conflicts(count: int, total: int, first: datetime) -> Refusal:
    """Why a series is not booked as it is: all of its dates, or none."""
    return Refusal(
        "series_conflicts",
        N_(
            "%(count)s of the %(total)s dates cannot be booked as chosen, the first on %(start)s. "
            "Nothing was booked; choose for each: leave it out, or another time."
        ),
        {"count": count, "total": total, "start": first},
        Kind.CONFLICT,
        "dates",
    )


def move_conflicts(count: int, total: int, first: datetime) -> Refusal:
    """Why a pattern does not move: all of its sessions, or none."""
    return Refusal(
        "move_conflicts",
        N_(
            "%(count)s of the %(total)s new times cannot be had, the first on %(start)s. "
            "Nothing was moved; choose another pattern, or move those sessions first."
        ),
        {"count": count, "total": total, "start": first},
        Kind.CONFLICT,
        "weekdays",
    )


def check_booked(count: int) -> Refusal | None:
    """Something must be left once the dates that were left out are gone."""
    if count == 0:
        return Refusal(
            "series_all_skipped",
            N_("Every date is left out; keep at least one."),
            {},
            Kind.INVALID,
            "dates",
        )
    return None


def check_places(chosen: set[str], known: set[str]) -> Refusal | None:
    """Choices are about dates that the pattern has."""
    if unknown := sorted(chosen - known):
        return Refusal(
            "unknown_place",
            N_("%(place)s is no date of this series. Look at its dates again."),
            {"place": unknown[0].replace("T", " ")[:20]},
            Kind.INVALID,
            "dates",
        )
    return None


def may_cancel_series(facts: SeriesFacts, role: str) -> Refusal | None:
    """Either participant cancels several sessions of a series at once, until it is stopped."""
    return rules.refuse_stranger(role) or _stopped(facts)


def may_stop(facts: SeriesFacts, role: str) -> Refusal | None:
    """Either participant ends the series; the history stays."""
    return may_cancel_series(facts, role)


def check_meant(count: int) -> Refusal | None:
    """What is done to sessions that are still to come needs one."""
    if count == 0:
        return Refusal("nothing_to_come", N_("No session of this series is left to come."))
    return None


def check_unconfirmed(count: int) -> Refusal | None:
    """Sessions of a series are confirmed together where one waits for it."""
    if count == 0:
        return Refusal(
            "nothing_to_confirm",
            N_("No session of this series waits for confirmation; there is nothing left to do."),
        )
    return None


CHANGED: Final = Refusal(
    "series_changed",
    N_(
        "Its sessions changed since you opened the page. Nothing was confirmed; "
        "look at them as they are now and try again."
    ),
)
"""The coach confirms what the page showed."""


def may_request_move(facts: SeriesFacts, role: str) -> Refusal | None:
    """Either participant asks to move the pattern; one request at a time."""
    if refusal := may_cancel_series(facts, role):
        return refusal
    if facts.pending:
        return Refusal(
            "move_pending",
            N_("The %(by)s already asked to move this series; one request at a time."),
            {"by": facts.pending.by},
        )
    return None


def check_first(first: Facts, role: str, now: datetime, policy: Policy) -> Refusal | None:
    """Whether there is notice enough for the first session that would move.

    That a request to move this one session waits does not matter: the answer closes it.
    """
    alone = replace(first, pending=None)
    return reschedule_rules.may_request_reschedule(alone, role, now, policy)


def check_changes(old: list[str], new: list[str]) -> Refusal | None:
    """A pattern moves somewhere."""
    if old == new:
        return Refusal(
            "pattern_is_current",
            N_("This is the pattern that the series has; choose another day or time."),
            {},
            Kind.INVALID,
            "weekdays",
        )
    return None


def move_kind(role: str, first: datetime, now: datetime, policy: Policy) -> RequestKind:
    """Standard or late, by the lead of the first session that would move."""
    kind = reschedule_rules.request_kind(role, rules.lead(first, now), policy)
    assert kind is not None, "check_first refuses it"
    return kind


def check_waiting(facts: SeriesFacts) -> Refusal | None:
    """A request to move the series waits for an answer."""
    if facts.pending is None:
        return Refusal("no_move_request", N_("No request to move this series is waiting."))
    return None


def may_answer_move(facts: SeriesFacts, role: str, now: datetime) -> Refusal | None:
    """Whether this role may approve or decline the waiting request now."""
    return check_waiting(facts) or reschedule_rules.may_answer(_as_one(facts), role, now)


def may_withdraw_move(facts: SeriesFacts, role: str) -> Refusal | None:
    """Only who asked takes the question back."""
    return check_waiting(facts) or reschedule_rules.may_withdraw(_as_one(facts), role)


def is_move_due(facts: SeriesFacts, now: datetime) -> bool:
    """Whether a request waits whose time to answer is over."""
    return reschedule_rules.is_answer_due(_as_one(facts), now)


def settle_move(pending: Pending, *, all_free: bool) -> Silence:
    """What silence decides: a standard request is approved if every new time is free.

    Unlike a single session, a series is never left without times: otherwise it stays as it is.
    """
    if pending.kind == RequestKind.STANDARD and all_free:
        return Silence.APPROVED
    return Silence.LAPSED


SETTLED: Final = {
    Silence.APPROVED: Refusal(
        "series_settled_by_silence",
        N_("The time to answer ended, and the series moved as asked."),
    ),
    Silence.LAPSED: Refusal(
        "series_settled_by_silence",
        N_("The time to answer ended, and the series stays as it was."),
    ),
}
"""What a person reads whose answer came after the deadline: silence had decided."""


def _as_one(facts: SeriesFacts) -> Facts:
    """The waiting request as if it were a session's, which is answered in the same way."""
    return Facts(status=rules.Status.SCHEDULED, start=None, minutes=0, pending=facts.pending)


def _stopped(facts: SeriesFacts) -> Refusal | None:
    if facts.stopped:
        return Refusal(
            "series_stopped",
            N_("This series was stopped; its sessions are changed one by one."),
        )
    return None
