"""How every page looks and behaves, whatever it says: for every eye, hand, scheme and width."""

import dataclasses
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from skileez import db
from skileez.demo import cast as demo
from skileez.demo import seed
from tests.browser.accessible import violations
from tests.browser.pages import FORMS, PAGES, TALKERS, Moods, hostile, moods
from tests.browser.site import AXE, Site, Someone
from tests.browser.steps import REASON, sees, state
from tests.cast import DAY, HOUR, NOW

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

EMPTIED = """(form) => {
  for (const one of form.elements) if (one.type !== "hidden" && "value" in one) one.value = "";
  form.submit();
}"""

WIDER = """() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over <= 0) return "";
  const wide = [...document.querySelectorAll("main *")].filter(
    (one) => one.getBoundingClientRect().right > innerWidth + 1);
  return over + " px too wide: " + wide.slice(-1).map((one) => one.outerHTML.slice(0, 200));
}"""

CUT = """() => {
  const cut = [...document.querySelectorAll("main :not(input, textarea)")].filter((one) => {
    const looks = getComputedStyle(one);
    return ["hidden", "clip"].includes(looks.overflowX) && looks.textOverflow !== "ellipsis"
      && one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1;  // else for ears
  });
  return cut.map((one) =>
    `${one.scrollWidth} px cut to ${one.clientWidth}: ${one.outerHTML.slice(0, 200)}`);
}"""

TWICE = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `id ${id} stands twice`);
}"""


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, tuple[Someone | None, Moods]]:
    """The demo's people, one without anything, and one whose every text is hostile."""
    site.clock.strike(NOW)
    seed.plant(NOW)
    found: dict[str, tuple[Someone | None, Moods]] = {"nobody": (None, Moods({}))}
    for door in demo.DOORS:
        someone = site.find(door.email)
        found[door.key] = (someone, moods(door.email, NOW))
    newcomer = site.person("coach", "Ada", "Pacific/Auckland")
    found["newcomer"] = (newcomer, Moods({"contract": 1}))
    talker = hostile(site)
    found["talker"] = (talker, moods(talker.email, NOW))
    db.session.remove()
    return found


@pytest.fixture
def look(seat, people) -> Iterator:
    """``look(who)``: their page, and what stands behind the words in paths."""

    # One zone for all, so that it is one browser: what a page says does not hang on it.
    how = {"viewport": DESKTOP, "timezone_id": "Europe/Berlin", "color_scheme": "light"}
    return lambda who: (seat(people[who][0], **how), people[who][1])


def in_light(page: Page) -> list[str]:
    """What axe finds in the light, on a desktop."""
    page.emulate_media(color_scheme="light")
    return violations(page, "light")


def in_the_dark(page: Page) -> list[str]:
    """What axe finds in the dark, on a desktop."""
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="dark")
    return violations(page, "dark")


def on_a_phone(page: Page) -> list[str]:
    """What is too wide for a phone, also inside a box that cuts it."""
    page.set_viewport_size(PHONE)
    wide = page.evaluate(WIDER)
    return [*([wide] if wide else []), *page.evaluate(CUT)]


TURNS = (in_light, in_the_dark, on_a_phone)


def faults(page: Page) -> list[str]:
    """Everything wrong with the page as it stands, in both schemes and on a phone.

    A page that is turned is laid out again: it stays as the last turn left it, and the next page
    is looked at in the other order.
    """
    page.add_script_tag(url=AXE)
    found = page.evaluate(TWICE)
    on_phone = page.viewport_size == PHONE
    for turn in TURNS[::-1] if on_phone else TURNS:
        found += turn(page)
    return found


def pieces(pages: dict[str, tuple[str, ...]], most: int) -> list:
    """Whose pages they are with at most so many of them: a few seconds of work each."""
    return [
        pytest.param(who, those[at : at + most], id=f"{who}-{at + 1}")
        for who, those in pages.items()
        for at in range(0, len(those), most)
    ]


def report(found: dict[str, list[str]]) -> str:
    """What was found, a line each."""
    return "\n".join(f"{page}: {fault}" for page, faults in found.items() for fault in faults)


@pytest.mark.parametrize(("who", "patterns"), pieces(PAGES, 6))
def test_every_page_is_for_everybody(look, who, patterns):
    page, here = look(who)
    found = {}
    for pattern in patterns:
        if pattern.startswith("/calendar"):
            page.set_viewport_size(DESKTOP)  # it asks how wide it is when it is drawn
        answer = page.goto(here.path(pattern))
        assert answer
        assert answer.status in (200, 409), f"{pattern}: {answer.status}"
        if wrong := faults(page):
            found[pattern] = wrong
    assert not found, report(found)


def test_long_and_hostile_texts_fit_a_phone_and_a_desk(look):
    page, here = look("talker")
    found = {}
    for pattern in TALKERS:
        page.set_viewport_size(DESKTOP)
        page.goto(here.path(pattern))
        if wrong := [*page.evaluate(TWICE), *page.evaluate(CUT), *on_a_phone(page)]:
            found[pattern] = wrong
    assert not found, report(found)


@pytest.mark.parametrize(("who", "patterns"), pieces(FORMS, 6))
def test_every_form_with_errors_is_for_everybody(look, who, patterns):
    page, here = look(who)
    found = {}
    for pattern in patterns:
        page.goto(here.path(pattern))
        with page.expect_navigation():
            # Past the live checks, as a browser without scripts sends it.
            page.locator("form[data-live]").first.evaluate(EMPTIED)
        summary = page.locator(".error-summary")
        expect(summary).to_be_focused()
        for link in summary.get_by_role("link").all():
            target = (link.get_attribute("href") or "").removeprefix("#")
            assert page.locator(f"[id='{target}']").count() == 1, f"{pattern}: #{target}"
        if wrong := faults(page):
            found[pattern] = wrong
    assert not found, report(found)


PALE = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("@media (prefers-color-scheme: dark) { h1 { color: #444 !important; } }");
  document.adoptedStyleSheets.push(sheet);
}"""


def test_a_heading_too_pale_in_the_dark_is_found_on_a_page_that_was_good(look):
    page, _here = look("nobody")
    page.goto("/sign-in")
    assert not faults(page)
    page.evaluate(PALE)
    (found,) = faults(page)
    assert found.startswith("dark: color-contrast")
    assert faults(page) == [found], "a look that was found bad is not learned"


def send(page: Page, action: str, **fields: str) -> None:
    """Send a form that is not on the page."""
    with page.expect_navigation():
        page.evaluate(
            """([action, fields]) => {
              const form = document.createElement("form");
              form.method = "post"; form.action = action;
              for (const [name, value] of Object.entries(fields)) {
                const input = document.createElement("input");
                input.name = name; input.value = value; form.append(input);
              }
              document.body.append(form); form.submit();
            }""",
            [action, fields],
        )


def check(page: Page, title: str) -> None:
    """The page is the one of this title, and it is for everybody."""
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    wrong = faults(page)
    assert not wrong, report({title: wrong})


def test_every_refusal_is_for_everybody(look):
    page, here = look("student")
    page.goto("/admin/people")
    check(page, "This is not yours to do")  # 403
    page.goto("/sessions/2000000")
    check(page, "There is nothing here")  # 404
    page.goto(here.path("/sessions/{completed}/cancel-form"))
    check(page, "This is not possible now")  # 409


def test_every_answer_to_a_wrong_request_is_for_everybody(look):
    page, _here = look("student")
    page.goto("/profile")
    send(page, "/profile", display_name="x" * 70_000)
    check(page, "That is too much at once")  # 413
    page.goto("/profile")
    send(page, "/profile", display_name="A name that was typed")
    check(page, "This could not be read")  # 400, without its token
    sees(page, "A name that was typed")
    send(page, "/dashboard")
    check(page, "Not that way")  # 405


def test_a_broken_page_is_for_everybody(look, watch, monkeypatch):
    watch.may_break = True
    page, _here = look("student")

    def breaks(*args, **given):
        raise RuntimeError("a fault made by a test")

    with monkeypatch.context() as patch:
        patch.setattr("skileez.web.dashboard.insights.of_person", breaks)
        page.goto("/dashboard")
        check(page, "Something broke on our side")  # 500
    with monkeypatch.context() as patch:
        patch.setattr("skileez.app.actions.find_signed_in", breaks)
        page.goto("/dashboard")
        check(page, "Something broke on our side")  # 500, and nobody knows who reads it


def test_too_many_tries_are_answered_for_everybody(look, site: Site, monkeypatch):
    patience = dataclasses.replace(site.app.config["SKILEEZ"], resets_per_hour=1)
    monkeypatch.setitem(site.app.config, "SKILEEZ", patience)
    monkeypatch.setattr("skileez.web.throttle.DEMO_LENIENCY", 1)
    page, _here = look("nobody")
    for title in ("Look for our link", "Please wait a little"):  # the second is a 429
        page.goto("/reset")
        page.get_by_label("E-mail address").fill("nobody@example.org")
        page.get_by_role("button", name="Send me a link").click()
        check(page, title)


# Keyboard alone

AT = """(wanted) => {
  const one = document.activeElement;
  const shows = (box) => {
    const look = getComputedStyle(box);
    return look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2;
  };
  // A link in a row marks the row, a radio or a checkbox its card.
  const card = one.closest("label, .session-row");
  const seen = shows(one) || shows(one, "::after") || (card !== null && shows(card));
  return [one === wanted, seen ? "" : one.outerHTML];
}"""


def tab_to(page: Page, target: Locator, most: int = 60) -> None:
    """Press Tab until ``target`` has the focus; at every stop one sees where one is."""
    wanted = target.element_handle()
    for _press in range(most):
        page.keyboard.press("Tab")
        there, unseen = page.evaluate(AT, wanted)
        assert not unseen, f"unseen focus: {unseen}"
        if there:
            return
    pytest.fail(f"{most} times Tab do not lead to {target}")


def skip_to_the_content(page: Page) -> None:
    """Past the header, by the link that is there for it."""
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")


def type_time(page: Page, month: int) -> None:
    """Ten past ten in the morning of the nth of the nth month: right in whatever order the
    machine's language writes a date, and with "a" where it says a.m.
    """
    page.keyboard.type(f"{month:02}{month:02}2026")
    page.keyboard.type("1010a")


def test_booking_and_moving_by_keyboard_alone(site: Site, seat, student, coach):
    contract = site.contract(coach, student)
    page = seat(student, viewport=DESKTOP, color_scheme="dark")
    page.goto(f"/contracts/{contract}")
    skip_to_the_content(page)
    tab_to(page, page.get_by_role("link", name="Book a session").first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/schedule")
    tab_to(page, page.get_by_label("Date and time"))
    type_time(page, 4)
    expect(page.get_by_label("Date and time")).to_have_value("2026-04-04T10:10")
    tab_to(page, page.get_by_role("button", name="Book it"))
    page.keyboard.press("Enter")
    state(page, "Scheduled")

    tab_to(page, page.get_by_role("link", name="Ask to move it"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/reschedule")
    skip_to_the_content(page)
    tab_to(page, page.get_by_label("Proposed time").first)
    type_time(page, 5)
    tab_to(page, page.get_by_role("button", name="Add another time"))
    page.keyboard.press("Space")
    expect(page.locator("#proposed_times-1")).to_be_focused()
    type_time(page, 6)
    tab_to(page, page.get_by_label("Why do you need to move it?"))
    page.keyboard.type(REASON)
    tab_to(page, page.get_by_role("button", name="Send the request"))
    page.keyboard.press("Enter")
    state(page, "Reschedule requested")
    sees(page, "Saturday 6 June 2026, 10:10")

    # The coach chooses the second time with the arrow keys.
    page = seat(coach, viewport=DESKTOP, color_scheme="dark")
    page.goto("/dashboard")
    tab_to(page, page.get_by_role("link", name="Answer"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/reschedule-approval")
    skip_to_the_content(page)
    tab_to(page, page.get_by_role("radio").first)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio").nth(1)).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Approve"))
    page.keyboard.press("Enter")
    state(page, "Scheduled")  # approving a time is not confirming the session
    expect(page.locator(".when-day")).to_have_text("Saturday 6 June 2026")


def test_a_withdrawal_by_keyboard_keeps_the_place(site: Site, seat, student, coach):
    session = site.session(site.contract(coach, student), student, NOW + 3 * DAY)
    times = [NOW + 4 * DAY + HOUR]
    site.verb(student, session, "request_reschedule", "student", REASON, proposed_times=times)
    page = seat(student, viewport=DESKTOP)
    page.goto(f"/sessions/{session}")
    tab_to(page, page.get_by_role("button", name="Withdraw the request"))
    page.keyboard.press("Enter")
    state(page, "Confirmed")
    expect(page.locator("main")).to_be_focused()
