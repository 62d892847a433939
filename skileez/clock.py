"""The only place that reads the time.

Everything else takes ``now`` as an argument, so that a rule can be asked about any instant.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)
