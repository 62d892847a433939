"""What every process goes by, whatever asks: its log, clock, database and figures."""

from sqlalchemy import Engine

from skileez import clock, db, logs
from skileez.accounts import passwords
from skileez.config import Settings
from skileez.notifications import wiring
from skileez.sessions import policy


def configure(settings: Settings, *, readable: bool) -> Engine:
    """Set this process up; ``readable`` logs for a person at a terminal instead of a program."""
    logs.configure(settings.log_level, readable=readable)
    if settings.demo_clock:
        clock.hurry(settings.demo_speed, settings.demo_clock)
    engine = db.bind(settings.database_url)
    policy.configure(settings)
    wiring.configure(settings)
    passwords.configure(
        time_cost=settings.password_time_cost,
        memory_kib=settings.password_memory_kib,
        at_once=settings.password_hashes_at_once,
    )
    return engine
