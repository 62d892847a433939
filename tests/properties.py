"""How hypothesis runs here: the same examples every time, and no clock on any of them."""

from hypothesis import HealthCheck, settings

few = settings(max_examples=40, database=None, deadline=None, derandomize=True)
"""For a pure rule: cheap, since the tables hold the exact edges."""

long_stories = settings(
    few,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""For whole lives of sessions on a database."""
