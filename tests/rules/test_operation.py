"""When what happens by itself is on time, late, or not done at all."""

from datetime import timedelta

from skileez.insights.rules import LATE_AFTER, Going, going
from tests.rules.table import rows

SECOND = timedelta(seconds=1)
NOTHING = timedelta()


@rows(
    ("alive", "waits", "speed", "expected"),
    [
        (1, [], 1, Going.ON_TIME),
        (3, [NOTHING, NOTHING], 1, Going.ON_TIME),
        (1, [LATE_AFTER], 1, Going.ON_TIME),
        (1, [NOTHING, LATE_AFTER + SECOND], 1, Going.LATE),
        (0, [], 1, Going.NO_WORKER),
        (0, [LATE_AFTER * 9], 1, Going.NO_WORKER),
        # Time in a demo may hurry; its worker does not.
        (1, [LATE_AFTER * 60], 60, Going.ON_TIME),
        (1, [LATE_AFTER * 60 + SECOND], 60, Going.LATE),
    ],
)
def test_two_minutes_are_late_and_no_worker_is_worse(
    alive: int, waits: list[timedelta], speed: int, expected: Going
) -> None:
    assert going(alive, waits, speed=speed) is expected
