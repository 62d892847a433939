"""The cast of the tests: a student, a coach, a stranger, an administrator, and their contract.

The rule tables use the upper half, which knows no database; ``enter`` puts the cast on one.
Everything happens around ``NOW``, an instant that is nobody's clock.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from skileez.errors import Kind, Refusal
from skileez.sessions.rules import Facts, Pending, Policy

if TYPE_CHECKING:
    from sqlalchemy import Table

    from skileez.accounts.models import Person
    from skileez.contracts.models import Contract, Proposal
    from skileez.events import Actor
    from skileez.sessions.models import Session

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

POLICY = Policy()
STRICT = Policy(strict_notice=True)

WHY = "My train was cancelled."


def facts(ahead: timedelta | None = 60 * HOUR, **told: Any) -> Facts:
    """A scheduled session of 60 minutes that starts ``ahead`` of NOW (None: no time yet)."""
    told.setdefault("status", "scheduled")
    told.setdefault("minutes", 60)
    return Facts(start=None if ahead is None else NOW + ahead, **told)


def asked(by: str = "student", *times: timedelta, **told: Any) -> Pending:
    """A request by ``by`` for ``times`` from NOW, to be answered within 24 hours."""
    told.setdefault("kind", "standard")
    told.setdefault("deadline", NOW + DAY)
    return Pending(by=by, times=tuple(NOW + time for time in times), **told)


def said(refusal: Refusal | None) -> str | None:
    """A refusal's code, for a table; None is yes."""
    return refusal and refusal.code


def assert_refuses(
    refusal: Refusal | None, code: str, *words: str, kind: Kind = Kind.CONFLICT
) -> None:
    """It refuses with this code and kind, in a whole sentence that holds these words."""
    assert refusal is not None, f"expected {code}, was allowed"
    assert refusal.code == code
    assert refusal.kind == kind
    sentence = refusal.sentence()
    assert sentence[0] == sentence[0].upper()
    assert sentence.endswith(".")
    assert "%(" not in sentence
    for word in words:
        assert word in sentence, sentence


PEOPLE = {
    "student": ("Amara Okafor", "Europe/Berlin"),
    "coach": ("Jonas Lindqvist", "America/New_York"),
    "stranger": ("Mei Tanaka", "Asia/Kathmandu"),
    "admin": ("Ruth Adler", "UTC"),
}


@dataclass
class Cast:
    """The people and the contract of one test, on the database that is bound."""

    student: "Person"
    coach: "Person"
    stranger: "Person"
    admin: "Person"
    contract: "Contract"

    def actor(self, name: str) -> "Actor":
        """The person called ``name`` as the one who acts."""
        from skileez.events import Actor

        return Actor("person", getattr(self, name).id)

    def book(
        self, ahead: timedelta = 60 * HOUR, *, by: str = "student", now: datetime = NOW, **told: Any
    ) -> "Session":
        """A session of the contract, committed; ``ahead`` is counted from NOW."""
        from skileez import db
        from skileez.sessions import actions

        contract = told.pop("contract", self.contract)
        with db.transaction():
            contract = actions.find_contract_for(self.actor(by), contract.id)
            return actions.book(contract, NOW + ahead, by=by, actor=self.actor(by), now=now, **told)


def person(name: str, display_name: str | None = None, zone: str = "UTC") -> "Person":
    """Somebody with an account, who never signs in."""
    from skileez import db
    from skileez.accounts.models import Person

    one = Person(
        email=f"{name}@example.org",
        display_name=display_name or name.capitalize(),
        password_hash="nobody signs in",
        zone=zone,
        offers_coaching=name.startswith("coach"),
        is_admin=name == "admin",
        created_at=NOW - 30 * DAY,
    )
    db.session.add(one)
    db.session.flush()
    return one


def proposal(coach: "Person", student: "Person", total: int = 4, **terms: Any) -> "Proposal":
    """What the coach proposed to the student a month before NOW."""
    from skileez import db
    from skileez.contracts.models import Proposal

    terms = {
        "title": "Speaking with confidence",
        "duration_minutes": 60,
        "price": 45_00,
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "created_at": NOW - 30 * DAY,
        **terms,
    }
    one = Proposal(coach_id=coach.id, student_id=student.id, total_sessions=total, **terms)
    db.session.add(one)
    db.session.flush()
    return one


def contract(coach: "Person", student: "Person", total: int = 4, **terms: Any) -> "Contract":
    """A contract that began a month before NOW."""
    from skileez.events import Actor

    offer = proposal(coach, student, total, **terms)
    return offer.accept(actor=Actor("person", student.id), now=NOW - 30 * DAY)


def enter(url: str, total: int = 4, **terms: Any) -> Cast:
    """The cast on the database ``url``, which is bound to them.

    They enter by the verbs the first time; after that their rows are written as they were.
    """
    from skileez import db
    from tests import engines

    engines.bind(url)
    with db.transaction():
        if known := _known.get((total, *terms.items())):
            return _again(known)
        people = {name: person(name, *told) for name, told in PEOPLE.items()}
        agreed = contract(people["coach"], people["student"], total, **terms)
        _known[total, *terms.items()] = _rows()
        return Cast(**people, contract=agreed)


ENTERED = ("person", "proposal", "contract", "event")
_Rows = dict["Table", list[dict[str, Any]]]
_known: dict[tuple[object, ...], _Rows] = {}


def _rows() -> _Rows:
    """What there is once the cast has entered; the events wait in the outbox by themselves."""
    from skileez import db

    tables = [db.Model.metadata.tables[name] for name in ENTERED]
    db.session.flush()
    return {
        table: [dict(row) for row in db.session.execute(table.select()).mappings()]
        for table in tables
    }


def _again(known: _Rows) -> Cast:
    from sqlalchemy import func, insert, select

    from skileez import db
    from skileez.accounts.models import Person
    from skileez.contracts.models import Contract

    for table, rows in known.items():
        db.session.execute(insert(table), rows)
    if db.session.get_bind().dialect.name == "postgresql":
        last = (func.setval(f"{table.name}_id_seq", len(rows)) for table, rows in known.items())
        db.session.execute(select(*last))
    people = db.session.scalars(select(Person).order_by(Person.id))
    return Cast(*people, contract=db.session.scalars(select(Contract)).one())
