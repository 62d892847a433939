"""What time and events set going: the outbox, deliveries, presence, and the worker's heartbeat.

A trigger adds every new event to the outbox, so that no verb can forget to. Events from before
are not announced.
"""

import sqlalchemy as sa
from alembic import op

from skileez.db import UTCDateTime

revision = "0002"
down_revision = "0001"

_POSTGRESQL = """
CREATE FUNCTION event_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO outbox (event_id, due_at) VALUES (NEW.id, NEW.at);
  RETURN NULL;
END $$;
CREATE TRIGGER event_waits AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION event_waits()
"""
_SQLITE = """
CREATE TRIGGER event_waits AFTER INSERT ON event BEGIN
  INSERT INTO outbox (event_id, due_at) VALUES (NEW.id, NEW.at);
END
"""

_ALREADY_HEARD = """
UPDATE session SET heard = true WHERE status = 'scheduled' AND EXISTS (
  SELECT 1 FROM event WHERE event.session_id = session.id AND event.actor_kind = 'person'
  AND event.at >= session.scheduled_at)
"""


def _index_ends(where: str) -> None:
    op.create_index(
        "ix_session_ends_at",
        "session",
        ["ends_at"],
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def upgrade() -> None:
    op.create_table(
        "worker_beat",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("beat_at", UTCDateTime(), nullable=False),
        sa.Column("stopped_at", UTCDateTime(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_beat")),
    )
    op.create_table(
        "notification_wishes",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("mail", sa.Boolean(), nullable=False),
        sa.Column("reminders", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column("daily", sa.Boolean(), nullable=False),
        sa.Column("weekly", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_to IS NULL)",
            name=op.f("ck_notification_wishes_quiet_both"),
        ),
        sa.CheckConstraint(
            "quiet_from IS NULL OR quiet_from BETWEEN 0 AND 1439",
            name=op.f("ck_notification_wishes_quiet_from"),
        ),
        sa.CheckConstraint(
            "quiet_to IS NULL OR quiet_to BETWEEN 0 AND 1439",
            name=op.f("ck_notification_wishes_quiet_to"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
            name=op.f("fk_notification_wishes_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_notification_wishes")),
    )
    op.create_table(
        "answer_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("new_time", UTCDateTime(), nullable=True),
        sa.Column("asked_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_answer_link_expires_later")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_answer_link_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_answer_link_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_answer_link_token_hash")),
    )
    with op.batch_alter_table("answer_link", schema=None) as batch_op:
        batch_op.create_index("ix_answer_link_session_id", ["session_id"], unique=False)

    op.create_table(
        "check_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('student', 'coach')", name=op.f("ck_check_in_role")),
        sa.CheckConstraint("way IN ('join', 'here')", name=op.f("ck_check_in_way")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_check_in_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
        sa.UniqueConstraint(
            "session_id", "role", "way", name=op.f("uq_check_in_session_id_role_way")
        ),
    )
    op.create_table(
        "outcome_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "decision IS NULL OR decision IN ('held', 'student_absent', 'coach_absent', 'technical')",
            name=op.f("ck_outcome_case_decision"),
        ),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (decision IS NULL)", name=op.f("ck_outcome_case_closed")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["person.id"], name=op.f("fk_outcome_case_closed_by")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_outcome_case_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome_case")),
        sa.UniqueConstraint("session_id", name=op.f("uq_outcome_case_session_id")),
    )
    with op.batch_alter_table("outcome_case", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outcome_case_open",
            ["opened_at"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "outcome_said",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("said_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('held', 'student_absent', 'coach_absent', 'technical')",
            name=op.f("ck_outcome_said_outcome"),
        ),
        sa.CheckConstraint("role IN ('student', 'coach')", name=op.f("ck_outcome_said_role")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_outcome_said_session_id")
        ),
        sa.PrimaryKeyConstraint("session_id", "role", name=op.f("pk_outcome_said")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("proposal_id", sa.Integer(), nullable=True),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("start", UTCDateTime(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("read_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "(status = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_delivery_sent")
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'sent', 'dropped', 'parked')", name=op.f("ck_delivery_status")
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_delivery_failures")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_delivery_contract_id")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_delivery_event_id")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_delivery_proposal_id")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["person.id"], name=op.f("fk_delivery_recipient_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_delivery_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "occasion",
            "recipient_id",
            "channel",
            name=op.f("uq_delivery_occasion_recipient_id_channel"),
        ),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_due_at",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("status = 'waiting'"),
            postgresql_where=sa.text("status = 'waiting'"),
        )
        batch_op.create_index(
            "ix_delivery_parked",
            ["id"],
            unique=False,
            sqlite_where=sa.text("status = 'parked'"),
            postgresql_where=sa.text("status = 'parked'"),
        )
        batch_op.create_index(
            "ix_delivery_recipient_id",
            ["recipient_id", "channel", "status", "due_at", "id"],
            unique=False,
        )
        batch_op.create_index("ix_delivery_session_id", ["session_id"], unique=False)
        batch_op.create_index(
            "ix_delivery_unread",
            ["recipient_id", "channel", "status", "read_at"],
            unique=False,
            sqlite_where=sa.text("channel = 'app' AND status = 'sent' AND read_at IS NULL"),
            postgresql_where=sa.text("channel = 'app' AND status = 'sent' AND read_at IS NULL"),
        )

    op.create_table(
        "outbox",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_outbox_event_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_due_at",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
    op.add_column(
        "session", sa.Column("heard", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.execute(_ALREADY_HEARD)
    op.drop_index("ix_session_ends_at", table_name="session")
    _index_ends("status = 'scheduled' AND NOT heard")
    op.execute(_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER event_waits ON event")
        op.execute("DROP FUNCTION event_waits()")
    else:
        op.execute("DROP TRIGGER event_waits")
    op.drop_index("ix_session_ends_at", table_name="session")
    _index_ends("status = 'scheduled'")
    op.drop_column("session", "heard")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_due_at",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )

    op.drop_table("outbox")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_delivery_unread",
            sqlite_where=sa.text("channel = 'app' AND status = 'sent' AND read_at IS NULL"),
            postgresql_where=sa.text("channel = 'app' AND status = 'sent' AND read_at IS NULL"),
        )
        batch_op.drop_index("ix_delivery_session_id")
        batch_op.drop_index("ix_delivery_recipient_id")
        batch_op.drop_index(
            "ix_delivery_parked",
            sqlite_where=sa.text("status = 'parked'"),
            postgresql_where=sa.text("status = 'parked'"),
        )
        batch_op.drop_index(
            "ix_delivery_due_at",
            sqlite_where=sa.text("status = 'waiting'"),
            postgresql_where=sa.text("status = 'waiting'"),
        )

    op.drop_table("delivery")
    op.drop_table("outcome_said")
    with op.batch_alter_table("outcome_case", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outcome_case_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.drop_table("outcome_case")
    op.drop_table("check_in")
    with op.batch_alter_table("answer_link", schema=None) as batch_op:
        batch_op.drop_index("ix_answer_link_session_id")

    op.drop_table("answer_link")
    op.drop_table("notification_wishes")
    op.drop_table("worker_beat")
