"""The database handle: one session registry, the model base, and ``transaction()``.

Two engines are served alike. SQLite needs help to be as strict as PostgreSQL: foreign keys are
switched on, and a transaction that will write takes the write lock when it begins
(``BEGIN IMMEDIATE``), since a lock upgraded half way loses updates silently.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from select import POLLIN, poll
from threading import Lock
from typing import Any, ClassVar

from sqlalchemy import (
    URL,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError, ProgrammingError
from sqlalchemy.orm import (
    DeclarativeBase,
    ORMExecuteState,
    Query,
    Session,
    scoped_session,
    sessionmaker,
)
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.types import TypeDecorator

from skileez import __version__
from skileez.config import ConfigError
from skileez.errors import N_, Kind, Refusal, Refused

WRITES = "skileez_writes"
READ_ONLY = "skileez_read_only"
SQLITE: dict[str, Any] = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "busy_timeout": 20000,
    "foreign_keys": "ON",
}
"""How SQLite is opened. FULL: what was committed survives a power cut (the tests do without)."""


class _Session(Session):
    """A session whose reading requests on PostgreSQL are spared BEGIN and ROLLBACK.

    Each statement sees what is committed, with a transaction around them or without.
    """

    def get_bind(self, *args: Any, **named: Any) -> Engine | Connection:
        bind = super().get_bind(*args, **named)
        reads = self.info.get(READ_ONLY) and bind.dialect.name == "postgresql"
        return _reading(bind) if reads and isinstance(bind, Engine) else bind


@lru_cache(maxsize=8)
def _reading(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="AUTOCOMMIT")


session: scoped_session[_Session] = scoped_session(
    sessionmaker(class_=_Session, expire_on_commit=False)
)


class _Query(Query[Any]):
    def get(self, ident: Any) -> Any:
        """The row by its primary key, or None (the source document's ``Session.query.get``)."""
        entity: Any = self.column_descriptions[0]["entity"]
        return session.get(entity, ident)


class Model(DeclarativeBase):
    """Base of every table; constraints get predictable names so that a migration can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    query: ClassVar[Any] = session.query_property(_Query)


def one_of(column: str, words: Iterable[str]) -> str:
    """The SQL of a CHECK that ``column`` holds one of ``words``."""
    return f"{column} IN ({', '.join(repr(str(word)) for word in words)})"


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database. A naive datetime is refused."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def bind(url: str, **options: Any) -> Engine:
    """Point the session registry at the database ``url`` and return its engine."""
    engine = engine_for(url, **options)
    session.remove()
    session.configure(bind=engine)
    return engine


def engine_for(url: str, **options: Any) -> Engine:
    """An engine for ``url``, as strict on SQLite as on PostgreSQL."""
    try:
        engine = create_engine(_with_driver(url), **options)
    except ModuleNotFoundError as error:
        raise ConfigError(
            "DATABASE_URL", "needs a package that is not installed: pip install '.[postgres]'"
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare_folder(engine.url)
        _make_sqlite_strict(engine)
    else:
        _replace_what_has_ended(engine)
    return engine


def migrate(url: str) -> None:
    """Bring the database ``url`` to the newest schema; safe to run again.

    Raises ConfigError where there is no such database, or one of a newer version.
    """
    # Alembic takes as long to import as SQLAlchemy, and hardly a process ever migrates.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    engine = engine_for(url)
    with _reaching():
        engine.connect().close()
    engine.dispose()
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["url"] = _with_driver(url)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(
            "DATABASE_URL", f"cannot be migrated by this version ({__version__}): {error}"
        ) from error


def schema() -> str | None:
    """The schema that the database has."""
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def require_schema() -> None:
    """Raises ConfigError where the bound database cannot be reached, or has another schema."""
    with _reaching():
        problem = wrong_schema()
    if problem:
        raise ConfigError("DATABASE_URL", str(problem))


@dataclass(frozen=True, slots=True)
class WrongSchema:
    """The database has another schema than this version needs: ``found``, or None at all."""

    found: str | None

    @property
    def ahead(self) -> bool:
        """A newer version knows all that came before it, so what we do not know is newer."""
        return self.found is not None and self.found not in known_schemas()

    def __str__(self) -> str:
        has, ours = f"has schema {self.found}, this version", known_schemas()[0]
        if self.ahead:
            return f"{has} ({__version__}) knows {ours}; update it"
        return f"{has} needs {ours}; run: skileez migrate"


def wrong_schema() -> WrongSchema | None:
    """What is wrong with the database's schema; None when it is the one this version needs."""
    try:
        found = schema()
    except (OperationalError, ProgrammingError):
        session.rollback()
        session.execute(text("SELECT 1"))  # raises, where the database cannot be reached at all
        found = None
    return None if found == known_schemas()[0] else WrongSchema(found)


@contextmanager
def _reaching() -> Iterator[None]:
    """A database that is not there is a setting that cannot be used."""
    try:
        yield
    except DBAPIError as error:
        raise ConfigError("DATABASE_URL", f"cannot be reached: {error.orig}") from error


@cache
def known_schemas() -> tuple[str, ...]:
    """The schemas that this version of the code knows, the newest first."""
    steps = (path.stem.partition("_")[0] for path in _MIGRATIONS.glob("versions/[0-9]*.py"))
    return tuple(sorted(steps, reverse=True))


_MIGRATIONS = Path(__file__).parent / "migrations"


def _prepare_folder(url: URL) -> None:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError("DATABASE_URL", f"its folder cannot be made: {error}") from error


def _with_driver(url: str) -> str:
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    return url


def _replace_what_has_ended(engine: Engine) -> None:
    """Hand out no connection that the server ended: after its restart nobody meets an error."""

    @event.listens_for(engine, "checkout")
    def look(connection: Any, *_: object) -> None:
        # A server that leaves says so, and else it never speaks first: looking whether anything
        # came is free, where asking it (``pool_pre_ping``) is a tenth of a page.
        unread = poll()
        unread.register(connection.fileno(), POLLIN)
        if unread.poll(0):
            raise DisconnectionError


def _make_sqlite_strict(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for name, value in SQLITE.items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITES, False):
            turn.wait(connection.info)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.connection.cursor().execute("BEGIN")  # cannot fail, and is asked often

    def end(connection: Connection) -> None:
        if not connection.invalidated:  # then it was closed, and its turn ended with that
            turn.end(connection.info)

    turn = _Turn()
    event.listen(engine, "commit", end)
    event.listen(engine, "rollback", end)
    # However else it ends.
    for last in ("checkin", "close"):
        event.listen(engine, last, lambda connection, record: turn.end(record.info))


class _Turn:
    """Writers of this process queue before SQLite's own lock, which they would find by chance.

    Who waits there sleeps up to a tenth of a second at a time, also while nobody writes. SQLite
    stays the guard, also against other processes: this only wakes the next one at once.
    """

    def __init__(self) -> None:
        self._lock = Lock()

    def wait(self, info: dict[Any, Any]) -> None:
        info[_Turn] = self._lock.acquire(timeout=SQLITE["busy_timeout"] / 1000)

    def end(self, info: dict[Any, Any]) -> None:
        if info.pop(_Turn, False):
            self._lock.release()


@contextmanager
def transaction() -> Iterator[Session]:
    """Everything inside commits together or not at all; every door writes through it.

    Inside another ``transaction()`` it joins that one. Two writers that block each other on
    PostgreSQL are told apart by it: the one it stops is refused with ``busy`` and may try again.
    """
    current = session()
    if current.info.get(WRITES):
        yield current
        return
    current.rollback()
    current.info[WRITES] = True
    try:
        current.connection(execution_options={WRITES: True})
        yield current
        current.commit()
    except StaleDataError as error:
        current.rollback()
        raise Refused(BUSY) from error
    except DBAPIError as error:
        current.rollback()
        if refusal := _guarded(error):
            raise Refused(refusal) from error
        raise
    except BaseException:
        current.rollback()
        raise
    finally:
        current.info.pop(WRITES, None)


BUSY = Refusal(
    "busy",
    N_("Somebody else was changing this at the same moment. Nothing was changed; try again."),
    kind=Kind.CONFLICT,
)
_BUSY_STATES = {"40001", "40P01", "55P03"}
_guards: dict[str, Refusal] = {}


def guard(name: str, refusal: Refusal) -> None:
    """Have ``transaction()`` refuse with ``refusal`` when the constraint ``name`` is violated.

    PostgreSQL names the constraint and SQLite's triggers raise with its name; SQLite's unique
    indexes name their columns instead ("session.contract_id, session.session_number").
    """
    _guards[name] = refusal


def _guarded(error: DBAPIError) -> Refusal | None:
    said = str(error.orig)
    if getattr(error.orig, "sqlstate", None) in _BUSY_STATES or "database is locked" in said:
        return BUSY
    return next((refusal for name, refusal in _guards.items() if name in said), None)


def read_only() -> None:
    """From here to the end of this session nothing may be written (a door's safe requests)."""
    session().info[READ_ONLY] = True


@event.listens_for(Session, "before_flush")
def _no_flush_when_reading(current: Session, context: object, instances: object) -> None:
    if current.info.get(READ_ONLY) and (current.new or current.dirty or current.deleted):
        raise RuntimeError("this request only reads; it may not change anything")


@event.listens_for(Session, "do_orm_execute")
def _no_statement_when_reading(state: ORMExecuteState) -> None:
    writes = state.is_insert or state.is_update or state.is_delete
    if writes and state.session.info.get(READ_ONLY):
        raise RuntimeError("this request only reads; it may not change anything")


def lock(kind: int, *ids: int) -> None:
    """Hold the advisory locks of ``ids`` until the transaction ends, always in one order.

    On SQLite the whole database is already ours (``BEGIN IMMEDIATE``).
    """
    current = session()
    if current.get_bind().dialect.name != "postgresql":
        return
    current.execute(_LOCK, {"kind": kind, "ids": sorted(set(ids))})


_LOCK = text("SELECT pg_advisory_xact_lock(:kind, one) FROM unnest(CAST(:ids AS int[])) AS one")
