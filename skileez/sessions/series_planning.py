"""What a series would come to, date by date, before it is booked or moved. Reads only.

Both people's time is read once for all dates, and each date is checked with those before it in
place, so that a series never runs into itself. A verb asks again, with the time held.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from skileez import zones
from skileez.availability.choosing import best
from skileez.availability.slots import Against, Opening, Taken
from skileez.contracts.models import Contract
from skileez.errors import Refusal, require
from skileez.sessions import booking, finding, meeting, rules, series_rules
from skileez.sessions import policy as policies
from skileez.sessions.finding import Meeting
from skileez.sessions.models import Session
from skileez.sessions.recurrence import (
    Occurrence,
    Pattern,
    Run,
    at_place,
    check_length,
    dst_changes,
    occurrences,
)
from skileez.sessions.row import in_utc
from skileez.sessions.rules import Policy

Choices = Mapping[str, datetime | None]
"""What is chosen for a place instead of its own time: another start, or None to leave it out."""

_AROUND = timedelta(days=8)
_SEARCHED = 7
"""On how many days another time is looked for, the date's own included."""


@dataclass(frozen=True, slots=True)
class Shift:
    """From this date on the clocks of ``zone`` show ``after`` where they showed ``before``."""

    zone: str
    before: datetime
    after: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """One date of a series that is not booked yet. ``start`` None: it is left out.

    ``refusal`` says why it cannot be booked; ``free`` is then the nearest time that can.
    """

    occurrence: Occurrence
    start: datetime | None
    refusal: Refusal | None = None
    free: datetime | None = None
    shifts: tuple[Shift, ...] = ()

    @property
    def place(self) -> str:
        """What a choice for this date is about."""
        return self.occurrence.place


@dataclass(frozen=True)
class Preview:
    """A series before it is booked. ``numbers`` are those that the contract has left;
    ``changes`` has what the clocks of the coach and of the student show, by zone.
    """

    pattern: Pattern
    dates: tuple[Planned, ...]
    numbers: tuple[int, ...]
    changes: Mapping[str, Sequence[Run]]

    @property
    def left(self) -> int:
        """How many sessions the contract leaves to book."""
        return len(self.numbers)

    @cached_property
    def booked(self) -> list[Planned]:
        """The dates that are not left out."""
        return [one for one in self.dates if one.start is not None]

    @cached_property
    def refused(self) -> list[Planned]:
        """The dates that cannot be booked as chosen."""
        return [one for one in self.dates if one.refusal is not None]


def preview(
    contract: Contract,
    pattern: Pattern,
    *,
    by: str,
    now: datetime,
    choices: Choices | None = None,
    policy: Policy | None = None,
) -> Preview:
    """Every date of ``pattern`` as chosen, what is in its way, and what clocks do to it.

    Raises ``Refused`` when the contract is not active, when it leaves fewer sessions than there
    are dates, and for choices about other dates.
    """
    policy, choices = policy or policies.in_force(), choices or {}
    numbers = booking.numbers_left(contract, pattern.minutes)
    require(check_length(pattern, len(numbers)))
    found = occurrences(pattern, len(numbers))
    require(series_rules.check_places(set(choices), {one.place for one in found}))
    starts = [_chosen(choices.get(one.place, one.start)) for one in found]
    people = finding.of_contract(contract.coach_id, contract.id)
    diary = Diary(people, starts, pattern.minutes, now, policy)
    refusals = [diary.put(start, meeting.against(by)) for start in starts]
    changes = {
        zone: dst_changes([(one.place, one.start) for one in found], zone)
        for zone in dict.fromkeys(people.zones)
    }
    dates = tuple(
        Planned(
            one,
            start,
            refusal,
            diary.nearest(start) if start and refusal else None,
            _shifts(one, changes),
        )
        for one, start, refusal in zip(found, starts, refusals, strict=True)
    )
    return Preview(pattern, dates, tuple(numbers), changes)


@dataclass(frozen=True, slots=True)
class Move:
    """Where a session goes when its pattern moves, and why it cannot."""

    session: Session
    occurrence: Occurrence
    refusal: Refusal | None = None

    @property
    def place(self) -> str:
        """Its new place in the series."""
        return self.occurrence.place

    @property
    def new(self) -> datetime:
        """Its new start."""
        return self.occurrence.start

    @property
    def old(self) -> datetime:
        """The start that it has now."""
        assert self.session.scheduled_at is not None
        return self.session.scheduled_at


@dataclass(frozen=True)
class MovePlan:
    """What a new pattern comes to: the session's moves, in order."""

    pattern: Pattern
    moves: tuple[Move, ...]

    @property
    def refused(self) -> list[Move]:
        """The sessions whose new time cannot be had."""
        return [one for one in self.moves if one.refusal is not None]


def plan_moves(
    pattern: Pattern,
    sessions: Sequence[Session],
    places: Sequence[str],
    against: Against,
    *,
    now: datetime,
    policy: Policy,
) -> MovePlan:
    """What becomes of ``sessions``, of one series, that go to ``places``: the times that they
    leave are free for one another.
    """
    found = [at_place(place, pattern.zone) for place in places]
    if not sessions:
        return MovePlan(pattern, ())
    people = finding.of_session(sessions[0].coach_id, sessions[0].id)
    left = {one.scheduled_at for one in sessions if one.scheduled_at}
    diary = Diary(people, [one.start for one in found], pattern.minutes, now, policy, left)
    moves = (
        Move(session, one, diary.put(one.start, against))
        for session, one in zip(sessions, found, strict=True)
    )
    return MovePlan(pattern, tuple(moves))


class Diary:
    """Both people's time, into which several sessions are put.

    ``starts`` are those that will be asked about; at the ones of ``left`` the two no longer meet.
    """

    def __init__(
        self,
        people: Meeting,
        starts: Iterable[datetime | None],
        minutes: int,
        now: datetime,
        policy: Policy,
        left: Iterable[datetime] = (),
    ) -> None:
        self.people, self.minutes, self.now, self.policy = people, minutes, now, policy
        within = [one for one in starts if one and now <= one <= now + policy.horizon] or [now]
        first, last = min(within), max(within) + timedelta(days=_SEARCHED)
        gone = set(left)
        self.taken = [
            one
            for one in meeting.taken_between(
                people.coach_id, people.student_id, first, last, people.session_id, held=True
            )
            if one.held or one.whose == "away" or one.starts not in gone
        ]

    def put(self, start: datetime | None, against: Against) -> Refusal | None:
        """Why the two cannot meet then; where they can, they do from here on."""
        if start is None:
            return None
        refusal = rules.check_start(start, self.now, self.policy) or self._around(start).refusal(
            start, against
        )
        if refusal is None:
            self._take(start)
        return refusal

    def nearest(self, start: datetime) -> datetime | None:
        """The free time that is most like ``start``: on its day, else on the next that has one.

        Nobody else is given it. None, where a week has none.
        """
        opening = self._around(start)
        home = self.people.coach_zone
        day = zones.local(start, home).date()
        for ahead in range(_SEARCHED):
            stretches = zones.stretches(day + timedelta(days=ahead), home)
            if not stretches:
                continue
            offered = opening.starts(stretches[0][0], stretches[-1][1])
            if found := best(offered, start, self.people.zones, 1):
                self._take(found[0])
                return found[0]
        return None

    def _take(self, start: datetime) -> None:
        end = start + timedelta(minutes=self.minutes)
        self.taken += [Taken(start, end, "coach"), Taken(start, end, "student")]

    def _around(self, start: datetime) -> Opening:
        """The opening near ``start``: of a year's sessions only those that can matter."""
        first, last = start - _AROUND, start + _AROUND + timedelta(days=_SEARCHED)
        return Opening(
            self.people.hours,
            self.minutes,
            [one for one in self.taken if one.ends > first and one.starts < last],
            now=self.now,
            earliest=self.now + self.policy.min_lead,
            latest=self.now + self.policy.horizon,
            zone=self.people.coach_zone,
        )


def _chosen(start: datetime | None) -> datetime | None:
    return in_utc(start) if start else None


def _shifts(one: Occurrence, changes: Mapping[str, Sequence[Run]]) -> tuple[Shift, ...]:
    return tuple(
        Shift(zone, run.before, run.shown)
        for zone, runs in changes.items()
        for run in runs
        if run.before is not None and run.first == one.start
    )
