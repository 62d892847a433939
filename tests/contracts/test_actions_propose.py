"""Proposing to an address, and finding a proposal through its reader."""

from dataclasses import replace

import pytest

from skileez import db
from skileez.contracts import actions, queries
from skileez.contracts.models import Proposal
from skileez.contracts.rules import Terms
from skileez.errors import NotFound, Refused
from skileez.events import Actor, Event
from tests.cast import NOW, Cast

TERMS = Terms("  Speaking up  ", 8, 45, 60_00, "USD", " Let us begin.\n")


def propose(cast: Cast, to: str = "student@example.org", terms: Terms = TERMS) -> Proposal:
    with db.transaction():
        return actions.propose(
            cast.coach, to, terms, zone="Asia/Kathmandu", actor=cast.actor("coach"), now=NOW
        )


@pytest.fixture
def cast(cast: Cast) -> Cast:
    with db.transaction():
        cast.coach.offers_coaching = True
    return cast


def test_a_proposal_keeps_its_terms_and_tells_of_itself(cast: Cast) -> None:
    sent = propose(cast, "  Student@Example.ORG ")
    assert (sent.coach_id, sent.student_id) == (cast.coach.id, cast.student.id)
    assert (sent.title, sent.message) == ("Speaking up", "Let us begin.")
    assert (sent.total_sessions, sent.duration_minutes) == (8, 45)
    assert (sent.price, sent.currency, sent.timezone) == (60_00, "USD", "Asia/Kathmandu")
    assert (sent.status, sent.created_at, sent.version) == ("pending", NOW, 1)
    event = Event.query.filter_by(stream=f"proposal:{sent.id}").one()
    assert (event.verb, event.role, event.actor_id) == ("proposal.sent", "coach", cast.coach.id)
    assert (event.status_from, event.status_to, event.at) == (None, "pending", NOW)


@pytest.mark.parametrize(
    ("to", "code", "field"),
    [
        ("nobody@example.org", "student_unknown", "student_email"),
        ("", "student_unknown", "student_email"),
        ("coach@example.org", "proposal_to_self", "student_email"),
    ],
)
def test_it_goes_to_somebody_else_with_an_account(
    cast: Cast, to: str, code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        propose(cast, to)
    assert (refused.value.code, refused.value.refusal.field) == (code, field)


def test_the_same_offer_waits_for_its_answer_before_it_is_sent_again(cast: Cast) -> None:
    first = propose(cast)
    with pytest.raises(Refused) as refused:
        propose(cast)
    assert refused.value.code == "proposal_repeated"
    assert str(first.id) in str(refused.value)
    propose(cast, terms=replace(TERMS, price=65_00))
    with db.transaction():
        first.decline(actor=cast.actor("student"), now=NOW)
    propose(cast)


def test_a_closed_account_takes_no_proposals(cast: Cast) -> None:
    with db.transaction():
        cast.student.active = False
    with pytest.raises(Refused, match="takes proposals"):
        propose(cast)


def test_only_a_person_who_coaches_proposes(cast: Cast) -> None:
    with db.transaction():
        cast.coach.offers_coaching = False
    with pytest.raises(Refused) as refused:
        propose(cast)
    assert refused.value.code == "not_a_coach"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (Terms(" ", 8, 45, 60_00, "USD"), "title_length"),
        (Terms("x" * 121, 8, 45, 60_00, "USD"), "title_length"),
        (Terms("Fine", 0, 45, 60_00, "USD"), "sessions_out_of_range"),
        (Terms("Fine", 501, 45, 60_00, "USD"), "sessions_out_of_range"),
        (Terms("Fine", 8, 14, 60_00, "USD"), "duration_out_of_range"),
        (Terms("Fine", 8, 481, 60_00, "USD"), "duration_out_of_range"),
        (Terms("Fine", 8, 45, -1, "USD"), "price_out_of_range"),
        (Terms("Fine", 8, 45, 100_000_01, "USD"), "price_out_of_range"),
        (Terms("Fine", 8, 45, 60_00, "XXX"), "unknown_currency"),
        (Terms("Fine", 8, 45, 60_00, "USD", "x" * 2001), "message_too_long"),
    ],
)
def test_terms_out_of_bounds_leave_nothing_behind(cast: Cast, terms: Terms, code: str) -> None:
    before = (Proposal.query.count(), Event.query.count())
    with pytest.raises(Refused) as refused:
        propose(cast, terms=terms)
    assert refused.value.code == code
    assert (Proposal.query.count(), Event.query.count()) == before


def test_an_unknown_zone_is_refused(cast: Cast) -> None:
    with pytest.raises(Refused) as refused, db.transaction():
        actions.propose(
            cast.coach,
            "student@example.org",
            TERMS,
            zone="Mars/Olympus",
            actor=cast.actor("coach"),
            now=NOW,
        )
    assert refused.value.code == "unknown_zone"


def test_a_proposal_is_found_by_its_two_people_only(cast: Cast) -> None:
    sent = propose(cast)
    for name in ("coach", "student"):
        with db.transaction():
            assert actions.find_proposal_for(cast.actor(name), sent.id).id == sent.id
        assert queries.proposal_seen_by(getattr(cast, name).id, sent.id).id == sent.id
    for name in ("stranger", "admin"):
        with pytest.raises(NotFound), db.transaction():
            actions.find_proposal_for(cast.actor(name), sent.id)
        with pytest.raises(NotFound):
            queries.proposal_seen_by(getattr(cast, name).id, sent.id)
    assert queries.proposal_seen_by(cast.admin.id, sent.id, admin=True).id == sent.id
    with pytest.raises(NotFound), db.transaction():
        actions.find_proposal_for(Actor("person", None), sent.id)


def test_proposals_are_counted_and_paged_by_box(cast: Cast) -> None:
    sent = [propose(cast, terms=replace(TERMS, title=title)).id for title in "ABC"]
    first = queries.proposals_of(cast.student.id, "received", size=2)
    assert [one.id for one in first.rows] == sent[:0:-1]
    second = queries.proposals_of(cast.student.id, "received", first.next, size=2)
    # The last one is the accepted proposal of the cast's contract.
    assert [one.id for one in second.rows] == [sent[0], cast.contract.proposal_id]
    assert second.next is None
    assert queries.count_pending(cast.student.id) == {"received": 3, "sent": 0}
    assert queries.count_pending(cast.coach.id) == {"received": 0, "sent": 3}
    assert queries.proposals_of(cast.stranger.id, "received").rows == []


def test_an_administrator_finds_contracts_by_any_part_of_a_name(cast: Cast) -> None:
    for search in ("AMARA", "lindqvist", "coach@example", cast.contract.number.lower(), "spea"):
        [found] = queries.everyones(None, search).rows
        assert found.id == cast.contract.id, search
    for search in ("%", "_mara", "nobody"):
        assert queries.everyones(None, search).rows == []
    assert queries.count_everyones() == {"active": 1}
    assert queries.count_everyones("nobody") == {}
