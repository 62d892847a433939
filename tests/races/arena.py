"""Many clients at one starting line, each with a connection of its own, and who got through."""

import threading
from collections import Counter
from collections.abc import Callable

from sqlalchemy import Engine, text

from skileez import db
from skileez.errors import Refused
from tests import engines

CLIENTS = 50
SOME = 20
"""As many as it takes where a slot and a contract's last session are not what they race for."""
WON = "won"


def race(url: str, attempt: Callable[[int], object], clients: int = CLIENTS) -> Counter[str]:
    """How often each outcome came of ``clients`` attempts let go at one instant.

    An outcome is "won" or the code of a ``Refused``; any other exception is raised here. Every
    client holds an open connection at the line, so that all of them are in flight together.
    """
    engine = engines.bind(url, pool_size=CLIENTS, max_overflow=0)
    in_flight: list[int] = []
    line = threading.Barrier(
        clients, action=lambda: in_flight.append(_connections(engine)), timeout=60
    )
    outcomes: list[str] = []
    accidents: list[BaseException] = []

    def run(number: int) -> None:
        try:
            db.session.execute(text("SELECT 1"))
            line.wait()
            attempt(number)
            outcomes.append(WON)
        except Refused as refused:
            assert str(refused)
            outcomes.append(refused.code)
        except BaseException as accident:  # noqa: BLE001  told below, in the test's own thread
            accidents.append(accident)
            line.abort()
        finally:
            db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if accidents:
        raise ExceptionGroup("not a refusal", [Exception(repr(one)) for one in accidents])
    assert in_flight == [clients], "they did not all hold a connection at the start"
    assert len(outcomes) == clients
    return Counter(outcomes)


def _connections(engine: Engine) -> int:
    return int(engine.pool.checkedout())  # type: ignore[attr-defined]


def sql(url: str, *statements: str) -> None:
    """Run statements past every check of the application."""
    engine = db.engine_for(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
