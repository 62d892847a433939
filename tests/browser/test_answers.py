"""A link from a mail, opened in a browser where nobody is signed in."""

import pytest
from playwright.sync_api import expect

from skileez import db
from skileez.notifications import links
from skileez.sessions.models import Session
from tests.browser.site import Site
from tests.browser.steps import press, sees, sees_not
from tests.browser.test_looks import DESKTOP, faults
from tests.cast import HOUR, NOW, WHY
from tests.notifications.answering import REQUESTED, tokens

START, NEW = NOW + 60 * HOUR, NOW + 70 * HOUR


@pytest.fixture
def answers(site: Site, student, coach):
    """The addresses in the mail that asks the coach for another time."""
    session = site.session(site.contract(coach, student), student, START)
    site.verb(student, session, "request_reschedule", "student", WHY, proposed_times=[NEW])
    found = tokens(db.session.get_one(Session, session), REQUESTED, coach)
    return {act: links.PATH.format(token) for act, token in found.items()}


def test_a_request_is_approved_from_the_mail_without_signing_in(seat, answers, student, coach):
    page = seat(viewport=DESKTOP)
    page.goto(answers["approve"])
    sees(page, "Move the session to this time?", coach.name, student.name, WHY)
    expect(page.locator(".when-time")).to_have_text(coach.shown(NEW))
    expect(page.locator(".when-theirs")).to_contain_text(student.shown(NEW))
    assert faults(page) == []

    press(page, "Approve this time")
    sees(page, "Approved. The session has its new time.", coach.shown(NEW), "Confirmed")
    assert faults(page) == []
    assert page.context.cookies() == []

    page.goto(answers["decline"])
    sees(page, "Things have moved on")
    sees_not(page, student.name)
    page.get_by_role("link", name="Open the session").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
