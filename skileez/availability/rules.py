"""What a coach's hours may say: spans of a day, other hours on a date, days away, a stay elsewhere.

Pure: values in, a ``Refusal`` or None (= yes) out. A span is minutes since local midnight,
``(540, 720)`` = 09:00 to 12:00; 1440 is the midnight that ends the day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from skileez.errors import N_, Kind, Refusal

Span = tuple[int, int]
DAY = 24 * 60
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""RFC 5545's names, in the order of Python's ``weekday()``."""

MAX_SPANS = 8
MAX_DATES = 200
MAX_STAYS = 20
MAX_BUFFER = 240
MAX_NOTICE = 30 * DAY
MAX_HORIZON = 365
STEPS = (5, 10, 15, 20, 30, 45, 60, 90, 120)
"""Minutes from one offered start to the next."""
STEP = 30
USUAL = dict.fromkeys(range(5), ((9 * 60, 12 * 60), (13 * 60, 17 * 60)))
"""Weekly hours to start from: Monday to Friday, with a break at noon."""
MOST_PER_DAY, MOST_PER_WEEK = 24, 100
BOUNDS = {
    "buffer_before": (0, MAX_BUFFER),
    "buffer_after": (0, MAX_BUFFER),
    "horizon": (1, MAX_HORIZON),
    "per_day": (1, MOST_PER_DAY),
    "per_week": (1, MOST_PER_WEEK),
}
"""The least and the most of a figure: minutes, days for the horizon, sessions."""
MAX_TIME_OFF = timedelta(days=366)
MOST_TIME_OFF = 200
REASON_MAX = 200
HOURS_CHANGED = "hours_changed"


@dataclass(frozen=True, slots=True)
class Stay:
    """Days, first and last included, on which the hours are those of another zone."""

    zone: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Hours:
    """When a coach may be booked; lengths in minutes, the horizon in days.

    ``weekly`` has the spans of each weekday (0 = Monday); ``dates`` replaces them on a date, and
    an empty one closes it. ``per_day`` and ``per_week`` None = as many as fit.
    """

    zone: str
    weekly: Mapping[int, Sequence[Span]] = field(default_factory=dict)
    dates: Mapping[date, Sequence[Span]] = field(default_factory=dict)
    stays: Sequence[Stay] = ()
    buffer_before: int = 0
    buffer_after: int = 0
    notice: int = 60
    horizon: int = MAX_HORIZON
    step: int = STEP
    per_day: int | None = None
    per_week: int | None = None

    @property
    def around(self) -> int:
        """Minutes that lie between two sessions: the buffer after one and before the next."""
        return self.buffer_before + self.buffer_after

    @property
    def capped(self) -> bool:
        """Whether a day or a week takes only so many."""
        return self.per_day is not None or self.per_week is not None

    def zone_on(self, day: date) -> str:
        """The zone whose clocks the hours of ``day`` are read from."""
        return next((one.zone for one in self.stays if one.first <= day <= one.last), self.zone)

    def spans_on(self, day: date) -> Sequence[Span]:
        """The spans of ``day``, by its date or else its weekday."""
        return self.dates.get(day, self.weekly.get(day.weekday(), ()))

    def since(self, day: date) -> "Hours":
        """The same without the dates and stays that are over on ``day``."""
        return replace(
            self,
            dates={one: spans for one, spans in self.dates.items() if one >= day},
            stays=tuple(one for one in self.stays if one.last >= day),
        )


def check_spans(spans: Sequence[Span], field: str) -> Refusal | None:
    """Spans of one day: each ends after it starts and before midnight, none overlaps another."""
    if len(spans) > MAX_SPANS:
        return _invalid(
            "too_many_spans",
            N_("A day takes at most %(most)s spans of hours; this one has %(given)s."),
            field,
            most=MAX_SPANS,
            given=len(spans),
        )
    for start, end in spans:
        if not (0 <= start <= DAY and 0 <= end <= DAY):
            return _invalid(
                "span_outside_day", N_("Hours lie between 00:00 and 24:00 of one day."), field
            )
        if end <= start:
            return _invalid(
                "span_ends_first",
                N_(
                    "%(start)s to %(end)s ends before it starts. For hours over midnight, "
                    "end this day at midnight, 00:00, and start the next one there."
                ),
                field,
                start=clock_text(start),
                end=clock_text(end),
            )
    ordered = sorted(spans)
    for (_, end), (start, later) in pairwise(ordered):
        if start < end:
            return _invalid(
                "spans_overlap",
                N_("%(one)s overlaps the hours before it; join them or part them."),
                field,
                one=f"{clock_text(start)}–{clock_text(later)}",
            )
    return None


def may_set_hours(*, offers_coaching: bool) -> Refusal | None:
    """Hours are for people who offer coaching."""
    if offers_coaching:
        return None
    return Refusal(
        "hours_without_coaching",
        N_("Only people who offer coaching have hours. Switch it on in your profile first."),
        {},
        Kind.FORBIDDEN,
    )


def check_unchanged(known: int, current: int) -> Refusal | None:
    """Whether the page that the hours come from showed them as they are; 0 is none."""
    if known == current:
        return None
    return Refusal(
        HOURS_CHANGED,
        N_(
            "Your hours were changed in another window since you opened this page. What you "
            "typed is below and not saved: save once more to replace those, or open the page "
            "again to see them."
        ),
    )


def check_hours(hours: Hours) -> Refusal | None:
    """Everything a coach may set, within its bounds: the first of ``faults``."""
    return next(faults(hours), None)


def faults(hours: Hours) -> Iterator[Refusal]:
    """Whatever is wrong with these hours, each with its field: "weekly-MO", "dates-2027-03-10",
    "stays-0" by its place, or a figure's name.
    """
    for day, spans in hours.weekly.items():
        if refusal := check_spans(spans, f"weekly-{WEEKDAYS[day]}"):
            yield refusal
    if len(hours.dates) > MAX_DATES:
        yield _invalid(
            "too_many_dates",
            N_("At most %(most)s dates may have hours of their own; remove some that are over."),
            "dates",
            most=MAX_DATES,
        )
    for date_of, spans in hours.dates.items():
        if refusal := check_spans(spans, f"dates-{date_of.isoformat()}"):
            yield refusal
    yield from _figures_at_fault(hours)
    yield from _stays_at_fault(hours.stays)


def _figures_at_fault(hours: Hours) -> Iterator[Refusal]:
    if not 0 <= hours.notice <= MAX_NOTICE:
        yield _invalid(
            "notice_out_of_range",
            N_("Ask for a notice of at most %(most)s, or 0 for none."),
            "notice",
            most=timedelta(minutes=MAX_NOTICE),
        )
    for name, (least, most) in BOUNDS.items():
        given = getattr(hours, name)
        if given is not None and not least <= given <= most:
            yield _invalid(
                f"{name}_out_of_range",
                N_("Choose a number from %(least)s to %(most)s; this is %(given)s."),
                name,
                least=least,
                most=most,
                given=given,
            )
    if hours.step not in STEPS:
        yield _invalid("unknown_step", N_("Choose one of the offered distances."), "step")


def _stays_at_fault(stays: Sequence[Stay]) -> Iterator[Refusal]:
    """Stays end on or after the day they start, and none overlaps another."""
    if len(stays) > MAX_STAYS:
        yield _invalid(
            "too_many_stays",
            N_("At most %(most)s stays are kept; remove some that are over."),
            "stays",
            most=MAX_STAYS,
        )
    for place, stay in enumerate(stays):
        if stay.last < stay.first:
            yield _invalid(
                "stay_ends_first",
                N_("This stay ends on %(last)s, before it starts on %(first)s."),
                f"stays-{place}",
                first=stay.first.isoformat(),
                last=stay.last.isoformat(),
            )
    ordered = sorted(enumerate(stays), key=lambda one: one[1].first)
    for (_, one), (place, after) in pairwise(ordered):
        if after.first <= one.last:
            yield _invalid(
                "stays_overlap",
                N_("The stay from %(first)s overlaps the one before it, which lasts to %(last)s."),
                f"stays-{place}",
                first=after.first.isoformat(),
                last=one.last.isoformat(),
            )


def check_time_off(start: datetime, end: datetime, now: datetime, reason: str) -> Refusal | None:
    """Days or hours away: they end after they start, are not over, and last at most a year."""
    if end <= start:
        return _invalid(
            "time_off_ends_first",
            N_("This ends before it starts. Choose a later end."),
            "until",
        )
    if end <= now:
        return _invalid("time_off_over", N_("%(end)s is over already."), "until", end=end)
    if end - start > MAX_TIME_OFF:
        return _invalid(
            "time_off_too_long",
            N_("Time off lasts at most %(most)s; split it."),
            "until",
            most=MAX_TIME_OFF,
        )
    return check_away_reason(reason)


def check_away_reason(reason: str) -> Refusal | None:
    """Why a coach is away, for the coach alone: a line, or nothing."""
    if len(reason) > REASON_MAX:
        return _invalid(
            "reason_too_long",
            N_("Keep the reason to %(most)s characters; this one has %(length)s."),
            "reason",
            most=REASON_MAX,
            length=len(reason),
        )
    return None


def check_apart(
    start: datetime, end: datetime, others: Sequence[tuple[datetime, datetime]]
) -> Refusal | None:
    """Days away do not overlap, so that a session falls on one absence, and are bounded."""
    for gone, back in others:
        if gone < end and start < back:
            return _invalid(
                "time_off_overlaps",
                N_(
                    "You are away from %(gone)s to %(back)s already. Choose other days, or "
                    "remove those first."
                ),
                "first",
                gone=gone,
                back=back,
            )
    if len(others) >= MOST_TIME_OFF:
        return _invalid(
            "too_much_time_off",
            N_("At most %(most)s absences to come are kept; join or remove some."),
            "first",
            most=MOST_TIME_OFF,
        )
    return None


def check_one_zone(first: str, last: str) -> Refusal | None:
    """Days away are told by one zone's clocks: else part of a day would be left out at the end."""
    if first == last:
        return None
    return _invalid(
        "time_off_in_two_zones",
        N_(
            "On the first of these days your hours are those of %(first)s, on the last those of "
            "%(last)s. Mark the days of each by themselves."
        ),
        "until",
        first=first,
        last=last,
    )


def day_left_out(zone: str) -> Refusal:
    """Why nobody can be away then: the clocks of the zone went past the whole time."""
    return _invalid(
        "day_left_out",
        N_("In %(zone)s the calendar leaves this time out. Choose other days."),
        "first",
        zone=zone,
    )


def time_taken(whose: str, start: datetime, field: str = "scheduled_at") -> Refusal:
    """Why a start cannot be had: the coach or the student has another session then."""
    return Refusal(
        "time_taken",
        N_("At %(start)s the %(whose)s already has another session. Choose a different time."),
        {"start": start, "whose": whose},
        Kind.CONFLICT,
        field,
    )


def clock_text(minutes: int) -> str:
    """Minutes since midnight as a clock shows them: 540 is "09:00", 1440 "24:00"."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _invalid(
    code: str, message: str, field: str, **figures: int | str | datetime | timedelta
) -> Refusal:
    return Refusal(code, message, figures, Kind.INVALID, field)
