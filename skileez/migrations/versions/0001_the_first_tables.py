"""The first tables, and the guards that no code can get past.

Guards: nobody is booked twice at once (``booked_time``, kept by triggers, with an exclusion
constraint on PostgreSQL and a trigger on SQLite), a session number lies within its contract's
total, a status changes along the legal edges only, and events are never changed or removed.
"""

import sqlalchemy as sa
from alembic import op

from skileez.db import UTCDateTime
from skileez.migrations import guards

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("display_name", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("offers_coaching", sa.Boolean(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_person_email_lower_case")),
        sa.CheckConstraint(
            "length(display_name) BETWEEN 1 AND 80", name=op.f("ck_person_name_length")
        ),
        sa.CheckConstraint("length(email) BETWEEN 3 AND 254", name=op.f("ck_person_email_length")),
        sa.CheckConstraint(
            "length(password_hash) > 0", name=op.f("ck_person_password_hash_present")
        ),
        sa.CheckConstraint("length(zone) BETWEEN 1 AND 64", name=op.f("ck_person_zone_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "password_reset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("asked_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("expires_at > asked_at", name=op.f("ck_password_reset_expires_later")),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_password_reset_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_reset_token_hash")),
    )
    with op.batch_alter_table("password_reset", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_password_reset_person_id"), ["person_id"], unique=False
        )

    op.create_table(
        "proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("coach_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("total_sessions", sa.Integer(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("timezone", sa.String(length=50), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'accepted', 'declined', 'withdrawn')",
            name=op.f("ck_proposal_status"),
        ),
        sa.CheckConstraint("coach_id <> student_id", name=op.f("ck_proposal_two_people")),
        sa.CheckConstraint(
            "duration_minutes BETWEEN 15 AND 480", name=op.f("ck_proposal_duration")
        ),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_proposal_currency")),
        sa.CheckConstraint("price BETWEEN 0 AND 10000000", name=op.f("ck_proposal_price")),
        sa.CheckConstraint("total_sessions BETWEEN 1 AND 500", name=op.f("ck_proposal_total")),
        sa.ForeignKeyConstraint(["coach_id"], ["person.id"], name=op.f("fk_proposal_coach_id")),
        sa.ForeignKeyConstraint(["student_id"], ["person.id"], name=op.f("fk_proposal_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_proposal_coach_id_status_id", ["coach_id", "status", "id"], unique=False
        )
        batch_op.create_index(
            "ix_proposal_student_id_status_id", ["student_id", "status", "id"], unique=False
        )

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_sign_in_expires_later")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_person_id"), ["person_id"], unique=False)

    op.create_table(
        "contract",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("coach_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("total_sessions", sa.Integer(), nullable=False),
        sa.Column("completed_sessions", sa.Integer(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("timezone", sa.String(length=50), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("meeting_url", sa.String(length=500), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "meeting_url IS NULL OR meeting_url LIKE 'https://%'",
            name=op.f("ck_contract_meeting_url"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'paused', 'completed', 'cancelled')",
            name=op.f("ck_contract_status"),
        ),
        sa.CheckConstraint("coach_id <> student_id", name=op.f("ck_contract_two_people")),
        sa.CheckConstraint(
            "completed_sessions BETWEEN 0 AND total_sessions", name=op.f("ck_contract_completed")
        ),
        sa.CheckConstraint(
            "duration_minutes BETWEEN 15 AND 480", name=op.f("ck_contract_duration")
        ),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_contract_dates")
        ),
        sa.CheckConstraint("rate BETWEEN 0 AND 10000000", name=op.f("ck_contract_rate")),
        sa.CheckConstraint("total_sessions BETWEEN 1 AND 500", name=op.f("ck_contract_total")),
        sa.ForeignKeyConstraint(["coach_id"], ["person.id"], name=op.f("fk_contract_coach_id")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_contract_proposal_id")
        ),
        sa.ForeignKeyConstraint(["student_id"], ["person.id"], name=op.f("fk_contract_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("number", name=op.f("uq_contract_number")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_contract_proposal_id")),
    )
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contract_coach_id_status_id", ["coach_id", "status", "id"], unique=False
        )
        batch_op.create_index(
            "ix_contract_student_id_status_id", ["student_id", "status", "id"], unique=False
        )

    op.create_table(
        "session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("coach_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("session_number", sa.Integer(), nullable=False),
        sa.Column("scheduled_date", UTCDateTime(), nullable=True),
        sa.Column("scheduled_at", UTCDateTime(), nullable=True),
        sa.Column("ends_at", UTCDateTime(), nullable=True),
        sa.Column("listed_at", UTCDateTime(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(length=50), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column(
            "state",
            sa.String(length=30),
            sa.Computed(
                "CASE WHEN status = 'scheduled' AND reschedule_requested THEN 'reschedule_requested' ELSE status END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("confirmed_by_coach", sa.Boolean(), nullable=False),
        sa.Column("scheduling_by", sa.String(length=20), nullable=True),
        sa.Column("meeting_url", sa.String(length=500), nullable=True),
        sa.Column("reschedule_requested", sa.Boolean(), nullable=False),
        sa.Column("reschedule_requested_by", sa.String(length=20), nullable=True),
        sa.Column("reschedule_reason", sa.Text(), nullable=True),
        sa.Column("reschedule_deadline", UTCDateTime(), nullable=True),
        sa.Column("reschedule_kind", sa.String(length=10), nullable=True),
        sa.Column("reschedule_asked_at", UTCDateTime(), nullable=True),
        sa.Column("completed_date", UTCDateTime(), nullable=True),
        sa.Column("student_notes", sa.Text(), nullable=True),
        sa.Column("coach_notes", sa.Text(), nullable=True),
        sa.Column("actual_minutes", sa.Integer(), nullable=True),
        sa.Column("cancelled_at", UTCDateTime(), nullable=True),
        sa.Column("cancelled_by", sa.String(length=20), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("cancelled_late", sa.Boolean(), nullable=False),
        sa.Column("missed_at", UTCDateTime(), nullable=True),
        sa.Column("missed_by", sa.String(length=20), nullable=True),
        sa.Column("missed_reason", sa.Text(), nullable=True),
        sa.Column("absent", sa.String(length=10), nullable=True),
        sa.Column("correction_by", sa.String(length=20), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f("ck_session_cancelled")
        ),
        sa.CheckConstraint(
            "(status = 'completed') = (completed_date IS NOT NULL)",
            name=op.f("ck_session_completed"),
        ),
        sa.CheckConstraint(
            "NOT reschedule_requested OR (status = 'scheduled' AND scheduled_at IS NOT NULL)",
            name=op.f("ck_session_request_only_while_scheduled"),
        ),
        sa.CheckConstraint(
            "absent IS NULL OR absent IN ('student', 'coach', 'both')",
            name=op.f("ck_session_absent"),
        ),
        sa.CheckConstraint(
            "correction_by IS NULL OR status = 'missed'", name=op.f("ck_session_correction")
        ),
        sa.CheckConstraint(
            "meeting_url IS NULL OR meeting_url LIKE 'https://%'",
            name=op.f("ck_session_meeting_url"),
        ),
        sa.CheckConstraint(
            "reschedule_kind IS NULL OR reschedule_kind IN ('standard', 'late')",
            name=op.f("ck_session_kind"),
        ),
        sa.CheckConstraint(
            "reschedule_requested_by IS NULL OR reschedule_requested_by IN ('student', 'coach')",
            name=op.f("ck_session_asked_by_participant"),
        ),
        sa.CheckConstraint(
            "status <> 'missed' OR missed_at IS NOT NULL", name=op.f("ck_session_missed")
        ),
        sa.CheckConstraint(
            "status IN ('scheduled', 'completed', 'cancelled', 'missed')",
            name=op.f("ck_session_status"),
        ),
        sa.CheckConstraint(
            "(scheduled_at IS NULL) = (ends_at IS NULL)", name=op.f("ck_session_end")
        ),
        sa.CheckConstraint("coach_id <> student_id", name=op.f("ck_session_two_people")),
        sa.CheckConstraint("duration_minutes BETWEEN 15 AND 480", name=op.f("ck_session_duration")),
        sa.CheckConstraint(
            "reschedule_requested = (reschedule_deadline IS NOT NULL)",
            name=op.f("ck_session_deadline"),
        ),
        sa.CheckConstraint(
            "reschedule_requested = (reschedule_kind IS NOT NULL)",
            name=op.f("ck_session_asked_kind"),
        ),
        sa.CheckConstraint(
            "reschedule_requested = (reschedule_reason IS NOT NULL)",
            name=op.f("ck_session_asked_why"),
        ),
        sa.CheckConstraint(
            "reschedule_requested = (reschedule_requested_by IS NOT NULL)",
            name=op.f("ck_session_asked_by"),
        ),
        sa.CheckConstraint("session_number >= 1", name=op.f("ck_session_number")),
        sa.ForeignKeyConstraint(["coach_id"], ["person.id"], name=op.f("fk_session_coach_id")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_session_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_session_proposal_id")
        ),
        sa.ForeignKeyConstraint(["student_id"], ["person.id"], name=op.f("fk_session_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(
            "ix_session_coach_id_listed_at", ["coach_id", "listed_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_session_coach_id_status", ["coach_id", "status", "listed_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_session_contract_id_number", ["contract_id", "session_number", "id"], unique=False
        )
        batch_op.create_index(
            "ix_session_disputed",
            ["missed_at"],
            unique=False,
            sqlite_where=sa.text("correction_by IS NOT NULL"),
            postgresql_where=sa.text("correction_by IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_session_ends_at",
            ["ends_at"],
            unique=False,
            sqlite_where=sa.text("status = 'scheduled'"),
            postgresql_where=sa.text("status = 'scheduled'"),
        )
        batch_op.create_index("ix_session_proposal_id", ["proposal_id"], unique=False)
        batch_op.create_index(
            "ix_session_reschedule_deadline",
            ["reschedule_deadline"],
            unique=False,
            sqlite_where=sa.text("reschedule_requested"),
            postgresql_where=sa.text("reschedule_requested"),
        )
        batch_op.create_index(
            "ix_session_student_id_listed_at", ["student_id", "listed_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_session_student_id_status",
            ["student_id", "status", "listed_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "uq_session_live_number",
            ["contract_id", "session_number"],
            unique=True,
            sqlite_where=sa.text("status IN ('scheduled', 'completed')"),
            postgresql_where=sa.text("status IN ('scheduled', 'completed')"),
        )

    op.create_table(
        "booked_time",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("ends_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_booked_time_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
            name=op.f("fk_booked_time_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "session_id", name=op.f("pk_booked_time")),
    )
    with op.batch_alter_table("booked_time", schema=None) as batch_op:
        batch_op.create_index(
            "ix_booked_time_person_id_starts_at", ["person_id", "starts_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_booked_time_session_id"), ["session_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(length=60), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("proposal_id", sa.Integer(), nullable=True),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("status_from", sa.String(length=20), nullable=True),
        sa.Column("status_to", sa.String(length=20), nullable=True),
        sa.Column("old_time", UTCDateTime(), nullable=True),
        sa.Column("new_time", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_event_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_event_proposal_id")
        ),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_event_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("stream", "position", name=op.f("uq_event_stream_position")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_actor_id", ["actor_id"], unique=False)
        batch_op.create_index("ix_event_contract_id_id", ["contract_id", "id"], unique=False)
        batch_op.create_index("ix_event_session_id_id", ["session_id", "id"], unique=False)

    op.create_table(
        "proposed_time",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
            name=op.f("fk_proposed_time_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", "position", name=op.f("pk_proposed_time")),
    )
    with op.batch_alter_table("proposed_time", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proposed_time_starts_at"), ["starts_at"], unique=False)

    guards.create(op)


def downgrade() -> None:
    guards.drop(op)
    with op.batch_alter_table("proposed_time", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposed_time_starts_at"))

    op.drop_table("proposed_time")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_session_id_id")
        batch_op.drop_index("ix_event_contract_id_id")
        batch_op.drop_index("ix_event_actor_id")

    op.drop_table("event")
    with op.batch_alter_table("booked_time", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_booked_time_session_id"))
        batch_op.drop_index("ix_booked_time_person_id_starts_at")

    op.drop_table("booked_time")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_session_live_number",
            sqlite_where=sa.text("status IN ('scheduled', 'completed')"),
            postgresql_where=sa.text("status IN ('scheduled', 'completed')"),
        )
        batch_op.drop_index("ix_session_student_id_status")
        batch_op.drop_index("ix_session_student_id_listed_at")
        batch_op.drop_index(
            "ix_session_reschedule_deadline",
            sqlite_where=sa.text("reschedule_requested"),
            postgresql_where=sa.text("reschedule_requested"),
        )
        batch_op.drop_index("ix_session_proposal_id")
        batch_op.drop_index(
            "ix_session_disputed",
            sqlite_where=sa.text("correction_by IS NOT NULL"),
            postgresql_where=sa.text("correction_by IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_session_ends_at",
            sqlite_where=sa.text("status = 'scheduled'"),
            postgresql_where=sa.text("status = 'scheduled'"),
        )
        batch_op.drop_index("ix_session_contract_id_number")
        batch_op.drop_index("ix_session_coach_id_status")
        batch_op.drop_index("ix_session_coach_id_listed_at")

    op.drop_table("session")
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.drop_index("ix_contract_student_id_status_id")
        batch_op.drop_index("ix_contract_coach_id_status_id")

    op.drop_table("contract")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_person_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.drop_index("ix_proposal_student_id_status_id")
        batch_op.drop_index("ix_proposal_coach_id_status_id")

    op.drop_table("proposal")
    with op.batch_alter_table("password_reset", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_password_reset_person_id"))

    op.drop_table("password_reset")
    op.drop_table("person")
