"""Which quiet hours somebody may choose."""

from skileez.errors import Kind
from skileez.notifications.rules import REMINDER_CHOICES, check_quiet, check_reminders
from tests.cast import assert_refuses, said
from tests.rules.table import rows

NIGHT = (22 * 60, 7 * 60)


@rows(
    ("quiet_from", "quiet_to", "refusal"),
    [
        (None, None, None),
        (*NIGHT, None),
        (7 * 60, 22 * 60, None),
        (0, 1439, None),
        (22 * 60, None, "quiet_half"),
        (None, 7 * 60, "quiet_half"),
        (0, 0, "quiet_all_day"),
        (1439, 1439, "quiet_all_day"),
        (-1, 60, "quiet_no_clock"),
        (60, 1440, "quiet_no_clock"),
    ],
)
def test_quiet_hours_are_none_or_a_part_of_the_day(
    quiet_from: int | None, quiet_to: int | None, refusal: str | None
) -> None:
    assert said(check_quiet(quiet_from, quiet_to)) == refusal


@rows(
    ("times", "field"), [((60, None), "quiet_to"), ((None, 60), "quiet_from"), ((5, 5), "quiet_to")]
)
def test_the_field_at_fault_is_named(times: tuple[int | None, int | None], field: str) -> None:
    refusal = check_quiet(*times)
    assert refusal is not None
    assert refusal.field == field
    assert_refuses(refusal, refusal.code, "uiet hours", kind=Kind.INVALID)


def test_reminders_are_none_or_of_the_list() -> None:
    assert check_reminders(()) is None
    assert check_reminders(REMINDER_CHOICES) is None
    assert_refuses(check_reminders([60, 61]), "reminder_unknown", "61", kind=Kind.INVALID)
