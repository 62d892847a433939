"""The chain of migrations leads from an empty database to the models, on both engines."""

import os
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.exc import IntegrityError

from skileez import db
from skileez.sessions import actions
from tests.cast import enter
from tests.rules.table import rows
from tests.sessions.stage import at, everything

ROOT = Path(__file__).parents[2]
for models in sorted((ROOT / "skileez").glob("*/models.py")):
    import_module(f"skileez.{models.parent.name}.models")


def test_migrations_match_the_models(database: str) -> None:
    engine = db.bind(database)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.Model.metadata) == []


def test_every_check_of_the_models_is_in_the_database(database: str) -> None:
    """Alembic compares no CHECK constraints, so their names are compared here."""
    there = inspect(db.bind(database))
    for table in db.Model.metadata.sorted_tables:
        wanted = {str(c.name) for c in table.constraints if isinstance(c, CheckConstraint)}
        found = {check["name"] for check in there.get_check_constraints(table.name)}
        assert wanted <= found, f"{table.name} lacks {sorted(wanted - found)}"


def test_every_constraint_has_a_name(database: str) -> None:
    there = inspect(db.bind(database))
    for table in there.get_table_names():
        if table == "alembic_version":
            continue
        named = [
            there.get_pk_constraint(table),
            # SQLAlchemy reads no name of one that came with its column, in SQLite's only way.
            *(one for one in there.get_foreign_keys(table) if one["referred_table"] != "series"),
            *there.get_unique_constraints(table),
            *there.get_check_constraints(table),
        ]
        assert all(constraint["name"] for constraint in named), table


def test_the_command_makes_and_migrates_a_database(tmp_path: Path) -> None:
    """In a process that has nothing loaded; the tests' own databases come by the same chain."""
    url = f"sqlite:///{tmp_path / 'instance' / 'bare.sqlite3'}"
    done = subprocess.run(
        [sys.executable, "deploy_migrate_simple.py"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "SECRET_KEY": "s" * 40},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "session" in inspect(db.bind(url)).get_table_names()


def test_the_command_may_run_again(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setattr(sys, "argv", ["deploy_migrate_simple.py"])
    with pytest.raises(SystemExit, check=lambda left: left.code == 0):
        runpy.run_path(str(ROOT / "deploy_migrate_simple.py"), run_name="__main__")
    assert "session" in inspect(db.bind(database)).get_table_names()


def move(url: str, verb: str, schema: str) -> None:
    """Bring the database to ``schema``, which may be an older one."""
    db.session.remove()
    config = Config()
    config.set_main_option("script_location", str(ROOT / "skileez/migrations"))
    config.attributes["url"] = url
    getattr(command, verb)(config, schema)


BESIDE_TABLES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger')",
    "postgresql": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    """,
}


def beside_tables() -> set[tuple[str, str]]:
    """Every index and trigger."""
    with db.transaction() as current:
        asked = text(BESIDE_TABLES[current.get_bind().dialect.name])
        return {(name, said) for name, said in current.execute(asked)}


def complete_one(url: str) -> None:
    """A database with a session that took place, and what both wrote about it."""
    cast = enter(url)
    session, coach = cast.book(), cast.actor("coach")
    with db.transaction():
        found = actions.find_for(coach, session.id)
        found.mark_completed("Well done.", "coach", actual_minutes=55, actor=coach, now=at(61))
        found.add_notes("Thank you.", "student", actor=cast.actor("student"), now=at(62))


def test_bounds_of_notes_come_and_go_and_all_else_stays(database: str) -> None:
    complete_one(database)
    there, known = beside_tables(), everything()
    move(database, "downgrade", "0003")
    with db.transaction() as current:
        current.execute(text("UPDATE session SET student_notes = :long"), {"long": "x" * 1001})
        current.execute(text("UPDATE session SET student_notes = 'Thank you.'"))
    assert (beside_tables(), everything()) == (there, known)
    move(database, "upgrade", "head")
    assert (beside_tables(), everything()) == (there, known)
    with (
        pytest.raises(IntegrityError, match="ck_session_student_notes"),
        db.transaction() as current,
    ):
        current.execute(text("UPDATE session SET student_notes = :long"), {"long": "x" * 1001})


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_row_beyond_its_bounds_stops_the_migration_and_loses_nothing(database: str) -> None:
    complete_one(database)
    move(database, "downgrade", "0003")
    with db.transaction() as current:
        current.execute(text("UPDATE session SET coach_notes = :long"), {"long": "x" * 1001})
    there, known = beside_tables(), everything()
    with pytest.raises(IntegrityError, match="ck_session_coach_notes"):
        move(database, "upgrade", "head")
    assert (beside_tables(), everything(), db.schema()) == (there, known, "0003")


@rows("path", sorted((ROOT / "skileez/migrations/versions").glob("*.py")))
def test_a_migration_names_its_place_in_the_chain(path: Path) -> None:
    number = path.stem.split("_")[0]
    assert f'revision = "{number}"' in path.read_text(encoding="utf-8").replace("'", '"').replace(
        "revision: str = ", "revision = "
    )


def test_the_schemas_that_the_code_knows_are_those_of_the_chain() -> None:
    chain = ScriptDirectory(str(ROOT / "skileez/migrations"))
    assert db.known_schemas() == tuple(step.revision for step in chain.walk_revisions())
