"""The floor's database: ``sqlite3`` or ``psycopg`` by hand, one open connection for each thread."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import psycopg
from psycopg.rows import dict_row

from skileez import db


class Store:
    """Plain SQL on either engine, written with ``?``; ``asked`` counts the statements."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self._mine = threading.local()

    @property
    def connection(self) -> Any:
        """This thread's connection, kept open."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = self._connect()
        return self._mine.connection

    def _connect(self) -> Any:
        if not self.sqlite:
            return psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
        connection = sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
        connection.row_factory = sqlite3.Row
        for name, value in db.SQLITE.items():  # as durable as the product
            connection.execute(f"PRAGMA {name}={value}")
        return connection

    @property
    def asked(self) -> int:
        """How many statements this thread has run, transactions' ends not counted."""
        return getattr(self._mine, "asked", 0)

    def run(self, sql: str, *values: Any) -> Any:
        """One statement; its cursor."""
        self._mine.asked = self.asked + 1
        return self.connection.execute(sql if self.sqlite else _percent(sql), values)

    def row(self, sql: str, *values: Any) -> Any:
        """The one row, or None."""
        return self.run(sql, *values).fetchone()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """All rows."""
        return self.run(sql, *values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction that will write."""
        self.connection.execute("BEGIN IMMEDIATE" if self.sqlite else "BEGIN")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def stamp(self, instant: datetime | None) -> Any:
        """An instant as this engine keeps it."""
        if instant is None or not self.sqlite:
            return instant
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"

    def instant(self, kept: Any) -> datetime:
        """An instant as Python knows it."""
        return datetime.fromisoformat(kept).replace(tzinfo=UTC) if self.sqlite else kept

    @property
    def lock(self) -> str:
        """What holds the rows read until the end; on SQLite the whole database is ours."""
        return "" if self.sqlite else " FOR UPDATE OF s, c"


@cache
def _percent(sql: str) -> str:
    return sql.replace("?", "%s")
