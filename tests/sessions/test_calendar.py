"""What stands in a calendar: my sessions whole, and of a coach's others only that time is taken."""

from skileez import db
from skileez.availability.models import TimeOff
from skileez.sessions import actions, calendar
from skileez.sessions.calendar import What
from tests import cast as people
from tests.cast import DAY, HOUR, NOW, WHY, Cast
from tests.sessions.stage import at


def test_one_query_finds_what_is_mine_and_when_the_coach_is_taken(cast: Cast) -> None:
    mine = cast.book(60 * HOUR)
    cast.book(40 * DAY)
    with db.transaction() as session:
        coach, stranger = session.merge(cast.coach), session.merge(cast.stranger)
        theirs = people.contract(coach, stranger, 4)
        who = cast.actor("stranger")
        other = actions.book(theirs, at(70), by="student", actor=who, now=NOW)
        other.request_reschedule("student", WHY, proposed_times=[at(80)], actor=who, now=NOW)
        one = actions.find_for(cast.actor("student"), mine.id)
        me = cast.actor("student")
        one.request_reschedule("student", WHY, proposed_times=[at(90)], actor=me, now=NOW)
        session.add(
            TimeOff(
                coach_id=coach.id,
                starts_at=NOW - DAY,
                ends_at=at(1),
                zone="UTC",
                wall_start="",
                wall_end="",
                created_at=NOW,
            )
        )

    def seen(name: str) -> list[tuple[What, object, object, int | None]]:
        person = getattr(cast, name)
        found = calendar.between(person.id, cast.coach.id, NOW, NOW + 7 * DAY)
        return [(one.what, one.starts, one.ends, one.line and one.line.id) for one in found]

    away = (What.AWAY, NOW - DAY, at(1), None)
    assert seen("student") == [
        away,
        (What.SESSION, at(60), at(61), mine.id),
        (What.BUSY, at(70), at(71), None),
        (What.BUSY, at(80), at(81), None),
        (What.PROPOSED, at(90), at(91), mine.id),
    ]
    assert [what for what, *_rest in seen("coach")] == [
        What.AWAY,
        *[What.SESSION] * 2,
        *[What.PROPOSED] * 2,
    ]
    db.session.rollback()
