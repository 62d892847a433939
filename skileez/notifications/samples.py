"""Every kind of message with made-up people and times, to be looked at; asks no database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from skileez.accounts.models import Person
from skileez.contracts.models import Contract, Proposal
from skileez.contracts.rules import ContractStatus, ProposalStatus
from skileez.events import Event
from skileez.notifications import letters, link_rules, links, rules
from skileez.notifications.about import About
from skileez.notifications.letters import Letter
from skileez.notifications.models import Delivery
from skileez.notifications.rules import Hears
from skileez.sessions.clock_rules import ZONE_RULES_CHANGED, wall_text
from skileez.sessions.dst_rules import CLOCK_CHANGE
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import Outcome
from skileez.sessions.row import ProposedTime
from skileez.sessions.rules import Policy, RequestKind, Role, Status

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

ITSELF: Final = "itself"
"""A message of what nobody did: it happened by itself, or an administrator did it."""

_COACH_ONLY: Final = ("session.confirmed",)
_WITHOUT_ANYBODY: Final = (
    *("contract.paused", "contract.resumed", "contract.cancelled"),
    *("session.missed", "session.corrected", "session.correction_declined"),
)
_AFTERWARDS: Final = (
    *(rules.OVERDUE, "session.completed", "session.notes_changed", "session.missed"),
    *("session.correction_requested", "session.correction_declined", "session.corrected"),
    *("session.outcome_said", "session.case_opened", "session.case_closed"),
)
"""Kinds that are sent when the session is over."""
_WHY: Final = "My train was cancelled and I would arrive half an hour late."
_DETAILS: Final[dict[str, Any]] = {
    "asked_by": Role.STUDENT,
    "outcome": Outcome.TECHNICAL,
    "said": {Role.STUDENT: Outcome.TECHNICAL, Role.COACH: Outcome.STUDENT_ABSENT},
}
_NO_SUCH: Final = 0
"""The id of everything here, so that no address leads to anything of anybody's."""


def variants(kind: str) -> tuple[str, ...]:
    """Who a kind is shown for: "student", "coach", and "itself" where nobody does it."""
    hears = rules.NEWS.get(kind)
    if kind in rules.DIGESTS or hears is Hears.COACH:
        return (Role.COACH,)
    if kind in _COACH_ONLY or hears is Hears.STUDENT:
        return (Role.STUDENT,)
    if kind in _WITHOUT_ANYBODY:
        return (Role.STUDENT, Role.COACH, ITSELF)
    return (Role.STUDENT, Role.COACH)


def letter(kind: str, variant: str, now: datetime, policy: Policy) -> Letter:
    """The message of this kind as a ``variant`` of it reads. Raises what its template raises."""
    role = Role.COACH if variant == Role.COACH else Role.STUDENT
    stage = _Stage(now, kind)
    delivery, found = stage.said(role, by_itself=variant == ITSELF)
    answers = []
    if found.session is not None:
        offered = link_rules.offers(kind, role, found.session.facts, stage.at, policy)
        answers = [(one, links.PATH.format("sample")) for one in offered]
    return letters.word(delivery, found, stage.at, answers)


@dataclass
class _Stage:
    """The things that a message may speak of, in the state in which it is sent."""

    now: datetime
    kind: str

    def __post_init__(self) -> None:
        self.start = self.now.replace(hour=15, minute=0, second=0, microsecond=0) + 3 * DAY
        self.at = self.now
        if self.kind == rules.REMINDER:
            self.at = self.start - DAY
        elif self.kind in _AFTERWARDS:
            self.at = self.start + 2 * HOUR
        self.times = [self.start + 2 * DAY, self.start + 2 * DAY + 3 * HOUR]
        self.student = _person(1, "Lina Sommer", "Europe/Berlin")
        self.coach = _person(2, "Daniel Okafor", "America/New_York")
        terms: dict[str, Any] = {
            "id": _NO_SUCH,
            "coach_id": self.coach.id,
            "student_id": self.student.id,
            "title": "Public speaking for engineers",
            "total_sessions": 8,
            "duration_minutes": 60,
            "currency": "EUR",
            "timezone": self.coach.zone,
            "created_at": self.now - 20 * DAY,
        }
        self.proposal = Proposal(
            price=9000, message="", version=1, status=ProposalStatus.PENDING, **terms
        )
        self.contract = Contract(
            proposal_id=_NO_SUCH,
            number="C-000000",
            rate=9000,
            status=ContractStatus.ACTIVE,
            completed_sessions=2,
            starts_on=(self.now - 20 * DAY).date(),
            meeting_url="https://meet.example/speaking",
            **terms,
        )

    def said(self, role: Role, *, by_itself: bool) -> tuple[Delivery, About]:
        """The delivery to ``role``, and what it is about."""
        me, other = (
            (self.student, Role.COACH) if role == Role.STUDENT else (self.coach, Role.STUDENT)
        )
        hears = rules.NEWS.get(self.kind)
        nobody = by_itself or hears is None or hears is Hears.BOTH
        event = None if hears is None else self._event(None if nobody else other)
        topic = self.kind.partition(".")[0].replace("series", "contract")
        topic = topic if topic in ("proposal", "contract", "digest") else "session"
        session = self._session(other) if topic == "session" else None
        known: dict[str, Any] = {"recipient": me, "event": event}
        if topic in ("session", "contract"):
            known |= {"contract": self.contract, "session": session}
        elif topic == "proposal":
            known["proposal"] = self.proposal
        else:
            known["agenda"] = [(self._session(other, hours), self.student) for hours in (0, 2, 7)]
        if topic != "digest":
            known |= {"student": self.student, "coach": self.coach}
        delivery = Delivery(
            id=_NO_SUCH,
            kind=self.kind,
            channel=links.BY,
            recipient=me,
            event=event,
            session_id=None if session is None else _NO_SUCH,
            contract_id=_NO_SUCH if topic in ("session", "contract") else None,
            start=self.start if topic == "session" or self.kind == CLOCK_CHANGE else None,
            at=self.at,
        )
        return delivery, About(**known)

    def _session(self, other: Role, hours: int = 0) -> Session:
        asks = self.kind in link_rules.ASKS_TO_MOVE
        return Session(
            id=_NO_SUCH,
            contract=self.contract,
            contract_id=_NO_SUCH,
            session_number=3,
            # As its sample says it: a technical problem, which nobody pays for.
            status=Status.CANCELLED if self.kind == "session.case_closed" else Status.SCHEDULED,
            scheduled_at=None
            if self.kind == "session.to_be_scheduled"
            else self.start + hours * HOUR,
            confirmed_by_coach=bool(hours),
            created_at=self.now - 5 * DAY,
            reschedule_requested=asks,
            reschedule_requested_by=other if asks else None,
            reschedule_kind=RequestKind.STANDARD if asks else None,
            reschedule_deadline=self.at + DAY if asks else None,
            reschedule_asked_at=self.at if asks else None,
            proposed=[
                ProposedTime(position=place, starts_at=time)
                for place, time in enumerate(self.times, 1)
                if asks
            ],
        )

    def _event(self, role: Role | None) -> Event:
        asks = self.kind in link_rules.ASKS_TO_MOVE
        moves = self.kind in ("session.reschedule_approved", "session.reschedule_auto_approved")
        gives_why = asks or self.kind.endswith(
            ("cancelled", "missed", "declined", "requested", "stopped")
        )
        return Event(
            id=_NO_SUCH,
            verb=self.kind,
            at=self.at,
            role=role,
            session_id=None
            if self.kind.startswith(("proposal.", "contract.", "series."))
            else _NO_SUCH,
            old_time=self.start
            if asks or moves
            else self.start + HOUR
            if self.kind == ZONE_RULES_CHANGED
            else None,
            new_time=self.times[0] if moves else self.start,
            reason=_WHY if gives_why and role is not None else None,
            details=self._details() if asks else {**_DETAILS, **self._kept(), **self._series()},
        )

    def _series(self) -> dict[str, Any]:
        starts = [self.start + weeks * 7 * DAY for weeks in range(3)]
        told: dict[str, Any] = {"starts": [one.isoformat() for one in starts]}
        if self.kind == "series.stopped":
            told["kept"] = False
        if self.kind.startswith("series.move_"):
            told["moves"] = [
                {"number": n, "from": one.isoformat(), "to": (one + 2 * DAY).isoformat()}
                for n, one in enumerate(starts, 3)
            ]
        if self.kind == "series.move_requested":
            told |= {"kind": RequestKind.STANDARD, "deadline": (self.at + DAY).isoformat()}
        return told

    def _kept(self) -> dict[str, Any]:
        wall = wall_text(self.start, self.student.zone)
        first, last = (one.date().isoformat() for one in (self.start, self.start + 20 * DAY))
        change = {"usual": "11:00", "becomes": "10:00", "first": first, "last": last}
        series = {"series_id": _NO_SUCH, "place": wall, "change": {"sides": {Role.COACH: change}}}
        return {"zone": self.student.zone, "wall": wall, "kept": wall, **series}

    def _details(self) -> dict[str, Any]:
        return {
            "kind": RequestKind.STANDARD,
            "proposed_times": [time.isoformat() for time in self.times],
            "deadline": (self.at + DAY).isoformat(),
        }


def _person(number: int, name: str, zone: str) -> Person:
    address = f"{name.partition(' ')[0].lower()}@example.org"
    return Person(id=number, email=address, display_name=name, zone=zone, active=True)
