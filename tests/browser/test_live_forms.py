"""What scripts add to the forms: help while one types, one press, no reload."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Route, expect

from skileez.availability.rules import Hours
from tests.browser.site import Site, Someone
from tests.browser.steps import REASON, press, said, sees, sees_not, state, told
from tests.cast import DAY, HOUR, MINUTE, NOW

START = NOW + 3 * DAY + 3 * HOUR


@pytest.fixture
def contract(site: Site, coach: Someone, student: Someone) -> int:
    return site.contract(coach, student)


@pytest.fixture
def booked(site: Site, contract: int, student: Someone) -> int:
    return site.session(contract, student, START)


def error_of(page: Page, field: str):
    return page.locator(f"#{field}-error")


def test_a_reason_is_counted_while_it_is_typed(seat, student, booked):
    page = seat(student, alone=True)
    page.goto(f"/sessions/{booked}/cancel-form")
    reason, counter = page.get_by_label("Why are you cancelling it?"), page.locator(".counter")
    expect(counter).to_contain_text("0 / 500")
    reason.press_sequentially("  Too late")
    expect(counter).to_contain_text("8 / 500")  # as the server trims
    expect(error_of(page, "reason")).to_be_hidden()  # nobody is scolded while writing
    reason.blur()
    expect(error_of(page, "reason")).to_contain_text("Please write at least 10 characters.")
    expect(reason).to_have_attribute("aria-invalid", "true")
    reason.press_sequentially(" again")
    expect(error_of(page, "reason")).to_be_hidden()  # and taken back at once
    reason.fill("🎈" * 501)
    expect(counter).to_contain_text("501 / 500")
    expect(error_of(page, "reason")).to_be_visible()

    # A form that the page knows to be wrong is not sent.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    press(page, "Cancel the session")
    expect(reason).to_be_focused()
    assert asked == []
    reason.fill("🎈" * 500)
    press(page, "Cancel the session")
    state(page, "Cancelled")


def test_a_time_too_soon_or_too_far_is_told_before_sending(seat, student, contract):
    page = seat(student)
    page.goto(f"/contracts/{contract}/schedule")
    when = page.get_by_label("Date and time")
    for wrong, words in (
        (NOW + 59 * MINUTE, "This is too soon. Please choose a later time."),
        (NOW + 366 * DAY, "This is too far ahead. Please choose an earlier time."),
    ):
        when.fill(student.typed(wrong))
        when.blur()
        expect(error_of(page, "scheduled_at")).to_contain_text(words)
    when.fill(student.typed(NOW + 61 * MINUTE))
    expect(error_of(page, "scheduled_at")).to_be_hidden()
    minutes = page.get_by_label("Duration in minutes")
    minutes.fill("7")
    minutes.blur()
    expect(error_of(page, "duration_minutes")).to_be_visible()
    minutes.fill("60")
    press(page, "Book it")
    state(page, "Scheduled")


def test_proposed_times_unfold_one_by_one_and_have_to_differ(seat, student, booked):
    page = seat(student)
    page.goto(f"/sessions/{booked}/reschedule")
    rows = page.locator("[data-row]")
    expect(rows.nth(0)).to_be_visible()
    expect(rows.nth(1)).to_be_hidden()
    page.locator("#proposed_times-0").fill(student.typed(START + DAY))
    press(page, "Add another time")
    second = page.locator("#proposed_times-1")
    expect(second).to_be_focused()
    second.fill(student.typed(START + DAY))
    second.blur()
    sees(page, "You proposed this time already. Please choose another.")
    page.get_by_label("Why do you need to move it?").fill(REASON)
    press(page, "Send the request")
    expect(second).to_be_focused()
    press(page, "Remove this time")
    expect(rows.nth(1)).to_be_hidden()
    press(page, "Send the request")
    state(page, "Reschedule requested")
    expect(page.locator(".proposed-times li")).to_have_count(1)


def test_free_times_fit_the_length_typed_while_a_day_was_coming(
    site: Site, seat, student, coach, contract
):
    site.hours(coach, Hours(coach.zone, weekly={3: [(9 * 60, 12 * 60)]}, step=60))
    page = seat(student, alone=True)
    page.goto(f"/contracts/{contract}/schedule?month=2026-04")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/slots?*", hold)
    with page.expect_request("**/slots?*day=2026-04-09*"):
        page.get_by_role("link", name="9 April 2026: 3 free times").click()
    with page.expect_request("**/slots?*minutes=120*"):
        page.get_by_label("Duration in minutes").fill("120")
        page.get_by_label("Duration in minutes").blur()
    held[0].continue_()
    # By the time that another page is there, so is the first answer.
    page.evaluate("fetch('/dashboard').then((answer) => answer.text())")
    held[1].continue_()
    expect(page.get_by_role("link", name="9 April 2026: 2 free times")).to_be_visible()
    expect(page.get_by_role("group", name="Afternoon").get_by_role("button")).to_have_count(2)


def test_a_double_click_sends_once(seat, student, booked):
    page = seat(student, alone=True)
    page.goto(f"/sessions/{booked}/cancel-form")
    page.get_by_label("Why are you cancelling it?").fill("I have a fever since this morning.")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    page.get_by_role("button", name="Cancel the session").dblclick()
    state(page, "Cancelled")
    told(page, "Cancelled", "Confirmed", "Booked")
    assert len(sent) == 1


def test_the_countdown_counts(seat, student, booked):
    page = seat(student, alone=True)  # a clock belongs to all pages of a browser, for good
    page.clock.install(time=NOW - HOUR)
    page.clock.pause_at(NOW)
    page.goto(f"/sessions/{booked}")
    countdown = page.locator(".countdown-big")
    expect(countdown).to_have_text("in 3 d 3 h")
    page.clock.fast_forward("47:00:00")
    expect(countdown).to_have_text("in 1 d 4 h")
    page.clock.fast_forward("25:31:00")
    expect(countdown).to_have_text("in 2 h 29 min")
    page.clock.fast_forward("05:00:00")
    expect(countdown).to_have_text("2 h 31 min ago")


def test_the_browsers_zone_is_chosen_at_sign_up(seat):
    page = seat(timezone_id="America/Sao_Paulo")
    page.goto("/sign-up")
    zone = page.get_by_label("Time zone")
    expect(zone).to_have_value("America/Sao_Paulo")

    # What one chooses oneself stays, also when the form comes back.
    zone.select_option("Asia/Tokyo")
    page.get_by_label("Name").fill("Zoë")
    page.get_by_label("E-mail address").fill("zoe@")
    password = page.get_by_label("New password")
    password.fill("four plain words here")
    page.get_by_role("button", name="Show the password").click()
    expect(password).to_have_attribute("type", "text")
    page.locator("form[data-live]").evaluate("form => form.submit()")  # past the live checks
    sees(page, "Please check this first")
    expect(zone).to_have_value("Asia/Tokyo")


def test_the_list_filters_without_a_reload(site: Site, seat, student, contract, booked):
    page = seat(student)
    page.goto("/sessions")
    page.evaluate("window.same = true")
    state_of = page.get_by_label("State")
    state_of.focus()
    state_of.select_option("Cancelled")
    sees(page, "Nothing matches")
    expect(page).to_have_url(f"{site.url}/sessions?view=upcoming&state=cancelled&contract=")
    expect(state_of).to_have_value("cancelled")
    expect(state_of).to_be_focused()
    # The new form listens once htmx is through with it, a moment after it is seen.
    page.locator("#session-list form").evaluate(
        "form => new Promise(done => { const look = () =>"
        " 'htmx-internal-data' in form ? done() : setTimeout(look, 20); look() })"
    )
    state_of.select_option("Any state")
    sees(page, "1 of 4")
    assert page.evaluate("window.same")
    page.go_back()
    sees(page, "Nothing matches")
    page.reload()
    sees(page, "Nothing matches")


def test_confirming_on_the_dashboard_happens_in_place(site: Site, seat, student, coach, contract):
    first = site.session(contract, student, START, confirmed=False)
    second = site.session(contract, student, START + DAY, confirmed=False)
    page = seat(coach)
    page.goto("/dashboard")
    page.evaluate("window.same = true")
    confirm = page.get_by_role("button", name="Confirm")
    expect(confirm).to_have_count(2)
    confirm.first.click()
    said(page, "Confirmed.")
    expect(confirm).to_have_count(1)
    expect(page.locator("main")).to_be_focused()  # the button is gone, the reader's place is not
    # Meanwhile the student cancels the other: the press says why it does nothing.
    site.verb(student, second, "cancel_session", by="student", reason="I have a fever.")
    confirm.click()
    expect(confirm).to_have_count(0)
    sees(page, "All clear")
    expect(page.locator("#flashes [role=alert]")).to_be_visible()
    assert page.evaluate("window.same")
    page.goto(f"/sessions/{first}")
    state(page, "Confirmed")


def test_a_time_that_summer_time_skips_is_explained(site: Site, seat, coach, contract):
    page = seat(coach)
    page.goto(f"/contracts/{contract}/schedule")
    page.get_by_label("Date and time").fill("2026-03-08T02:30")  # New York skips it
    press(page, "Book it")
    sees(page, "Please check this first", "Which time do you mean?")
    choices = page.get_by_role("radio")
    expect(choices).to_have_count(2)
    sees(page, "Sun 8 Mar 2026, 01:30 (GMT-5)", "Sun 8 Mar 2026, 03:30 (GMT-4)")
    page.get_by_role("radio", name="03:30").check()
    press(page, "Book it")
    state(page, "Confirmed")
    expect(page.locator(".when-time")).to_have_text("03:30")


def test_a_time_that_comes_twice_is_asked_about(site: Site, seat, student, contract):
    site.clock.strike(datetime(2026, 10, 20, 12, tzinfo=UTC))
    page = seat(student)
    page.goto(f"/contracts/{contract}/schedule")
    page.get_by_label("Date and time").fill("2026-10-25T02:30")  # Berlin has it twice
    press(page, "Book it")
    sees(page, "Which time do you mean?")
    page.get_by_role("radio", name="GMT+1").check()
    press(page, "Book it")
    state(page, "Scheduled")
    expect(page.locator(".when-time")).to_have_text("02:30")
    expect(page.locator(".when-zone")).to_contain_text("GMT+1")


def test_ending_a_contract_asks_first(seat, student, contract):
    page = seat(student)
    page.goto(f"/contracts/{contract}")
    page.get_by_text("End the contract").click()
    page.get_by_label("Why are you ending it?").fill("I have learned what I came for.")
    press(page, "End it")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The contract ends at once, and this cannot be undone.")
    dialog.get_by_role("button", name="Go back").click()
    expect(dialog).to_be_hidden()
    state(page, "Active")
    press(page, "End it")
    dialog.get_by_role("button", name="End it").click()
    said(page, "The contract is ended")
    state(page, "Cancelled")


def test_light_and_dark_are_remembered(opened):
    context = opened(color_scheme="light", alone=True)
    page = context.new_page()
    page.goto("/sign-in")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(ground) != light
    page.goto("/sign-up")
    assert page.evaluate(ground) != light


def test_what_is_read_is_never_asked_for_again_after_signing_out(seat, student):
    page = seat(student)
    page.goto("/profile")
    sees(page, student.email)
    page.get_by_role("button", name="Sign out").first.click()
    said(page, "You are signed out.")
    page.go_back()
    sees_not(page, student.email)
