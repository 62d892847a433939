"""The life of one contract in the demo, from its proposal to this hour."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from skileez.contracts.models import Proposal
from skileez.demo import words
from skileez.demo.calendar import weekly
from skileez.demo.story import DAY, HOUR, MINUTE, NOW_FROM, NOW_TO, Deed, Moment, Story
from skileez.demo.ways import NEAR, PAST
from skileez.sessions import actions

BOOKED_AHEAD: Final = 9 * DAY
BOOKED_LAST: Final = -30 * HOUR


class Life(Story):
    """Writes all of it."""

    near: list[tuple[str, Moment]]

    def reserve(self) -> None:
        """Find the hours for what happens now, before the rest of everybody's life takes them."""
        self.near = [(way, Moment(self._near(way))) for way in self.plan.now]

    def write(self, propose: Callable[[datetime], Proposal]) -> None:
        """Write everything, from the proposal to this hour."""
        back, forth = weekly(
            self.zone, self.plan.weekday, self.plan.hour, self.plan.every, self.hour
        )
        ways = self._ways()
        past = [Moment(start) for start in self._free(back, len(ways))][::-1]
        ahead = [Moment(start) for start in self._free(forth, self.plan.ahead)]
        moments = sorted((*past, *(one for _, one in self.near), *ahead), key=lambda one: one.start)
        self._begin(propose, self._booked_at(moments[0].start) - 20 * HOUR)
        unsure = {id(one) for way, one in self.near if way == "unconfirmed"}
        for one in moments:
            self._book(one, unsure=id(one) in unsure)
        for way, one in zip(ways, past, strict=True):
            PAST[way][1](self, one)
        for way, one in self.near:
            NEAR[way][2](self, one)
        self._end()

    def _ways(self) -> list[str]:
        """How each past session went; a completed contract needs all of its sessions held."""
        if self.plan.ends == "completed":
            ways = ["held"] * self.plan.offer.sessions
            ways[2], ways[4] = "moved", "declined"
            return [*ways[:5], "cancelled", *ways[5:]]
        first, *rest = (
            self.random.choices(
                list(PAST), [weight for weight, _ in PAST.values()], k=self.plan.past
            )
            if self.plan.past
            else ["held"]
        )
        return ["held" if first.startswith("cancelled") else first, *rest]

    def _free(self, starts: Iterator[datetime], count: int) -> list[datetime]:
        found: list[datetime] = []
        while len(found) < count:
            start = next(starts)
            outside = not NOW_FROM < start - self.hour < NOW_TO
            if outside and self.calendar.is_free(self.both, start, self.minutes):
                found.append(self.calendar.take(self.both, start, self.minutes))
        return found

    def _near(self, way: str) -> datetime:
        low, high, _ = NEAR[way]
        low_at, high_at = self.hour + low * HOUR, self.hour + high * HOUR
        return self.calendar.find(self.both, low_at, high_at, self.minutes, self.zones)

    def _begin(self, propose: Callable[[datetime], Proposal], accepted: datetime) -> None:
        proposed: list[Proposal] = []
        sent = accepted - self.random.randint(9, 60) * HOUR - self.random.randint(1, 59) * MINUTE

        def accept(now: datetime) -> None:
            self.contract = proposed[0].accept(actor=self.who("student"), now=now)

        def link(now: datetime) -> None:
            assert self.contract is not None
            actor = self.who("coach")
            self.contract.set_meeting_url(self.plan.link, actor=actor, role="coach", now=now)

        self.at(sent, lambda now: proposed.append(propose(now)))
        self.at(accepted, accept)
        if self.plan.link:
            self.at(accepted + 40 * MINUTE, link)

    def _end(self) -> None:
        def pause(now: datetime) -> None:
            assert self.contract is not None
            self.contract.pause(
                actor=self.who("coach"), role="coach", reason=words.PAUSING, now=now
            )

        def end(now: datetime) -> None:
            assert self.contract is not None
            actor = self.who("student")
            actions.end_contract(
                self.contract, by="student", actor=actor, reason=words.ENDING, now=now
            )

        if self.plan.ends == "paused":
            self.at(self.hour - 20 * HOUR, pause)
        if self.plan.ends == "cancelled":
            self.at(self.hour - 18 * HOUR, end)

    def _booked_at(self, start: datetime) -> datetime:
        return min(start - BOOKED_AHEAD, self.hour + BOOKED_LAST)

    def _book(self, one: Moment, *, unsure: bool) -> None:
        by = "student" if unsure or self.random.random() < 0.6 else "coach"
        booked, start = self._booked_at(one.start), one.start

        def book(now: datetime) -> None:
            assert self.contract is not None
            one.row = actions.book(self.contract, start, by=by, actor=self.who(by), now=now)

        self.at(booked, book)
        if by == "student" and not unsure:
            confirmed = booked + self.random.randint(60, 600) * MINUTE
            if start < self.hour + NOW_TO or self.random.random() < 0.6:
                self.at(confirmed, self._confirm(one))

    def _confirm(self, one: Moment) -> Deed:
        return lambda now: one.session.confirm("coach", actor=self.who("coach"), now=now)
