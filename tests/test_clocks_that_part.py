"""Where two clocks change on different days: whoever follows the messages is never wrong."""

from datetime import datetime, timedelta

from skileez import zones
from skileez.sessions import dst_rules, recurrence
from tests.rules.table import rows

DIVERSE = (
    *("Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Chicago"),
    *("America/Havana", "America/Nuuk", "America/Santiago", "America/Sao_Paulo"),
    *("America/St_Johns", "Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem"),
    *("Asia/Kathmandu", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Chisinau"),
    *("Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Easter", "UTC"),
)


@rows(
    ("zone", "theirs"),
    [(one, two) for one in ("Europe/Berlin", "America/New_York") for two in DIVERSE]
    + [(two, one) for one in ("Europe/Berlin", "Australia/Sydney") for two in DIVERSE],
)
def test_whoever_reads_the_messages_knows_every_time(zone: str, theirs: str) -> None:
    first = datetime(2027, 1, 5, 18)
    walls = [first + timedelta(weeks=week) for week in range(52)]
    dates = [(f"{at:%Y-%m-%dT%H:%M}", recurrence.occurrence(at, zone).start) for at in walls]
    messages = dst_rules.changes(dates, zone, theirs)
    known = zones.local(dates[0][1], theirs).time()
    for _place, start in dates:
        shown = zones.local(start, theirs)
        now = known
        for one in messages:
            if shown.date() >= one.first:
                is_over = one.last is not None and shown.date() > one.last
                now = one.usual if is_over else one.becomes
        assert shown.time() == now, shown
