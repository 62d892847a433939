"""What is offered can be booked while nothing changes, and what is refused cannot."""

import random
from datetime import datetime, timedelta

from skileez import db
from skileez.accounts.models import Person
from skileez.availability.models import Availability, TimeOff
from skileez.availability.rules import Hours
from skileez.availability.slots import Against, Opening
from skileez.errors import Refused
from skileez.sessions import actions, finding
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, MINUTE, NOW, WHY, Cast, contract

AFTERNOONS = Hours(
    "America/New_York",  # the clocks of which change on the sixth day from NOW
    weekly=dict.fromkeys(range(7), ((600, 700), (705, 1020))),
    dates={(NOW + 9 * DAY).date(): ()},
    buffer_before=10,
    buffer_after=5,
    notice=25 * 60,
    horizon=12,
    step=15,
    per_day=2,
    per_week=4,
)

REASONS = {
    "coach": {None, "time_taken", "buffer"},
    "student": {
        None,
        "time_taken",
        "buffer",
        "coach_notice",
        "coach_horizon",
        "outside_hours",
        "coach_away",
        "day_full",
        "week_full",
    },
}


class Undo(Exception):
    """Nothing of it is to stay."""


def code_of_booking(cast: Cast, start: datetime, by: str) -> str | None:
    actor = cast.actor(by)
    try:
        with db.transaction():
            agreed = actions.find_contract_for(actor, cast.contract.id)
            actions.book(agreed, start, by=by, actor=actor, now=NOW)
            raise Undo
    except Refused as refused:
        return refused.code
    except Undo:
        return None


def fill(cast: Cast, chance: random.Random) -> None:
    """The coach's and the student's other sessions, a request that waits, and a day away."""
    with db.transaction():
        other = Person(
            email="other@example.org", display_name="Olu Ade", password_hash="-", zone="UTC",
            created_at=NOW,
        )  # fmt: skip
        db.session.add(other)
        db.session.flush()
        theirs = contract(cast.coach, other, total=60)
        ours = contract(other, cast.student, total=60)
    hours = chance.sample(range(25, 300), 14)
    for place, ahead in enumerate(hours):
        agreed = ours if place % 3 == 0 else theirs
        with db.transaction():
            try:
                start = NOW + ahead * HOUR + chance.choice((0, 20, 30)) * MINUTE
                booked = actions.book(agreed, start, by="coach", now=NOW)
            except Refused:
                continue
            if place % 5 == 0:
                later = start + chance.choice((7, 30)) * HOUR
                booked.request_reschedule("coach", WHY, proposed_times=[later], now=NOW)
    with db.transaction():
        row = Availability(coach_id=cast.coach.id, changed_at=NOW)
        row.take(AFTERNOONS)
        away = TimeOff(
            coach_id=cast.coach.id, starts_at=NOW + 10 * DAY, ends_at=NOW + 10.3 * DAY, zone="UTC",
            wall_start="", wall_end="", created_at=NOW,
        )  # fmt: skip
        db.session.add_all([row, away])


def opening(cast: Cast, session: Session | None = None) -> Opening:
    """For the next session of the contract, or for one that is to move."""
    person = cast.student.id
    if session:
        return finding.of_session(person, session.id).opening(NOW, NOW + 14 * DAY, now=NOW)
    return finding.of_contract(person, cast.contract.id).opening(NOW, NOW + 14 * DAY, now=NOW)


def test_an_offered_start_can_be_booked_and_a_refused_one_cannot(cast: Cast) -> None:
    chance = random.Random(3)
    fill(cast, chance)
    known = opening(cast)
    offered = known.starts(NOW, NOW + 14 * DAY)
    assert len(offered) > 20
    for start in [offered[0], offered[-1], *chance.sample(offered, 6)]:
        assert code_of_booking(cast, start, "student") is None, start
    all_of_them = [NOW + 2 * HOUR + n * 15 * MINUTE for n in range(1300)]
    for by, against in (("student", Against.HOURS), ("coach", Against.TAKEN)):
        expected: dict[str | None, list[datetime]] = {}
        for start in all_of_them:
            refusal = known.refusal(start, against)
            expected.setdefault(refusal.code if refusal else None, []).append(start)
        assert set(expected) == REASONS[by]
        for code, starts in expected.items():
            for start in chance.sample(starts, min(2, len(starts))):
                assert code_of_booking(cast, start, by) == code, start


def test_an_offered_start_can_be_asked_for_and_approved(cast: Cast) -> None:
    chance = random.Random(3)
    fill(cast, chance)
    first, *_, last = opening(cast).starts(NOW, NOW + 14 * DAY)
    session = cast.book(first - NOW)
    # The session is not in its own way, and beside the times that others hold it offers its own.
    offered = opening(cast, session).starts(NOW, NOW + 14 * DAY)
    assert {first, last} <= set(offered)
    times = [last, *chance.sample([at for at in offered if at not in (first, last)], 2)]
    with db.transaction():
        session.request_reschedule("student", WHY, proposed_times=times, now=NOW)
        session.approve_reschedule(last, by="coach", now=NOW)
    assert session.scheduled_at == last


def test_a_held_time_is_offered_to_nobody_else(cast: Cast) -> None:
    session = cast.book()
    wanted = NOW + 80 * HOUR
    with db.transaction():
        session.request_reschedule("student", WHY, proposed_times=[wanted], now=NOW)
    around = timedelta(hours=1)
    assert wanted in opening(cast, session).starts(wanted, wanted + around)
    assert wanted not in opening(cast).starts(wanted, wanted + around)
    assert code_of_booking(cast, wanted, "student") is None


def test_a_coach_without_hours_is_not_booked_on_days_away(cast: Cast) -> None:
    with db.transaction():
        away = TimeOff(
            coach_id=cast.coach.id, starts_at=NOW + 3 * DAY, ends_at=NOW + 4 * DAY, zone="UTC",
            wall_start="", wall_end="", created_at=NOW,
        )  # fmt: skip
        db.session.add(away)
    starts = {"before": NOW + 3 * DAY - HOUR, "in": NOW + 4 * DAY - MINUTE, "after": NOW + 4 * DAY}
    said = {name: code_of_booking(cast, start, "student") for name, start in starts.items()}
    assert said == {"before": None, "in": "coach_away", "after": None}
    assert code_of_booking(cast, starts["in"], "coach") is None
    offered = opening(cast).starts(NOW, NOW + 14 * DAY)
    assert {starts["before"], starts["after"]} <= set(offered)
    assert not any(NOW + 3 * DAY - HOUR < start < NOW + 4 * DAY for start in offered)
