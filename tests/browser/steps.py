"""What people do on the pages, and what they see there."""

from datetime import datetime

from playwright.sync_api import Page, expect

from tests.browser.site import Someone

REASON = "My train was cancelled, and the next one is too late."


def main(page: Page):
    """What the page is about."""
    return page.locator("main")


def sees(page: Page, *texts: str) -> None:
    """All of these stand on the page."""
    for text in texts:
        expect(main(page)).to_contain_text(text)


def sees_not(page: Page, *texts: str) -> None:
    """None of these stands on the page."""
    for text in texts:
        expect(main(page)).not_to_contain_text(text)


def state(page: Page, word: str) -> None:
    """The state of what the page is about."""
    expect(page.locator(".page-head .chip")).to_have_text(word)


def told(page: Page, *words: str) -> None:
    """The newest entries of the life line, newest first."""
    titles = page.locator(".timeline .event-title")
    expect(titles.first).to_have_text(words[0])
    assert titles.all_inner_texts()[: len(words)] == list(words)


def said(page: Page, sentence: str) -> None:
    """The page says what was done."""
    expect(page.locator("#flashes")).to_contain_text(sentence)


def stands_at(page: Page, me: Someone, other: Someone, start: datetime) -> None:
    """The session's time, in the reader's zone and in the other's."""
    expect(page.locator(".when-time")).to_have_text(me.shown(start))
    expect(page.locator(".when-zone")).to_contain_text(place(me.zone))
    theirs = page.locator(".when-theirs")
    expect(theirs).to_contain_text(f"For {other.name} it is {other.shown(start)}")
    expect(theirs).to_contain_text(place(other.zone))


def place(zone: str) -> str:
    """A zone as pages name it."""
    return zone.rpartition("/")[2].replace("_", " ")


def press(page: Page, name: str) -> None:
    """Press the one button of this name in the page."""
    main(page).get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    """Follow the one link of this name in the page."""
    main(page).get_by_role("link", name=name, exact=True).click()


def session_of(page: Page) -> int:
    """The id in the address of a session's page."""
    page.wait_for_url("**/sessions/*")
    return int(page.url.partition("#")[0].rpartition("/")[2])


def book(page: Page, someone: Someone, start: datetime) -> int:
    """Fill in the form on a contract's page; the session's id."""
    main(page).get_by_role("link", name="Book a session").first.click()
    page.get_by_label("Date and time").fill(someone.typed(start))
    press(page, "Book it")
    said(page, "Booked. It is in both calendars.")
    return session_of(page)


def ask_to_move(page: Page, someone: Someone, *times: datetime) -> None:
    """From the session's page to the sent request."""
    follow(page, "Ask to move it")
    propose(page, someone, *times)
    page.get_by_label("Why do you need to move it?").fill(REASON)
    press(page, "Send the request")


def propose(page: Page, someone: Someone, *times: datetime) -> None:
    """Fill in one to three proposed times."""
    for number, time in enumerate(times):
        if number:
            press(page, "Add another time")
        page.locator(f"#proposed_times-{number}").fill(someone.typed(time))
