"""Writers on SQLite take turns, and whose turn is over keeps nobody waiting, however it ended."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from skileez import db


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = db.engine_for(f"sqlite:///{tmp_path / 'turns.sqlite3'}")
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE one (n INTEGER)"))
    return made


def writing(engine: Engine) -> Connection:
    connection = engine.connect().execution_options(**{db.WRITES: True})
    connection.execute(text("INSERT INTO one VALUES (1)"))
    return connection


def refuse(connection: Connection) -> None:
    """A second turn inside the first one's, from another connection: SQLite says no."""
    patient = db.SQLITE["busy_timeout"]
    db.SQLITE["busy_timeout"] = 1
    try:
        with connection.engine.connect() as other:
            other.exec_driver_sql("PRAGMA busy_timeout = 1")
            with pytest.raises(OperationalError, match="locked"):
                other.execution_options(**{db.WRITES: True}).execute(
                    text("INSERT INTO one VALUES (2)")
                )
    finally:
        db.SQLITE["busy_timeout"] = patient
        connection.close()


ENDS: dict[str, Callable[[Connection], None]] = {
    "committed": Connection.commit,
    "rolled back": Connection.rollback,
    "closed": Connection.close,
    "broken": lambda connection: connection.invalidate(),
    "refused another": refuse,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_next_writer_does_not_wait(engine: Engine, end: Callable[[Connection], None]) -> None:
    first = writing(engine)
    end(first)
    began = monotonic()
    writing(engine).close()
    assert monotonic() - began < 5, "as long as a writer waits who waits in vain: twenty seconds"
    first.close()
    engine.dispose()


def test_another_process_that_holds_the_lock_leaves_nobody_waiting(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.dispose()
    monkeypatch.setitem(db.SQLITE, "busy_timeout", 1)
    with closing(sqlite3.connect(tmp_path / "turns.sqlite3", isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"), engine.connect() as refused:
            refused.execution_options(**{db.WRITES: True}).execute(text("SELECT 1"))
    monkeypatch.undo()
    began = monotonic()
    writing(engine).close()
    assert monotonic() - began < 5
    engine.dispose()


def test_nothing_is_lost_when_many_write_at_once(engine: Engine) -> None:
    def write(_: int) -> None:
        with engine.connect().execution_options(**{db.WRITES: True}) as connection:
            found = connection.scalar(text("SELECT coalesce(max(n), 0) FROM one"))
            connection.execute(text("INSERT INTO one VALUES (:n)"), {"n": found + 1})
            connection.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT max(n) FROM one")) == 80
    engine.dispose()
