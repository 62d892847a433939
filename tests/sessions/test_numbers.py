"""Numbers, make-ups, quota and progress, through bookings, cancellations and corrections."""

from collections.abc import Callable

import pytest

from skileez import db
from skileez.contracts.models import Contract
from skileez.errors import Refused
from skileez.events import Event
from skileez.sessions import actions
from skileez.sessions.models import Session, live_numbers
from tests import cast as people
from tests.cast import DAY, HOUR, NOW, WHY, Cast, enter
from tests.sessions.stage import at, columns, everything

Verb = Callable[[Session], object]


def act(cast: Cast, who: str, session: Session, verb: Verb) -> None:
    with db.transaction():
        verb(actions.find_for(cast.actor(who), session.id))


def cancel(cast: Cast, session: Session) -> None:
    act(cast, "coach", session, lambda s: s.cancel_session(by="coach", reason=WHY, now=NOW))


def miss(cast: Cast, session: Session, hours: float) -> None:
    act(
        cast,
        "coach",
        session,
        lambda s: s.mark_missed(by="coach", reason=WHY, absent="student", now=at(hours)),
    )


def dispute(cast: Cast, session: Session, hours: float) -> None:
    act(cast, "student", session, lambda s: s.request_correction("student", WHY, now=at(hours)))


def agree(cast: Cast, session: Session, hours: float) -> None:
    act(cast, "coach", session, lambda s: s.approve_correction("coach", now=at(hours)))


def complete(cast: Cast, session: Session, hours: float) -> None:
    act(cast, "coach", session, lambda s: s.mark_completed(None, "coach", now=at(hours)))


def contract_of(cast: Cast) -> Contract:
    return db.session.get_one(Contract, cast.contract.id, populate_existing=True)


@pytest.fixture
def pair(database: str) -> Cast:
    """A contract of two sessions."""
    return enter(database, total=2)


def test_sessions_are_numbered_as_they_are_booked_until_none_is_left(pair: Cast) -> None:
    assert [pair.book(hours * HOUR).session_number for hours in (60, 70)] == [1, 2]
    with pytest.raises(Refused, match="All 2 sessions") as refused:
        pair.book(80 * HOUR)
    assert refused.value.code == "quota_used"
    assert Session.query.count() == 2


def test_a_cancelled_session_gives_its_number_and_credit_to_a_new_row(pair: Cast) -> None:
    first, second = pair.book(60 * HOUR), pair.book(70 * HOUR)
    cancel(pair, first)
    make_up = pair.book(60 * HOUR)
    assert (make_up.id, make_up.session_number) not in {(first.id, 1), (second.id, 1)}
    assert make_up.session_number == 1
    assert live_numbers(pair.contract.id) == {1, 2}
    rows = Session.query.filter_by(session_number=1).order_by(Session.id).all()
    assert [row.status for row in rows] == ["cancelled", "scheduled"]


def test_a_missed_session_is_made_up_and_a_late_agreement_finds_no_number_left(
    pair: Cast,
) -> None:
    first = pair.book(60 * HOUR)
    pair.book(70 * HOUR)
    miss(pair, first, 62)
    dispute(pair, first, 63)
    pair.book(80 * HOUR, now=at(64))
    with pytest.raises(Refused) as refused:
        agree(pair, first, 65)
    assert refused.value.code == "quota_used"
    assert columns(Session, first.id)["status"] == "missed"
    assert contract_of(pair).completed_sessions == 0


def test_a_corrected_session_takes_the_lowest_number_left_where_its_own_is_gone(
    cast: Cast,
) -> None:
    first = cast.book(60 * HOUR)
    second = cast.book(62 * HOUR)
    miss(cast, first, 64)
    make_up = cast.book(80 * HOUR, now=at(64))
    assert make_up.session_number == 1
    cancel(cast, second)
    dispute(cast, first, 65)
    agree(cast, first, 66)
    corrected = columns(Session, first.id)
    assert (corrected["status"], corrected["session_number"]) == ("completed", 2)
    event = Event.query.filter_by(verb="session.corrected").one()
    assert event.details == {"session_number": 2}


def test_a_corrected_session_keeps_its_number_where_it_is_free(cast: Cast) -> None:
    first = cast.book(60 * HOUR)
    miss(cast, first, 62)
    dispute(cast, first, 63)
    agree(cast, first, 64)
    assert columns(Session, first.id)["session_number"] == 1
    assert contract_of(cast).completed_sessions == 1


def test_a_session_cannot_be_corrected_into_time_that_another_one_had(cast: Cast) -> None:
    first = cast.book(60 * HOUR)
    miss(cast, first, 60.1)
    with db.transaction():
        other = people.contract(cast.coach, people.person("somebody"))
        # An import of what was held: straight into the table, at the time given up.
        held = Session(
            contract=other,
            proposal_id=other.proposal_id,
            session_number=1,
            scheduled_at=at(60.5),
            status="completed",
            completed_date=at(61.5),
        )
        db.session.add(held)
    dispute(cast, first, 63)
    with pytest.raises(Refused) as refused:
        agree(cast, first, 64)
    assert refused.value.code == "time_taken"
    assert columns(Session, first.id)["status"] == "missed"


def test_the_last_completion_completes_the_contract(pair: Cast) -> None:
    first, second = pair.book(60 * HOUR), pair.book(70 * HOUR)
    complete(pair, first, 61)
    contract = contract_of(pair)
    assert (contract.progress_percentage, contract.remaining_sessions) == (50.0, 1)
    assert contract.status == "active"
    complete(pair, second, 71)
    contract = contract_of(pair)
    assert (contract.progress_percentage, contract.remaining_sessions) == (100.0, 0)
    assert (contract.status, contract.ends_on) == ("completed", at(71).date())
    last = Event.query.order_by(Event.id.desc()).first()
    assert (last.verb, last.status_from, last.status_to) == (
        "contract.completed",
        "active",
        "completed",
    )
    with pytest.raises(Refused) as refused:
        pair.book(80 * HOUR)
    assert refused.value.code == "contract_not_active"


def test_cancelled_and_missed_sessions_leave_progress_as_it_was(cast: Cast) -> None:
    done, gone, missed = (cast.book(hours * HOUR) for hours in (60, 62, 64))
    complete(cast, done, 61)
    cancel(cast, gone)
    miss(cast, missed, 66)
    contract = contract_of(cast)
    assert (contract.completed_sessions, contract.progress_percentage) == (1, 25.0)
    assert contract.remaining_sessions == 3


def test_a_correction_completes_the_contract_too(pair: Cast) -> None:
    first, second = pair.book(60 * HOUR), pair.book(70 * HOUR)
    miss(pair, first, 62)
    dispute(pair, first, 63)
    complete(pair, second, 71)
    agree(pair, first, 72)
    assert contract_of(pair).status == "completed"


def test_a_correction_in_a_contract_that_was_ended_counts_and_leaves_it_ended(
    database: str,
) -> None:
    cast = enter(database, total=1)
    only = cast.book(60 * HOUR)
    miss(cast, only, 62)
    dispute(cast, only, 63)
    with db.transaction():
        contract = actions.find_contract_for(cast.actor("coach"), cast.contract.id)
        actions.end_contract(
            contract, by="coach", actor=cast.actor("coach"), reason=WHY, now=at(64)
        )
    agree(cast, only, 65)
    contract = contract_of(cast)
    assert (contract.completed_sessions, contract.status) == (1, "cancelled")


@pytest.mark.parametrize(("by", "keeps"), [("coach", "coach"), ("admin", None)])
def test_ending_a_contract_cancels_what_was_still_to_come(
    cast: Cast, by: str, keeps: str | None
) -> None:
    done, first, second = (cast.book(hours * HOUR) for hours in (60, 70, 80))
    complete(cast, done, 61)
    act(cast, "student", first, lambda s: s.request_reschedule("student", WHY, now=NOW))
    with db.transaction():
        contract = actions.find_contract_for(cast.actor(by), cast.contract.id, admin=by == "admin")
        ended = actions.end_contract(contract, by=by, actor=cast.actor(by), reason=WHY, now=at(62))
    assert ended == 2
    assert columns(Session, done.id)["status"] == "completed"
    for session in (first, second):
        row = columns(Session, session.id)
        assert (row["stored_state"], row["cancelled_by"]) == ("cancelled", keeps)
        assert row["cancel_reason"] == WHY
    assert contract_of(cast).status == "cancelled"
    assert columns(Contract, cast.contract.id)["ends_on"] == at(62).date()


def test_ending_a_contract_cancels_what_was_shown_or_nothing(cast: Cast) -> None:
    done, first, second = (cast.book(hours * HOUR) for hours in (60, 70, 80))
    complete(cast, done, 61)
    told = {"by": "coach", "actor": cast.actor("coach"), "reason": WHY, "now": at(62)}
    before = everything()
    for shown in (set(), {first.id}, {first.id, second.id, done.id}, {first.id, 9999}):
        with db.transaction():
            contract = actions.find_contract_for(cast.actor("coach"), cast.contract.id)
            with pytest.raises(Refused) as refused:
                actions.end_contract(contract, **told, shown=shown)
        assert refused.value.code == "open_sessions_changed"
        assert everything() == before
    with db.transaction():
        contract = actions.find_contract_for(cast.actor("coach"), cast.contract.id)
        assert actions.end_contract(contract, **told, shown={second.id, first.id}) == 2
        with pytest.raises(Refused) as refused:
            actions.end_contract(contract, **told, shown={first.id})
    assert refused.value.code == "contract_cancelled"


def test_a_paused_contract_takes_no_booking_and_no_completion(cast: Cast) -> None:
    session = cast.book(60 * HOUR)
    with db.transaction():
        contract_of(cast).pause(actor=cast.actor("coach"), role="coach", now=NOW)
    for refused_verb in (lambda: cast.book(90 * HOUR), lambda: complete(cast, session, 61)):
        with pytest.raises(Refused, match="paused") as refused:
            refused_verb()
        assert refused.value.code == "contract_not_active"
    cancel(cast, session)
    with db.transaction():
        contract_of(cast).resume(actor=cast.actor("coach"), role="coach", now=NOW)
    assert cast.book(60 * HOUR).session_number == 1


def test_a_session_keeps_the_length_it_was_booked_with(cast: Cast) -> None:
    lengths = [cast.book(n * DAY, minutes=minutes) for n, minutes in enumerate((15, 480), 2)]
    assert [one.ends_at - one.scheduled_at for one in lengths] == [HOUR / 4, 8 * HOUR]
