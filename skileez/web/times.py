"""A date and time typed on a page: wall-clock time in a named zone, made an instant.

Daylight saving leaves holes and repeats. Where what was typed names no instant, or two, the
field offers the instants it may have meant, as values that carry their offset.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from wtforms import FieldList, StringField

from skileez import zones
from skileez.errors import Refused
from skileez.web.display import offset, sentence, tell_in, when
from skileez.web.language import gettext as _

_DAY_AND_CLOCK: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """One instant that a typed time may have meant."""

    value: str
    label: str

    @classmethod
    def of(cls, instant: datetime, zone: str) -> "Choice":
        """The instant as the clocks of ``zone`` show it, and how far they are from Greenwich."""
        return cls(instant.isoformat(), f"{when(instant, zone)} ({offset(instant, zone)})")


def read(text: str, zone: str) -> datetime:
    """The instant of a written time: a wall-clock time in ``zone``, or ISO 8601 with its offset.

    Raises ValueError and OverflowError for what is none, and Refused where ``zones.resolve`` does.
    """
    typed = _written(text)
    if typed.tzinfo is not None:
        # By way of its wall-clock time, whose year must be one that every zone can show.
        return zones.resolve(typed.astimezone(UTC).replace(tzinfo=None), "UTC")
    return zones.resolve(typed, zone)


def _written(text: str) -> datetime:
    if not _DAY_AND_CLOCK.fullmatch(text):
        raise ValueError(text)  # a day alone would be taken for its midnight
    return datetime.fromisoformat(text)


class InstantField(StringField):
    """``datetime-local`` text, or ISO 8601 with an offset; ``instant(zone)`` reads it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.meant: list[Choice] = []

    def process_formdata(self, valuelist: list[str]) -> None:
        # A chosen alternative stands after the text it explains, under the same name.
        said = [value.strip() for value in valuelist if value.strip()]
        self.data = said[-1] if said else ""

    def instant(self, zone: str) -> datetime | None:
        """The instant in UTC; None for an empty field and, with the error told, for a bad one."""
        if not self.data:
            return None
        tell_in(zone)
        try:
            return read(self.data, zone)
        except Refused as refused:
            self.errors = [*self.errors, sentence(refused.refusal)]
            if refused.code in ("local_time_missing", "local_time_twice"):
                typed = datetime.fromisoformat(self.data)
                self.meant = [Choice.of(one, zone) for one in zones.alternatives(typed, zone)]
        except ValueError:
            self.errors = [*self.errors, _("Write the date and time like 2027-03-01 14:30.")]
        except OverflowError:
            self.errors = [*self.errors, _("This date cannot be used; choose another.")]
        return None

    def _value(self) -> str:
        # What the text input shows again: without the offset of a chosen alternative.
        typed = str(self.data or "")
        try:
            return f"{_written(typed):%Y-%m-%dT%H:%M}"
        except ValueError:
            return typed


class InstantList(FieldList):  # type: ignore[type-arg]  # its stub is generic, the class is not
    """A row for each typed time."""

    def _extract_indices(self, prefix: str, formdata: Iterable[str]) -> Iterator[int]:
        # WTForms takes a number of any script and length for a row's, and fails at some ("²").
        row = re.compile(rf"{re.escape(prefix)}-([0-9]{{1,2}})")
        return (int(found[1]) for name in formdata if (found := row.fullmatch(name)))


def instants(fields: InstantList, zone: str) -> Sequence[datetime] | None:
    """The instants of all filled rows; None when any of them could not be read."""
    found = [(field, field.instant(zone)) for field in fields]
    if any(field.errors for field, _instant in found):
        return None
    return [instant for _field, instant in found if instant is not None]
