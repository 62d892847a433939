"""A simulated half year: nothing that must not happen happens, whatever the seed.

A few of its coaches are busy. ``make sim SEEDS=1000`` lives through many more, each busier.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import engines
from tests.sim import bugs
from tests.sim.invariants import live
from tests.sim.violation import Violation
from tests.sim.world import in_memory

COACHES = 50
TRIES = 40
"""Half years in which a planted bug has to show itself."""


@pytest.mark.parametrize("seed", range(1, 21))
def test_nothing_that_must_not_happen_happens(seed: int, sqlite_template: Path) -> None:
    with in_memory(sqlite_template) as engine:
        live(seed, engine, COACHES, active=2)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_nor_does_it_on_postgresql(database: str) -> None:
    live(21, engines.bind(database), COACHES)


def test_nor_does_it_where_sessions_recur(sqlite_template: Path) -> None:
    with in_memory(sqlite_template) as engine:
        world = live(22, engine, COACHES, recurring=1)
    assert world.did["book a series"]


@pytest.mark.parametrize(("bug", "first"), bugs.BUGS.items(), ids=[b.__name__ for b in bugs.BUGS])
def test_it_would_have_noticed(bug: Callable[[], Any], first: int, sqlite_template: Path) -> None:
    assert noticed(bug, first, sqlite_template)


@pytest.mark.parametrize(
    ("bug", "first"), bugs.SERIES_BUGS.items(), ids=[b.__name__ for b in bugs.SERIES_BUGS]
)
def test_it_would_have_noticed_in_series(
    bug: Callable[[], Any], first: int, sqlite_template: Path
) -> None:
    assert noticed(bug, first, sqlite_template, recurring=1)


def noticed(bug: Callable[[], Any], first: int, template: Path, **told: Any) -> bool:
    """Whether any of the half years from ``first`` on shows the bug."""
    for seed in range(first, first + TRIES):
        try:
            with in_memory(template) as engine:
                live(seed, engine, COACHES, bug, **told)
        except Violation:
            return True
    return False
