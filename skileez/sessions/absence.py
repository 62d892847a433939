"""A coach's days away and the sessions they fall on: whom was asked to move, and what they said.

The board is derived: from the sessions themselves, from who was asked, and from the last thing
that happened to each request.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, and_, bindparam, case, func, select
from sqlalchemy.orm import Mapped, mapped_column

from skileez import db
from skileez.availability.models import TimeOff
from skileez.contracts.rules import MAX_MINUTES, check_reason
from skileez.db import Model, UTCDateTime
from skileez.errors import NotFound, Refusal, Refused, require
from skileez.events import Actor, Event
from skileez.sessions import actions, finding, queries, reschedule_rules, rules
from skileez.sessions import policy as policies
from skileez.sessions.finding import Meeting
from skileez.sessions.lines import Line
from skileez.sessions.models import Session
from skileez.sessions.reschedule_rules import MAX_TIMES, SETTLED
from skileez.sessions.rules import Policy, Role, Status

BATCH = 25
"""Sessions that one press asks about; the next are listed once these are asked."""
_BEFORE, _AFTER = timedelta(days=7), timedelta(days=14)
"""How far from the old time, and from the end of the absence, a new one is looked for."""


_Given = tuple[datetime, datetime, int]
"""From when until when a time is offered, and to which session."""


class AbsenceAsk(Model):
    """That a session's student was asked to move it because of these days away."""

    __tablename__ = "absence_ask"
    __table_args__ = (Index("ix_absence_ask_session_id", "session_id"),)

    time_off_id: Mapped[int] = mapped_column(
        ForeignKey("time_off.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)


# Which sessions


def affected(coach_id: int, start: datetime, end: datetime, now: datetime) -> list[Line]:
    """The coach's sessions that fall on this time and have not started, the soonest first."""
    start = max(start, now)
    longest = timedelta(minutes=MAX_MINUTES)
    ids = db.session.scalars(
        _AFFECTED,
        {"coach": coach_id, "earliest": start - longest, "start": start, "end": end, "now": now},
    )
    return lines_of(coach_id, list(ids))


_AFFECTED = select(Session.id).where(
    Session.coach_id == bindparam("coach"),
    Session.status == Status.SCHEDULED,
    Session.scheduled_at.is_not(None),
    Session.listed_at > bindparam("earliest"),  # the start, as the index has it
    Session.listed_at < bindparam("end"),
    Session.listed_at > bindparam("now"),
    Session.ends_at > bindparam("start"),
)


def in_the_way(coach_id: int, now: datetime) -> dict[int, tuple[int, int]]:
    """For each absence to come how many sessions fall on it, and how many of them are asked."""
    rows = db.session.execute(_IN_THE_WAY, {"coach": coach_id, "now": now})
    return {away: (sessions, asked) for away, sessions, asked in rows}


_IN_THE_WAY = (
    select(TimeOff.id, func.count(), func.sum(case((Session.reschedule_requested, 1), else_=0)))
    .join(
        Session,
        and_(
            Session.coach_id == TimeOff.coach_id,
            Session.status == Status.SCHEDULED,
            Session.scheduled_at.is_not(None),
            Session.listed_at > bindparam("now"),  # the start, as the index has it
            Session.listed_at < TimeOff.ends_at,
            Session.ends_at > TimeOff.starts_at,
        ),
    )
    .where(TimeOff.coach_id == bindparam("coach"), TimeOff.ends_at > bindparam("now"))
    .group_by(TimeOff.id)
)


def lines_of(coach_id: int, session_ids: Sequence[int]) -> list[Line]:
    """These sessions as the coach sees them, the soonest first; others' are left out."""
    if not session_ids:
        return []
    found = queries.lines(session_ids, coach_id)
    return [line for line in found if line.role == Role.COACH]


# What is offered


def offers(
    coach_id: int,
    lines: Iterable[Line],
    now: datetime,
    *,
    until: datetime | None = None,
    policy: Policy | None = None,
) -> dict[int, list[datetime]]:
    """For each session the best times to meet instead, at most three; none where there is none.

    No time is offered to two of them: they take turns, the soonest session first. Each lies after
    the time to answer, so that silence may still take it. ``until`` is the end of the days away,
    and times are looked for beyond it. For looking: two queries a session.
    """
    policy = policy or policies.in_force()
    wanted: dict[int, tuple[Meeting, list[datetime]]] = {}
    for line in lines:
        meeting = finding.of_session(coach_id, line.id)
        wanted[line.id] = meeting, _possible(meeting, now, until, policy)
    given: dict[int, list[datetime]] = {one: [] for one in wanted}
    taken: list[_Given] = []
    for _turn in range(MAX_TIMES):
        for one, (meeting, possible) in wanted.items():
            free = (start for start in possible if not _in_the_way(start, one, meeting, taken))
            start = next(free, None)
            if start is not None:
                possible.remove(start)
                given[one].append(start)
                taken.append((start, start + timedelta(minutes=meeting.minutes), one))
    return given


def _possible(
    meeting: Meeting, now: datetime, until: datetime | None, policy: Policy
) -> list[datetime]:
    """The times for one session, the best first."""
    start = meeting.start or now
    answered = reschedule_rules.answer_deadline(start, now, policy) + policy.min_lead
    first = max(start - _BEFORE, answered)
    last = max(start, until or start) + _AFTER
    starts = meeting.opening(first, last, now=now, policy=policy).starts(first, last)
    return meeting.best([one for one in starts if one != start], len(starts))


def _in_the_way(
    start: datetime, session_id: int, meeting: Meeting, taken: Sequence[_Given]
) -> bool:
    """Whether it would compete with a time that another of the batch is offered."""
    hours = meeting.hours
    apart = timedelta(minutes=hours.buffer_before + hours.buffer_after if hours else 0)
    end = start + timedelta(minutes=meeting.minutes)
    return any(
        start < until + apart and begins - apart < end
        for begins, until, whose in taken
        if whose != session_id
    )


# Asking


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one session's question: asked, or refused."""

    session_id: int
    refusal: Refusal | None = None


def ask_to_move(
    actor: Actor,
    proposals: Mapping[int, Sequence[datetime]],
    reason: str,
    now: datetime,
    time_off_id: int | None = None,
) -> list[Asked]:
    """Ask the student of each session to move it to one of its proposed times.

    Each in a transaction of its own (so call it outside one): what is refused stops no other.
    ``time_off_id`` puts them on the board of that absence. Raises ``NotFound``, before anything
    is asked, for what is not this coach's; ``Refused`` for the reason.
    """
    mine = {line.id for line in lines_of(actor.id or 0, list(proposals))}
    if mine != set(proposals) or not _is_mine(actor, time_off_id):
        raise NotFound("session")
    require(check_reason(reason))
    told = []
    for session_id, times in proposals.items():
        try:
            _ask(actor, session_id, times, reason, now, time_off_id)
        except Refused as refused:
            told.append(Asked(session_id, refused.refusal))
        else:
            told.append(Asked(session_id))
    return told


def _ask(
    actor: Actor,
    session_id: int,
    times: Sequence[datetime],
    reason: str,
    now: datetime,
    time_off_id: int | None,
) -> None:
    with db.transaction():
        session = actions.find_for(actor, session_id)
        settled = session.settle_silence(now=now)
        if settled is None:
            if time_off_id is not None:
                _note(time_off_id, session, actor, now)
            session.request_reschedule(
                Role.COACH, reason, proposed_times=times, actor=actor, now=now
            )
    if settled is not None:
        raise Refused(SETTLED[settled])


def _note(time_off_id: int, session: Session, actor: Actor, now: datetime) -> None:
    """Put the session on the board of the absence, if it is still in its way."""
    away = db.session.scalars(_HELD, {"id": time_off_id, "coach": actor.id}).one_or_none()
    start, end = session.scheduled_at, session.ends_at
    if away is None or start is None or end is None:
        raise Refused(reschedule_rules.NOT_IN_THE_WAY)
    if start >= away.ends_at or end <= away.starts_at:
        raise Refused(reschedule_rules.NOT_IN_THE_WAY)
    ask = db.session.get(AbsenceAsk, (time_off_id, session.id))
    if ask is None:
        ask = AbsenceAsk(time_off_id=time_off_id, session_id=session.id)
        db.session.add(ask)
    ask.asked_at = now


_HELD = (
    select(TimeOff)
    .where(TimeOff.id == bindparam("id"), TimeOff.coach_id == bindparam("coach"))
    .with_for_update(read=True)
)


def _is_mine(actor: Actor, time_off_id: int | None) -> bool:
    if time_off_id is None:
        return True
    found = select(TimeOff.id).where(TimeOff.id == time_off_id, TimeOff.coach_id == actor.id)
    return db.session.scalar(found) is not None


# The board


class Answer(StrEnum):
    """Where one session of an absence stands, as its coach sees it."""

    OPEN = "open"
    """In the way, and nobody is asked."""
    WAITING = "waiting"
    """The student is asked."""
    THEIRS = "theirs"
    """The student proposes times: the coach answers."""
    DECLINED = "declined"
    LAPSED = "lapsed"
    MOVED = "moved"
    NO_TIME = "no_time"
    """Silence left it without a time."""
    CANCELLED = "cancelled"
    OVER = "over"
    """It began, or was held or missed, whatever was asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """One session on the board; ``why_not`` is why its student cannot be asked now."""

    line: Line
    answer: Answer
    why_not: Refusal | None = None

    @property
    def may_ask(self) -> bool:
        """Whether the student can be asked (again) now."""
        return self.answer in _ASKABLE and self.why_not is None

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked yet who can be."""
        return self.answer is Answer.OPEN and self.why_not is None


_ASKABLE = (Answer.OPEN, Answer.DECLINED, Answer.LAPSED)


def board(away: TimeOff, now: datetime, policy: Policy | None = None) -> list[Place]:
    """Every session that these days away are in the way of, or were when its student was asked."""
    policy = policy or policies.in_force()
    asks = db.session.scalars(select(AbsenceAsk).where(AbsenceAsk.time_off_id == away.id))
    asked = {one.session_id: one.asked_at for one in asks}
    falling = affected(away.coach_id, away.starts_at, away.ends_at, now)
    rest = set(asked) - {line.id for line in falling}
    lines = [*falling, *lines_of(away.coach_id, sorted(rest))]
    ended = _ended(asked)
    places = [
        _place(line, _standing(line, away, now, ended.get(line.id)), now, policy) for line in lines
    ]
    return sorted(places, key=lambda one: (one.line.start or one.line.listed_at, one.line.id))


def standing(lines: Iterable[Line], now: datetime, policy: Policy | None = None) -> list[Place]:
    """Where sessions stand that are to move for another reason than days away."""
    policy = policy or policies.in_force()
    return [_place(line, _standing(line, None, now), now, policy) for line in lines]


def _place(line: Line, answer: Answer, now: datetime, policy: Policy) -> Place:
    if answer not in _ASKABLE:
        return Place(line, answer)
    why_not = reschedule_rules.may_request_reschedule(line.facts, Role.COACH, now, policy)
    return Place(line, answer, why_not)


def _standing(line: Line, away: TimeOff | None, now: datetime, ended: str | None = None) -> Answer:
    """Where it stands; ``ended`` is how the last question about it ended, if it did."""
    facts = line.facts
    if facts.status == Status.CANCELLED:
        return Answer.CANCELLED
    if facts.status != Status.SCHEDULED:
        return Answer.OVER
    if facts.start is None or line.end is None:
        return Answer.NO_TIME
    if facts.pending:
        return Answer.WAITING if facts.pending.by == Role.COACH else Answer.THEIRS
    if away and (facts.start >= away.ends_at or line.end <= away.starts_at):
        return Answer.MOVED
    if rules.has_started(facts, now):
        return Answer.OVER
    return _ENDED.get(ended or "", Answer.OPEN)


_ENDED = {
    "session.reschedule_declined": Answer.DECLINED,
    "session.reschedule_lapsed": Answer.LAPSED,
}
_ENDS = (*_ENDED, "session.reschedule_withdrawn")


def _ended(asked: Mapping[int, datetime]) -> dict[int, str]:
    """How the last question about each session ended, if it did since it was asked."""
    if not asked:
        return {}
    rows = db.session.execute(
        select(Event.session_id, Event.verb, Event.at)
        .where(Event.session_id.in_(asked), Event.verb.in_(_ENDS))
        .order_by(Event.id)
    )
    return {one: verb for one, verb, at in rows if one is not None and at >= asked[one]}
