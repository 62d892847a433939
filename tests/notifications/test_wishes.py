"""What somebody chooses about being told, and that what waits to be sent follows it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from skileez import db, events, worker
from skileez.accounts import actions as accounts
from skileez.errors import NotFound, Refused
from skileez.notifications import unsubscribing, wishes
from skileez.notifications.models import Delivery, Wishes
from skileez.notifications.rules import DAILY, OVERDUE, REMINDER, REMINDERS, WEEKLY
from skileez.notifications.wishes import Choice
from tests.cast import DAY, HOUR, MINUTE, NOW, Cast
from tests.notifications.conftest import Post


class Asked(Post):
    """In place of mail, and as careful about digests."""

    def wanted(self, kind: str, wishes: Wishes) -> bool:
        if kind in (DAILY, WEEKLY):
            return wishes.daily if kind == DAILY else wishes.weekly
        return wishes.mail


@pytest.fixture
def post(post: Post) -> Post:
    from skileez.notifications import channels

    channels.add(asked := Asked())
    return asked


def choose(cast: Cast, name: str = "coach", **chosen: object) -> None:
    with db.transaction():
        person = getattr(cast, name).id
        wishes.choose(person, replace(wishes.of(person), **chosen), NOW)  # type: ignore[arg-type]
    db.session.remove()


def waiting(cast: Cast, kind: str, name: str = "coach") -> list[Delivery]:
    return list(
        db.session.scalars(
            select(Delivery)
            .filter_by(kind=kind, channel="mail", status="waiting")
            .where(Delivery.recipient_id == getattr(cast, name).id)
            .order_by(Delivery.due_at)
        )
    )


def told(cast: Cast) -> list[events.Event]:
    return list(
        db.session.scalars(
            select(events.Event).where(events.Event.verb == "person.notifications_changed")
        )
    )


def test_whoever_never_chose_wants_the_defaults(cast: Cast) -> None:
    assert wishes.of(cast.coach.id) == Choice()
    assert tuple(Choice().reminders) == REMINDERS


def test_a_choice_is_kept_and_told_with_what_changed(cast: Cast, post: Post) -> None:
    choose(cast, reminders=(15, 60, 15), quiet_from=22 * 60, quiet_to=7 * 60)
    assert wishes.of(cast.coach.id) == Choice(
        reminders=(60, 15), quiet_from=22 * 60, quiet_to=7 * 60
    )
    (event,) = told(cast)
    assert (event.stream, event.actor_id) == (f"person:{cast.coach.id}", cast.coach.id)
    assert event.details == {
        "reminders": [[1440, 60], [60, 15]],
        "quiet_from": [None, 1320],
        "quiet_to": [None, 420],
    }


def test_choosing_what_is_chosen_changes_nothing(cast: Cast, post: Post) -> None:
    choose(cast)
    assert told(cast) == []
    assert db.session.get(Wishes, cast.coach.id) is None


REFUSED = [
    ({"reminders": (61,)}, "reminder_unknown"),
    ({"quiet_from": 60}, "quiet_half"),
    ({"quiet_from": 60, "quiet_to": 60}, "quiet_all_day"),
    ({"quiet_from": 60, "quiet_to": 1440}, "quiet_no_clock"),
]


def test_what_a_rule_refuses_is_not_kept(cast: Cast, post: Post) -> None:
    for chosen, code in REFUSED:
        with pytest.raises(Refused) as refused:
            choose(cast, **chosen)  # type: ignore[arg-type]
        assert refused.value.code == code
    assert wishes.of(cast.coach.id) == Choice()
    assert told(cast) == []


def test_nobody_chooses_for_nobody(cast: Cast, post: Post) -> None:
    with pytest.raises(NotFound), db.transaction():
        wishes.choose(10_000, Choice(mail=False), NOW)


def test_other_reminders_are_planned_at_once(cast: Cast, post: Post) -> None:
    cast.book(60 * HOUR)
    worker.dispatch(NOW)
    choose(cast, reminders=(48 * 60, 30))
    due = [one.due_at for one in waiting(cast, REMINDER)]
    assert due == [NOW + 12 * HOUR, NOW + 60 * HOUR - 30 * MINUTE]
    choose(cast, reminders=())
    assert waiting(cast, REMINDER) == []
    assert len(waiting(cast, REMINDER, "student")) == 2
    choose(cast, reminders=REMINDERS)
    assert len(waiting(cast, REMINDER)) == 2


def test_without_mail_nothing_that_waits_is_mailed(cast: Cast, post: Post) -> None:
    cast.book(60 * HOUR)
    worker.dispatch(NOW)
    assert waiting(cast, "session.booked")
    choose(cast, mail=False)
    assert waiting(cast, "session.booked") == waiting(cast, REMINDER) == []
    in_app = select(Delivery).filter_by(kind=REMINDER, channel="app", status="waiting")
    assert len(list(db.session.scalars(in_app.filter_by(recipient_id=cast.coach.id)))) == 2


def test_whoever_wants_mail_again_is_reminded_and_asked_how_it_went(cast: Cast, post: Post) -> None:
    cast.book(60 * HOUR)
    choose(cast, "student", mail=False)
    worker.dispatch(NOW)
    choose(cast, mail=False)
    for name in ("coach", "student"):
        assert waiting(cast, OVERDUE, name) == waiting(cast, REMINDER, name) == []
        choose(cast, name, mail=True)
        assert len(waiting(cast, REMINDER, name)) == 2
        assert len(waiting(cast, OVERDUE, name)) == 1


def test_a_digest_ends_with_one_press_and_comes_back_when_chosen(cast: Cast, post: Post) -> None:
    worker.dispatch(NOW)
    assert len(waiting(cast, DAILY)) == len(waiting(cast, WEEKLY)) == 1
    for _ in range(2):
        with db.transaction():
            wishes.unsubscribe(cast.coach.id, DAILY, NOW)
    assert waiting(cast, DAILY) == []
    assert len(waiting(cast, WEEKLY)) == 1
    assert wishes.of(cast.coach.id) == Choice(daily=False)
    assert len(told(cast)) == 1
    choose(cast, daily=True)
    (one,) = waiting(cast, DAILY)
    assert NOW < one.due_at <= NOW + DAY


def test_whoever_coaches_nobody_gets_no_digests(cast: Cast, post: Post) -> None:
    worker.dispatch(NOW)
    choose(cast, "student", reminders=(15,))
    assert waiting(cast, DAILY, "student") == []
    assert wishes.gets_digests(cast.coach)
    assert not wishes.gets_digests(cast.student)


def test_whoever_lives_in_another_zone_is_told_on_their_new_clock(cast: Cast, post: Post) -> None:
    cast.book(60 * HOUR)
    worker.dispatch(NOW)
    choose(cast, quiet_from=22 * 60, quiet_to=7 * 60)
    before = [one.due_at.hour for one in waiting(cast, DAILY)]
    with db.transaction():
        accounts.update_profile(
            cast.coach.id, display_name=cast.coach.display_name, zone="Asia/Kathmandu", now=NOW
        )
    worker.dispatch(NOW)
    db.session.remove()
    after = [(one.due_at.hour, one.due_at.minute) for one in waiting(cast, DAILY)]
    # Seven in New York is 12:00 UTC, in Kathmandu 01:15.
    assert (before, after) == ([12], [(1, 15)])
    # Due a day before, at midnight UTC: 05:45 there, which is in the quiet hours.
    assert waiting(cast, REMINDER)[0].due_at == NOW + 37 * HOUR + 15 * MINUTE


def test_a_letter_of_a_digest_leads_to_its_end(cast: Cast, post: Post) -> None:
    unsubscribing.configure("a key of this test")
    cast.book(26 * HOUR, by="coach")
    for hour in range(0, 48, 6):
        worker.dispatch(NOW + timedelta(hours=hour))
        worker.send(NOW + timedelta(hours=hour))
    (link,) = {letter.unsubscribe for _, letter in post.sent if letter.unsubscribe}
    start = "https://sessions.example/unsubscribe/"
    assert link
    assert link.startswith(start)
    assert unsubscribing.read(link.removeprefix(start)) == (cast.coach.id, DAILY)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: f"{token}x",
        lambda token: token.replace("daily", "weekly"),
        lambda token: f"9{token}",
        lambda token: "",
        lambda token: "..",
        lambda token: "ä",
    ],
)
def test_no_other_link_ends_anything(spoil) -> None:  # type: ignore[no-untyped-def]
    unsubscribing.configure("a key of this test")
    token = unsubscribing.path(7, DAILY).removeprefix("/unsubscribe/")
    assert unsubscribing.read(token) == (7, DAILY)
    with pytest.raises(NotFound):
        unsubscribing.read(spoil(token))
    unsubscribing.configure("another key")
    with pytest.raises(NotFound):
        unsubscribing.read(token)
