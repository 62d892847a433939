"""Known bugs, each planted by itself to see that the simulation would have caught it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from unittest import mock

from sqlalchemy import text

from skileez import db, outbox, reactions
from skileez.availability.slots import Against, Opening
from skileez.availability.stretches import merged
from skileez.contracts.models import Contract
from skileez.notifications import about, outgoing, rules, sending
from skileez.notifications.models import Standing
from skileez.sessions import (
    actions,
    meeting,
    outcome_rules,
    reschedule_rules,
    rescheduling,
    series_rules,
)
from skileez.sessions import rules as session_rules
from skileez.sessions.reschedule_rules import Silence
from skileez.sessions.row import SessionRow

Bug = Callable[[], Any]


@contextmanager
def anybody_may_be_booked_twice() -> Iterator[None]:
    """The code forgets to look, and the database's guard is off."""
    with db.transaction() as session:
        names = session.execute(
            text(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'booked_time'"
            )
        ).scalars()
        for name in list(names):
            session.execute(text(f"DROP TRIGGER {name}"))

    right = meeting.refusals

    def nobody_is(*told: Any, **named: Any) -> list[Any]:
        found = right(*told, **named)
        return [None if one and one.code in ("time_taken", "buffer") else one for one in found]

    def none(coach: int, student: int, starts: Any, *told: Any, **named: Any) -> list[None]:
        return [None] * len(starts)

    with (
        mock.patch.object(meeting, "refusals", nobody_is),
        mock.patch.object(meeting, "taken", none),
    ):
        yield


def silence_approves_late_requests() -> Any:
    right = reschedule_rules.settle_silence

    def wrong(facts: Any, free: Any, now: datetime, policy: Any, **told: Any) -> Any:
        if facts.pending and facts.pending.kind == "late" and free:
            return Silence.APPROVED, free[0]
        return right(facts, free, now, policy, **told)

    return mock.patch.object(reschedule_rules, "settle_silence", wrong)


def silence_chooses_a_time_too_soon() -> Any:
    def wrong(facts: Any, free: Any, now: datetime, policy: Any, **told: Any) -> Any:
        if facts.pending is None or facts.pending.kind == "late" or not free:
            return Silence.LAPSED, None
        return Silence.APPROVED, min(free)

    return mock.patch.object(reschedule_rules, "settle_silence", wrong)


@contextmanager
def requests_are_settled_before_their_deadline() -> Iterator[None]:
    right = actions.due_requests

    def early(now: datetime, limit: int = 1000) -> list[int]:
        return right(now + timedelta(hours=3), limit)

    with (
        mock.patch.object(actions, "due_requests", early),
        mock.patch.object(
            reschedule_rules,
            "is_answer_due",
            lambda facts, now: (
                facts.pending is not None and facts.pending.deadline <= now + timedelta(hours=3)
            ),
        ),
    ):
        yield


@contextmanager
def no_shows_are_counted_from_the_start() -> Iterator[None]:
    right = actions.due_no_shows

    def wrong(facts: Any, now: datetime, policy: Any, *, communicated: bool) -> bool:
        return bool(
            facts.status == "scheduled"
            and facts.start
            and now >= facts.start + policy.no_show_grace
            and facts.pending is None
            and not communicated
        )

    with (
        mock.patch.object(outcome_rules, "is_no_show_due", wrong),
        mock.patch.object(
            actions,
            "due_no_shows",
            lambda now, policy, limit=1000: right(now + timedelta(hours=1.5), policy, limit),
        ),
    ):
        yield


@contextmanager
def nobody_is_heard() -> Iterator[None]:
    """A check-in does not keep a session from being marked missed."""

    def every(now: datetime, policy: Any, limit: int = 1000) -> list[int]:
        return list(
            db.session.execute(
                text("SELECT id FROM session WHERE status = 'scheduled' AND ends_at IS NOT NULL")
            ).scalars()
        )

    with (
        mock.patch.object(actions, "due_no_shows", every),
        mock.patch.object(SessionRow, "has_communicated", False),
    ):
        yield


def requesters_may_answer_themselves() -> Any:
    return mock.patch.object(
        reschedule_rules,
        "may_answer",
        lambda facts, role, now: None if facts.pending else session_rules.refuse_stranger(""),
    )


def progress_is_not_counted() -> Any:
    return mock.patch.object(Contract, "count_completed", return_value=None)


def a_counter_keeps_the_old_deadline() -> Any:
    right = rescheduling.Rescheduling._ask

    def wrong(self: Any, by: Any, kind: Any, reason: Any, times: Any, now: Any, policy: Any) -> Any:
        before = self.reschedule_deadline
        right(self, by, kind, reason, times, now, policy)
        self.reschedule_deadline = before or self.reschedule_deadline

    return mock.patch.object(rescheduling.Rescheduling, "_ask", wrong)


def a_decline_is_not_told() -> Any:
    right = SessionRow.say

    def wrong(self: Any, verb: str, **told: Any) -> None:
        if verb != "session.reschedule_declined":
            right(self, verb, **told)

    return mock.patch.object(SessionRow, "say", wrong)


def reminders_are_not_looked_at_again() -> Any:
    return mock.patch.object(about, "is_wanted", return_value=True)


def a_failed_message_is_marked_as_sent() -> Any:
    def wrong(delivery: Any, failure: Any, now: datetime) -> str:
        delivery.status, delivery.sent_at, delivery.lease_until = Standing.SENT, now, None
        return "sent"

    return mock.patch.object(sending, "_failed", wrong)


def an_event_is_taken_before_it_is_acted_upon() -> Any:
    """The row leaves the outbox in a transaction of its own, and a crash loses what follows."""

    def wrong(react: Any, now: datetime, *, limit: int = 200) -> int:
        with db.transaction():
            rows = db.session.query(outbox.Waiting).filter(outbox.Waiting.due_at <= now).all()
            taken = [one.event_id for one in rows]
            for one in rows:
                db.session.delete(one)
        for event_id in taken:
            with db.transaction():
                react(db.session.get_one(outbox.Event, event_id), now)
        return len(taken)

    return mock.patch.object(outbox, "dispatch", wrong)


def the_one_who_did_it_is_told() -> Any:
    right = rules.audience

    def wrong(verb: str, role: str | None) -> tuple[str, ...]:
        hearing = right(verb, role)
        return (str(role),) if len(hearing) == 1 and role in ("student", "coach") else hearing

    return mock.patch.object(rules, "audience", wrong)


def a_move_plans_no_reminders_anew() -> Any:
    right = outgoing.plan

    def wrong(event: Any, now: datetime) -> None:
        if event.verb == "session.booked":
            right(event, now)

    return mock.patch.object(reactions, "HANDLERS", (outgoing.tell, wrong))


def students_may_book_at_any_hour() -> Any:
    return mock.patch.object(meeting, "against", return_value=Against.TAKEN)


def buffers_are_forgotten() -> Any:
    return mock.patch.object(Opening, "_apart", lambda self, sessions: merged(sessions))


def offers_forget_what_is_taken() -> Any:
    return mock.patch.object(Opening, "_blocked", [])


def who_asked_may_move_the_series() -> Any:
    right = series_rules.may_answer_move

    def wrong(facts: Any, role: str, now: datetime) -> Any:
        found = right(facts, role, now)
        return None if found and found.code == "own_request" else found

    return mock.patch.object(series_rules, "may_answer_move", wrong)


def silence_moves_a_series_at_late_notice() -> Any:
    def wrong(pending: Any, *, all_free: bool) -> Silence:
        return Silence.APPROVED if all_free else Silence.LAPSED

    return mock.patch.object(series_rules, "settle_move", wrong)


def a_series_moves_without_its_sessions_being_told() -> Any:
    right = SessionRow.say

    def wrong(one: Any, verb: str, **told: Any) -> Any:
        return None if verb == "session.moved" else right(one, verb, **told)

    return mock.patch.object(SessionRow, "say", wrong)


BUGS: Final[dict[Bug, int]] = {
    anybody_may_be_booked_twice: 27,
    silence_approves_late_requests: 15,
    silence_chooses_a_time_too_soon: 13,
    requests_are_settled_before_their_deadline: 15,
    no_shows_are_counted_from_the_start: 2,
    nobody_is_heard: 21,
    requesters_may_answer_themselves: 20,
    progress_is_not_counted: 2,
    a_counter_keeps_the_old_deadline: 4,
    a_decline_is_not_told: 22,
    reminders_are_not_looked_at_again: 12,
    a_failed_message_is_marked_as_sent: 5,
    an_event_is_taken_before_it_is_acted_upon: 2,
    the_one_who_did_it_is_told: 1,
    a_move_plans_no_reminders_anew: 10,
    students_may_book_at_any_hour: 14,
    buffers_are_forgotten: 22,
    offers_forget_what_is_taken: 22,
}
"""Each bug, and the seed from which on it is looked for: one that shows it early."""
SERIES_BUGS: Final[dict[Bug, int]] = {
    who_asked_may_move_the_series: 32,
    silence_moves_a_series_at_late_notice: 19,
    a_series_moves_without_its_sessions_being_told: 16,
}
"""The same of series: they need half years in which sessions recur."""
