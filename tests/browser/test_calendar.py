"""The calendar as a grid: one drags a session to ask for another time, and presses one to book."""

from urllib.parse import unquote

from playwright.sync_api import Page, expect

from skileez.availability.rules import Hours
from tests.browser.accessible import violations
from tests.browser.site import AXE, Site
from tests.cast import DAY, NOW

MIDDLE = """([day, hour]) => {
  const column = document.querySelectorAll(".calendar-day-head")[day].getBoundingClientRect();
  const slot = document.querySelectorAll(".calendar-slot")[hour * 4].getBoundingClientRect();
  return [column.left + column.width / 2, slot.top + 3];
}"""


def place(page: Page, day: int, hour: int) -> tuple[float, float]:
    """Where a weekday (Monday 0) has an hour; the grid shows those from 7 to 18."""
    x, y = page.evaluate(MIDDLE, [day, hour])
    return x, y


def drag(page: Page, day: int, hour: int) -> None:
    """Take the only session by its top to another time."""
    there = place(page, day, hour)
    box = page.locator(".calendar-event.is-movable").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(*there, steps=4)
    page.mouse.up()


def test_a_drag_asks_for_another_time_and_moves_nothing(site: Site, seat, coach, student):
    site.hours(coach, Hours("America/New_York", weekly=dict.fromkeys(range(7), ((360, 1080),))))
    contract = site.contract(coach, student)
    start = NOW + 3 * DAY  # at 13:00 in Berlin
    session = site.session(contract, student, start)
    page: Page = seat(student, viewport={"width": 1280, "height": 900})
    page.goto("/calendar?view=week")
    event = page.locator(".calendar-event")
    expect(event).to_contain_text("13:00")
    expect(event).to_contain_text("Confirmed")
    expect(page.locator("#agenda")).to_be_hidden()
    page.add_script_tag(url=AXE)
    assert violations(page, "light") == []

    drag(page, 0, 9)
    expect(page.locator("#calendar-said")).to_contain_text("That time is over or too soon")
    expect(event).to_contain_text("13:00")
    drag(page, 4, 10)
    page.wait_for_url("**/reschedule?**")
    assert unquote(page.url).endswith(f"/sessions/{session}/reschedule?at=2026-03-06T09:00:00Z")

    page.go_back()
    expect(event).to_contain_text("13:00")
    page.mouse.click(*place(page, 5, 15))
    page.wait_for_url("**/schedule?**")
    assert unquote(page.url).endswith(f"/contracts/{contract}/schedule?at=2026-03-07T14:00:00Z")

    page.goto("/calendar")
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.locator(".calendar-sheet")).to_be_hidden()
    page.get_by_role("link", name="Ask to move it").click()
    expect(page).to_have_url(f"{site.url}/sessions/{session}/reschedule")
