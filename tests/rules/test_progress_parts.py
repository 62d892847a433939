"""A contract's progress, number by number."""

from dataclasses import dataclass

from skileez.contracts.rules import minor_digits, price_in_minor
from skileez.errors import Refusal
from skileez.sessions.progress import Part, Segment, parts
from skileez.sessions.rules import State
from tests.rules.table import rows


@dataclass(frozen=True)
class Row:
    id: int
    number: int
    state: State


def test_every_number_is_told_from_its_latest_session() -> None:
    rows = [
        Row(1, 1, State.COMPLETED),
        Row(2, 2, State.CANCELLED),
        Row(7, 2, State.MISSED),
        Row(3, 3, State.MISSED),
        Row(8, 3, State.SCHEDULED),
        Row(4, 4, State.RESCHEDULE_REQUESTED),
        Row(5, 5, State.CANCELLED),
    ]
    assert parts(rows, 6) == [
        Part(1, Segment.COMPLETED, 1),
        Part(2, Segment.MISSED, 7),
        Part(3, Segment.BOOKED, 8),
        Part(4, Segment.REQUESTED, 4),
        Part(5, Segment.CANCELLED, 5),
        Part(6, Segment.OPEN, None),
    ]


def test_a_live_session_wins_over_history_that_came_later() -> None:
    rows = [Row(1, 1, State.COMPLETED), Row(2, 1, State.CANCELLED)]
    assert parts(rows, 1) == [Part(1, Segment.COMPLETED, 1)]


def test_a_contract_of_nothing_has_no_parts() -> None:
    assert parts([], 0) == []


@rows(
    ("said", "currency", "minor"),
    [
        ("45", "EUR", 4500),
        ("45.5", "EUR", 4550),
        ("45,50", "EUR", 4550),
        (" 0 ", "USD", 0),
        ("0.01", "GBP", 1),
        ("4500", "JPY", 4500),
    ],
)
def test_a_price_is_read_by_its_currencys_decimals(said: str, currency: str, minor: int) -> None:
    assert price_in_minor(said, currency) == minor


@rows(
    ("said", "currency"),
    [
        ("", "EUR"),
        ("free", "EUR"),
        ("-5", "EUR"),
        ("1,250", "EUR"),
        ("1.250,00", "EUR"),
        ("45.505", "EUR"),
        ("4500.5", "JPY"),
        ("1e3", "EUR"),
        ("٤٥", "EUR"),
        ("9" * 10, "EUR"),
    ],
)
def test_a_price_that_could_mean_two_things_is_refused(said: str, currency: str) -> None:
    refusal = price_in_minor(said, currency)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.field) == ("price_unreadable", "price")


def test_yen_have_no_decimals() -> None:
    assert (minor_digits("JPY"), minor_digits("EUR")) == (0, 2)
