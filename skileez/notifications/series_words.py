"""The words of what becomes of a series: its dates, and where each of them goes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from skileez.errors import N_

Shown = Callable[[datetime], str]


def dates(details: Mapping[str, Any], wall: Shown, when: Shown) -> list[str]:
    """Each date that an event of a series tells of, a line for each, shown by ``when``, which
    names the zone; where one moves, the start that it had by ``wall``, which does not.
    """
    moves = [
        N_("Session %(number)s: %(old)s → %(new)s")
        % {
            "number": one["number"],
            "old": wall(datetime.fromisoformat(one["from"])),
            "new": when(datetime.fromisoformat(one["to"])),
        }
        for one in details.get("moves", ())
    ]
    return moves or [when(datetime.fromisoformat(one)) for one in details.get("starts", ())]
