"""What an operator may meet: each leaves a clear state, loses nothing and sends nothing twice."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from skileez import clock, db, heartbeat, worker
from skileez.accounts.models import Person
from skileez.cli import main
from skileez.config import ConfigError, Settings
from skileez.events import Event
from skileez.notifications import about, channels, letters, mail, sending
from skileez.notifications.letters import Letter
from skileez.notifications.mail import Mail
from skileez.notifications.models import Delivery, Standing
from skileez.notifications.rules import BACKOFF
from skileez.notifications.sending import LEASE
from skileez.sessions import actions
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, MINUTE, NOW, Cast
from tests.sessions.stage import at
from tests.worker.smtp import Peer, free_port
from tests.worker.stage import Post, ask, begin, drain


@pytest.fixture(params=["sqlite"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """What happens here does not hang on the database."""
    return str(request.param)


@pytest.fixture
def booked(database: str, post: Post) -> Cast:
    """Four bookings to tell the coach of; all that came before is told."""
    cast = begin(database, four_bookings)
    post.letters.clear()
    return cast


def four_bookings(cast: Cast) -> None:
    drain(NOW)
    for n in range(4):
        cast.book((60 + 2 * n) * HOUR)
    while worker.dispatch(NOW):
        pass


def mails(kind: str = "session.booked") -> list[Delivery]:
    db.session.remove()
    return list(Delivery.query.filter_by(kind=kind, channel="mail").order_by(Delivery.id))


def standings() -> list[str]:
    return [one.status for one in mails()]


# --- the mail server -----------------------------------------------------------------------


@pytest.fixture
def peer(booked: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Peer:
    """A mail server that is not up yet, and mail that goes there; nobody waits long."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    monkeypatch.setattr(mail, "PATIENCE_SECONDS", 0.3)
    peer = Peer()
    channels.add(
        Mail(
            replace(
                settings,
                smtp_url=f"smtp://127.0.0.1:{peer.port}",
                mail_from="sessions@sessions.example",
                public_url="https://sessions.example",
            )
        )
    )
    return peer


def test_while_the_mail_server_is_down_messages_wait(peer: Peer) -> None:
    drain(NOW)
    for one in mails():
        assert (one.status, one.failures, one.due_at) == (Standing.WAITING, 1, NOW + BACKOFF[0])
        assert one.error
        assert one.error.startswith("the mail server did not take it: ")
        assert one.lease_until is None
    with peer.listening():
        drain(NOW + BACKOFF[0])
        drain(NOW + DAY / 4)
    assert standings() == [Standing.SENT] * 4
    assert sorted(peer.ids) == sorted(f"delivery-{one.id}" for one in mails())


def test_a_mail_server_that_thinks_before_it_takes_a_message_gets_it_once(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "PATIENCE_SECONDS", 0.1)
    peer.hesitates = 0.2
    with peer.listening():
        drain(NOW)
    assert standings() == [Standing.SENT] * 4
    assert len(peer.ids) == 4


def test_a_mail_server_that_never_answers_holds_up_nobody_for_ever(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TAKING_SECONDS", 0.05)
    peer.hesitates = 0.1
    with peer.listening():
        worker.send(NOW)
    assert {(one.status, one.failures) for one in mails()} == {(Standing.WAITING, 1)}
    assert {one.error for one in mails()} == {
        "the mail server did not take it: Connection unexpectedly closed: timed out"
    }


@pytest.mark.parametrize(
    ("answer", "standing"),
    [
        ("550 no such mailbox", Standing.PARKED),
        ("550 no such \0 mailbox", Standing.PARKED),
        ("452 mailbox full", Standing.WAITING),
    ],
)
def test_a_recipient_that_is_refused_is_parked_or_tried_again_alone(
    peer: Peer, answer: str, standing: Standing
) -> None:
    other = mails()[0].id
    with db.transaction():
        stranger = Person.query.filter_by(email="stranger@example.org").one()
        db.session.get_one(Delivery, other).recipient_id = stranger.id
    peer.refuses["stranger@example.org"] = answer
    with peer.listening():
        drain(NOW)
    refused, *others = mails()
    says = answer.replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert (refused.id, refused.status, refused.error) == (other, standing, says)
    assert [one.status for one in others] == [Standing.SENT] * 3
    assert len(peer.ids) == 3


def test_a_mail_server_that_is_rude_when_we_leave_has_taken_the_message(peer: Peer) -> None:
    peer.farewell = "421 go away"
    with peer.listening():
        drain(NOW)
        drain(NOW + HOUR)
    assert standings() == [Standing.SENT] * 4
    assert len(peer.ids) == 4


def test_somebody_without_a_valid_address_is_shown_to_the_operator(
    peer: Peer, booked: Cast
) -> None:
    with db.transaction():
        db.session.get_one(Person, booked.coach.id).email = "nobody"
    with peer.listening():
        drain(NOW)
    assert {one.error for one in sending.parked()} == {"'nobody' is no e-mail address"}
    assert standings() == [Standing.PARKED] * 4
    with db.transaction():
        db.session.get_one(Person, booked.coach.id).email = "coach@example.org"
        assert sending.send_again(NOW) == 4
    with peer.listening():
        drain(NOW)
    assert standings() == [Standing.SENT] * 4


# --- ourselves -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "broken"), [(about, "find"), (about, "is_wanted"), (letters, "write")]
)
def test_a_message_that_cannot_be_written_holds_up_no_other(
    booked: Cast, post: Post, monkeypatch: pytest.MonkeyPatch, part: ModuleType, broken: str
) -> None:
    poison = mails()[0].id
    right = getattr(part, broken)

    def wrong(delivery: Delivery, *told: Any) -> Any:
        if delivery.id == poison:
            raise KeyError("no such word")
        return right(delivery, *told)

    monkeypatch.setattr(part, broken, wrong)
    now = NOW
    drain(now)
    assert standings() == [Standing.WAITING] + [Standing.SENT] * 3
    for wait in BACKOFF:
        now += wait
        drain(now)
    parked = [one for one in sending.parked() if one.id == poison]
    assert [one.error for one in parked] == ["KeyError: 'no such word'"]
    assert post.times[f"delivery-{poison}"] == 0
    assert max(post.times.values()) == 1


def test_a_session_that_cannot_be_settled_holds_up_no_other(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = cast.book(60 * HOUR), cast.book(62 * HOUR)
    ask(cast, first, "student", 70)
    ask(cast, second, "student", 80)
    right = Session.settle_silence

    def wrong(self: Session, **told: Any) -> Any:
        assert self.id != first.id, "a bug of ours"
        return right(self, **told)

    monkeypatch.setattr(Session, "settle_silence", wrong)
    drain(at(24))
    assert actions.due_requests(at(24)) == [first.id]
    monkeypatch.undo()
    drain(at(24))
    assert actions.due_requests(at(24)) == []
    assert Event.query.filter_by(verb="session.reschedule_auto_approved").count() == 2


def test_a_database_that_stumbles_after_the_sending_is_told_again(
    booked: Cast, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, stumbled = sending._mark, []

    def wrong(delivery_id: int, *told: Any) -> Any:
        if delivery_id not in stumbled:
            stumbled.append(delivery_id)
            raise OperationalError("UPDATE", {}, Exception("the connection is gone"))
        return right(delivery_id, *told)

    monkeypatch.setattr(sending, "_mark", wrong)
    drain(NOW)
    drain(NOW + LEASE)
    assert len(stumbled) == 4
    assert standings() == [Standing.SENT] * 4
    assert set(post.times.values()) == {1}


def test_a_job_whose_connection_breaks_runs_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[datetime] = []

    def run(now: datetime) -> bool:
        runs.append(now)
        return False

    job = worker._task(worker.Job("broken", 1, run), lambda: NOW)
    with monkeypatch.context() as context:
        context.setattr(db.session, "remove", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            job()
    job()
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("error", "whole"),
    [(OperationalError("SELECT 1", {}, Exception("away")), False), (KeyError("a bug"), True)],
)
def test_a_job_that_fails_says_why_with_its_traceback_unless_the_database_is_away(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, error: Exception, whole: bool
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(worker.log, "error", lambda event, **told_: told.append(told_))

    def run(now: datetime) -> bool:
        raise error

    worker._task(worker.Job("broken", 1, run), lambda: NOW)()
    assert [(one["why"], one["exc_info"]) for one in told] == [(str(error), whole)]


# --- the clock -----------------------------------------------------------------------------


def test_a_clock_that_jumps_back_delays_and_repeats_nothing(booked: Cast, post: Post) -> None:
    drain(NOW)
    assert len(post.letters) == 4
    for earlier in (NOW - DAY, NOW - HOUR, NOW):
        drain(earlier)
    assert len(post.letters) == 4
    # What happens meanwhile happens by that clock, and is told by it.
    ask(booked, Session.query.first(), "student", 90, now=NOW - HOUR)
    drain(NOW - HOUR)
    assert len(post.letters) == 5
    drain(NOW)
    assert set(post.times.values()) == {1}


def test_what_a_worker_had_claimed_before_its_clock_jumped_back_waits_for_it(
    booked: Cast, post: Post
) -> None:
    claimed = sending.claim(NOW, 50)
    drain(NOW - DAY)
    drain(NOW + LEASE - MINUTE)
    assert not post.letters
    drain(NOW + LEASE)
    assert len(claimed) == 4
    assert post.times == {f"delivery-{one}": 1 for one in claimed}


def test_a_worker_lives_on_a_clock_that_jumped_back(cast: Cast) -> None:
    for now in (NOW, NOW - 2 * DAY):
        worker.beat(now)
        (one,) = heartbeat.workers(now)
        assert one.alive
        assert one.beat_at == now


# --- leases and stops ----------------------------------------------------------------------


def test_a_stop_finishes_the_message_at_hand_and_gives_the_others_back(
    booked: Cast, post: Post
) -> None:
    post.before = lambda letter: worker.stopping.set()
    worker.send(NOW)
    assert len(post.letters) == 1
    assert sorted(standings()) == [Standing.SENT] + [Standing.WAITING] * 3
    assert {one.lease_until for one in mails()} == {None}
    worker.stopping.clear()
    post.before = lambda letter: None
    drain(NOW)  # the next worker need not wait for any lease
    assert standings() == [Standing.SENT] * 4
    assert set(post.times.values()) == {1}


def test_who_lost_its_lease_while_it_was_sending_sends_no_more_of_it(
    booked: Cast, post: Post
) -> None:
    """A worker stands still for longer than a lease; another one takes over; it comes back."""
    taken: list[int] = []

    def stand_still(letter: Letter) -> None:
        post.before = lambda letter: None
        taken.extend(sending.claim(NOW + LEASE, 50))

    post.before = stand_still
    worker.send(NOW)
    assert len(taken) == 4
    assert len(post.letters) == 1
    for one in taken:
        sending.send(one, NOW + LEASE)
    assert set(post.times.values()) == {1}
    assert standings() == [Standing.SENT] * 4


def test_a_machine_that_sleeps_with_a_reminder_in_its_hand_does_not_send_it_when_it_wakes(
    booked: Cast, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = at(60)
    before = start - HOUR
    drain(before - MINUTE)
    told = len(post.letters)
    clocks = [before]
    monkeypatch.setattr(clock, "now", lambda: clocks[-1])
    right = letters.write

    def sleep(*found: Any) -> Letter:
        clocks.append(start + MINUTE)
        return right(*found)

    with monkeypatch.context() as context:
        context.setattr(letters, "write", sleep)
        worker.send(before)
    due = [one for one in mails("session.reminder") if one.due_at == before]
    assert [(one.status, one.lease_until) for one in due] == [(Standing.WAITING, None)] * 2
    drain(start + MINUTE)
    assert {one.status for one in mails("session.reminder") if one.due_at == before} == {
        Standing.DROPPED
    }
    assert len(post.letters) == told


# --- another version -----------------------------------------------------------------------


@pytest.fixture
def versions(database: str, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The worker's command on this database, which does not get as far as to work."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("SECRET_KEY", "a secret key that is only good for tests")
    monkeypatch.setattr(worker, "queue", lambda settings: pytest.fail("it went to work"))
    yield database
    worker.stopping.clear()


def migrated_to(schema: str | None) -> None:
    with db.transaction() as current:
        if schema is None:
            current.execute(text("DROP TABLE alembic_version"))
        else:
            current.execute(text("UPDATE alembic_version SET version_num = :s"), {"s": schema})


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ("9999", "has schema 9999, this version ("),
        ("0001", "has schema 0001, this version needs "),
        (None, "has schema None, this version needs "),
    ],
)
def test_a_worker_of_another_version_than_the_database_says_so_and_does_nothing(
    versions: str, schema: str | None, says: str
) -> None:
    migrated_to(schema)
    answer = CliRunner().invoke(main, ["worker"])
    assert answer.exit_code == 1
    assert f"DATABASE_URL: {says}" in answer.output
    assert ("update it" if schema == "9999" else "run: skileez migrate") in answer.output


def test_a_worker_that_cannot_reach_its_database_says_so(
    versions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://127.0.0.1:{free_port()}/skileez")
    answer = CliRunner().invoke(main, ["worker"])
    assert answer.exit_code == 1
    assert "DATABASE_URL: cannot be reached: " in answer.output
    assert "refused" in answer.output


def test_a_worker_whose_database_is_migrated_meanwhile_stops(versions: str) -> None:
    migrated_to("9999")
    worker.beat(NOW)
    assert worker.stopping.is_set()
    assert not heartbeat.workers(NOW)
    with pytest.raises(ConfigError, match="update it"):
        db.require_schema()
