"""The bounds of notes and of how long a session really took, which only the rules held so far.

A row beyond them, which no verb ever wrote, stops the migration by the name of its constraint.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

_BOUNDS = (
    ("session", "actual_minutes", "INTEGER", "actual_minutes BETWEEN 1 AND 1440"),
    ("session", "student_notes", "TEXT", "length(student_notes) <= 1000"),
    ("session", "coach_notes", "TEXT", "length(coach_notes) <= 1000"),
    ("outcome_said", "note", "TEXT", "length(note) <= 500"),
    ("outcome_case", "note", "TEXT", "length(note) BETWEEN 10 AND 500"),
)


def upgrade() -> None:
    for table, column, kind, bounds in _BOUNDS:
        name = f"ck_{table}_{column}"
        if op.get_bind().dialect.name == "postgresql":
            op.create_check_constraint(op.f(name), table, bounds)
        else:
            _replace(table, column, f"{kind} CONSTRAINT {name} CHECK ({bounds})")


def downgrade() -> None:
    for table, column, kind, _bounds in _BOUNDS:
        if op.get_bind().dialect.name == "postgresql":
            op.drop_constraint(op.f(f"ck_{table}_{column}"), table)
        else:
            _replace(table, column, kind)


def _replace(table: str, column: str, definition: str) -> None:
    """Have SQLite, which takes a constraint into a table only with its column, take the column anew.

    Not the table: its triggers would go with it, and the rows that point to it.
    """
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {column}_before")
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {definition}")
    op.execute(f"UPDATE {table} SET {column} = {column}_before WHERE {column}_before IS NOT NULL")
    op.execute(f"ALTER TABLE {table} DROP COLUMN {column}_before")
