"""How many statements each page and each verb costs: few, and the same however much there is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from skileez import db
from skileez.sessions import actions
from tests import cast
from tests.cast import DAY, HOUR, NOW, WHY
from tests.doors.stage import Stage

Statements = list[str]


@contextmanager
def counted() -> Iterator[Statements]:
    """The statements run meanwhile; a transaction's begin and end are not counted."""
    engine = db.session.get_bind()
    seen: Statements = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Both engines: a verb locks on one of them. Pages cost the same on both."""
    return str(request.param)


def furnish(stage: Stage) -> dict[str, int]:
    """One session of each kind that a page treats differently."""
    asked = stage.book(60 * HOUR)
    over = stage.book(30 * HOUR, now=NOW - DAY)
    stage.book(90 * HOUR, by="coach")
    with db.transaction():
        one = actions.find_for(stage.cast.actor("student"), asked)
        times = [NOW + 70 * HOUR, NOW + 71 * HOUR]
        actor = stage.cast.actor("student")
        one.request_reschedule("student", WHY, proposed_times=times, actor=actor, now=NOW)
    db.session.remove()
    return {"asked": asked, "over": over}


def crowd(stage: Stage) -> None:
    """Two more contracts with three more sessions each, two of them waiting for an answer, and a
    longer life of the first session.
    """
    who = stage.cast
    with db.transaction():
        coach, student = who.coach, who.student
        for number in range(2):
            one = cast.contract(db.session.merge(coach), db.session.merge(student), 4)
            for place in range(3):
                start = NOW + (100 + 8 * number + 2 * place) * HOUR
                booked = actions.book(one, start, by="student", actor=who.actor("student"), now=NOW)
                if place < 2:
                    booked.request_reschedule("student", WHY, actor=who.actor("student"), now=NOW)
            cast.proposal(db.session.merge(coach), db.session.merge(student))
    db.session.remove()
    asked, times = (
        [who.actor("coach"), who.actor("student")],
        [NOW + 70 * HOUR, NOW + 71 * HOUR],
    )
    with db.transaction():
        first = actions.find_for(asked[0], 1)
        first.counter_reschedule(
            "coach", [NOW + 75 * HOUR, NOW + 76 * HOUR], actor=asked[0], now=NOW
        )
        first.counter_reschedule("student", times, actor=asked[1], now=NOW)
    db.session.remove()


def crowded(stage: Stage) -> dict[str, int]:
    """Furnished, and crowded."""
    known = furnish(stage)
    crowd(stage)
    return known


PAGES = [
    ("/dashboard", "coach", 9),
    ("/sessions", "coach", 3),
    ("/sessions?view=past", "coach", 3),
    ("/sessions?view=all&state=reschedule_requested&contract=1", "student", 3),
    ("/sessions.csv", "student", 2),
    ("/sessions/{asked}", "coach", 4),
    ("/calendar?view=month", "coach", 4),
    ("/calendar/feed?start=2026-03-01T00:00Z&end=2026-04-01T00:00Z", "coach", 3),
    ("/calendar/feed?start=2026-03-01T00:00Z&end=2026-04-01T00:00Z&contract=1", "student", 3),
    ("/sessions/{over}", "student", 3),
    ("/sessions/{asked}", "admin", 4),
    ("/sessions/{asked}/reschedule-approval", "coach", 6),
    ("/sessions/{over}/complete-form", "student", 2),
    ("/sessions/{asked}/cancel-form", "coach", 3),
    ("/contracts", "coach", 5),
    ("/contracts/1", "student", 5),
    ("/contracts/1/schedule", "coach", 6),
    ("/proposals", "student", 3),
    ("/proposals/1", "student", 3),
    ("/profile", "coach", 2),
    ("/profile/notifications", "coach", 2),
    ("/notifications", "coach", 2),
    ("/admin/people", "admin", 2),
    ("/admin/people/1", "admin", 2),
    ("/admin/contracts", "admin", 4),
    ("/dashboard", "admin", 18),
    ("/admin/due", "admin", 6),
]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_page_costs_few_statements_however_much_there_is(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    known = furnish(stage)

    def cost() -> dict[tuple[str, str], Statements]:
        costs = {}
        for path, who, _queries in PAGES:
            visitor = stage[who]
            stage.after(32 * HOUR if "over" in path else timedelta())
            with counted() as seen:
                answer = visitor.get(path.format(**known))
            assert answer.status_code == 200, path
            costs[path, who] = seen
        return costs

    few = cost()
    stage.after(timedelta())
    crowd(stage)
    many = cost()
    for path, who, queries in PAGES:
        with subtests.test(path, who=who):
            told = "\n".join(many[path, who])
            assert len(many[path, who]) == len(few[path, who]) == queries, told


def wall(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M}"


def times(start: datetime) -> dict[str, str]:
    """Two times proposed after ``start``."""
    proposed = {f"proposed_times-{n}": wall(start + (n + 3) * HOUR) for n in range(2)}
    return {"timezone": "UTC", **proposed}


Form = Callable[[datetime], dict[str, str]]
VERBS: list[tuple[str, str, str, Form, int, int]] = [
    # kind of session, address, who, fields, statements, and PostgreSQL's locks beside
    (
        "contract",
        "/contracts/{id}/schedule",
        "student",
        lambda start: {"scheduled_at": wall(start), "timezone": "UTC", "duration_minutes": "60"},
        8,
        1,
    ),
    ("new", "/sessions/{id}/confirm", "coach", lambda start: {}, 5, 0),
    ("new", "/sessions/{id}/reschedule", "student", lambda s: {"reason": WHY, **times(s)}, 10, 1),
    (
        "asked",
        "/sessions/{id}/approve-reschedule",
        "coach",
        lambda start: {"new_scheduled_at": wall(start + HOUR), "timezone": "UTC"},
        9,
        1,
    ),
    ("asked", "/sessions/{id}/counter-reschedule", "coach", times, 10, 1),
    ("asked", "/sessions/{id}/decline-reschedule", "coach", lambda start: {}, 7, 0),
    ("asked", "/sessions/{id}/withdraw-reschedule", "student", lambda start: {}, 7, 0),
    ("new", "/sessions/{id}/cancel", "student", lambda start: {"reason": WHY}, 5, 0),
    (
        "over",
        "/sessions/{id}/complete",
        "student",
        lambda start: {"notes": "We spoke.", "actual_minutes": "55"},
        6,
        0,
    ),
    (
        "over",
        "/sessions/{id}/missed",
        "coach",
        lambda start: {"reason": WHY, "absent": "student"},
        5,
        0,
    ),
]


def subject(stage: Stage, kind: str, start: datetime) -> int:
    """A contract of its own; or a session under one, as the verb needs it."""
    who = stage.cast
    actor = who.actor("student")
    with db.transaction():
        people = db.session.merge(who.coach), db.session.merge(who.student)
        contract = cast.contract(*people, total=4)
        if kind == "contract":
            made = contract.id
        else:
            booked = actions.book(contract, start, by="student", actor=actor, now=NOW)
            made = booked.id
            if kind == "asked":
                proposed = [start + HOUR, start + 2 * HOUR]
                booked.request_reschedule(
                    "student", WHY, proposed_times=proposed, actor=actor, now=NOW
                )
    db.session.remove()
    return made


@pytest.mark.parametrize("fill", [furnish, crowded], ids=["few", "many"])
def test_a_verb_costs_the_same_statements_however_much_there_is(
    stage: Stage,
    engine_name: str,
    subtests: pytest.Subtests,
    fill: Callable[[Stage], dict[str, int]],
) -> None:
    fill(stage)
    for number, (kind, path, who, fields, queries, locks) in enumerate(VERBS):
        start = NOW + DAY * (10 + number)
        made = subject(stage, kind, start)
        if kind == "over":
            stage.at(start + 2 * HOUR)
        visitor = stage[who]
        data = {"csrf_token": visitor.token("/sessions"), **fields(start)}
        with counted() as seen:
            answer = visitor.client.post(path.format(id=made), data=data)
        assert answer.status_code == 303, answer.text
        with subtests.test(path):
            expected = queries + (locks if engine_name == "postgresql" else 0)
            assert len(seen) == expected, "\n".join(seen)
