"""The rules of a contract's standing: its pauses, and its end before the last session. Pure."""

from collections.abc import Set

from skileez.contracts.rules import ContractStatus
from skileez.errors import N_, Refusal


def may_pause(status: str) -> Refusal | None:
    """An active contract can be paused: no booking and no completing until it resumes."""
    return refuse_unless(status, ContractStatus.ACTIVE)


def may_resume(status: str) -> Refusal | None:
    """A paused contract can be resumed."""
    return refuse_unless(status, ContractStatus.PAUSED)


def check_pause(status: str, known: int, current: int) -> Refusal | None:
    """Whether a contract is paused by the very pause that the page showed, with its reason."""
    if refusal := may_resume(status):
        return refusal
    if known != current:
        return Refusal(
            "paused_again",
            N_(
                "This contract was resumed and paused again since you opened the page. "
                "Nothing was done; look at why it is paused now, then resume it."
            ),
        )
    return None


def may_end(status: str) -> Refusal | None:
    """A contract that is active or paused can be ended before its last session."""
    return refuse_unless(status, ContractStatus.ACTIVE, ContractStatus.PAUSED)


def check_open_sessions(shown: Set[int], current: Set[int]) -> Refusal | None:
    """Ending a contract cancels the open sessions (by id) that the page showed, and no others."""
    if shown != current:
        return Refusal(
            "open_sessions_changed",
            N_(
                "The open sessions changed since you opened the page: %(new)s new, %(gone)s no "
                "longer open. Ending the contract would now cancel %(count)s. Nothing was done; "
                "look at them as they are now, then end it."
            ),
            {
                "new": len(current - shown),
                "gone": len(shown - current),
                "count": len(current),
            },
        )
    return None


def refuse_unless(status: str, *allowed: ContractStatus) -> Refusal | None:
    """A contract has one of the ``allowed`` statuses; refused, it is told which it has."""
    if status not in tuple(allowed):
        return Refusal("contract_" + status, N_("This contract is %(status)s."), {"status": status})
    return None
