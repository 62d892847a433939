"""How hypothesis runs here: the same examples every time, and no clock on any of them."""

from hypothesis import HealthCheck, settings

long_stories = settings(
    max_examples=15,
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""For whole lives of sessions on a database."""
