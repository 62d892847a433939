"""How a change of clocks reads, and what would have to be asked for to undo it."""

from skileez.notifications import clock_words
from tests.rules.table import rows


@rows(
    ("first", "last", "words"),
    [
        ("2026-03-08", "2026-03-28", "from 8 to 28 March"),
        ("2027-10-31", "2027-11-06", "from 31 October to 6 November"),
        ("2027-03-28", None, "from 28 March on"),
        ("2027-03-28", "2027-03-28", "on 28 March"),
        ("2027-03-08", "2028-03-28", "from 8 March to 28 March"),
    ],
)
def test_dates_read_as_people_say_them(first: str, last: str | None, words: str) -> None:
    assert clock_words.period({"first": first, "last": last}) == words


@rows(
    ("place", "usual", "becomes", "wanted"),
    [
        # 18:00 in Berlin is 13:00 in New York: for 12:00 there it must be an hour earlier.
        ("2027-03-15T18:00", "12:00", "13:00", "17:00"),
        ("2027-03-15T12:00", "18:00", "17:00", "13:00"),
        ("2027-03-15T00:00", "19:00", "20:00", "23:00"),
    ],
)
def test_the_usual_time_is_another_by_the_clocks_of_the_series(
    place: str, usual: str, becomes: str, wanted: str
) -> None:
    own = {"usual": usual, "becomes": becomes}
    assert clock_words.shift({"place": place}, own) == (place, wanted)
