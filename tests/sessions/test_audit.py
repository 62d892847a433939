"""The hash chain of events: whole after every verb, and broken by any hand that goes past it."""

from itertools import pairwise

import pytest
from sqlalchemy import text

from skileez import db
from skileez.events import Event, broken_links
from skileez.sessions import actions
from tests import cast as people
from tests.cast import HOUR, NOW, WHY, Cast
from tests.sessions.stage import at

DROPPED = {
    "sqlite": [
        "DROP TRIGGER event_is_never_changed",
        "DROP TRIGGER event_is_never_removed",
        "DELETE FROM outbox",
    ],
    "postgresql": ["ALTER TABLE event DISABLE TRIGGER ALL", "DELETE FROM outbox"],
}


class UndoneError(Exception):
    """Raised to take back what a transaction did, dropped triggers included."""


def found_after(tampering: str, event_id: int) -> list[int]:
    """The broken events once somebody dropped the guard and tampered; undone afterwards."""
    found: list[int] = []
    try:
        with db.transaction() as session:
            for drop in DROPPED[session.get_bind().dialect.name]:
                session.execute(text(drop))
            session.execute(text(tampering), {"id": event_id})
            session.expire_all()
            found = [event.id for event in broken_links()]
            raise UndoneError
    except UndoneError:
        return found


def busy(cast: Cast) -> None:
    """Two contracts, several sessions, a dozen events of every shape."""
    with db.transaction():
        other = people.contract(cast.coach, cast.stranger)
    first, second = cast.book(60 * HOUR), cast.book(70 * HOUR)
    third = cast.book(80 * HOUR, by="coach", contract=other)
    with db.transaction():
        one = actions.find_any(first.id)
        one.request_reschedule("student", "Ünïcode, “quotes” & 日本語", now=NOW)
        one.approve_reschedule(at(90), by="coach", actor=cast.actor("coach"), now=NOW)
        actions.find_any(second.id).cancel_session(by="coach", reason=WHY, now=NOW)
        actions.find_any(third.id).mark_completed("Fine.", "coach", now=at(81))


def broken() -> list[int]:
    db.session.remove()
    return [event.id for event in broken_links()]


def test_the_chain_holds_through_every_kind_of_event(cast: Cast) -> None:
    busy(cast)
    assert broken() == []
    for stream in {event.stream for event in Event.query}:
        events = Event.query.filter_by(stream=stream).order_by(Event.position).all()
        assert [event.position for event in events] == list(range(1, len(events) + 1))
        assert events[0].previous_hash == ""
        for before, after in pairwise(events):
            assert after.previous_hash == before.hash == before.digest()


TAMPERING = {
    "UPDATE event SET reason = 'Another reason.' WHERE id = :id": 0,
    "UPDATE event SET actor_id = NULL WHERE id = :id": 0,
    "UPDATE event SET at = (SELECT max(created_at) FROM person) WHERE id = :id": 0,
    "UPDATE event SET details = '{}' WHERE id = :id": 0,
    "UPDATE event SET hash = '0' WHERE id = :id": 0,
    "UPDATE event SET verb = 'session.cancelled' WHERE id = :id": 0,
    "DELETE FROM event WHERE id = :id": 1,
}
"""What somebody may do who gets past the triggers, and how far on it shows first."""


def test_an_edited_or_removed_event_is_found(cast: Cast, subtests: pytest.Subtests) -> None:
    busy(cast)
    stream = f"contract:{cast.contract.id}"
    chain = [event.id for event in Event.query.filter_by(stream=stream).order_by(Event.position)]
    for tampering, breaks in TAMPERING.items():
        with subtests.test(tampering):
            found = found_after(tampering, chain[1])
            assert found[0] == chain[1 + breaks]
            assert set(found) <= set(chain)
    assert chain[1] in found_after("UPDATE event SET position = 99 WHERE id = :id", chain[1])
    assert found_after("UPDATE event SET reason = reason WHERE id = :id", chain[1]) == []
    assert broken() == []


def test_with_the_guard_up_the_same_hands_can_do_nothing(cast: Cast) -> None:
    busy(cast)
    first = Event.query.order_by(Event.id).first().id
    for tampering in TAMPERING:
        with (
            pytest.raises(Exception, match="ck_event_append_only"),
            db.transaction() as session,
        ):
            session.execute(text(tampering), {"id": first})


def test_an_inserted_event_is_found(cast: Cast) -> None:
    busy(cast)
    names = "verb, at, actor_kind, details, previous_hash, hash"
    with db.transaction() as session:
        session.execute(
            text(
                f"INSERT INTO event (stream, position, {names})"
                f" SELECT stream, position + 100, {names} FROM event WHERE verb = :verb"
            ),
            {"verb": "session.cancelled"},
        )
    assert len(broken()) == 1
