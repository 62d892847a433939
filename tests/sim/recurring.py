"""What people do with series in a simulated half year: book, confirm, move, answer, end them."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from skileez.events import Actor
from skileez.sessions import actions, recurrence, series_booking, series_ending, series_moving
from skileez.sessions.models import Session
from skileez.sessions.series import Series
from skileez.sessions.series_ending import Scope
from tests.cast import DAY, HOUR, WHY

if TYPE_CHECKING:
    from tests.sim.world import World

CLOCKS = (time(9), time(12), time(18), time(2, 30))
DAYS = ([0], [2], [0, 3], [6])


class Recurring:
    """The series of a world, which are booked in place of single sessions."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.random = world.random

    def book(self, contract: int, sides: dict[str, int], total: int, zone: str) -> None:
        """Book as many dates as the contract has, and draw what becomes of them."""
        world, by = self.world, self.random.choice(["student", "coach"])
        pattern = recurrence.starting(
            zone,
            (world.now + self.random.randint(1, 12) * DAY).date(),
            self.random.choice(CLOCKS),
            self.random.choice(DAYS),
            60,
            interval=self.random.choice([1, 1, 2]),
            count=total,
        )

        def book() -> tuple[int, list[tuple[int, datetime]]]:
            actor = Actor("person", sides[by])
            agreed = actions.find_contract_for(actor, contract)
            # Where a date is taken, they take the next free time, or leave the date out.
            plan = series_booking.preview(agreed, pattern, by=by, now=world.now)
            choices = {one.place: one.free for one in plan.refused}
            series = series_booking.book_series(
                agreed, pattern, choices, by=by, actor=actor, now=world.now
            )
            booked = Session.query.filter_by(series_id=series.id)
            return series.id, [(one.id, one.scheduled_at) for one in booked]

        done = world.attempt("book a series", book)
        if done is None:
            return
        series, sessions = done
        for session, start in sessions:
            world.sessions.live(session, sides, start)
        last = sessions[-1][1] - world.now
        self._later(last, 0.5, lambda: self._confirm(series, sides))
        self._later(last, 0.7, lambda: self._ask(series, sides))
        late = self.random.choice(sessions)[1] - 18 * HOUR
        if self.random.random() < 0.6 and late > world.now:
            world.later(late, lambda: self._ask(series, sides))
        self._later(last, 0.2, lambda: self._cancel(series, sides))
        self._later(last, 0.15, lambda: self._stop(series, sides))

    def _later(self, most: timedelta, chance: float, deed: Callable[[], None]) -> None:
        if self.random.random() < chance:
            at = self.world.now + self.random.random() * max(most, HOUR)
            self.world.later(at, deed)

    def _do(
        self, name: str, series: int, sides: dict[str, int], by: str, verb: Callable[..., Any]
    ) -> bool:
        def act() -> bool:
            actor = Actor("person", sides[by])
            verb(actions.find_series_for(actor, series), by=by, actor=actor, now=self.world.now)
            return True

        return bool(self.world.attempt(f"{name} a series", act))

    def _someone(self) -> str:
        return self.random.choice(["student", "coach"])

    def _confirm(self, series: int, sides: dict[str, int]) -> None:
        self._do("confirm", series, sides, "coach", series_booking.confirm)

    def _stop(self, series: int, sides: dict[str, int]) -> None:
        keep = self.random.random() < 0.5

        def stop(one: Series, **told: Any) -> None:
            series_ending.stop(one, keep=keep, reason=WHY, **told)

        self._do("stop", series, sides, self._someone(), stop)

    def _cancel(self, series: int, sides: dict[str, int]) -> None:
        scope = self.random.choice([Scope.THIS, Scope.FOLLOWING, Scope.ALL])
        dice = self.random.random()

        def cancel(one: Series, **told: Any) -> None:
            series_ending.cancel(one, scope, self._place(one, dice), reason=WHY, **told)

        self._do("cancel some of", series, sides, self._someone(), cancel)

    def _ask(self, series: int, sides: dict[str, int]) -> None:
        by, clock, days = self._someone(), self.random.choice(CLOCKS), self.random.choice(DAYS)
        dice = self.random.random()

        def ask(one: Series, now: datetime, **told: Any) -> None:
            # From the next session on, or from anywhere.
            next_ones = series_ending.coming(one, Scope.ALL, None, now)
            place = next_ones[0].series_place if next_ones and dice < 0.6 else None
            series_moving.request_move(
                one, place or self._place(one, dice), weekdays=days, clock=clock, reason=WHY,
                now=now, **told,
            )  # fmt: skip

        if not self._do("ask to move", series, sides, by, ask):
            return
        other = "coach" if by == "student" else "student"
        verbs = {
            "approve the move of": (other, series_moving.approve_move),
            "decline the move of": (other, series_moving.decline_move),
            "withdraw the move of": (by, series_moving.withdraw_move),
        }
        if self.random.random() < 0.3:
            # Who asked tries to answer as well.
            self._answer(3 * HOUR, series, sides, "approve the move of", by, verbs)
        answer = self.random.choice([*verbs, "approve the move of", "forget", "forget"])
        if answer in verbs:
            self._answer(26 * HOUR, series, sides, answer, verbs[answer][0], verbs)

    def _answer(
        self,
        most: timedelta,
        series: int,
        sides: dict[str, int],
        name: str,
        by: str,
        verbs: dict[str, tuple[str, Callable[..., Any]]],
    ) -> None:
        def deed() -> None:
            self._do(name, series, sides, by, verbs[name][1])

        self._later(most, 1, deed)

    @staticmethod
    def _place(series: Series, dice: float) -> str:
        """One of its places."""
        places = series_ending.places(series)
        return places[int(dice * len(places))]
