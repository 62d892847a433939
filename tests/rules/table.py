"""A table of rows that one test asks, all of them, naming every row that fails.

As a test of its own a row would cost a millisecond, a hundred times what its rule takes.
"""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

Test = Callable[..., None]


def rows(columns: str | tuple[str, ...], table: Iterable[Any]) -> Callable[[Test], Test]:
    """Ask the test about each row; a column is an argument. Of two tables: each row with each."""
    if isinstance(columns, str):
        columns, table = (columns,), ((value,) for value in table)
    told = [dict(zip(columns, row, strict=True)) for row in table]
    if not told:
        raise ValueError("a table without rows asks nothing")

    def of_every_row(test: Test) -> Test:
        @wraps(test)
        def ask(**given: Any) -> None:
            failures: list[BaseException] = []
            for number, row in enumerate(told, 1):
                try:
                    test(**given, **row)
                except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001 (told with its row)
                    values = ", ".join(f"{name}={value!r}" for name, value in row.items())
                    failure.add_note(f"row {number} of {len(told)}: {values}")
                    failures.append(failure)
            if len(failures) == 1:
                raise failures[0]
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(told)} rows", failures)

        # What is left for pytest to give: another table's columns, and fixtures.
        signature = inspect.signature(test)
        left = [one for name, one in signature.parameters.items() if name not in columns]
        ask.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return ask

    return of_every_row
