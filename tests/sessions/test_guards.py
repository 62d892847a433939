"""What the database refuses by itself, when somebody goes round the verbs."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from skileez import db
from skileez.errors import Kind, Refused
from skileez.events import Event, broken_links
from skileez.sessions import actions
from skileez.sessions.models import BookedTime, Session
from skileez.sessions.presence import OutcomeCase, OutcomeSaid
from tests import cast as people
from tests.cast import DAY, HOUR, NOW, WHY, Cast
from tests.sessions.stage import at, columns


def sql(statement: str, **values: Any) -> None:
    with db.transaction() as session:
        session.execute(text(statement), values)


ASKED = (
    "reschedule_requested = true, reschedule_requested_by = 'coach', reschedule_reason = 'x',"
    " reschedule_kind = 'late', reschedule_deadline = scheduled_at"
)


GUARDED = [
    ("status = 'asleep'", "ck_session_status"),
    ("session_number = 0", "ck_session_number"),
    ("duration_minutes = 14", "ck_session_(duration|length)"),
    ("duration_minutes = 481", "ck_session_(duration|length)"),
    ("duration_minutes = 90", "ck_session_length"),
    ("coach_id = student_id", "ck_session_(two_people|contract)"),
    ("scheduled_at = NULL", "ck_session_end"),
    ("ends_at = NULL", "ck_session_end"),
    ("scheduled_date = NULL", "ck_session_first_date"),
    ("reschedule_requested = true", "ck_session_(deadline|asked_by|asked_why|asked_kind)"),
    (ASKED + ", reschedule_deadline = NULL", "ck_session_deadline"),
    (ASKED + ", reschedule_requested_by = NULL", "ck_session_asked_by"),
    (ASKED + ", reschedule_reason = NULL", "ck_session_asked_why"),
    (ASKED + ", reschedule_kind = NULL", "ck_session_asked_kind"),
    (ASKED + ", reschedule_requested_by = 'admin'", "ck_session_asked_by_participant"),
    (ASKED + ", reschedule_kind = 'soon'", "ck_session_kind"),
    (
        ASKED + ", scheduled_at = NULL, ends_at = NULL",
        "ck_session_request_only_while_scheduled",
    ),
    (
        ASKED + ", status = 'cancelled', cancelled_at = created_at",
        "ck_session_request_only_while_scheduled",
    ),
    ("reschedule_deadline = scheduled_at", "ck_session_deadline"),
    ("reschedule_reason = 'x'", "ck_session_asked_why"),
    ("status = 'completed'", "ck_session_completed"),
    ("completed_date = scheduled_at", "ck_session_completed"),
    ("status = 'cancelled'", "ck_session_cancelled"),
    ("cancelled_at = scheduled_at", "ck_session_cancelled"),
    ("status = 'missed'", "ck_session_missed"),
    ("correction_by = 'coach'", "ck_session_correction"),
    ("absent = 'cat'", "ck_session_absent"),
    ("meeting_url = 'javascript:alert(1)'", "ck_session_meeting_url"),
    ("contract_id = 9999", "(?i)foreign key"),
    ("coach_id = (SELECT max(id) FROM person)", "ck_session_contract"),
    ("student_id = (SELECT max(id) FROM person)", "ck_session_contract"),
    ("coach_id = 9999", "ck_session_contract"),
    ("proposal_id = NULL", "(?i)not.null"),
    ("listed_at = NULL", "(?i)not.null"),
]


def test_a_row_that_no_verb_would_write(cast: Cast, subtests: pytest.Subtests) -> None:
    session = cast.book()
    before = columns(Session, session.id)
    for change, guard in GUARDED:
        # The last assignment of a column counts, which PostgreSQL would not have.
        assigned = dict(part.split(" = ", 1) for part in change.split(", "))
        sets = ", ".join(f"{name} = {value}" for name, value in assigned.items())
        with subtests.test(change), pytest.raises(IntegrityError, match=guard):
            sql(f"UPDATE session SET {sets}")
    assert columns(Session, session.id) == before


BOUNDED = [
    ("session", "actual_minutes", [1, 1440], [0, 1441]),
    ("session", "student_notes", ["ß" * 1000], ["ß" * 1001]),
    ("session", "coach_notes", ["ß" * 1000], ["ß" * 1001]),
    ("outcome_said", "note", ["ß" * 500], ["ß" * 501]),
    ("outcome_case", "note", ["ß" * 10, "ß" * 500], ["ß" * 9, "ß" * 501]),
]


def test_notes_and_minutes_keep_the_bounds_of_their_rules(
    cast: Cast, subtests: pytest.Subtests
) -> None:
    session = cast.book()
    with db.transaction():
        said = {"session_id": session.id, "role": "coach", "outcome": "held", "said_at": NOW}
        db.session.add_all([OutcomeSaid(**said), OutcomeCase(session_id=session.id, opened_at=NOW)])
    for table, column, within, beyond in BOUNDED:
        change = f"UPDATE {table} SET {column} = :value"
        with subtests.test(f"{table}.{column}"):
            for value in (None, *within):
                sql(change, value=value)
            for value in beyond:
                with pytest.raises(IntegrityError, match=f"ck_{table}_{column}"):
                    sql(change, value=value)


def test_the_state_is_the_databases_own_and_cannot_be_written(cast: Cast) -> None:
    cast.book()
    with pytest.raises(DBAPIError, match="state"):
        sql("UPDATE session SET state = 'completed'")


LIFE = {
    "scheduled": "status = 'scheduled', completed_date = NULL, cancelled_at = NULL",
    "completed": "status = 'completed', completed_date = created_at, cancelled_at = NULL",
    "cancelled": "status = 'cancelled', cancelled_at = created_at, completed_date = NULL",
    "missed": "status = 'missed', missed_at = created_at, completed_date = NULL,"
    " cancelled_at = NULL",
}
LEGAL = {
    ("scheduled", "completed"),
    ("scheduled", "cancelled"),
    ("scheduled", "missed"),
    ("missed", "completed"),
}


class UndoneError(Exception):
    """Raised to take back what a transaction did."""


def walks(start: str, end: str) -> bool:
    """Whether the database lets a session go from one status to another; undone either way."""
    try:
        with db.transaction() as session:
            session.execute(text(f"UPDATE session SET {LIFE[start]}"))
            session.execute(text(f"UPDATE session SET {LIFE[end]}"))
            raise UndoneError
    except UndoneError:
        return True
    except IntegrityError as error:
        return "ck_session_transition" not in str(error)


def test_only_the_four_legal_edges_can_be_walked(cast: Cast) -> None:
    cast.book()
    every = {(start, end) for start in LIFE for end in LIFE}
    walked = {(start, end) for start, end in every if walks(start, end)}
    assert walked == LEGAL | {(status, status) for status in LIFE}


def raw(cast: Cast, number: int, start: datetime, **told: Any) -> None:
    """A session written past every check and lock of the application."""
    with db.transaction():
        contract = told.pop("contract", cast.contract)
        db.session.add(
            Session(
                proposal_id=contract.proposal_id,
                session_number=number,
                scheduled_at=start,
                created_at=NOW,
                **told,
            )
        )


def test_two_sessions_of_a_contract_never_overlap_and_may_stand_back_to_back(cast: Cast) -> None:
    cast.book()
    for minutes in (-59, -1, 0, 1, 59):
        with pytest.raises(Refused) as refused:
            raw(cast, 2, at(60 + minutes / 60))
        assert (refused.value.code, refused.value.refusal.kind) == ("time_taken", Kind.CONFLICT)
    assert Session.query.count() == 1
    raw(cast, 2, at(59))
    raw(cast, 3, at(61))
    assert Session.query.count() == 3


@pytest.mark.parametrize("whose", ["coach", "student", "coach who studies", "student who coaches"])
def test_nobody_is_in_two_places_whatever_their_part(cast: Cast, whose: str) -> None:
    with db.transaction():
        somebody = people.person("somebody")
        pairs = {
            "coach": (cast.coach, somebody),
            "student": (somebody, cast.student),
            "coach who studies": (somebody, cast.coach),
            "student who coaches": (cast.student, somebody),
        }
        other = people.contract(*pairs[whose])
        free = people.contract(cast.stranger, somebody)
    cast.book()
    with pytest.raises(Refused) as refused:
        raw(cast, 1, at(60.5), contract=other)
    assert refused.value.code == "time_taken"
    raw(cast, 1, at(60.5), contract=free)


def test_the_longest_session_is_seen_from_its_last_minute(cast: Cast) -> None:
    cast.book(60 * HOUR, minutes=480)
    with pytest.raises(Refused):
        raw(cast, 2, at(60) + 479 * HOUR / 60)
    raw(cast, 2, at(68))


def test_moving_a_row_moves_the_time_it_takes(cast: Cast) -> None:
    first, _ = cast.book(60 * HOUR), cast.book(70 * HOUR)

    def move(hours: float) -> None:
        with db.transaction():
            actions.find_any(first.id).scheduled_at = at(hours)

    with pytest.raises(Refused) as refused:
        move(70.5)
    assert refused.value.code == "time_taken"
    move(80)
    raw(cast, 3, at(60))
    with pytest.raises(Refused):
        raw(cast, 4, at(80.5))


@pytest.mark.parametrize("status", ["cancelled", "missed"])
def test_a_session_that_is_history_takes_no_time_and_no_number(cast: Cast, status: str) -> None:
    cast.book()
    sql(f"UPDATE session SET {LIFE[status]}")
    assert BookedTime.query.count() == 0
    raw(cast, 1, at(60))
    assert BookedTime.query.count() == 2


def test_a_live_number_is_unique_in_its_contract(cast: Cast) -> None:
    cast.book()
    with pytest.raises(Refused) as refused:
        raw(cast, 1, at(90))
    assert (refused.value.code, refused.value.refusal.kind) == ("number_taken", Kind.CONFLICT)


@pytest.mark.parametrize("number", [0, 5, -1])
def test_a_number_lies_within_the_contracts_total(cast: Cast, number: int) -> None:
    with pytest.raises((Refused, IntegrityError)):
        raw(cast, number, at(90))
    assert Session.query.count() == 0


def test_the_quota_is_the_databases_too(cast: Cast) -> None:
    for number in range(1, 5):
        raw(cast, number, at(60 + 2 * number))
    with pytest.raises(Refused) as refused:
        raw(cast, 5, at(90))
    assert refused.value.code == "quota_used"
    for number in range(1, 5):
        with pytest.raises(Refused):
            raw(cast, number, at(90))
    assert Session.query.count() == 4


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ("total_sessions = 1", "ck_contract_quota"),
        ("coach_id = (SELECT max(id) FROM person)", "ck_contract_people"),
        ("student_id = (SELECT max(id) FROM person)", "ck_contract_people"),
    ],
)
def test_a_contract_keeps_its_people_and_room_for_its_sessions(
    cast: Cast, change: str, guard: str
) -> None:
    cast.book()
    cast.book(80 * HOUR)
    sql("UPDATE contract SET total_sessions = 2")
    with pytest.raises(IntegrityError, match=guard):
        sql(f"UPDATE contract SET {change}")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "form",
    [
        "strftime('%Y-%m-%dT%H:%M:%S', {})",
        "strftime('%Y-%m-%d %H:%M:%S+00:00', {})",
        "strftime('%Y-%m-%d %H:%M', {})",
    ],
)
def test_sqlite_sees_an_overlap_however_the_time_is_written(cast: Cast, form: str) -> None:
    first, second = cast.book(), cast.book(80 * HOUR)
    start = form.format(f"(SELECT scheduled_at FROM session WHERE id = {first.id})")
    end = form.format(f"(SELECT ends_at FROM session WHERE id = {first.id})")
    sets = "UPDATE session SET scheduled_at = {}, ends_at = {} WHERE id = :id"
    with pytest.raises(Refused) as refused:
        sql(sets.format(start, end), id=second.id)
    assert refused.value.code == "time_taken"
    after = form.format(
        f"(SELECT datetime(ends_at, '+60 minutes') FROM session WHERE id = {first.id})"
    )
    sql(sets.format(end, after), id=second.id)
    for unread in ("'soon'", "2461373.0", "'2026-99-99 10:00'"):
        with pytest.raises(IntegrityError, match="ck_session_(time|length)"):
            sql(sets.format(unread, unread), id=second.id)


def test_a_deleted_session_gives_its_time_back_and_one_with_a_history_stays(cast: Cast) -> None:
    cast.book()
    with pytest.raises(IntegrityError):
        sql("DELETE FROM session")
    raw(cast, 2, at(90))
    sql("DELETE FROM session WHERE session_number = 2")
    assert {one.starts_at for one in BookedTime.query} == {at(60)}


def test_events_are_neither_changed_nor_removed(cast: Cast) -> None:
    cast.book()
    statements = ["UPDATE event SET reason = 'never'", "DELETE FROM event"]
    if db.session.get_bind().dialect.name == "postgresql":
        statements.append("TRUNCATE event CASCADE")
    known = Event.query.count()
    for statement in statements:
        with pytest.raises(IntegrityError, match="ck_event_append_only"):
            sql(statement)
    assert Event.query.count() == known
    assert not list(broken_links())


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("table", "guard"), [("event", "ck_event_append_only"), ("session", "ck_session_replaced")]
)
def test_sqlite_replaces_neither_an_event_nor_a_session(cast: Cast, table: str, guard: str) -> None:
    cast.book()
    names = ", ".join(
        column.name for column in db.Model.metadata.tables[table].columns if not column.computed
    )
    with pytest.raises(IntegrityError, match=guard):
        sql(f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}")


def test_two_events_never_share_a_place_in_a_stream(cast: Cast) -> None:
    session = cast.book()
    names = "stream, position, verb, at, actor_kind, details, previous_hash, hash"
    with pytest.raises(Refused) as refused:
        sql(
            f"INSERT INTO event ({names}) SELECT {names} FROM event WHERE session_id = {session.id}"
        )
    assert refused.value.code == "busy"


def test_a_session_changed_since_it_was_read_is_refused_as_busy(cast: Cast) -> None:
    session_id = cast.book().id

    def confirm_what_changed_meanwhile() -> None:
        with db.transaction() as current:
            session = actions.find_for(cast.actor("coach"), session_id)
            current.execute(text("UPDATE session SET version = version + 1"))
            session.confirm("coach", now=NOW)

    with pytest.raises(Refused) as refused:
        confirm_what_changed_meanwhile()
    assert (refused.value.code, refused.value.refusal.kind) == ("busy", Kind.CONFLICT)
    assert columns(Session, session_id)["confirmed_by_coach"] is False


def test_every_change_makes_a_page_that_was_open_stale(cast: Cast) -> None:
    session = cast.book()
    versions = [session.version]
    for verb in (
        lambda s: s.confirm("coach", now=NOW),
        lambda s: s.request_reschedule("student", WHY, proposed_times=[at(70)], now=NOW),
        lambda s: s.counter_reschedule("coach", [at(80)], now=NOW),
        lambda s: s.approve_reschedule(at(80), by="student", now=NOW),
        lambda s: s.set_meeting_url("https://a.example", "coach", now=NOW),
        lambda s: s.mark_missed(by="coach", reason=WHY, absent="both", now=at(81)),
        lambda s: s.request_correction("student", WHY, now=at(82)),
        lambda s: s.approve_correction("coach", now=at(83)),
        lambda s: s.add_notes("Well done.", "coach", now=at(84)),
    ):
        with db.transaction():
            verb(actions.find_for(cast.actor("coach"), session.id))
        versions.append(columns(Session, session.id)["version"])
    assert versions == list(range(1, 11))


def test_a_counter_with_other_times_alone_makes_it_stale_as_well(cast: Cast) -> None:
    session = cast.book()
    with db.transaction():
        found = actions.find_for(cast.actor("student"), session.id)
        found.request_reschedule("student", WHY, proposed_times=[at(70)], now=NOW)
        found.counter_reschedule("coach", [at(80)], now=NOW)
        before = found.version
        found.counter_reschedule("student", [at(90)], now=NOW)
        db.session.flush()
        assert found.version > before


def test_a_naive_instant_is_never_bound(cast: Cast) -> None:
    with pytest.raises(Exception, match="no time zone"):
        Session.query.filter(Session.scheduled_at > datetime(2026, 1, 1)).all()
    session = cast.book(30 * DAY)
    assert Session.query.filter(Session.scheduled_at > NOW).one().id == session.id
