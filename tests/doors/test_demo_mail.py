"""The demo's mailbox: what it lists, and how a message is shown without being trusted."""

import dataclasses
from datetime import timedelta
from email.message import EmailMessage

import pytest
from flask import Flask
from jinja2 import BytecodeCache

from skileez.config import Settings
from skileez.notifications.mail import demo_mailbox
from tests import applications
from tests.cast import NOW
from tests.doors.visitor import Visitor, text_of


def letter(to: str, subject: str, minutes: int, thread: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Skileez Sessions <sessions@demo.example>"
    message["To"] = f"Somebody <{to}>"
    message["Subject"] = subject
    message["Date"] = NOW + timedelta(minutes=minutes)
    message["In-Reply-To"] = f"<{thread}@demo.example>"
    message.set_content(f"{subject}, <b>said</b> plainly")
    message.add_alternative(
        f"<!doctype html><html><head><title>x</title></head><body><p>{subject}</p></body></html>",
        subtype="html",
    )
    return message


@pytest.fixture
def demo(settings: Settings, compiled_templates: BytecodeCache) -> Visitor:
    """Somebody in front of a demo with three messages in its mailbox."""
    settings = dataclasses.replace(settings, skileez_demo=True)
    box = demo_mailbox(settings)
    box.add(letter("amara@demo.example", "First <script>", 1, "session-1"))
    box.add(letter("jonas@demo.example", "Second, in Zürich", 2, "session-1"))
    box.add(letter("amara@demo.example", "Third", 3, "contract-9"))
    app = applications.start(settings)
    app.jinja_env.bytecode_cache = compiled_templates
    return Visitor(app)


def test_the_mailbox_lists_the_newest_first_and_of_one_or_one_thread(demo: Visitor) -> None:
    page = text_of(demo.get("/demo/mail"))
    assert page.index("Third") < page.index("Second, in Zürich") < page.index("First <script>")
    assert "session-1" in page
    assert "<script>First" not in demo.get("/demo/mail").text
    amara = text_of(demo.get("/demo/mail?to=amara@demo.example"))
    assert "Third" in amara
    assert "Second" not in amara
    assert "Third" not in text_of(demo.get("/demo/mail?thread=session-1"))
    assert "No mail yet" in text_of(demo.get("/demo/mail?to=nobody"))
    assert "/demo/mail" in demo.get("/sign-in").text


def test_a_message_is_shown_as_text_and_its_html_in_a_frame_of_its_own(
    demo: Visitor, settings: Settings
) -> None:
    box = demo_mailbox(settings)
    (key,) = (key for key, one in box.items() if "First" in str(one["Subject"]))
    page = demo.get(f"/demo/mail/{key}")
    assert "First &lt;script&gt;, &lt;b&gt;said&lt;/b&gt; plainly" in page.text
    assert 'sandbox="allow-top-navigation-by-user-activation allow-popups"' in page.text
    assert "style-src" not in page.headers["Content-Security-Policy"]
    frame = demo.get(f"/demo/mail/{key}/html")
    (policy,) = frame.headers.getlist("Content-Security-Policy")
    assert "default-src 'none'; style-src 'unsafe-inline'" in policy
    assert "sandbox" in policy
    assert frame.headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]
    assert '<base target="_top">' in frame.text


def test_a_message_that_is_not_there_is_nothing_here(demo: Visitor) -> None:
    for key in ("nothing", "..", "../demo.db", "%2e%2e%2fdemo.db"):
        assert demo.get(f"/demo/mail/{key}").status_code == 404
        assert demo.get(f"/demo/mail/{key}/html").status_code == 404


def test_only_a_demo_shows_its_mail(app: Flask) -> None:
    for path in ("/demo/mail", "/demo/mail/x", "/demo/mail/x/html"):
        assert Visitor(app).get(path).status_code == 404
    assert "/demo/mail" not in Visitor(app).get("/sign-in").text
