"""Days away: the sessions they fall on, the question to each student, and the board."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest

from skileez import db, events
from skileez.availability import days_away
from skileez.availability.models import Availability, TimeOff
from skileez.availability.rules import Hours, Stay
from skileez.errors import NotFound, Refused
from skileez.events import Event
from skileez.sessions import absence, actions
from skileez.sessions.absence import AbsenceAsk, Answer
from skileez.sessions.models import Session
from tests import cast as casting
from tests.cast import DAY, HOUR, NOW, WHY, Cast
from tests.sessions.stage import at, do

# NOW is Monday 2 March 2026, 07:00 in New York, where the coach lives.
THURSDAY, FRIDAY = date(2026, 3, 5), date(2026, 3, 6)


def go(cast: Cast, first: date = THURSDAY, last: date = FRIDAY, **told: object) -> TimeOff:
    with db.transaction():
        return days_away.add(cast.actor("coach"), first, last, now=NOW, **told)  # type: ignore[arg-type]


def set_hours(cast: Cast, hours: Hours) -> None:
    with db.transaction():
        row = Availability(coach_id=cast.coach.id, changed_at=NOW)
        row.take(hours)
        db.session.add(row)


def falling(cast: Cast, away: TimeOff, now: datetime = NOW) -> list[int]:
    return [line.id for line in absence.affected(cast.coach.id, away.starts_at, away.ends_at, now)]


def ask(
    cast: Cast, away: TimeOff | None, *asked: tuple[Session, Sequence[datetime]], **told: object
) -> list[str | None]:
    """The codes with which the questions were refused; None for those asked."""
    done = absence.ask_to_move(
        cast.actor(str(told.get("who", "coach"))),
        {session.id: times for session, times in asked},
        str(told.get("reason", WHY)),
        NOW,
        away and away.id,
    )
    return [one.refusal and one.refusal.code for one in done]


def answers(away: TimeOff, now: datetime = NOW) -> list[Answer]:
    db.session.expire_all()
    return [one.answer for one in absence.board(away, now)]


# Being away


def test_days_away_are_kept_as_instants_and_as_they_were_said(cast: Cast) -> None:
    away = go(cast, reason="  A wedding  ")
    assert (away.zone, away.wall_start, away.wall_end, away.reason) == (
        "America/New_York",
        "2026-03-05T00:00",
        "2026-03-07T00:00",
        "A wedding",
    )
    assert (away.starts_at, away.ends_at) == (NOW + 65 * HOUR, NOW + 113 * HOUR)
    with db.transaction():
        days_away.remove(cast.actor("coach"), away.id, now=NOW + HOUR)
    assert TimeOff.query.count() == 0
    said = Event.query.filter_by(stream=f"availability:{cast.coach.id}").order_by(Event.id).all()
    assert [(one.verb, one.reason, one.details["from"]) for one in said] == [
        ("availability.away_added", "A wedding", "2026-03-05T00:00"),
        ("availability.away_removed", "A wedding", "2026-03-05T00:00"),
    ]
    assert list(events.broken_links()) == []


def test_the_days_are_those_of_the_hours_zone_and_may_be_parts(cast: Cast) -> None:
    set_hours(cast, Hours("Asia/Tokyo", weekly={3: [(0, 1440)]}))
    away = go(cast, THURSDAY, THURSDAY, begins=time(14), ends=time(17, 30))
    assert (away.starts_at, away.ends_at) == (NOW + 65 * HOUR, NOW + 68.5 * HOUR)


def test_days_of_a_stay_elsewhere_are_that_zones_and_stand_alone(cast: Cast) -> None:
    stay = Stay("Asia/Kathmandu", THURSDAY, FRIDAY)
    set_hours(cast, Hours("UTC", weekly={3: [(0, 1440)]}, stays=(stay,)))
    with pytest.raises(Refused) as refused:
        go(cast, FRIDAY, date(2026, 3, 7))
    assert refused.value.code == "time_off_in_two_zones"
    away = go(cast)
    assert (away.zone, away.starts_at) == ("Asia/Kathmandu", NOW + 54.25 * HOUR)


def test_what_overlaps_is_over_or_ends_first_is_refused_and_nothing_is_left(cast: Cast) -> None:
    go(cast)
    for first, last, code in [
        (FRIDAY, date(2026, 3, 9), "time_off_overlaps"),
        (date(2026, 2, 1), date(2026, 2, 2), "time_off_over"),
        (date(2026, 4, 2), date(2026, 4, 1), "time_off_ends_first"),
        (date(2026, 4, 2), date(2028, 4, 1), "time_off_too_long"),
        (date.max, date.max, "time_out_of_range"),
    ]:
        with pytest.raises(Refused) as refused:
            go(cast, first, last)
        assert refused.value.code == code, refused.value
    go(cast, date(2026, 3, 7), date(2026, 3, 7))
    assert TimeOff.query.count() == 2


def test_only_a_coach_is_away_and_only_from_their_own(cast: Cast) -> None:
    away = go(cast)
    for who in ("student", "stranger", "admin"):
        with pytest.raises(NotFound), db.transaction():
            days_away.add(cast.actor(who), THURSDAY, FRIDAY, now=NOW)
        with pytest.raises(NotFound), db.transaction():
            days_away.remove(cast.actor(who), away.id, now=NOW)
    assert TimeOff.query.count() == 1


# The sessions in the way


def test_sessions_that_touch_the_days_are_in_the_way_and_others_are_not(cast: Cast) -> None:
    before = cast.book(64 * HOUR)
    within = cast.book(65 * HOUR)
    last = cast.book(112.5 * HOUR)
    after = cast.book(113.5 * HOUR)
    away = go(cast)
    assert falling(cast, away) == [within.id, last.id]
    assert falling(cast, away, now=NOW + 66 * HOUR) == [last.id]
    do(cast, last, "coach", lambda one: one.cancel_session(by="coach", reason=WHY, now=NOW))
    assert falling(cast, away) == [within.id]
    assert {before.id, after.id}.isdisjoint(falling(cast, away))


def test_each_is_offered_free_times_and_no_two_the_same(cast: Cast) -> None:
    with db.transaction():
        other = casting.contract(cast.coach, cast.stranger, 2)
    # Two students, one after the other; Mondays are all that is left, three hours of each.
    set_hours(
        cast,
        Hours("UTC", weekly={0: [(720, 900)], 3: [(0, 1440)]}, buffer_after=15),
    )
    one = cast.book(72 * HOUR)
    two = cast.book(74 * HOUR, contract=other, by="stranger")
    away = go(cast, THURSDAY, THURSDAY)
    lines = absence.affected(cast.coach.id, away.starts_at, away.ends_at, NOW)
    offered = absence.offers(cast.coach.id, lines, NOW, until=away.ends_at)
    assert [len(offered[session.id]) for session in (one, two)] == [3, 3]
    apart = timedelta(minutes=75)
    for mine in offered[one.id]:
        assert mine.weekday() in (0, 3)
        assert not away.starts_at <= mine < away.ends_at
        assert mine >= NOW + 25 * HOUR
        assert all(abs(mine - theirs) >= apart for theirs in offered[two.id])
    assert ask(cast, away, *((one_, offered[one_.id]) for one_ in (one, two))) == [None, None]
    for session in (one, two):
        with db.transaction():
            found = actions.find_any(session.id)
            found.approve_reschedule(offered[session.id][0], by="student", now=NOW)
    assert answers(away) == [Answer.MOVED, Answer.MOVED]


def test_where_there_is_one_slot_the_sooner_session_has_it(cast: Cast) -> None:
    set_hours(cast, Hours("UTC", weekly={3: [(600, 960)], 4: [(600, 660)]}, horizon=11))
    one, two = cast.book(72 * HOUR), cast.book(74 * HOUR)
    away = go(cast, THURSDAY, THURSDAY)
    # What is left within the horizon: the Fridays 6 and 13 March at 10:00, Thursday the 12th.
    lines = absence.affected(cast.coach.id, away.starts_at, away.ends_at, NOW)
    offered = absence.offers(cast.coach.id, lines, NOW, until=away.ends_at)
    everything = [time for times in offered.values() for time in times]
    assert len(everything) == len(set(everything))
    assert set(offered) == {one.id, two.id}
    set_all = Hours("UTC", weekly={3: [(600, 960)]}, horizon=5)
    with db.transaction():
        db.session.get_one(Availability, cast.coach.id).take(set_all)
    assert absence.offers(cast.coach.id, lines, NOW, until=away.ends_at) == {one.id: [], two.id: []}


# Asking


def test_one_press_asks_each_and_a_refused_one_stops_no_other(cast: Cast) -> None:
    near, asked, fine = cast.book(9 * HOUR), cast.book(70 * HOUR), cast.book(72 * HOUR)
    away = go(cast, date(2026, 3, 2), FRIDAY)
    with db.transaction():
        actions.find_any(asked.id).request_reschedule("student", WHY, now=NOW)
    new = (at(200),)
    codes = ask(cast, away, (near, new), (asked, new), (fine, new))
    assert codes == ["notice_too_short", "request_pending", None]
    one = db.session.get(Session, fine.id, populate_existing=True)
    assert one
    assert (one.reschedule_requested_by, one.reschedule_kind) == ("coach", "standard")
    assert (one.reschedule_reason, one.proposed_times) == (WHY, new)
    assert [row.session_id for row in AbsenceAsk.query] == [fine.id]
    places = absence.board(away, NOW)
    assert [one.answer for one in places] == [Answer.OPEN, Answer.THEIRS, Answer.WAITING]
    assert [one.may_ask for one in places] == [False, False, False]
    assert places[0].why_not
    # Pressed again, it is asked once.
    assert ask(cast, away, (fine, new)) == ["request_pending"]


def test_what_is_not_ones_own_is_not_there_and_nobody_is_asked(cast: Cast) -> None:
    mine = cast.book(70 * HOUR)
    with db.transaction():
        elsewhere = casting.contract(casting.person("coach2"), cast.coach, 1)
    other = cast.book(72 * HOUR, contract=elsewhere, by="coach")
    away = go(cast)
    new = (at(200),)
    with pytest.raises(NotFound):  # there the coach is the student
        ask(cast, away, (mine, new), (other, new))
    with pytest.raises(NotFound):
        ask(cast, away, (mine, new), who="student")
    with pytest.raises(NotFound):
        absence.ask_to_move(cast.actor("coach"), {mine.id: new}, WHY, NOW, away.id + 7)
    with pytest.raises(Refused) as refused:
        ask(cast, away, (mine, new), reason="short")
    assert refused.value.code == "reason_too_short"
    assert answers(away) == [Answer.OPEN]
    assert falling(cast, away) == [mine.id]


def test_what_has_left_the_days_is_not_asked_any_more(cast: Cast) -> None:
    session = cast.book(70 * HOUR)
    away = go(cast, date(2026, 3, 9), date(2026, 3, 9))
    assert ask(cast, away, (session, (at(200),))) == ["not_in_the_way"]
    assert ask(cast, None, (session, (at(200),))) == [None]  # the list of changed hours
    assert AbsenceAsk.query.count() == 0


# The board


def test_the_board_tells_what_became_of_each(cast: Cast) -> None:
    sessions = [cast.book(hours * HOUR) for hours in (66, 70, 74, 78)]
    away = go(cast)
    new = [at(200 + 4 * place) for place in range(4)]
    assert answers(away) == [Answer.OPEN] * 4
    asked = ask(cast, away, *((one, (time,)) for one, time in zip(sessions, new, strict=True)))
    assert asked == [None] * 4
    assert answers(away) == [Answer.WAITING] * 4
    moves, declines, counters, goes = sessions
    do(cast, moves, "student", lambda s: s.approve_reschedule(new[0], by="student", now=NOW))
    do(cast, declines, "student", lambda s: s.decline_reschedule(by="student", now=NOW))
    do(cast, counters, "student", lambda s: s.counter_reschedule("student", [at(300)], now=NOW))
    do(cast, goes, "student", lambda s: s.cancel_session(by="student", reason=WHY, now=NOW))
    db.session.expire_all()
    found = {one.line.id: one.answer for one in absence.board(away, NOW)}
    assert [found[one.id] for one in sessions] == [
        Answer.MOVED,
        Answer.DECLINED,
        Answer.THEIRS,
        Answer.CANCELLED,
    ]
    # Asked again, it waits again; withdrawn, it is open.
    assert ask(cast, away, (declines, (at(220),))) == [None]
    assert Answer.DECLINED not in answers(away)
    do(cast, declines, "coach", lambda s: s.withdraw_reschedule("coach", now=NOW))
    assert answers(away)[0] is Answer.OPEN


def test_silence_moves_what_was_asked_in_time_and_leaves_what_was_late(cast: Cast) -> None:
    late, early, lost = (cast.book(hours * HOUR) for hours in (40, 70, 76))
    away = go(cast, date(2026, 3, 3), FRIDAY)
    ask(cast, away, (late, (at(200),)), (early, (at(210),)), (lost, ()))
    actions.sweep(NOW + DAY)
    db.session.expire_all()
    found = {one.line.id: one.answer for one in absence.board(away, NOW + DAY)}
    assert [found[one.id] for one in (late, early, lost)] == [
        Answer.LAPSED,
        Answer.MOVED,
        Answer.NO_TIME,
    ]
    assert answers(away, NOW + 50 * HOUR).count(Answer.OVER) == 1


def test_an_absence_taken_back_leaves_moved_sessions_moved(cast: Cast) -> None:
    session = cast.book(70 * HOUR)
    away = go(cast)
    ask(cast, away, (session, (at(200),)))
    do(cast, session, "student", lambda s: s.approve_reschedule(at(200), by="student", now=NOW))
    with db.transaction():
        days_away.remove(cast.actor("coach"), away.id, now=NOW)
    assert AbsenceAsk.query.count() == 0
    moved = db.session.get(Session, session.id, populate_existing=True)
    assert moved
    assert moved.scheduled_at == at(200)
