"""Take a picture of every page, at 360 and 1280 pixels, light and dark: to be looked at.

``make screenshots`` starts a demo of its own and writes ``instance/pages`` (git-ignored), with
an ``index.html`` that shows them side by side. The pages are those that the browser tests look at.
"""

import html
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from screenshot import chromium, demo  # noqa: E402

from skileez import clock, db  # noqa: E402
from skileez.demo.cast import DOMAIN, PASSWORD  # noqa: E402
from tests.browser.pages import PAGES, moods  # noqa: E402

PICTURES = ROOT / "instance" / "pages"
WIDTHS = {1280: 900, 360: 740}
SCHEMES: tuple[Any, ...] = ("light", "dark")
READERS = ("nobody", "student", "coach", "admin")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(Path(folder)) as base,
        sync_playwright() as playwright,
    ):
        db.bind(f"sqlite:///{folder}/demo.db")
        browser = chromium(playwright)
        names: list[str] = []
        for who in READERS:
            names += _pictures_of(browser, base, who)
        browser.close()
    _write_index(names)
    print(f"{len(names)} pages: {PICTURES / 'index.html'}")


def _pictures_of(browser: Browser, base: str, who: str) -> list[str]:
    email = f"{who}@{DOMAIN}"
    names = []
    for width, height in WIDTHS.items():
        page = browser.new_page(base_url=base, viewport={"width": width, "height": height})
        if who != "nobody":
            _sign_in(page, email)
            here = moods(email, clock.now())
        for pattern in PAGES[who]:
            try:
                path = pattern if who == "nobody" else here.path(pattern)
            except KeyError:
                continue  # the demo has no such session just now
            name = f"{who}{re.sub('[^a-z]+', '-', pattern)}".strip("-")
            page.set_viewport_size({"width": width, "height": height})
            page.goto(path)
            if width < 960:  # the bar at the foot of a phone would stand in the middle
                full = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": full})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
            names.append(name)
        page.close()
    return list(dict.fromkeys(names))


def _sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


def _write_index(names: list[str]) -> None:
    rows = "".join(
        f"<h2>{html.escape(name)}</h2><p>"
        + "".join(
            f'<a href="{name}-{width}-{scheme}.png">'
            f'<img loading="lazy" src="{name}-{width}-{scheme}.png" alt="" height="600"></a> '
            for width in WIDTHS
            for scheme in SCHEMES
        )
        for name in names
    )
    text = f'<!doctype html><html lang="en"><title>Every page</title>{rows}</html>'
    (PICTURES / "index.html").write_text(text)


if __name__ == "__main__":
    main()
