"""The messages that an operator can look at before anybody gets one."""

import re

import pytest

from skileez.notifications import letters, rules, samples
from skileez.notifications.models import Delivery
from skileez.sessions.rules import Policy
from skileez.web import operations
from tests.cast import NOW
from tests.doors.visitor import Visitor, text_of


def test_every_kind_of_message_is_listed(admin: Visitor) -> None:
    page = admin.get("/admin/messages")
    assert set(re.findall(r'href="/admin/messages/([\w.]+)"', page.text)) == set(rules.KINDS)
    assert "It cannot be written" not in text_of(page)


def test_every_message_has_a_preview_for_everybody_who_gets_it(admin: Visitor) -> None:
    for kind in rules.KINDS:
        for variant in samples.variants(kind):
            page = admin.get(f"/admin/messages/{kind}?to={variant}")
            assert page.status_code == 200
            assert "It cannot be written" not in page.text, (kind, variant)


def test_student_and_coach_read_their_own(admin: Visitor) -> None:
    path = "/admin/messages/session.booked"
    assert "Hello Lina Sommer" in admin.get(f"{path}?to=student").text
    to_coach = admin.get(f"{path}?to=coach").text
    assert "Hello Daniel Okafor" in to_coach
    assert "Please confirm it." in to_coach


def test_a_preview_asks_no_database() -> None:
    """Nothing here asks for one, so a query would fail."""
    for kind in rules.KINDS:
        for variant in samples.variants(kind):
            assert samples.letter(kind, variant, NOW, Policy()).subject


def test_the_frame_takes_styles_and_nothing_else(admin: Visitor) -> None:
    page = admin.get("/admin/messages/session.booked")
    assert "sandbox></iframe>" in page.text
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    frame = admin.get("/admin/messages/session.booked/page?to=coach")
    assert frame.headers.getlist("Content-Security-Policy") == [operations.PREVIEW_POLICY]
    assert frame.headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]
    assert frame.headers["X-Content-Type-Options"] == "nosniff"
    assert "<a href=" not in frame.text


def test_a_message_that_is_not_there_is_404(admin: Visitor) -> None:
    for path in ("nothing", "session.booked?to=itself", "digest.daily?to=student"):
        assert admin.get(f"/admin/messages/{path}").status_code == 404


def test_a_template_that_fails_is_told_and_hides_no_other(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = letters.word

    def fail(delivery: Delivery, *given: object) -> letters.Letter:
        if delivery.kind == "session.booked":
            raise KeyError("gone")
        return real(delivery, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(letters, "word", fail)
    listed = text_of(admin.get("/admin/messages"))
    assert listed.count("It cannot be written") == 1
    assert "confirmed session 3" in listed
    assert "KeyError: 'gone'" in text_of(admin.get("/admin/messages/session.booked"))
    assert admin.get("/admin/messages/session.booked/page").status_code == 404
