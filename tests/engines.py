"""One engine for each kind of database, so that no test compiles its statements anew.

PostgreSQL's keep their connections as well: a new one takes the server longer than most tests,
since it has every table and trigger to learn.
"""

from typing import Any

from sqlalchemy import Engine, event, make_url

from skileez import db

KEPT = "kept for the next test"
"""How the server knows these connections: the ``application_name``."""

_engines: dict[tuple[object, ...], Engine] = {}
_sqlite_file: list[str] = []
_idle: set[Any] = set()


def bind(url: str, **options: int) -> Engine:
    """Like ``db.bind``, but with the engine that an earlier test warmed up."""
    sqlite = url.startswith("sqlite")
    kind = ("sqlite" if sqlite else url, *options.items())
    engine = _engines.get(kind)
    if engine is None:
        make = _for_sqlite if sqlite else _for_postgresql
        engine = _engines[kind] = make(url, **options)
    if sqlite:
        _sqlite_file[:] = [str(make_url(url).database)]
        engine.dispose()
    db.session.remove()
    db.session.configure(bind=engine)
    return engine


def keeps(engine: Engine) -> bool:
    """Whether its connections stay open from one test to the next."""
    return engine in _engines.values() and engine.dialect.name == "postgresql"


def rest() -> set[Any]:
    """End the connections of the test that is over, but for those that another one may use."""
    for engine in _engines.values():
        if engine.dialect.name == "sqlite" or engine.pool.checkedout():  # type: ignore[attr-defined]
            engine.dispose()
    return _idle


def _for_sqlite(url: str, **options: int) -> Engine:
    engine = db.engine_for(url, **options)
    event.listen(engine, "do_connect", _to_this_tests_file)
    return engine


def _to_this_tests_file(dialect: Any, record: Any, arguments: Any, named: Any) -> None:
    arguments[0] = _sqlite_file[0]


def _for_postgresql(url: str, **options: int) -> Engine:
    engine = db.engine_for(url, connect_args={"application_name": KEPT}, **options)
    event.listen(engine, "checkin", lambda connection, record: _idle.add(connection))
    event.listen(engine, "checkout", lambda connection, *rest: _idle.discard(connection))
    event.listen(engine, "close", lambda connection, record: _idle.discard(connection))
    return engine
