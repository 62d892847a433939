"""What both are told when the rules of a zone change."""

from datetime import datetime

from sqlalchemy import update

from skileez import db
from skileez.notifications.models import Delivery, Standing
from skileez.sessions import refresh
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, NOW, Cast
from tests.notifications.conftest import Post
from tests.worker.stage import drain


def test_both_hear_of_it_and_are_reminded_of_the_new_start(cast: Cast, post: Post) -> None:
    session = cast.book(60 * HOUR)
    drain(NOW)
    post.sent.clear()
    assert session.wall_at
    earlier = datetime.fromisoformat(session.wall_at) - HOUR
    with db.transaction():  # as if it were agreed by other rules
        db.session.execute(update(Session).values(wall_at=f"{earlier:%Y-%m-%dT%H:%M}"))
    refresh.run(NOW + HOUR)
    drain(NOW + HOUR)
    subject = f"Session 1 stays at {earlier:%H:%M} in Europe/Berlin"
    assert sorted(post.subjects) == [("Amara Okafor", subject), ("Jonas Lindqvist", subject)]
    drain(NOW + 35 * HOUR)
    waiting = Delivery.query.filter_by(kind="session.reminder", status=Standing.SENT).all()
    assert {(one.start, one.at) for one in waiting} == {(NOW + 59 * HOUR, NOW + 59 * HOUR - DAY)}


def test_both_hear_once_of_a_time_that_is_taken(cast: Cast, post: Post) -> None:
    session, _other = cast.book(60 * HOUR), cast.book(59 * HOUR)
    drain(NOW)
    post.sent.clear()
    assert session.wall_at
    earlier = datetime.fromisoformat(session.wall_at) - HOUR
    with db.transaction():
        session.wall_at = f"{earlier:%Y-%m-%dT%H:%M}"
        db.session.merge(session)
    for _twice in range(2):
        refresh.run(NOW + HOUR)
        drain(NOW + HOUR)
    subject = f"Session 1 cannot be at {earlier:%H:%M} any more"
    assert sorted(post.subjects) == [("Amara Okafor", subject), ("Jonas Lindqvist", subject)]
