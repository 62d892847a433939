"""A place in a long list, by key: a page that begins there stays right whatever was added since."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from skileez.errors import N_, Kind, Refusal, Refused


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list, by key: rows behind (or before) it come next."""

    at: datetime
    id: int
    back: bool = False

    def __str__(self) -> str:
        micros = int((self.at - _EPOCH) / timedelta(microseconds=1))
        return f"{'-' if self.back else '+'}{micros}.{self.id}"

    @classmethod
    def parse(cls, said: str | None) -> "Cursor | None":
        """The cursor of a link; None for the first page. Raises ``Refused`` for a broken one."""
        if not said:
            return None
        try:
            micros, row = said[1:].split(".")
            at = _EPOCH + timedelta(microseconds=int(micros))
            if said[0] not in "+- " or not 0 < int(row) < 2**31:
                raise ValueError(said)
        except (ValueError, OverflowError) as error:
            raise Refused(BROKEN_LINK) from error
        return cls(at, int(row), said[0] == "-")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BROKEN_LINK = Refusal(
    "broken_link",
    N_("This link into the list is broken. Open the list again from its start."),
    kind=Kind.INVALID,
)
