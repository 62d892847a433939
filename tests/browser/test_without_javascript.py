"""Everything works in a browser that runs no scripts: the same life, by links and forms alone."""

import pytest
from playwright.sync_api import expect

from tests.browser.site import Site
from tests.browser.steps import (
    REASON,
    follow,
    press,
    said,
    sees,
    session_of,
    stands_at,
    state,
    told,
)
from tests.cast import DAY, HOUR, NOW

START = NOW + 3 * DAY + 3 * HOUR


@pytest.fixture
def plain(seat):
    """``plain(someone)``: a page without scripts."""
    return lambda someone=None: seat(someone, java_script_enabled=False)


def test_the_life_of_a_session_needs_no_script(site: Site, plain, student, coach):
    hers, his = plain(student), plain(coach)

    his.goto("/contracts")
    his.get_by_role("link", name="New proposal").first.click()
    his.get_by_label("Your student's e-mail address").fill(student.email)
    his.get_by_label("Title").fill("Writing clearly")
    his.get_by_label("Number of sessions").fill("1")
    his.get_by_label("Price of one session").fill("45,50")
    press(his, "Send the proposal")
    state(his, "Waiting for an answer")

    hers.goto("/dashboard")
    follow(hers, "Read it")
    press(hers, "Accept")
    state(hers, "Active")
    hers.get_by_role("link", name="Book a session").first.click()
    hers.get_by_label("Date and time").fill(student.typed(START))
    press(hers, "Book it")
    said(hers, "Booked.")
    session = session_of(hers)

    his.goto("/dashboard")
    his.get_by_role("button", name="Confirm").click()
    said(his, "Confirmed.")
    his.goto(f"/sessions/{session}")
    state(his, "Confirmed")

    # All three rows stand open, as no script folds them.
    follow(hers, "Ask to move it")
    rows = hers.get_by_label("Proposed time")
    expect(rows).to_have_count(3)
    for row, days in enumerate((1, 2, 3)):
        expect(rows.nth(row)).to_be_visible()
        rows.nth(row).fill(student.typed(START + days * DAY))
    press(hers, "Send the request")
    sees(hers, "Please check this first", "Give a reason of at least 10 characters")
    expect(rows.nth(2)).to_have_value(student.typed(START + 3 * DAY))  # nothing typed is lost
    hers.get_by_label("Why do you need to move it?").fill(REASON)
    press(hers, "Send the request")
    state(hers, "Reschedule requested")
    press(hers, "Withdraw the request")
    state(hers, "Confirmed")

    follow(his, "Ask to move it")
    his.get_by_label("Proposed time").first.fill(coach.typed(START + DAY))
    his.get_by_label("Why do you need to move it?").fill(REASON)
    press(his, "Send the request")
    hers.reload()
    follow(hers, "Answer the request")
    press(hers, "Approve")
    stands_at(hers, student, coach, START + DAY)
    told(hers, "Move approved", "Asked to move it", "Request withdrawn", "Asked to move it")

    site.clock.strike(START + DAY + HOUR)
    his.reload()
    follow(his, "Complete it")
    his.get_by_label("Session notes").fill("She writes half as much and says twice as much.")
    press(his, "Complete it")
    state(his, "Completed")
    hers.reload()
    sees(hers, "She writes half as much")
    hers.get_by_label("Your notes").fill("Thank you.")
    press(hers, "Save my notes")
    told(hers, "Notes changed", "Completed")
    follow(hers, "The whole contract")
    state(hers, "Completed")


def test_lists_filter_by_a_button(site: Site, plain, student, coach):
    contract = site.contract(coach, student)
    site.session(contract, student, START)
    page = plain(student)
    page.goto("/sessions")
    sees(page, "1 of 4")
    page.get_by_label("State").select_option("Cancelled")
    page.get_by_role("button", name="Show").click()
    sees(page, "Nothing matches")
    follow(page, "Show all sessions")
    sees(page, "1 of 4")


def test_signing_up_in_and_out(plain, site: Site):
    page = plain()
    page.goto("/sign-up")
    page.get_by_label("Name").fill("Zoë O'Brien")
    page.get_by_label("E-mail address").fill("zoe@example.org")
    page.get_by_label("New password").fill("four plain words here")
    page.get_by_label("Time zone").select_option("America/Sao_Paulo")
    press(page, "Open an account")
    said(page, "Welcome. Your account is ready.")
    sees(page, "Hello, Zoë", "All clear")
    page.get_by_role("button", name="Sign out").click()
    said(page, "You are signed out.")
    page.get_by_label("E-mail address").fill("zoe@example.org")
    page.get_by_label("Password", exact=True).fill("four plain words there")
    press(page, "Sign in")
    sees(page, "Please check this first")
    page.get_by_label("Password", exact=True).fill("four plain words here")
    press(page, "Sign in")
    sees(page, "Hello, Zoë")
