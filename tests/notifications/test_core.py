"""From an event to a message: told once, to the right person, at the right time, while true."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from skileez import db, outbox, worker
from skileez.notifications import sending
from skileez.notifications.channels import Failed
from skileez.notifications.models import Delivery, Standing, Wishes
from skileez.notifications.rules import BACKOFF, REMINDER
from skileez.outbox import Waiting
from skileez.sessions import actions
from tests.cast import DAY, HOUR, MINUTE, NOW, WHY, Cast
from tests.notifications.conftest import Post


def pass_time(to: datetime) -> None:
    worker.dispatch(to)
    worker.send(to)


def deliveries(**by: object) -> list[Delivery]:
    db.session.remove()
    return list(db.session.scalars(select(Delivery).filter_by(**by).order_by(Delivery.id)))


def test_the_other_participant_hears_of_a_booking_once(cast: Cast, post: Post) -> None:
    pass_time(NOW - 1 * DAY)
    post.sent.clear()
    cast.book()
    for _ in range(3):
        pass_time(NOW)
    assert post.subjects == [("Jonas Lindqvist", "Amara Okafor booked session 1")]
    letter = post.sent[0][1]
    assert "Please confirm it." in letter.text
    assert "19:00 (New York, GMT-5)" in letter.text
    assert letter.url.startswith("https://sessions.example/sessions/")
    assert not db.session.scalars(select(Waiting)).all()


def test_both_are_reminded_a_day_and_an_hour_before(cast: Cast, post: Post) -> None:
    session = cast.book(60 * HOUR)
    start = NOW + 60 * HOUR
    pass_time(NOW)
    post.sent.clear()
    for step in (timedelta(hours=36) - MINUTE, timedelta(hours=36), 59 * HOUR - MINUTE, 59 * HOUR):
        pass_time(NOW + step)
    reminded = deliveries(kind=REMINDER, channel="mail", session_id=session.id)
    assert {(one.recipient_id, one.sent_at) for one in reminded} == {
        (person.id, start - ahead)
        for person in (cast.student, cast.coach)
        for ahead in (24 * HOUR, HOUR)
    }
    assert len(post.sent) == 4


@pytest.mark.parametrize("change", ["cancel", "move"])
def test_no_reminder_of_a_session_that_moved_or_was_cancelled(
    cast: Cast, post: Post, change: str
) -> None:
    session = cast.book(60 * HOUR)
    pass_time(NOW)
    with db.transaction():
        one = actions.find_any(session.id)
        if change == "cancel":
            one.cancel_session(by="coach", reason=WHY, actor=cast.actor("coach"), now=NOW)
        else:
            one.request_reschedule("student", WHY, actor=cast.actor("student"), now=NOW)
            one.approve_reschedule(
                NOW + 90 * HOUR, by="coach", actor=cast.actor("coach"), now=NOW + MINUTE
            )
    pass_time(NOW + 2 * MINUTE)
    post.sent.clear()
    pass_time(NOW + 60 * HOUR)
    assert not [one for one in post.sent if "starts in" in one[1].subject]
    pass_time(NOW + 89 * HOUR)
    reminded = [name for name, letter in post.sent if "starts in" in letter.subject]
    assert len(reminded) == (0 if change == "cancel" else 4)


def test_a_request_that_was_answered_is_not_asked_any_more(cast: Cast, post: Post) -> None:
    session = cast.book(60 * HOUR)
    pass_time(NOW)
    with db.transaction():
        actions.find_any(session.id).request_reschedule(
            "student", WHY, actor=cast.actor("student"), now=NOW
        )
    worker.dispatch(NOW)
    with db.transaction():
        actions.find_any(session.id).withdraw_reschedule(
            "student", actor=cast.actor("student"), now=NOW + MINUTE
        )
    post.sent.clear()
    pass_time(NOW + 2 * MINUTE)
    assert [letter.subject for _, letter in post.sent] == [
        "Amara Okafor no longer asks to move session 1"
    ]


def test_a_failure_is_tried_again_along_the_list_and_then_parked(cast: Cast, post: Post) -> None:
    pass_time(NOW - 1 * DAY)
    cast.book()
    post.fails = Failed("the mail server is away")
    now = NOW
    pass_time(now)
    for wait in BACKOFF:
        (one,) = deliveries(kind="session.booked", channel="mail")
        assert (one.status, one.due_at) == (Standing.WAITING, now + wait)
        now += wait
        pass_time(now)
    (one,) = sending.parked()
    assert one.error == "the mail server is away"
    post.fails = None
    post.sent.clear()
    with db.transaction():
        assert sending.send_again(now, one.id) == 1
    pass_time(now)
    assert len(post.sent) == 1


def test_one_that_can_never_arrive_is_parked_at_once(cast: Cast, post: Post) -> None:
    pass_time(NOW - 1 * DAY)
    cast.book()
    post.fails = Failed("550 no such user", for_good=True)
    pass_time(NOW)
    assert [one.kind for one in sending.parked()] == ["session.booked"]


def test_a_lease_that_ran_out_is_taken_over(cast: Cast, post: Post) -> None:
    cast.book()
    worker.dispatch(NOW)
    mine = sending.claim(NOW, 50)
    assert mine
    assert sending.claim(NOW + MINUTE, 50) == []
    assert sending.claim(NOW + sending.LEASE, 50) == mine


def test_quiet_hours_delay_a_message_and_bring_a_reminder_forward(cast: Cast, post: Post) -> None:
    with db.transaction():
        # 12:00 UTC is 07:00 in New York.
        wishes = Wishes(person_id=cast.coach.id, quiet_from=6 * 60, quiet_to=9 * 60)
        db.session.add(wishes)
    cast.book(25 * HOUR)  # at 08:00 in New York
    pass_time(NOW)
    kinds = {one.kind: one.due_at for one in deliveries(channel="mail", recipient_id=cast.coach.id)}
    assert kinds["session.booked"] == NOW + 2 * HOUR
    hour_before = max(
        one.due_at for one in deliveries(channel="mail", recipient_id=cast.coach.id, kind=REMINDER)
    )
    assert hour_before == NOW + 23 * HOUR


def test_a_session_that_moves_away_and_back_is_reminded_of(cast: Cast, post: Post) -> None:
    with db.transaction():
        # A reminder at 07:00 in New York comes at 06:00: after 09:00 would be too late.
        db.session.add(Wishes(person_id=cast.coach.id, quiet_from=6 * 60, quiet_to=9 * 60))
    session = cast.book(73 * HOUR)  # at 08:00 in New York
    pass_time(NOW)
    early = NOW + 71 * HOUR

    def move(to: datetime, now: datetime) -> None:
        with db.transaction():
            found = actions.find_for(cast.actor("student"), session.id)
            found.request_reschedule(
                "student", WHY, proposed_times=[to], actor=cast.actor("student"), now=now
            )
            found.approve_reschedule(to, by="coach", actor=cast.actor("coach"), now=now)

    move(NOW + 90 * HOUR, NOW + 40 * HOUR)
    pass_time(early)
    post.sent.clear()
    move(NOW + 73 * HOUR, early + MINUTE)
    pass_time(early + MINUTE)
    assert [to for to, subject in post.subjects if "starts in" in subject] == ["Jonas Lindqvist"]


def test_an_event_that_fails_waits_and_holds_up_no_other(cast: Cast, post: Post) -> None:
    cast.book(60 * HOUR)
    cast.book(70 * HOUR)
    seen: list[int] = []

    def fails_once(event: object, now: datetime) -> None:
        seen.append(event.id)
        if len(seen) == 1:
            raise ValueError("no such template")

    outbox.dispatch(fails_once, NOW)
    (left,) = db.session.scalars(select(Waiting))
    assert (left.event_id, left.failures, left.error) == (
        seen[0],
        1,
        "ValueError: no such template",
    )


def test_a_coach_gets_a_digest_on_each_morning_with_a_session(cast: Cast, post: Post) -> None:
    post.digests = True
    cast.book(26 * HOUR, by="coach")  # Tuesday 09:00 in New York
    for hour in range(0, 8 * 24, 3):
        pass_time(NOW + hour * HOUR)
    digests = [letter for _, letter in post.sent if "session" in letter.subject.split(":")[-1]]
    assert [letter.subject for letter in digests if ":" in letter.subject] == ["Today: one session"]
    waiting = {one.kind for one in deliveries(status="waiting")}
    assert {"digest.daily", "digest.weekly"} <= waiting
