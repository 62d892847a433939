"""A table that says yes says it of every row, and one that says no names the rows."""

import inspect

import pytest

from tests.rules.table import rows

SQUARES = [(1, 1), (2, 5), (3, 9), (4, 17)]


def notes(failure: BaseException) -> list[str]:
    return failure.__notes__


def test_every_row_is_asked() -> None:
    asked = []

    @rows(("number", "square"), [(1, 1), (2, 4)])
    def ask(number: int, square: int) -> None:
        asked.append((number, square))

    ask()
    assert asked == [(1, 1), (2, 4)]


def test_every_row_that_fails_is_named_with_its_values_and_no_other() -> None:
    @rows(("number", "square"), SQUARES)
    def ask(number: int, square: int) -> None:
        assert number * number == square

    with pytest.raises(BaseExceptionGroup, match="2 of 4 rows") as caught:
        ask()
    assert [notes(one) for one in caught.value.exceptions] == [
        ["row 2 of 4: number=2, square=5"],
        ["row 4 of 4: number=4, square=17"],
    ]
    assert "assert (2 * 2) == 5" in str(caught.value.exceptions[0])


def test_one_row_that_fails_is_the_failure_itself() -> None:
    @rows("number", [1, 0, 2])
    def ask(number: int) -> None:
        assert number

    with pytest.raises(AssertionError, match="assert 0") as caught:
        ask()
    assert notes(caught.value) == ["row 2 of 3: number=0"]


def test_a_row_fails_by_any_error_and_by_a_refusal_that_did_not_come() -> None:
    @rows("number", [0, 1])
    def ask(number: int) -> None:
        with pytest.raises(ZeroDivisionError):
            1 / number
        raise RuntimeError

    with pytest.raises(BaseExceptionGroup) as caught:
        ask()
    assert [type(one) for one in caught.value.exceptions] == [RuntimeError, pytest.fail.Exception]


def test_of_two_tables_each_row_is_asked_with_each() -> None:
    @rows("letter", "ab")
    @rows("number", [1, 2])
    def ask(number: int, letter: str) -> None:
        assert (letter, number) != ("b", 2)

    with pytest.raises(AssertionError) as caught:
        ask()
    assert notes(caught.value) == ["row 2 of 2: number=2", "row 2 of 2: letter='b'"]


def test_pytest_gives_what_the_table_does_not() -> None:
    @rows(("number", "square"), SQUARES)
    def ask(number: int, square: int, fixture: str) -> None: ...

    assert list(inspect.signature(ask).parameters) == ["fixture"]


@rows("table", [[], [(1,)], [(1, 2, 3)]])
def test_a_table_without_rows_or_with_a_row_of_another_width_is_an_error(table: list) -> None:
    with pytest.raises(ValueError, match=r"rows|argument"):
        rows(("number", "square"), table)
