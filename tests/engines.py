"""One engine for each kind of database, so that no test compiles its statements anew."""

from typing import Any

from sqlalchemy import Engine, event, make_url

from skileez import db

_engines: dict[tuple[object, ...], Engine] = {}
_sqlite_file: list[str] = []


def bind(url: str, **options: int) -> Engine:
    """Like ``db.bind``, but with the engine that an earlier test warmed up."""
    sqlite = url.startswith("sqlite")
    if sqlite:
        _sqlite_file[:] = [str(make_url(url).database)]
    kind = ("sqlite" if sqlite else url, *options.items())
    engine = _engines.get(kind)
    if engine is None:
        engine = _engines[kind] = db.engine_for(url, **options)
        if sqlite:
            event.listen(engine, "do_connect", _to_this_tests_file)
    engine.dispose()
    db.session.remove()
    db.session.configure(bind=engine)
    return engine


def _to_this_tests_file(dialect: Any, record: Any, arguments: Any, named: Any) -> None:
    arguments[0] = _sqlite_file[0]
