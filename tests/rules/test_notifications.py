"""RULES §10: who hears of what, when they are reminded, and what is no longer true."""

from datetime import UTC, datetime, time, timedelta

from skileez.errors import Kind
from skileez.notifications import quiet, rules
from skileez.notifications.rules import Hears, Said, Situation
from tests.cast import DAY, HOUR, MINUTE, NOW, assert_refuses
from tests.rules.table import rows

START = NOW + 60 * HOUR


@rows(
    ("verb", "role", "hearing"),
    [
        ("session.booked", "student", ("coach",)),
        ("session.booked", "coach", ("student",)),
        ("session.booked", None, ("student", "coach")),
        ("session.cancelled", "admin", ("student", "coach")),
        ("session.reschedule_auto_approved", None, ("student", "coach")),
        ("session.missed", None, ("student", "coach")),
        ("session.missed", "coach", ("student",)),
        ("contract.completed", "student", ("student", "coach")),
        ("proposal.sent", "coach", ("student",)),
        ("proposal.accepted", "student", ("coach",)),
        ("contract.started", "student", ()),
        ("person.signed_in", None, ()),
        ("no.such_verb", "coach", ()),
    ],
)
def test_the_other_one_hears_of_a_verb_and_both_of_what_happens_by_itself(
    verb: str, role: str | None, hearing: tuple[str, ...]
) -> None:
    assert rules.audience(verb, role) == hearing


def test_nobody_hears_of_what_they_did_themselves() -> None:
    for verb, hears in rules.NEWS.items():
        if hears is Hears.OTHER:
            for role in ("student", "coach"):
                assert role not in rules.audience(verb, role), verb


@rows(
    ("told", "minutes", "ahead"),
    [
        (NOW, (1440, 60), [1440, 60]),
        (START - 24 * HOUR - MINUTE, (1440, 60), [1440, 60]),
        (START - 24 * HOUR, (1440, 60), [60]),
        (START - HOUR, (1440, 60), []),
        (NOW, (60, 1440, 15), [1440, 60, 15]),
        (NOW, (), []),
    ],
)
def test_reminders_come_in_order_and_none_with_the_news_itself(
    told: datetime, minutes: tuple[int, ...], ahead: list[int]
) -> None:
    times = rules.reminder_times(START, told, minutes)
    assert times == [START - one * MINUTE for one in ahead]


@rows(
    ("failures", "wait"),
    [(1, MINUTE), (2, 5 * MINUTE), (6, 12 * HOUR), (7, None), (70, None)],
)
def test_failures_wait_along_the_list_and_end(failures: int, wait: timedelta | None) -> None:
    assert rules.retry_after(failures) == wait


def test_only_reminders_of_the_list_are_offered() -> None:
    assert rules.check_reminders([]) is None
    assert rules.check_reminders(rules.REMINDERS) is None
    assert_refuses(rules.check_reminders([60, 61]), "reminder_unknown", "61", kind=Kind.INVALID)


SCHEDULED = Situation(status="scheduled", start=START)


@rows(
    ("said", "found", "now", "true"),
    [
        (Said(rules.REMINDER, START), SCHEDULED, START - HOUR, True),
        (Said(rules.REMINDER, START), SCHEDULED, START, False),
        (Said(rules.REMINDER, START - HOUR), SCHEDULED, START - 2 * HOUR, False),
        (Said(rules.REMINDER, START), Situation("cancelled", START), NOW, False),
        (Said(rules.REMINDER, None), Situation("scheduled", None), NOW, False),
        (Said(rules.OVERDUE, START), SCHEDULED, START + DAY, True),
        (Said(rules.OVERDUE, START), Situation("completed", START), START + DAY, False),
        (Said(rules.OVERDUE, START), Situation("scheduled", START + DAY), START + DAY, False),
        (Said("session.reschedule_requested", at=NOW), Situation(asked_at=NOW), NOW, True),
        (Said("session.reschedule_requested", at=NOW), Situation(asked_at=None), NOW, False),
        (Said("session.reschedule_countered", at=NOW), Situation(asked_at=NOW + HOUR), NOW, False),
        (
            Said("session.correction_requested"),
            Situation("missed", correction_asked=True),
            NOW,
            True,
        ),
        (Said("session.correction_requested"), Situation("completed"), NOW, False),
        (Said("session.outcome_said"), Situation("scheduled"), NOW, True),
        (Said("session.outcome_said"), Situation("scheduled", has_said=True), NOW, False),
        (Said("session.outcome_said"), Situation("completed"), NOW, False),
        (Said(rules.OVERDUE), Situation("scheduled"), NOW, True),
        (Said(rules.OVERDUE), Situation("scheduled", has_said=True), NOW, False),
        (Said("proposal.sent"), Situation(proposal_status="pending"), NOW, True),
        (Said("proposal.sent"), Situation(proposal_status="withdrawn"), NOW, False),
        (
            Said(rules.NOTHING_BOOKED),
            Situation(contract_status="active", sessions_left=2),
            NOW,
            True,
        ),
        (
            Said(rules.NOTHING_BOOKED),
            Situation(contract_status="active", sessions_left=2, sessions_to_come=1),
            NOW,
            False,
        ),
        (Said(rules.NOTHING_BOOKED), Situation(contract_status="active"), NOW, False),
        (
            Said(rules.NOTHING_BOOKED),
            Situation(contract_status="paused", sessions_left=2),
            NOW,
            False,
        ),
        (Said(rules.DAILY, at=NOW), Situation(), NOW + 12 * HOUR - MINUTE, True),
        (Said(rules.DAILY, at=NOW), Situation(), NOW + 12 * HOUR, False),
        (Said("session.cancelled"), Situation("cancelled"), NOW + 30 * DAY, True),
    ],
)
def test_what_asks_or_reminds_is_sent_only_while_it_helps(
    said: Said, found: Situation, now: datetime, true: bool
) -> None:
    assert rules.still_true(said, found, now) is true


NIGHT = (time(22), time(7))


@rows(
    ("instant", "quiet_hours", "until"),
    [
        ("2026-03-02T22:00", NIGHT, "2026-03-03T06:00"),  # 23:00 in Berlin
        ("2026-03-02T21:00", NIGHT, "2026-03-03T06:00"),
        ("2026-03-02T20:59", NIGHT, None),
        ("2026-03-03T06:00", NIGHT, None),
        ("2026-03-03T05:59", NIGHT, "2026-03-03T06:00"),
        ("2026-03-02T12:00", (time(12), time(14)), "2026-03-02T13:00"),
        ("2026-03-02T12:00", (time(9), time(9)), None),
        ("2026-03-02T12:00", None, None),
        ("2026-03-28T23:00", NIGHT, "2026-03-29T05:00"),  # the clocks go forward that night
        ("2026-10-24T22:00", NIGHT, "2026-10-25T06:00"),  # and back that one
        ("2026-03-29T00:15", (time(1), time(2, 30)), "2026-03-29T00:30"),  # an end that is not
    ],
)
def test_quiet_hours_are_those_of_the_wall_clock(
    instant: str, quiet_hours: tuple[time, time] | None, until: str | None
) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    found = quiet.hushed_until(at, quiet_hours, "Europe/Berlin")
    assert (found and f"{found:%Y-%m-%dT%H:%M}") == until


@rows(
    ("start", "due", "sent"),
    [
        ("2026-03-03T09:00", "2026-03-03T08:00", "2026-03-03T08:00"),
        ("2026-03-03T06:30", "2026-03-03T05:30", "2026-03-03T06:00"),
        ("2026-03-03T05:00", "2026-03-03T04:00", "2026-03-02T21:00"),
    ],
)
def test_a_reminder_in_quiet_hours_comes_after_them_or_before_if_it_must(
    start: str, due: str, sent: str
) -> None:
    begins, at = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (start, due))
    found = quiet.reminder_at(at, begins, NIGHT, "Europe/Berlin")
    assert f"{found:%Y-%m-%dT%H:%M}" == sent
