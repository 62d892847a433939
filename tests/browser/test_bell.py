"""The bell counts by itself what is unread: told by the server, or by asking where that fails."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from skileez import db, worker
from tests.browser.site import Site, Someone
from tests.cast import DAY, NOW

SOON = 3_000
"""Milliseconds on the page's clock until the bell begins to listen."""
LATER = 31_000


@pytest.fixture
def page(opened, coach: Someone) -> Page:
    """A page of the coach's, whose clock the test winds."""
    context: BrowserContext = opened(coach, alone=True)
    page = context.new_page()
    page.clock.install()
    return page


@pytest.fixture
def contract(site: Site, coach: Someone, student: Someone) -> int:
    made = site.contract(coach, student)
    tell(site)
    return made


def tell(site: Site) -> None:
    """Let the worker tell what happened."""
    worker.dispatch(site.clock())
    db.session.remove()


def counts(page: Page, count: int) -> None:
    words = f"Notifications, {count} unread"
    expect(page.get_by_role("link", name=words, exact=True)).to_be_visible()


def test_the_server_tells_a_page_that_stands_open(
    site: Site, page: Page, contract: int, student: Someone
) -> None:
    page.goto("/notifications")
    counts(page, 1)
    site.session(contract, student, NOW + 3 * DAY, confirmed=False)
    tell(site)
    with page.expect_response("**/notifications/stream"):
        page.clock.run_for(SOON)
    counts(page, 2)
    expect(page).to_have_title("(2) Notifications · Skileez Sessions")
    expect(page.locator("#said")).to_have_text("Notifications, 2 unread")
    page.get_by_role("link", name="There is something new").click()
    page.get_by_role("button", name=f"Unread: {student.name} booked session 1").click()
    expect(page).to_have_url(f"{site.url}/sessions/1")
    counts(page, 1)


def test_a_page_that_cannot_listen_asks(
    site: Site, page: Page, contract: int, student: Someone
) -> None:
    page.add_init_script("delete window.EventSource")
    page.goto("/dashboard")
    with page.expect_response("**/notifications/unread"):
        page.clock.run_for(SOON)
    counts(page, 1)
    site.session(contract, student, NOW + 4 * DAY, confirmed=False)
    tell(site)
    with page.expect_response("**/notifications/unread"):
        page.clock.run_for(LATER)
    counts(page, 2)
    expect(page.locator("[data-news-fresh]")).to_have_count(0)
