"""The ways a session in the demo can go: what became of past ones, and what is open now."""

from collections.abc import Callable
from typing import Final

from skileez.demo import words
from skileez.demo.story import DAY, HOUR, MINUTE, Moment, Story
from skileez.events import SYSTEM
from skileez.sessions.presence_rules import Way as Attended

Way = Callable[[Story, Moment], None]


def held(story: Story, one: Moment) -> None:
    """As planned."""
    story.held(one)


def moved(story: Story, one: Moment) -> None:
    if story.has_room(one, 3):
        by, other = story.random.choice((("student", "coach"), ("coach", "student")))
        asked = one.start - 5 * DAY + story.random.randint(0, 300) * MINUTE
        times = story.times(one, story.random.randint(1, 3))
        story.ask(one, by, asked, times)
        story.approve(one, other, asked + 7 * HOUR, story.random.choice(times))
    story.held(one)


def countered(story: Story, one: Moment) -> None:
    if story.has_room(one, 5):
        asked = one.start - 5 * DAY + story.random.randint(0, 300) * MINUTE
        story.ask(one, "student", asked, story.times(one, 2))
        times = story.times(one, 2, after=2)
        story.ask(one, "coach", asked + 5 * HOUR, times, "counter")
        story.approve(one, "student", asked + 9 * HOUR, times[0])
    story.held(one)


def moved_by_silence(story: Story, one: Moment) -> None:
    if story.has_room(one, 2):
        asked, times = one.start - 5 * DAY, story.times(one, 2)
        story.ask(one, "student", asked, times)
        story.at(asked + DAY, lambda now: one.session.settle_silence(now=now))
        one.start = times[0]
    story.held(one)


def lapsed(story: Story, one: Moment) -> None:
    story.ask(one, "student", one.start - 13 * HOUR, story.times(one, 1))
    story.at(one.start, lambda now: one.session.settle_silence(now=now))
    story.held(one)


def declined(story: Story, one: Moment) -> None:
    asked, reason = one.start - 4 * DAY, story.random.choice(words.DECLINING)
    story.ask(one, "coach", asked, story.times(one, 2))
    story.at(
        asked + 8 * HOUR,
        lambda now: one.session.decline_reschedule(
            by="student", reason=reason, actor=story.who("student"), now=now
        ),
    )
    story.held(one)


def withdrawn(story: Story, one: Moment) -> None:
    asked = one.start - 4 * DAY
    story.ask(one, "student", asked, story.times(one, 1))
    story.at(
        asked + 3 * HOUR,
        lambda now: one.session.withdraw_reschedule("student", actor=story.who("student"), now=now),
    )
    story.held(one)


def cancelled(story: Story, one: Moment) -> None:
    story.cancel(one, story.random.choice(("student", "coach")), one.start - 3 * DAY)


def cancelled_late(story: Story, one: Moment) -> None:
    story.cancel(one, "student", one.start - 5 * HOUR)


def cancelled_after_start(story: Story, one: Moment) -> None:
    story.cancel(one, "coach", one.start + 12 * MINUTE)


def missed(story: Story, one: Moment) -> None:
    by, absent = story.random.choice(
        (("coach", "student"), ("student", "coach"), ("coach", "both"))
    )
    story.miss(one, by, absent)


def missed_in_silence(story: Story, one: Moment) -> None:
    silent = one.start + (story.minutes + 30) * MINUTE
    story.at(silent, lambda now: one.session.mark_missed(actor=SYSTEM, now=now))


def corrected(story: Story, one: Moment) -> None:
    story.miss(one, "coach", "student")
    story.object(one, "student", one.start + 6 * HOUR)
    story.at(
        one.start + 20 * HOUR,
        lambda now: one.session.approve_correction("coach", actor=story.who("coach"), now=now),
    )


def student_asks(story: Story, one: Moment) -> None:
    story.ask(one, "student", story.hour - 4 * HOUR, story.times(one, 3))


def student_asks_late(story: Story, one: Moment) -> None:
    story.ask(one, "student", story.hour - 2 * HOUR, story.times(one, 1))


def coach_asks(story: Story, one: Moment) -> None:
    story.ask(one, "coach", story.hour - 6 * HOUR, story.times(one, 2))


def coach_asks_late(story: Story, one: Moment) -> None:
    story.ask(one, "coach", story.hour - 3 * HOUR, story.times(one, 2))


def answered_by_other_times(story: Story, one: Moment) -> None:
    story.ask(one, "student", story.hour - 11 * HOUR, story.times(one, 2))
    story.ask(one, "coach", story.hour - 5 * HOUR, story.times(one, 2, after=2), "counter")


def to_be_scheduled(story: Story, one: Moment) -> None:
    """Asked for yesterday's hours, which passed before anybody answered."""
    asked = story.hour - 26 * HOUR
    low, high = asked + 2 * HOUR, asked + 16 * HOUR
    times = [story.calendar.find(story.both, low, high, story.minutes, story.zones)]
    story.ask(one, "student", asked, times)
    story.at(asked + DAY, lambda now: one.session.settle_silence(now=now))


def correction_by_student(story: Story, one: Moment) -> None:
    story.miss(one, "coach", "student")
    story.object(one, "student", story.hour - 5 * HOUR)


def correction_by_coach(story: Story, one: Moment) -> None:
    missed_in_silence(story, one)
    story.object(one, "coach", story.hour - 6 * HOUR)


def untouched(story: Story, one: Moment) -> None:
    """Booked, and nothing since: its hour alone makes it what it is."""


def awaited(story: Story, one: Moment) -> None:
    """The coach came, and nobody has said more."""
    story.check_in(one, "coach", Attended.JOIN, -2)


PAST: Final[dict[str, tuple[int, Way]]] = {
    "held": (58, held),
    "moved": (9, moved),
    "countered": (4, countered),
    "moved_by_silence": (3, moved_by_silence),
    "lapsed": (3, lapsed),
    "declined": (4, declined),
    "withdrawn": (2, withdrawn),
    "cancelled": (5, cancelled),
    "cancelled_late": (4, cancelled_late),
    "cancelled_after_start": (1, cancelled_after_start),
    "missed": (3, missed),
    "missed_in_silence": (3, missed_in_silence),
    "corrected": (1, corrected),
}
"""How a past session went: its weight, and what is written."""

NEAR: Final[dict[str, tuple[int, int, Way]]] = {
    "overdue": (-14, -2, awaited),
    "running": (0, 0, awaited),
    "soon": (3, 9, untouched),
    "student_asks_late": (13, 21, student_asks_late),
    "coach_asks_late": (22, 44, coach_asks_late),
    "confirmed": (26, 40, untouched),
    "unconfirmed": (30, 60, untouched),
    "to_be_scheduled": (38, 58, to_be_scheduled),
    "student_asks": (56, 80, student_asks),
    "countered": (60, 84, answered_by_other_times),
    "coach_asks": (80, 100, coach_asks),
    "correction_by_student": (-34, -20, correction_by_student),
    "correction_by_coach": (-34, -20, correction_by_coach),
}
"""Around this hour: hours from now between which it starts, and what is written."""
