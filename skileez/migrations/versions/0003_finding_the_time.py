"""Finding the time: a coach's hours and days away, series, and each session's wall-clock start.

A session from before has the wall-clock start that its instant has in its zone by today's data.
"""

import sqlalchemy as sa
from alembic import op

from skileez import zones
from skileez.db import UTCDateTime

revision = "0003"
down_revision = "0002"

# In SQL, since SQLite takes a constraint into an existing table only with its column.
_COLUMNS = (
    "wall_at VARCHAR(16)",
    "series_id INTEGER CONSTRAINT fk_session_series_id REFERENCES series (id)",
    (
        "series_place VARCHAR(16) CONSTRAINT ck_session_series_place"
        " CHECK ((series_id IS NULL) = (series_place IS NULL))"
    ),
)
_SESSIONS = sa.table(
    "session",
    sa.column("id", sa.Integer),
    sa.column("scheduled_at", UTCDateTime),
    sa.column("timezone", sa.String),
    sa.column("wall_at", sa.String),
)


def upgrade() -> None:
    op.create_table(
        "availability",
        sa.Column("coach_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("weekly", sa.JSON(), nullable=False),
        sa.Column("dates", sa.JSON(), nullable=False),
        sa.Column("stays", sa.JSON(), nullable=False),
        sa.Column("buffer_before", sa.Integer(), nullable=False),
        sa.Column("buffer_after", sa.Integer(), nullable=False),
        sa.Column("notice", sa.Integer(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=True),
        sa.Column("per_week", sa.Integer(), nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "buffer_before BETWEEN 0 AND 240 AND buffer_after BETWEEN 0 AND 240",
            name=op.f("ck_availability_buffers"),
        ),
        sa.CheckConstraint("horizon BETWEEN 1 AND 365", name=op.f("ck_availability_horizon")),
        sa.CheckConstraint(
            "length(zone) BETWEEN 1 AND 64", name=op.f("ck_availability_zone_length")
        ),
        sa.CheckConstraint("notice BETWEEN 0 AND 43200", name=op.f("ck_availability_notice")),
        sa.CheckConstraint("per_day IS NULL OR per_day >= 1", name=op.f("ck_availability_per_day")),
        sa.CheckConstraint(
            "per_week IS NULL OR per_week >= 1", name=op.f("ck_availability_per_week")
        ),
        sa.CheckConstraint("step BETWEEN 5 AND 120", name=op.f("ck_availability_step")),
        sa.ForeignKeyConstraint(
            ["coach_id"], ["person.id"], name=op.f("fk_availability_coach_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("coach_id", name=op.f("pk_availability")),
    )
    op.create_table(
        "time_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("coach_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("wall_start", sa.String(length=16), nullable=False),
        sa.Column("wall_end", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_time_off_ends_later")),
        sa.ForeignKeyConstraint(
            ["coach_id"], ["person.id"], name=op.f("fk_time_off_coach_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_off")),
    )
    op.create_index(
        "ix_time_off_coach_id_starts_at", "time_off", ["coach_id", "starts_at"], unique=False
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("dtstart", sa.String(length=16), nullable=False),
        sa.Column("rrule", sa.String(length=200), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=20), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("stopped_at", UTCDateTime(), nullable=True),
        sa.Column("clocks_at", UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("created_by IN ('student', 'coach')", name=op.f("ck_series_created_by")),
        sa.CheckConstraint("duration_minutes BETWEEN 15 AND 480", name=op.f("ck_series_duration")),
        sa.CheckConstraint("length(zone) BETWEEN 1 AND 64", name=op.f("ck_series_zone_length")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_series_contract_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
    )
    op.create_index("ix_series_contract_id", "series", ["contract_id"], unique=False)
    op.create_index(
        "ix_series_clocks_at",
        "series",
        ["clocks_at"],
        unique=False,
        sqlite_where=sa.text("clocks_at IS NOT NULL"),
        postgresql_where=sa.text("clocks_at IS NOT NULL"),
    )
    op.create_table(
        "series_request",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_by", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("from_place", sa.String(length=16), nullable=False),
        sa.Column("dtstart", sa.String(length=16), nullable=False),
        sa.Column("rrule", sa.String(length=200), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("deadline", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "asked_by IN ('student', 'coach')", name=op.f("ck_series_request_asked_by")
        ),
        sa.CheckConstraint("kind IN ('standard', 'late')", name=op.f("ck_series_request_kind")),
        sa.CheckConstraint("deadline > asked_at", name=op.f("ck_series_request_deadline")),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["series.id"],
            name=op.f("fk_series_request_series_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_series_request")),
    )
    op.create_index("ix_series_request_deadline", "series_request", ["deadline"], unique=False)
    op.create_table(
        "absence_ask",
        sa.Column("time_off_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
            name=op.f("fk_absence_ask_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["time_off_id"],
            ["time_off.id"],
            name=op.f("fk_absence_ask_time_off_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("time_off_id", "session_id", name=op.f("pk_absence_ask")),
    )
    op.create_index("ix_absence_ask_session_id", "absence_ask", ["session_id"], unique=False)
    op.create_table(
        "series_proposed_time",
        sa.Column("session_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["series_request.series_id"],
            name=op.f("fk_series_proposed_time_series_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
            name=op.f("fk_series_proposed_time_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_series_proposed_time")),
    )
    op.create_index(
        "ix_series_proposed_time_series_id", "series_proposed_time", ["series_id"], unique=False
    )
    op.create_index(
        "ix_series_proposed_time_starts_at", "series_proposed_time", ["starts_at"], unique=False
    )
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE session ADD COLUMN {column}")
    op.create_index(
        "ix_session_series_id_place", "session", ["series_id", "series_place"], unique=False
    )
    _keep_wall_clocks()


def _keep_wall_clocks() -> None:
    connection, s = op.get_bind(), _SESSIONS.c
    rows = connection.execute(
        sa.select(s.id, s.scheduled_at, s.timezone).where(s.scheduled_at.is_not(None))
    ).all()
    walls = [
        {"this": row.id, "wall": f"{zones.local(row.scheduled_at, row.timezone):%Y-%m-%dT%H:%M}"}
        for row in rows
        if row.timezone in zones.VALID
    ]
    if walls:
        keep = sa.update(_SESSIONS).where(s.id == sa.bindparam("this"))
        connection.execute(keep.values(wall_at=sa.bindparam("wall")), walls)


def downgrade() -> None:
    op.drop_index("ix_session_series_id_place", table_name="session")
    for column in ("series_place", "series_id", "wall_at"):
        op.drop_column("session", column)
    op.drop_table("absence_ask")
    op.drop_table("series_proposed_time")
    op.drop_table("series_request")
    op.drop_table("series")
    op.drop_table("time_off")
    op.drop_table("availability")
