"""The only place that reads the time.

Everything else takes ``now`` as an argument, so that a rule can be asked about any instant.
"""

from datetime import UTC, datetime, timedelta

_since: datetime | None = None
_speed = 1
_ahead = timedelta()


def now() -> datetime:
    """The current instant, aware, in UTC."""
    real = datetime.now(UTC)
    return real if _since is None else _since + (real - _since) * _speed + _ahead


def speed() -> int:
    """How many times as fast time passes: 1, but in a demo that hurries."""
    return _speed


def hurry(speed: int, started: str) -> None:
    """Let time pass ``speed`` times as fast, for the demo.

    ``started`` is what ``starting`` said to every process that is to show the same time.
    """
    global _since, _speed, _ahead
    since, at = map(datetime.fromisoformat, started.split(" "))
    _since, _speed, _ahead = since, speed, at - since


def starting(at: datetime | None = None) -> str:
    """A clock that starts now, at ``at`` if that is later than now; for ``hurry``."""
    real = datetime.now(UTC)
    return f"{real.isoformat()} {max(real, at or real).isoformat()}"
