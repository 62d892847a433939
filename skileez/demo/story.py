"""How one thing that happens to a session in the demo is written down, with its instant."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import cycle
from random import Random
from typing import Final

from skileez.contracts.models import Contract
from skileez.demo import cast, words
from skileez.demo.calendar import Calendar
from skileez.demo.plans import Plan
from skileez.events import Actor
from skileez.sessions.models import Session
from skileez.sessions.presence_rules import Way

Deed = Callable[[datetime], object]
Script = list[tuple[datetime, int, Deed]]
"""What is done when; the number keeps the order of what is done at one instant."""

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)

NOW_FROM, NOW_TO = -36 * HOUR, 108 * HOUR
"""Between these, counted from this hour, only what a plan says of "now" takes place."""

MINOR: Final = (0, 0, 0, 5, 10, -5, 15)
"""Minutes by which a session took longer than planned."""


class Moment:
    """One session while its script is written: where it stands, and its row once booked."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.row: Session | None = None

    @property
    def session(self) -> Session:
        """The row, once booked."""
        assert self.row is not None
        return self.row


class Story:
    """The script of one contract, and the verbs that go into it."""

    def __init__(
        self,
        plan: Plan,
        people: dict[str, int],
        calendar: Calendar,
        hour: datetime,
        random: Random,
        script: Script,
    ) -> None:
        self.plan, self.hour, self.random, self.script = plan, hour, random, script
        self.minutes, self.zone = plan.offer.minutes, plan.offer.zone
        self.zones = tuple(cast.ZONE_OF[key] for key in (plan.offer.coach, plan.offer.student))
        self.ids = {"coach": people[plan.offer.coach], "student": people[plan.offer.student]}
        self.both = tuple(self.ids.values())
        self.calendar = calendar
        self.notes = cycle(plan.theme)
        self.reasons = self._shuffled(words.MOVING)
        self.contract: Contract | None = None

    def _shuffled(self, lines: tuple[str, ...]) -> Iterator[str]:
        mixed = list(lines)
        self.random.shuffle(mixed)
        return cycle(mixed)

    def at(self, when: datetime, deed: Deed) -> None:
        """Do ``deed`` at ``when``."""
        assert when <= self.hour, (self.plan.offer.title, when)
        self.script.append((when, len(self.script), deed))

    def who(self, role: str) -> Actor:
        """The person in this role."""
        return Actor("person", self.ids[role])

    def times(self, one: Moment, count: int, after: int = 0) -> list[datetime]:
        near = one.start + after * DAY
        return self.calendar.others(self.both, near, self.minutes, self.zones, count)

    def has_room(self, one: Moment, days: int) -> bool:
        """Whether a move by some days still ends before now."""
        return one.start + (days + 1) * DAY < self.hour + NOW_FROM

    def held(self, one: Moment) -> None:
        by, late = ("coach", "student") if self.random.random() < 0.65 else ("student", "coach")
        pair = dict(zip(("coach", "student"), next(self.notes), strict=True))
        said = pair[by] if self.random.random() < 0.85 else None
        took = self.minutes + self.random.choice(MINOR) if self.random.random() < 0.6 else None
        done = one.start + (self.minutes + self.random.randint(2, 35)) * MINUTE

        def complete(now: datetime) -> None:
            actor = self.who(by)
            one.session.mark_completed(said, by, actual_minutes=took, actor=actor, now=now)

        self.at(done, complete)
        if self.random.random() < 0.55:
            later = done + self.random.randint(30, 840) * MINUTE
            self.at(
                later,
                lambda now: one.session.add_notes(pair[late], late, actor=self.who(late), now=now),
            )

    def ask(
        self, one: Moment, by: str, when: datetime, times: list[datetime], answer: str = "request"
    ) -> None:
        reason = next(self.reasons)

        def ask(now: datetime) -> None:
            one.session.request_reschedule(
                by, reason, proposed_times=times, actor=self.who(by), now=now
            )

        def counter(now: datetime) -> None:
            one.session.counter_reschedule(
                by,
                times,
                reason=self.random.choice(words.COUNTERING),
                actor=self.who(by),
                now=now,
            )

        self.at(when, ask if answer == "request" else counter)

    def approve(self, one: Moment, by: str, when: datetime, time: datetime) -> None:
        self.at(
            when,
            lambda now: one.session.approve_reschedule(time, by=by, actor=self.who(by), now=now),
        )
        one.start = time

    def cancel(self, one: Moment, by: str, when: datetime) -> None:
        reason = self.random.choice(words.CANCELLING)
        self.at(
            when,
            lambda now: one.session.cancel_session(
                by=by, reason=reason, actor=self.who(by), now=now
            ),
        )

    def check_in(self, one: Moment, by: str, way: Way, minutes: int) -> None:
        """So many minutes after its start; less than none is before it."""
        self.at(
            one.start + minutes * MINUTE,
            lambda now: one.session.check_in(by, way, actor=self.who(by), now=now),
        )

    def miss(self, one: Moment, by: str, absent: str) -> None:
        reason = self.random.choice(words.MISSING)
        self.at(
            one.start + 40 * MINUTE,
            lambda now: one.session.mark_missed(
                by=by, reason=reason, absent=absent, actor=self.who(by), now=now
            ),
        )

    def object(self, one: Moment, by: str, when: datetime) -> None:
        reason = self.random.choice(words.CORRECTING)
        self.at(
            when,
            lambda now: one.session.request_correction(by, reason, actor=self.who(by), now=now),
        )
