"""What must be true after every step of the simulation, reckoned apart from the product's rules.

The audit trail is replayed into a small picture of each session; the rows must equal it. They are
read in plain SQL, past the product's classes.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import JSON, Connection, Engine, Row, bindparam, text

from skileez import db, events
from skileez.availability.rules import Hours
from skileez.db import UTCDateTime
from skileez.notifications import rules as news
from skileez.notifications.rules import DIGESTS, OVERDUE, REMINDER
from tests.cast import POLICY
from tests.reckoning import are_open
from tests.sim.post import Received
from tests.sim.series_watch import SeriesWatch
from tests.sim.violation import require
from tests.sim.world import ACTIVE, World, living

EDGES = {
    ("scheduled", "completed"),
    ("scheduled", "cancelled"),
    ("scheduled", "missed"),
    ("missed", "completed"),
}
HOUR = timedelta(hours=1)


@dataclass
class Picture:
    """A session as its events tell it."""

    status: str = ""
    start: datetime | None = None
    minutes: int = 0
    asked_by: str | None = None
    deadline: datetime | None = None
    kind: str | None = None
    heard_at: list[datetime] = field(default_factory=list)


class Watch:
    """Looks after every step, at what changed since the last one; and at everything at the end."""

    def __init__(self) -> None:
        self.pictures: dict[int, Picture] = defaultdict(Picture)
        self.series = SeriesWatch()
        self.seen = 0
        self.letters = 0

    def __call__(self, world: World) -> None:
        with world.engine.connect() as rows:
            fresh = rows.execute(_FRESH, {"seen": self.seen}).all()
            for event in fresh:
                if event.session_id is not None:
                    self._replay(event)
                elif event.verb.startswith("series."):
                    self.series.replay(event)
                    self.series.row(rows, event.details["series_id"])
            require(not world.not_kept, "an offered time was refused", why=world.not_kept)
            for session_id in {one.session_id for one in fresh if one.session_id}:
                self._session(rows, session_id)
            for event in fresh:
                if event.verb == "session.booked":
                    self._hours(rows, event, world.people.hours.get(event.coach_id))
            for contract_id in {one.contract_id for one in fresh if one.contract_id}:
                self._contract(rows, contract_id)
            self.seen = fresh[-1].id if fresh else self.seen
            for received in world.post.received[self.letters :]:
                self._letter(rows, received)
            self.letters = len(world.post.received)

    # The audit trail

    def _replay(self, event: Row[Any]) -> None:
        one, at = self.pictures[event.session_id or 0], event.at
        verb = event.verb.removeprefix("session.")
        details: dict[str, Any] = event.details
        if verb in ("completed", "cancelled", "missed", "corrected"):
            self._ends(one, event)
        elif verb == "booked":
            one.status, one.start = "scheduled", event.new_time
            one.minutes = details["duration_minutes"]
        elif verb in ("reschedule_requested", "reschedule_countered"):
            if verb == "reschedule_requested":
                require(one.asked_by is None, "a second request is pending", event=event.id)
            else:
                require(event.role != one.asked_by, "the requester answered", event=event.id)
            one.asked_by, one.kind = event.role, details["kind"]
            one.deadline = datetime.fromisoformat(details["deadline"])
            assert one.start
            asked_at_most = min(at + POLICY.answer_within, one.start)
            require(one.deadline == asked_at_most, "a wrong deadline", event=event.id)
        elif verb in ("reschedule_approved", "reschedule_declined"):
            require(one.asked_by is not None, "no request was pending", event=event.id)
            require(event.role != one.asked_by, "the requester answered", event=event.id)
            self._answered(one, event)
        elif verb == "reschedule_withdrawn":
            require(event.role == one.asked_by, "another withdrew it", event=event.id)
            self._answered(one, event)
        elif verb in ("reschedule_auto_approved", "reschedule_lapsed", "to_be_scheduled"):
            self._silence(one, event, verb)
        elif verb in ("scheduled", "moved"):  # with its series, which closes its own request
            one.start, one.heard_at = event.new_time, []
            one.asked_by = one.deadline = None
        # Who is there shows it from ten minutes before; all else counts from the start on.
        early = timedelta(minutes=10) if verb == "checked_in" else timedelta(0)
        if event.actor_kind == "person" and one.start and at >= one.start - early:
            one.heard_at.append(at)

    def _ends(self, one: Picture, event: Row[Any]) -> None:
        edge = (event.status_from or "", event.status_to or "")
        require(edge in EDGES, "no such way between states", event=event.id, edge=edge)
        require(one.status == edge[0], "it was in another state", event=event.id, was=one.status)
        require(
            (edge == ("missed", "completed")) == (event.verb == "session.corrected"),
            "a final state was left", event=event.id,
        )  # fmt: skip
        if event.verb == "session.missed" and event.actor_kind == "system":
            assert one.start
            grace = one.start + timedelta(minutes=one.minutes) + POLICY.no_show_grace
            require(event.at >= grace, "missed before the grace", event=event.id)
            said = [at for at in one.heard_at if at >= one.start - timedelta(minutes=10)]
            require(not said, "missed though somebody was heard", event=event.id)
        one.status = edge[1]
        one.asked_by = one.deadline = None

    def _answered(self, one: Picture, event: Row[Any]) -> None:
        if event.verb == "session.reschedule_approved":
            assert event.new_time
            require(event.new_time >= event.at + HOUR, "too soon a time", event=event.id)
            one.start, one.heard_at = event.new_time, []
        one.asked_by = one.deadline = None

    def _silence(self, one: Picture, event: Row[Any], verb: str) -> None:
        require(one.asked_by is not None, "silence after an answer", event=event.id)
        require(
            one.deadline is not None and event.at >= one.deadline,
            "settled before the deadline", event=event.id,
        )  # fmt: skip
        if verb == "reschedule_auto_approved":
            require(one.kind == "standard", "a late request approved by silence", event=event.id)
            assert event.new_time
            require(event.new_time >= event.at + HOUR, "silence chose too soon", event=event.id)
            assert one.start
            require(
                event.at < one.start or one.deadline == one.start or not one.heard_at,
                "approved though they have met", event=event.id,
            )  # fmt: skip
        if verb == "reschedule_lapsed":
            require(event.new_time == one.start, "a lapsed request moved it", event=event.id)
        one.start = event.new_time
        one.asked_by = one.deadline = None

    # The rows

    def _session(self, rows: Connection, session_id: int) -> None:
        row = rows.execute(_SESSION, {"id": session_id}).one()
        one = self.pictures[session_id]
        found = (row.status, row.scheduled_at, row.reschedule_requested_by, row.reschedule_deadline)
        told = (one.status, one.start, one.asked_by, one.deadline)
        require(
            found == told, "the row is not what was told", session=session_id, row=found, told=told
        )
        require(
            row.proposed <= (3 if one.asked_by else 0),
            "times proposed without a request", session=session_id,
        )  # fmt: skip
        require(row.other is None, "two sessions at once", session=session_id, other=row.other)

    def _contract(self, rows: Connection, contract_id: int) -> None:
        row = rows.execute(_CONTRACT, {"id": contract_id}).one()
        require(row.completed_sessions == row.completed, "wrong progress", contract=contract_id)
        require(
            (row.status == "completed") == (row.completed == row.total_sessions),
            "wrongly completed", contract=contract_id,
        )  # fmt: skip

    def _hours(self, rows: Connection, event: Row[Any], hours: Hours | None) -> None:
        """What a student books lies in the hours then in force; buffers bind the coach too."""
        if hours is None:
            return
        start, minutes = event.new_time, event.details["duration_minutes"]
        around = timedelta(minutes=hours.buffer_before + hours.buffer_after)
        near = {
            "id": event.session_id,
            "coach": event.coach_id,
            "first": start - around,
            "last": start + timedelta(minutes=minutes) + around,
        }
        require(not rows.execute(_NEAR, near).scalar(), "inside a buffer", event=event.id)
        if event.role != "student":
            return
        require(are_open(hours, start, minutes, 15), "outside the hours", event=event.id)
        lead = start - event.at
        require(lead >= timedelta(minutes=hours.notice), "too late for the coach", event=event.id)
        require(lead <= timedelta(days=hours.horizon), "too early for the coach", event=event.id)

    # The messages

    def _letter(self, rows: Connection, received: Received) -> None:
        number = int(received.letter.id.rpartition("-")[2])
        one = rows.execute(_DELIVERY, {"id": number}).one()
        require(one.recipient_id == received.to, "sent to another", delivery=one.id)
        if one.kind in (REMINDER, OVERDUE):
            start = self.pictures[one.session_id or 0].start
            require(one.start == start, "reminded of another time", delivery=one.id)
        if one.kind == REMINDER:
            status = self.pictures[one.session_id or 0].status
            assert one.start
            require(status == "scheduled", "reminded of what is over", delivery=one.id)
            require(received.at < one.start, "reminded after the start", delivery=one.id)

    # Everything, at the end

    def at_the_end(self, world: World) -> None:
        """A drained system has nothing due, and everybody was told of everything."""
        require(not list(events.broken_links()), "the chain of events is broken")
        db.session.remove()
        with world.engine.connect() as rows:
            left = rows.execute(_LEFT, {"now": world.now}).one()
            require(not any(left), "something is left", **left._asdict())
            contracts = {one.id: one for one in rows.execute(_CONTRACTS)}
            deliveries = rows.execute(_DELIVERIES).all()
            happened = rows.execute(_FRESH, {"seen": 0}).all()
            for session_id in self.pictures:
                self._session(rows, session_id)
            for contract_id in contracts:
                self._contract(rows, contract_id)
        told = _everything_arrived(world, deliveries)
        planned = {
            (one.session_id, one.start, one.recipient_id, one.channel, one.at)
            for one in deliveries
            if one.kind == REMINDER
        }
        for event in happened:
            if event.contract_id is not None:
                contract = contracts[event.contract_id]
                sides = {"student": contract.student_id, "coach": contract.coach_id}
                _everybody_was_told(world, event, sides, told[event.id])
                _everybody_was_reminded(world, event, sides, planned)


def _everything_arrived(
    world: World, deliveries: Sequence[Row[Any]]
) -> dict[int, set[tuple[int, str]]]:
    """Nothing but what was to be sent; who was told of each event, and on which channel."""
    arrived = Counter(received.letter.id for received in world.post.received)
    told: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for one in deliveries:
        if one.channel == "mail":
            count = arrived.pop(f"delivery-{one.id}", 0)
            deaths = world.post.deaths[f"delivery-{one.id}"]
            if one.status == "sent":
                require(count >= 1, "marked as sent and never sent", delivery=one.id)
            require(count <= 1 + deaths, "sent twice without a crash", delivery=one.id, times=count)
        if one.status == "dropped":
            require(one.kind in ASKING, "news were dropped", delivery=one.id, kind=one.kind)
        require(one.status != "parked", "parked", delivery=one.id, why=one.error)
        if one.event_id is not None:
            told[one.event_id].add((one.recipient_id, one.channel))
    require(not arrived, "messages that nobody knows of", ids=dict(arrived))
    return told


def _everybody_was_told(
    world: World, event: Row[Any], sides: dict[str, int], told: set[tuple[int, str]]
) -> None:
    if event.verb not in news.NEWS or news.told_with_another(event.details):
        return
    doer = sides.get(event.role or "")
    hearing = set(sides.values()) - ({doer} if event.verb not in BOTH else set())
    wanted = {(person, channel) for person in hearing for channel in world.people.channels[person]}
    require(told == wanted, "not told", event=event.id, verb=event.verb)


def _everybody_was_reminded(
    world: World, event: Row[Any], sides: dict[str, int], planned: set[tuple[Any, ...]]
) -> None:
    """For every time that a session was given there stand the reminders that both wish for."""
    if event.new_time is None or event.verb not in PLACING:
        return
    for person in sides.values():
        for ahead, channel in product(
            world.people.reminders[person], world.people.channels[person]
        ):
            due = event.new_time - ahead
            wanted = (event.session_id, event.new_time, person, channel, due)
            require(
                due <= event.at or wanted in planned,
                "no reminder was planned", event=event.id, due=due,
            )  # fmt: skip


PLACING = (
    *("session.booked", "session.scheduled"),
    *("session.reschedule_approved", "session.reschedule_auto_approved", "session.moved"),
)


def live(
    seed: int,
    engine: Engine,
    coaches: int,
    bug: Callable[[], AbstractContextManager[object]] = nullcontext,
    *,
    active: int = ACTIVE,
    recurring: float = 0,
) -> World:
    """Live through half a year, watched; raises ``Violation``, with the seed in its notes."""
    watch = Watch()
    with living(
        seed, engine, coaches=coaches, active=active, recurring=recurring, check=watch
    ) as world:
        try:
            with bug():
                world.run()
            watch.at_the_end(world)
        except BaseException as error:
            error.add_note(f"seed {seed}, {coaches} coaches: step {world.steps}, {world.now}")
            raise
    return world


ASKING = {
    *(REMINDER, OVERDUE, *DIGESTS, news.NOTHING_BOOKED),
    *("session.reschedule_requested", "session.reschedule_countered"),
    *("session.correction_requested", "proposal.sent", "series.move_requested"),
}
BOTH = {"contract.completed"}

_FRESH = text(
    "SELECT id, contract_id, session_id, verb, at, actor_kind, role, status_from, status_to,"
    " new_time, details, (SELECT coach_id FROM contract WHERE id = contract_id) AS coach_id"
    " FROM event WHERE id > :seen ORDER BY id"
).columns(at=UTCDateTime, new_time=UTCDateTime, details=JSON)

_SESSION = text(
    "SELECT status, scheduled_at, reschedule_requested_by, reschedule_deadline,"
    " (SELECT count(*) FROM proposed_time WHERE session_id = one.id) AS proposed,"
    " (SELECT other.id FROM session AS other WHERE other.id <> one.id"
    " AND one.status IN ('scheduled', 'completed') AND other.status IN ('scheduled', 'completed')"
    " AND other.scheduled_at < one.ends_at AND other.ends_at > one.scheduled_at"
    " AND (other.coach_id IN (one.coach_id, one.student_id)"
    " OR other.student_id IN (one.coach_id, one.student_id)) LIMIT 1) AS other"
    " FROM session AS one WHERE id = :id"
).columns(scheduled_at=UTCDateTime, reschedule_deadline=UTCDateTime)

_NEAR = text(
    "SELECT id FROM session WHERE (coach_id = :coach OR student_id = :coach) AND id <> :id"
    " AND status IN ('scheduled', 'completed') AND scheduled_at < :last AND ends_at > :first"
).bindparams(bindparam("first", type_=UTCDateTime), bindparam("last", type_=UTCDateTime))

_CONTRACT = text(
    "SELECT status, total_sessions, completed_sessions, (SELECT count(*) FROM session"
    " WHERE contract_id = contract.id AND status = 'completed') AS completed"
    " FROM contract WHERE id = :id"
)

_CONTRACTS = text("SELECT id, student_id, coach_id FROM contract")

_DELIVERIES = text(
    "SELECT id, kind, channel, recipient_id, event_id, session_id, status, error, start, at"
    " FROM delivery"
).columns(start=UTCDateTime, at=UTCDateTime)
_DELIVERY = text("SELECT id, kind, recipient_id, session_id, start FROM delivery WHERE id = :id")
_DELIVERY = _DELIVERY.columns(start=UTCDateTime)

_LEFT = text(
    "SELECT (SELECT count(*) FROM outbox) AS events, (SELECT count(*) FROM delivery"
    " WHERE status = 'waiting' AND due_at <= :now) AS messages,"
    " (SELECT count(*) FROM session WHERE reschedule_requested) AS requests,"
    " (SELECT count(*) FROM series_request) AS series"
).bindparams(bindparam("now", type_=UTCDateTime))
