"""The database's own guards of migration 0001, for PostgreSQL and for SQLite.

A refused write names its guard in the error; ``skileez.sessions.guards`` turns that into a
sentence. Released guards are history: a change is a new migration, not an edit here.
"""

from typing import Any

_POSTGRESQL = [
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    ALTER TABLE booked_time ADD CONSTRAINT ex_booked_time_overlap
    EXCLUDE USING gist (person_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
    """,
    """
    ALTER TABLE session ADD CONSTRAINT ck_session_length CHECK
    (scheduled_at IS NULL OR ends_at - scheduled_at = duration_minutes * interval '1 minute')
    """,
    """
    CREATE FUNCTION session_is_guarded() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.session_number > (SELECT total_sessions FROM contract WHERE id = NEW.contract_id) THEN
        RAISE EXCEPTION 'ck_session_quota' USING ERRCODE = '23514';
      END IF;
      IF EXISTS (SELECT 1 FROM contract WHERE id = NEW.contract_id AND (coach_id <> NEW.coach_id
           OR student_id <> NEW.student_id OR proposal_id <> NEW.proposal_id)) THEN
        RAISE EXCEPTION 'ck_session_contract' USING ERRCODE = '23514';
      END IF;
      IF TG_OP = 'UPDATE' THEN
        IF NEW.status <> OLD.status AND NOT (OLD.status = 'scheduled'
           OR (OLD.status = 'missed' AND NEW.status = 'completed')) THEN
          RAISE EXCEPTION 'ck_session_transition' USING ERRCODE = '23514';
        END IF;
        IF OLD.scheduled_date IS NOT NULL AND NEW.scheduled_date IS DISTINCT FROM OLD.scheduled_date THEN
          RAISE EXCEPTION 'ck_session_first_date' USING ERRCODE = '23514';
        END IF;
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER session_is_guarded BEFORE INSERT OR UPDATE ON session
    FOR EACH ROW EXECUTE FUNCTION session_is_guarded()
    """,
    """
    CREATE FUNCTION contract_is_guarded() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.coach_id <> OLD.coach_id OR NEW.student_id <> OLD.student_id
         OR NEW.proposal_id <> OLD.proposal_id THEN
        RAISE EXCEPTION 'ck_contract_people' USING ERRCODE = '23514';
      END IF;
      IF EXISTS (SELECT 1 FROM session WHERE contract_id = NEW.id
           AND session_number > NEW.total_sessions AND status IN ('scheduled', 'completed')) THEN
        RAISE EXCEPTION 'ck_contract_quota' USING ERRCODE = '23514';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER contract_is_guarded BEFORE UPDATE ON contract FOR EACH ROW
    WHEN (NEW.total_sessions < OLD.total_sessions OR NEW.coach_id <> OLD.coach_id
          OR NEW.student_id <> OLD.student_id OR NEW.proposal_id <> OLD.proposal_id)
    EXECUTE FUNCTION contract_is_guarded()
    """,
    """
    CREATE FUNCTION session_books_time() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' THEN
        DELETE FROM booked_time WHERE session_id = OLD.id;
      END IF;
      IF NEW.status IN ('scheduled', 'completed') AND NEW.scheduled_at IS NOT NULL THEN
        INSERT INTO booked_time (person_id, session_id, starts_at, ends_at) VALUES
          (NEW.coach_id, NEW.id, NEW.scheduled_at, NEW.ends_at),
          (NEW.student_id, NEW.id, NEW.scheduled_at, NEW.ends_at);
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER session_books_time_on_insert AFTER INSERT ON session
    FOR EACH ROW EXECUTE FUNCTION session_books_time()
    """,
    """
    CREATE TRIGGER session_books_time_on_update AFTER UPDATE ON session FOR EACH ROW
    WHEN (OLD.status <> NEW.status OR OLD.scheduled_at IS DISTINCT FROM NEW.scheduled_at
          OR OLD.ends_at IS DISTINCT FROM NEW.ends_at
          OR OLD.coach_id <> NEW.coach_id OR OLD.student_id <> NEW.student_id)
    EXECUTE FUNCTION session_books_time()
    """,
    """
    CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'ck_event_append_only' USING ERRCODE = '23514';
    END $$
    """,
    """
    CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION event_is_append_only()
    """,
    """
    CREATE TRIGGER event_is_not_truncated BEFORE TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION event_is_append_only()
    """,
]

_POSTGRESQL_DROP = [
    "DROP TRIGGER event_is_not_truncated ON event",
    "DROP TRIGGER event_is_append_only ON event",
    "DROP TRIGGER session_books_time_on_update ON session",
    "DROP TRIGGER session_books_time_on_insert ON session",
    "DROP TRIGGER contract_is_guarded ON contract",
    "DROP TRIGGER session_is_guarded ON session",
    "DROP FUNCTION event_is_append_only",
    "DROP FUNCTION session_books_time",
    "DROP FUNCTION contract_is_guarded",
    "DROP FUNCTION session_is_guarded",
]

# SQLite takes anything for a time. The application writes one form, in which text sorts as time
# does; what it could still read ("…T…", an offset, no seconds) is brought to it, the rest refused.
_FORM = "____-__-__ __:__:__.______".replace("_", "[0-9]")
_READABLE = "____-__-__[ T]__:__*".replace("_", "[0-9]")


def _in_form(column: str) -> str:
    return (
        f"CASE WHEN {column} GLOB '{_FORM}' THEN {column} "
        f"ELSE strftime('%Y-%m-%d %H:%M:%f', {column}) || '000' END"
    )


_BOOKS = f"""
    INSERT INTO booked_time (person_id, session_id, starts_at, ends_at)
    SELECT person_id, NEW.id, {_in_form("NEW.scheduled_at")}, {_in_form("NEW.ends_at")}
    FROM (SELECT NEW.coach_id AS person_id UNION ALL SELECT NEW.student_id)
    WHERE NEW.status IN ('scheduled', 'completed') AND NEW.scheduled_at IS NOT NULL;
"""

_GUARDED = f"""
    SELECT RAISE(ABORT, 'ck_session_time')
    WHERE NEW.scheduled_at NOT GLOB '{_READABLE}' OR NEW.ends_at NOT GLOB '{_READABLE}';
    SELECT RAISE(ABORT, 'ck_session_quota')
    WHERE NEW.session_number > (SELECT total_sessions FROM contract WHERE id = NEW.contract_id);
    SELECT RAISE(ABORT, 'ck_session_contract')
    WHERE EXISTS (SELECT 1 FROM contract WHERE id = NEW.contract_id AND (coach_id <> NEW.coach_id
      OR student_id <> NEW.student_id OR proposal_id <> NEW.proposal_id));
    SELECT RAISE(ABORT, 'ck_session_length')
    WHERE NEW.scheduled_at IS NOT NULL AND NEW.ends_at IS NOT NULL
      AND unixepoch(NEW.ends_at) - unixepoch(NEW.scheduled_at) IS NOT NEW.duration_minutes * 60;
"""

# No session is longer than 480 minutes, so an overlapping one started at most that long before.
_SQLITE = {
    "booked_time_overlap": """
        BEFORE INSERT ON booked_time BEGIN
          SELECT RAISE(ABORT, 'ex_booked_time_overlap') WHERE EXISTS (
            SELECT 1 FROM booked_time WHERE person_id = NEW.person_id
              AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at
              AND starts_at > strftime('%Y-%m-%d %H:%M:%S', NEW.starts_at, '-481 minutes'));
        END""",
    "session_books_time_on_insert": f"AFTER INSERT ON session BEGIN {_BOOKS} END",
    "session_books_time_on_update": f"""
        AFTER UPDATE ON session
        WHEN OLD.status <> NEW.status OR OLD.scheduled_at IS NOT NEW.scheduled_at
          OR OLD.ends_at IS NOT NEW.ends_at
          OR OLD.coach_id <> NEW.coach_id OR OLD.student_id <> NEW.student_id
        BEGIN DELETE FROM booked_time WHERE session_id = OLD.id; {_BOOKS} END""",
    "session_is_guarded_on_insert": f"""
        BEFORE INSERT ON session BEGIN {_GUARDED}
          SELECT RAISE(ABORT, 'ck_session_replaced')
          WHERE EXISTS (SELECT 1 FROM session WHERE id = NEW.id);
        END""",
    "session_is_guarded_on_update": f"""
        BEFORE UPDATE ON session BEGIN {_GUARDED}
          SELECT RAISE(ABORT, 'ck_session_transition')
          WHERE NEW.status <> OLD.status AND NOT (OLD.status = 'scheduled'
            OR (OLD.status = 'missed' AND NEW.status = 'completed'));
          SELECT RAISE(ABORT, 'ck_session_first_date')
          WHERE OLD.scheduled_date IS NOT NULL AND NEW.scheduled_date IS NOT OLD.scheduled_date;
        END""",
    "contract_is_guarded": """
        BEFORE UPDATE ON contract BEGIN
          SELECT RAISE(ABORT, 'ck_contract_people')
          WHERE NEW.coach_id <> OLD.coach_id OR NEW.student_id <> OLD.student_id
            OR NEW.proposal_id <> OLD.proposal_id;
          SELECT RAISE(ABORT, 'ck_contract_quota')
          WHERE NEW.total_sessions < OLD.total_sessions AND EXISTS (
            SELECT 1 FROM session WHERE contract_id = NEW.id
              AND session_number > NEW.total_sessions AND status IN ('scheduled', 'completed'));
        END""",
    # INSERT OR REPLACE takes rows away without a word to the triggers on DELETE.
    "event_is_never_replaced": """
        BEFORE INSERT ON event BEGIN
          SELECT RAISE(ABORT, 'ck_event_append_only')
          WHERE EXISTS (SELECT 1 FROM event WHERE id = NEW.id);
          SELECT RAISE(ABORT, 'uq_event_stream_position')
          WHERE EXISTS (SELECT 1 FROM event WHERE stream = NEW.stream AND position = NEW.position);
        END""",
    "event_is_never_changed": """
        BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'ck_event_append_only'); END""",
    "event_is_never_removed": """
        BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'ck_event_append_only'); END""",
}


def create(op: Any) -> None:
    """Add the guards to the database that is being migrated."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRESQL:
            op.execute(statement)
        return
    for name, body in _SQLITE.items():
        op.execute(f"CREATE TRIGGER {name} {body}")


def drop(op: Any) -> None:
    """Remove them again, before their tables go."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRESQL_DROP:
            op.execute(statement)
        return
    for name in _SQLITE:
        op.execute(f"DROP TRIGGER {name}")
