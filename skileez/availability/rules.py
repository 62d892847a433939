"""What a coach's hours may say: spans of a day, other hours on a date, days away, a stay elsewhere.

Pure: values in, a ``Refusal`` or None (= yes) out. A span is minutes since local midnight,
``(540, 720)`` = 09:00 to 12:00; 1440 is the midnight that ends the day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
MOST_PER_DAY, MOST_PER_WEEK = 24, 100
MAX_TIME_OFF = timedelta(days=366)
REASON_MAX = 200


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
    step: int = 30
    per_day: int | None = None
    per_week: int | None = None

    def zone_on(self, day: date) -> str:
        """The zone whose clocks the hours of ``day`` are read from."""
        return next((one.zone for one in self.stays if one.first <= day <= one.last), self.zone)

    def spans_on(self, day: date) -> Sequence[Span]:
        """The spans of ``day``, by its date or else its weekday."""
        return self.dates.get(day, self.weekly.get(day.weekday(), ()))


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
                    "end this day at 24:00 and start the next at 00:00."
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


def check_hours(hours: Hours) -> Refusal | None:
    """Everything a coach may set, within its bounds."""
    for day, spans in hours.weekly.items():
        if refusal := check_spans(spans, f"weekly-{WEEKDAYS[day]}"):
            return refusal
    if len(hours.dates) > MAX_DATES:
        return _invalid(
            "too_many_dates",
            N_("At most %(most)s dates may have hours of their own; remove some that are over."),
            "dates",
            most=MAX_DATES,
        )
    for spans in hours.dates.values():
        if refusal := check_spans(spans, "dates"):
            return refusal
    return _check_figures(hours) or check_stays(hours.stays)


def _check_figures(hours: Hours) -> Refusal | None:
    bounds = (
        ("buffer_before", hours.buffer_before, 0, MAX_BUFFER),
        ("buffer_after", hours.buffer_after, 0, MAX_BUFFER),
        ("notice", hours.notice, 0, MAX_NOTICE),
        ("horizon", hours.horizon, 1, MAX_HORIZON),
        ("per_day", hours.per_day, 1, MOST_PER_DAY),
        ("per_week", hours.per_week, 1, MOST_PER_WEEK),
    )
    for name, given, least, most in bounds:
        if given is not None and not least <= given <= most:
            return _invalid(
                f"{name}_out_of_range",
                N_("Choose a number from %(least)s to %(most)s; this is %(given)s."),
                name,
                least=least,
                most=most,
                given=given,
            )
    if hours.step not in STEPS:
        return _invalid("unknown_step", N_("Choose one of the offered distances."), "step")
    return None


def check_stays(stays: Sequence[Stay]) -> Refusal | None:
    """Stays end on or after the day they start, and none overlaps another."""
    if len(stays) > MAX_STAYS:
        return _invalid(
            "too_many_stays",
            N_("At most %(most)s stays are kept; remove some that are over."),
            "stays",
            most=MAX_STAYS,
        )
    for stay in stays:
        if stay.last < stay.first:
            return _invalid(
                "stay_ends_first",
                N_("This stay ends on %(last)s, before it starts on %(first)s."),
                "stays",
                first=stay.first.isoformat(),
                last=stay.last.isoformat(),
            )
    ordered = sorted(stays, key=lambda one: one.first)
    for one, after in pairwise(ordered):
        if after.first <= one.last:
            return _invalid(
                "stays_overlap",
                N_("The stay from %(first)s overlaps the one before it, which lasts to %(last)s."),
                "stays",
                first=after.first.isoformat(),
                last=one.last.isoformat(),
            )
    return None


def check_time_off(start: datetime, end: datetime, now: datetime, reason: str) -> Refusal | None:
    """Days or hours away: they end after they start, are not over, and last at most a year."""
    if end <= start:
        return _invalid(
            "time_off_ends_first",
            N_("This ends at %(end)s, before it starts at %(start)s."),
            "until",
            start=start,
            end=end,
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
    if len(reason) > REASON_MAX:
        return _invalid(
            "reason_too_long",
            N_("Keep the reason to %(most)s characters; this one has %(length)s."),
            "reason",
            most=REASON_MAX,
            length=len(reason),
        )
    return None


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
