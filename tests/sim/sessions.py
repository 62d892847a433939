"""What people do with sessions in a simulated half year: book, ask, answer, come, end them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from skileez import db
from skileez.errors import Refused
from skileez.events import Actor
from skileez.sessions import actions, finding
from skileez.sessions.models import Session
from tests.cast import DAY, HOUR, MINUTE, POLICY, WHY

if TYPE_CHECKING:
    from tests.sim.world import World


class Sessions:
    """The sessions of a world: booked one by one here, or as a series."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.random = world.random

    def book(self, contract: int, sides: dict[str, int]) -> None:
        by, now = self._someone(), self.world.now
        start = self._hour(now + self.random.choice([3, 20, 30, 50, 80, 150]) * HOUR)
        actor = Actor("person", sides[by])
        offered = []
        if by == "student" and self.random.random() < 0.6:
            looked = finding.of_contract(sides[by], contract)
            opening = looked.opening(now, now + 7 * DAY, now=now, policy=POLICY)
            offered = opening.starts(now, now + 7 * DAY)
            db.session.rollback()
            ends = [one.ends for one in opening.taken if one.whose == "coach"]
            if ends and self.random.random() < 0.7:
                # As close as can be: that is where buffers and caps decide.
                offered.sort(key=lambda at: min(abs(at - end) for end in ends))
                offered = offered[:1]
        if offered:
            start = self.random.choice(offered)

        def book() -> int:
            found = actions.find_contract_for(actor, contract)
            try:
                return actions.book(found, start, by=by, actor=actor, now=now, policy=POLICY).id
            except Refused as refused:
                if offered and refused.refusal.field == "scheduled_at":
                    self.world.not_kept.append(refused.code)
                raise

        session = self.world.attempt("book an offer" if offered else "book", book)
        if session is not None:
            self.live(session, sides, start)

    def live(self, session: int, sides: dict[str, int], start: datetime) -> None:
        """Draw what its people will do about a session."""
        left = max(start - self.world.now, HOUR)
        if self.random.random() < 0.7:
            self.world.later(self._wait(left), lambda: self._do(session, sides, "confirm", "coach"))
        if self.random.random() < 0.6:
            by = self._someone()
            self.world.later(self._wait(left), lambda: self._ask(session, sides, by))
        if self.random.random() < 0.12:
            by = self._someone()
            self.world.later(self._wait(left * 1.1), lambda: self._do(session, sides, "cancel", by))
        for side in sides:
            if self.random.random() < 0.5:
                at = start + self.random.randint(-9, 20) * MINUTE
                self.world.later(at, lambda side=side: self._do(session, sides, "check_in", side))
        ending = self.random.random()
        after = start + self.random.random() * 4 * HOUR
        by = self._someone()
        if ending < 0.55:
            self.world.later(after, lambda: self._do(session, sides, "complete", by))
        elif ending < 0.65:
            self.world.later(after, lambda: self._do(session, sides, "miss", by))
        if self.random.random() < 0.3:
            self.world.later(after + 20 * HOUR, lambda: self._correct(session, sides))

    def _someone(self) -> str:
        return self.random.choice(["student", "coach"])

    def _wait(self, most: timedelta) -> datetime:
        return self.world.now + self.random.random() * most

    def _hour(self, start: datetime) -> datetime:
        # Few times of a day, so that they do collide.
        return start.replace(hour=start.hour // 4 * 4, minute=0, second=0, microsecond=0) + 4 * HOUR

    def _ask(self, session: int, sides: dict[str, int], by: str) -> None:
        times = [
            self._hour(self.world.now + self.random.choice([2, 6, 12, 30, 70, 150]) * HOUR)
            for _ in range(self.random.randint(1, 3))
        ]
        asked = self._verb(
            session, sides, "ask", by,
            lambda one, actor: one.request_reschedule(
                by, WHY, proposed_times=times, actor=actor, now=self.world.now, policy=POLICY
            ),
        )  # fmt: skip
        if asked:
            self._answer_later(session, sides, by)

    def _answer_later(self, session: int, sides: dict[str, int], asker: str) -> None:
        other = "coach" if asker == "student" else "student"
        if self.random.random() < 0.3:
            # Who asked tries to answer as well.
            at = self._wait(3 * HOUR)
            self.world.later(at, lambda: self._answer(session, sides, "approve", asker, asker))
        answer = self.random.choice(
            ["approve", "decline", "counter", "withdraw", "forget", "forget", "forget"]
        )
        if answer == "forget":
            return
        at = self._wait(26 * HOUR)
        by = asker if answer == "withdraw" else other
        self.world.later(at, lambda: self._answer(session, sides, answer, by, asker))

    def _answer(self, session: int, sides: dict[str, int], verb: str, by: str, asker: str) -> None:
        def answer(one: Session, actor: Actor) -> None:
            now = self.world.now
            told: dict[str, Any] = {"actor": actor, "now": now}
            if verb == "approve":
                times = one.proposed_times
                time = self.random.choice(times) if times else self._hour(now + 30 * HOUR)
                one.approve_reschedule(time, by=by, policy=POLICY, **told)
            elif verb == "decline":
                one.decline_reschedule(by=by, reason=None, **told)
            elif verb == "counter":
                time = self._hour(now + self.random.randint(2, 90) * HOUR)
                one.counter_reschedule(by, [time], policy=POLICY, **told)
            else:
                one.withdraw_reschedule(by, **told)

        if self._verb(session, sides, verb, by, answer) and verb == "counter":
            self._answer_later(session, sides, by)

    def _correct(self, session: int, sides: dict[str, int]) -> None:
        asked = self._do(session, sides, "ask correction", by := self._someone())
        if asked:
            other = "coach" if by == "student" else "student"
            verb = self.random.choice(["agree", "agree", "disagree"])
            at = self._wait(30 * HOUR)
            self.world.later(at, lambda: self._do(session, sides, verb, other))

    def _do(self, session: int, sides: dict[str, int], verb: str, by: str) -> bool:
        now = self.world.now
        verbs: dict[str, Callable[[Session, Actor], object]] = {
            "confirm": lambda one, who: one.confirm(by, actor=who, now=now),
            "cancel": lambda one, who: one.cancel_session(
                by=by, reason=WHY, actor=who, now=now, policy=POLICY
            ),
            "complete": lambda one, who: one.mark_completed("Fine.", by, actor=who, now=now),
            "miss": lambda one, who: one.mark_missed(
                by=by, reason=WHY, absent=self._someone(), actor=who, now=now
            ),
            "check_in": lambda one, who: one.check_in(by, "here", actor=who, now=now),
            "ask correction": lambda one, who: one.request_correction(
                by, WHY, actor=who, now=now, policy=POLICY
            ),
            "agree": lambda one, who: one.approve_correction(by, actor=who, now=now),
            "disagree": lambda one, who: one.decline_correction(by, actor=who, now=now),
        }
        return self._verb(session, sides, verb, by, verbs[verb])

    def _verb(
        self,
        session: int,
        sides: dict[str, int],
        name: str,
        by: str,
        verb: Callable[[Session, Actor], object],
    ) -> bool:
        def act() -> bool:
            actor = Actor("person", sides[by])
            verb(actions.find_for(actor, session), actor)
            return True

        return bool(self.world.attempt(name, act))
