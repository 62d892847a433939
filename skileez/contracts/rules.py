"""The rules of proposals and contracts: terms, quota, progress.

Pure: values in, a ``Refusal`` or None (= yes) out.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from skileez.accounts.rules import seen, shows
from skileez.errors import N_, Kind, Refusal

MIN_MINUTES, MAX_MINUTES = 15, 480
"""How long a session may last, in minutes; a contract's default lies within it."""

MAX_SESSIONS = 500
MAX_PRICE = 100_000_00
"""The most one session may cost, in minor units of its currency."""

MESSAGE_MAX = 2000
TITLE_MAX = 120
REASON_MIN, REASON_MAX = 10, 500
"""Length of any reason a person must give, in characters, after trimming."""

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "AUD", "CAD", "JPY", "INR", "BRL", "SEK", "NOK", "DKK")
"""ISO 4217 codes offered; prices are integers in the currency's minor unit."""

_WITHOUT_MINOR_UNIT = frozenset({"JPY"})
_PRICE = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?", re.ASCII)


class ContractStatus(StrEnum):
    """A contract's life: only an active one takes bookings and completions."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ProposalStatus(StrEnum):
    """A proposal's life: it is answered once."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a coach proposes: how many sessions, how long (minutes), at what price (minor units)."""

    title: str
    total_sessions: int
    duration_minutes: int
    price: int
    currency: str
    message: str = ""


def check_duration(minutes: int | None) -> Refusal | None:
    """A session lasts 15 to 480 minutes."""
    if minutes is None:
        return Refusal(
            "duration_missing",
            N_("A session lasts %(least)s to %(most)s minutes; say how many."),
            {"least": MIN_MINUTES, "most": MAX_MINUTES},
            Kind.INVALID,
            "duration_minutes",
        )
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        return Refusal(
            "duration_out_of_range",
            N_("A session lasts %(least)s to %(most)s minutes; you asked for %(given)s."),
            {"least": MIN_MINUTES, "most": MAX_MINUTES, "given": minutes},
            Kind.INVALID,
            "duration_minutes",
        )
    return None


def check_reason(reason: str | None, field: str = "reason") -> Refusal | None:
    """A reason has 10 characters that can be seen, and at most 500 without spaces around it."""
    length, to_see = len((reason or "").strip()), len(seen(reason or ""))
    if to_see < REASON_MIN:
        return Refusal(
            "reason_too_short",
            N_("Give a reason of at least %(least)s characters; this one has %(length)s."),
            {"least": REASON_MIN, "length": to_see},
            Kind.INVALID,
            field,
        )
    if length > REASON_MAX:
        return Refusal(
            "reason_too_long",
            N_("Keep the reason to %(most)s characters; this one has %(length)s."),
            {"most": REASON_MAX, "length": length},
            Kind.INVALID,
            field,
        )
    return None


def minor_digits(currency: str) -> int:
    """How many decimals the currency has (ISO 4217): 2 for EUR, none for JPY."""
    return 0 if currency in _WITHOUT_MINOR_UNIT else 2


def price_in_minor(said: str, currency: str) -> int | Refusal:
    """A price as people write it ("45", "45.50", "45,50") in minor units of its currency.

    Thousands are not grouped: "1,250" means different amounts to different people.
    """
    digits = minor_digits(currency)
    found = _PRICE.fullmatch(said.strip())
    if found is None or (found[2] and not digits):
        return Refusal(
            "price_unreadable",
            N_("Write the price as a plain number, such as %(example)s."),
            {"example": "45.50" if digits else "4500"},
            Kind.INVALID,
            "price",
        )
    return int(found[1] + (found[2] or "").ljust(digits, "0"))


def check_title(title: str) -> Refusal | None:
    """A proposal has a title that can be seen, of at most 120 characters."""
    if not shows(title) or len(title.strip()) > TITLE_MAX:
        return Refusal(
            "title_length",
            N_("Give it a title of 1 to %(most)s characters."),
            {"most": TITLE_MAX},
            Kind.INVALID,
            "title",
        )
    return None


def check_count(sessions: int | None) -> Refusal | None:
    """A contract has 1 to 500 sessions."""
    if sessions is None or not 1 <= sessions <= MAX_SESSIONS:
        return Refusal(
            "sessions_out_of_range",
            N_("A contract has 1 to %(most)s sessions; you asked for %(given)s."),
            {"most": MAX_SESSIONS, "given": sessions or 0},
            Kind.INVALID,
            "total_sessions",
        )
    return None


def check_message(message: str) -> Refusal | None:
    """A message is optional and has at most 2,000 characters."""
    length = len(message.strip())
    if length > MESSAGE_MAX:
        return Refusal(
            "message_too_long",
            N_("Keep the message to %(most)s characters; this one has %(length)s."),
            {"most": MESSAGE_MAX, "length": length},
            Kind.INVALID,
            "message",
        )
    return None


def check_terms(terms: Terms) -> Refusal | None:
    """The terms of a proposal: each figure within its bounds."""
    return (
        check_title(terms.title)
        or check_count(terms.total_sessions)
        or _check_price(terms.price, terms.currency)
        or check_message(terms.message)
        or check_duration(terms.duration_minutes)
    )


def _check_price(price: int, currency: str) -> Refusal | None:
    if currency not in CURRENCIES:
        return Refusal(
            "unknown_currency",
            N_("Choose a currency from the list."),
            {},
            Kind.INVALID,
            "currency",
        )
    if not 0 <= price <= MAX_PRICE:
        return Refusal(
            "price_out_of_range",
            N_("A price is zero or more, and at most %(most)s."),
            {"most": f"{MAX_PRICE // 10 ** minor_digits(currency):,} {currency}"},
            Kind.INVALID,
            "price",
        )
    return None


def may_propose(*, offers_coaching: bool, to_self: bool, student_active: bool) -> Refusal | None:
    """A person who offers coaching proposes, to somebody else who has an account."""
    if not offers_coaching:
        return Refusal(
            "not_a_coach",
            N_("Only people who offer coaching can propose. Switch it on in your profile first."),
            {},
            Kind.FORBIDDEN,
        )
    if to_self:
        return Refusal(
            "proposal_to_self",
            N_("That is your own address. A proposal goes to a student."),
            {},
            Kind.INVALID,
            "student_email",
        )
    if not student_active:
        return Refusal(
            "student_unknown",
            N_("No account takes proposals at this address. Ask your student to sign up first."),
            {},
            Kind.INVALID,
            "student_email",
        )
    return None


def may_repeat(waiting: int | None) -> Refusal | None:
    """The same offer is not sent twice while the first, of that number, waits for its answer."""
    if waiting is not None:
        return Refusal(
            "proposal_repeated",
            N_(
                "You have sent this already: proposal %(number)s, on the same terms, "
                "waits for an answer."
            ),
            {"number": waiting},
        )
    return None


def may_answer_proposal(status: str, *, is_student: bool) -> Refusal | None:
    """The student accepts or declines, once, while it is pending."""
    if not is_student:
        return Refusal(
            "not_your_proposal_to_answer",
            N_("Only the student it was sent to can answer a proposal."),
            {},
            Kind.FORBIDDEN,
        )
    return _pending(status)


def may_withdraw_proposal(status: str, *, is_coach: bool) -> Refusal | None:
    """The coach takes it back while nobody has answered."""
    if not is_coach:
        return Refusal(
            "not_your_proposal",
            N_("Only the coach who sent a proposal can withdraw it."),
            {},
            Kind.FORBIDDEN,
        )
    return _pending(status)


def check_unchanged(status: str, known: int, current: int) -> Refusal | None:
    """Whether the page a person answers from still shows the proposal as it is."""
    if refusal := _pending(status):
        return refusal
    if known != current:
        return Refusal(
            "proposal_changed",
            N_("This proposal changed since you opened the page. Look at it again, then answer."),
        )
    return None


def _pending(status: str) -> Refusal | None:
    if status != ProposalStatus.PENDING:
        return Refusal(
            "proposal_closed",
            N_("This proposal is already %(status)s; it can be answered once."),
            {"status": status},
        )
    return None


def contract_is_active(status: str) -> Refusal | None:
    """Booking and completing need an active contract."""
    if status != ContractStatus.ACTIVE:
        return Refusal(
            "contract_not_active",
            N_(
                "The contract is %(status)s; sessions can be booked and completed "
                "only while it is active."
            ),
            {"status": status},
        )
    return None


def may_add_session(live: int, total: int) -> Refusal | None:
    """Live sessions (scheduled or completed) never exceed the contract's total."""
    if live >= total:
        return Refusal(
            "quota_used",
            N_("All %(total)s sessions of this contract are booked or completed."),
            {"total": total},
        )
    return None


def free_numbers(taken: set[int], total: int) -> list[int]:
    """Those of 1…``total`` that no live session carries, the lowest first."""
    return [number for number in range(1, total + 1) if number not in taken]


def free_number(taken: set[int], total: int) -> int | None:
    """The lowest that no live session carries; None when all are taken."""
    return next(iter(free_numbers(taken, total)), None)


def progress_percentage(completed: int, total: int) -> float:
    """Completed ÷ total × 100, between 0 and 100; 0 for a contract of no sessions."""
    if total <= 0:
        return 0.0
    return max(0.0, min(100.0, completed / total * 100))


def remaining_sessions(completed: int, total: int) -> int:
    """Total minus completed, never below zero."""
    return max(0, total - completed)


def is_finished(completed: int, total: int) -> bool:
    """Whether the last session is done, which completes the contract."""
    return total > 0 and completed >= total
