"""The words of every message, held beside this file: a change of words is seen in its diff.

``SNAPSHOTS=write`` writes them anew.
"""

import os
from html.parser import HTMLParser
from pathlib import Path

import pytest

from skileez.notifications import letters, rules, samples
from tests.cast import NOW, POLICY

HELD = Path(__file__).parent / "letters"
CASES = [(kind, variant) for kind in rules.KINDS for variant in samples.variants(kind)]


@pytest.fixture(autouse=True)
def _address() -> None:
    letters.configure("https://sessions.example")


@pytest.mark.parametrize(("kind", "variant"), CASES)
def test_a_message_reads_as_it_is_held(kind: str, variant: str) -> None:
    letter = samples.letter(kind, variant, NOW, POLICY)
    reads = f"Subject: {letter.subject}\n\n{letter.text}"
    path = HELD / f"{kind}.{variant}.txt"
    if os.environ.get("SNAPSHOTS") == "write":
        HELD.mkdir(exist_ok=True)
        path.write_text(reads, encoding="utf-8")
    assert reads == path.read_text(encoding="utf-8")


def test_no_message_is_held_that_is_not_sent() -> None:
    held = {path.name for path in HELD.glob("*.txt")}
    assert held == {f"{kind}.{variant}.txt" for kind, variant in CASES}


class Words(HTMLParser):
    """What a page says, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if tag == "a" and name == "href"]

    def handle_data(self, data: str) -> None:
        self.said += data.split()


@pytest.mark.parametrize(("kind", "variant"), CASES)
def test_its_html_says_the_same_and_leads_to_the_same_pages(kind: str, variant: str) -> None:
    letter = samples.letter(kind, variant, NOW, POLICY)
    page = Words(letter.html)
    whole = " ".join(page.said)
    assert " ".join(letter.subject.split()) in whole
    for link in page.links:
        assert link.startswith("https://sessions.example/")
        assert link in letter.text
    # The first paragraph after the greeting.
    assert " ".join(letter.text.split("\n\n")[1].split()) in whole


def test_what_people_write_stays_text() -> None:
    kind = "session.cancelled"
    stage = samples._Stage(NOW, kind)
    stage.student.display_name = "<b>Lina</b> {{ 7 * 7 }}"
    delivery, found = stage.said(rules.Role.COACH, by_itself=False)
    assert found.event
    found.event.reason = "<script>alert(1)</script>\nBcc: everybody@example.org"
    letter = letters.word(delivery, found, NOW)
    assert "<script>" not in letter.html
    assert "<b>" not in letter.html
    assert "&lt;b&gt;Lina&lt;/b&gt; {{ 7 * 7 }}" in letter.html
    assert "\n" not in letter.subject
