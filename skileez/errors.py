"""A refusal: why something may not be done, with the figure that decided.

The sentence is kept as a template and its figures apart, because the same refusal is read in
a terminal (English, UTC) and on a page (the reader's language and zone).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

Figure = str | int | datetime | timedelta
FigureFormat = Callable[[Figure], str]


def N_(message: str) -> str:
    """Mark ``message`` for translation without translating it here."""
    return message


class Kind(StrEnum):
    """What sort of refusal it is; each door maps it to its own code (HTTP 422, 403, 409, 410)."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    GONE = "gone"
    """It was there and will not be again."""


def duration(length: timedelta, translate: Callable[[str], str] = lambda message: message) -> str:
    """``length`` in words that fit in a sentence: "22 h", "1 h 30 min", "3 days".

    Rounded down to the minute: "less than a minute" is all that is said of anything shorter.
    """
    minutes = int(abs(length).total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    days, rest = divmod(hours, 24)
    if days >= 3:
        said = N_("%(days)s days %(rest)s h") if rest else N_("%(days)s days")
    elif hours:
        said = N_("%(hours)s h %(minutes)s min") if minutes else N_("%(hours)s h")
    else:
        said = N_("%(minutes)s min") if minutes else N_("less than a minute")
    figures = {"days": days, "rest": rest, "hours": hours, "minutes": minutes}
    return translate(said) % figures


def in_utc(figure: Figure) -> str:
    """The figure as a terminal shows it: instants in UTC, lengths in words."""
    if isinstance(figure, datetime):
        return f"{figure:%a} {figure.day} {figure:%b %Y, %H:%M} UTC"
    if isinstance(figure, timedelta):
        return duration(figure)
    return str(figure)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a thing may not be done.

    ``code`` is stable and meant for programs; ``message`` is a template with ``%(name)s``
    places for ``figures``; ``field`` names the input at fault, where there is one.
    """

    code: str
    message: str
    figures: Mapping[str, Figure] = field(default_factory=lambda: MappingProxyType({}))
    kind: Kind = Kind.CONFLICT
    field: str | None = None

    def sentence(
        self,
        translate: Callable[[str], str] = lambda message: message,
        show: FigureFormat = in_utc,
    ) -> str:
        """The sentence for a reader, each figure shown by ``show``."""
        figures = {name: show(value) for name, value in self.figures.items()}
        said = translate(self.message) % figures
        return said[:1].upper() + said[1:]  # a figure at its head may be a word


class Refused(ValueError):
    """Raised by every verb that may not run; carries the ``refusal`` that a rule gave."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence())
        self.refusal = refusal

    @property
    def code(self) -> str:
        """The refusal's stable code."""
        return self.refusal.code


class NotFound(LookupError):
    """There is no such thing for this actor: it does not exist, or is none of their business."""


def require(refusal: Refusal | None) -> None:
    """Raise ``Refused`` if a rule answered with a refusal; a rule answers None for yes."""
    if refusal is not None:
        raise Refused(refusal)
