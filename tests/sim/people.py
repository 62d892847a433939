"""The people of a half year: fifty coaches, a few of them busy, and what they agreed on."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import insert, select

from skileez import db
from skileez.accounts.models import Person
from skileez.availability.models import Availability
from skileez.availability.rules import Hours, Span
from skileez.contracts.models import Contract, Proposal
from skileez.notifications.models import Wishes
from tests import cast
from tests.cast import DAY, HOUR, MINUTE

BEGIN = datetime.fromisoformat("2026-02-02T08:00:00+00:00")
LASTS = timedelta(days=182)
ZONES = (
    *("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Sao_Paulo"),
    *("Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC"),
)
REMINDERS = ((24 * HOUR, HOUR), (HOUR,), (), ())
DAYS: tuple[tuple[Span, ...], ...] = (
    ((8 * 60, 20 * 60),),
    ((0, 24 * 60),),
    ((6 * 60, 11 * 60), (11 * 60, 13 * 60), (14 * 60 + 30, 22 * 60)),
    (),
)


class People:
    """Who there is, and what each wishes."""

    def __init__(self, random: Random, coaches: int) -> None:
        self.random = random
        self.count = coaches
        self.coaches: list[int] = []
        self.students: list[int] = []
        self.channels: defaultdict[int, tuple[str, ...]] = defaultdict(lambda: ("app", "mail"))
        """On which ways each person wants to be told."""
        self.reminders: defaultdict[int, tuple[timedelta, ...]] = defaultdict(lambda: REMINDERS[0])
        """How long before a session's start each person wants to be reminded."""
        self.hours: dict[int, Hours] = {}
        """The hours in force of each coach who has set some."""

    def enter(self) -> None:
        """Everybody gets an account, and each student an agreement with some coach."""
        # In bulk: through the verbs, all of them would take longer than the half year itself.
        names = [f"coach{n}" for n in range(self.count)]
        names += [f"student{n}" for n in range(self.count + self.count // 5)]
        rows = [
            {
                "email": f"{name}@example.org",
                "display_name": name.capitalize(),
                "password_hash": "nobody signs in",
                "zone": self.random.choice(ZONES),
                "offers_coaching": name.startswith("coach"),
                "created_at": BEGIN - 30 * DAY,
            }
            for name in names
        ]
        adding = insert(Person).returning(Person.id, sort_by_parameter_order=True)
        everybody = list(db.session.scalars(adding, rows))
        self.coaches, self.students = everybody[: self.count], everybody[self.count :]
        self._wish(everybody)
        for coach in self.coaches:
            if self.random.random() < 0.5:
                self.hours[coach] = self.some_hours()
                row = Availability(coach_id=coach, changed_at=BEGIN)
                row.take(self.hours[coach])
                db.session.add(row)
        self._agree_all()

    def _wish(self, everybody: list[int]) -> None:
        """Most want to be told less than everything."""
        for one in everybody:
            if self.random.random() < 0.15:
                continue
            mail, reminders = self.random.random() < 0.5, self.random.choice(REMINDERS)
            self.channels[one] = ("app", "mail") if mail else ("app",)
            self.reminders[one] = reminders
            minutes = [ahead // MINUTE for ahead in reminders]
            db.session.add(Wishes(person_id=one, mail=mail, reminders=minutes))

    def some_hours(self) -> Hours:
        """Hours as a coach may set them, wide enough to be booked."""
        one = self.random
        return Hours(
            one.choice(ZONES),
            weekly={day: one.choice(DAYS) for day in range(7)},
            buffer_before=one.choice((0, 15)),
            buffer_after=one.choice((0, 30)),
            notice=one.choice((60, 600)),
            horizon=one.choice((6, 60)),
            step=one.choice((30, 60)),
            per_day=one.choice((None, None, 2)),
        )

    def agree(self, coach: int, student: int, total: int, minutes: int) -> int:
        """A contract, by the verbs; its id."""
        sides = (db.session.get_one(Person, one) for one in (coach, student))
        return cast.contract(*sides, total, duration_minutes=minutes).id

    def _agree_all(self) -> None:
        """One contract of each student by the verbs' pattern, under which nothing happens yet."""
        first = self.agree(self.coaches[0], self.students[0], 2, 60)
        tables = Proposal.__table__, Contract.__table__
        offer, contract = (
            dict(db.session.execute(select(table).order_by(table.c.id)).mappings().one())
            for table in tables
        )
        assert contract.pop("id") == first
        offer.pop("id")
        pairs = [
            {"coach_id": self.coaches[n % self.count], "student_id": student}
            for n, student in enumerate(self.students)
        ][1:]
        adding = insert(tables[0]).returning(tables[0].c.id, sort_by_parameter_order=True)
        offers = db.session.scalars(adding, [offer | pair for pair in pairs]).all()
        told = [
            contract | pair | {"proposal_id": one, "number": f"C-{one:06d}"}
            for one, pair in zip(offers, pairs, strict=True)
        ]
        db.session.execute(insert(tables[1]), told)

    def pairs(self, count: int) -> Iterator[tuple[int, int, datetime]]:
        """Coach, student and the fortnight in which something happens between them.

        Half of all is one coach's, half of the rest another's in the same fortnight, and so on.
        """
        ranks = self.random.sample(self.coaches, count)
        friends = self.random.sample(self.students, count)
        week = self._fortnight()
        while count:
            coach, share = ranks.pop(), (count + 1) // 2
            for _ in range(share):
                student = self.random.choice(friends)
                # Some study with one coach and coach another: they must not be double-booked.
                if ranks and self.random.random() < 0.1:
                    yield student, ranks[0], week
                else:
                    yield coach, student, week
            count -= share
            if share == 1:
                week = self._fortnight()

    def _fortnight(self) -> datetime:
        return BEGIN + self.random.random() * (LASTS - 14 * DAY)
