"""Fixtures of the browser tests: a served site a module, and people who sit before it.

``site``      the server, its clock and what stands in its database
``seat``      ``seat(someone)``: a page in which that person is signed in, in their zone
``student``, ``coach``   two people who are new in every test

At the end of every test no page may have complained, broken, or asked another host.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import cast
from tests.browser.site import PATIENCE, Server, Site, Someone, Watch, serving
from tests.conftest import unbound_after

if TYPE_CHECKING:
    from jinja2 import BytecodeCache

PATIENCE_MS = PATIENCE * 1000

Opened = Callable[..., BrowserContext]
Seat = Callable[..., Page]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """An address at which one site after another stands."""
    one = Server()
    yield one
    one.close()


@pytest.fixture(scope="module")
def site(
    server: Server,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    compiled_templates: "BytecodeCache",
) -> Iterator[Site]:
    """The served application, on a database of this module's own."""
    path = tmp_path_factory.mktemp("site") / "site.sqlite3"
    shutil.copy(sqlite_template, path)
    with unbound_after(), serving(server, str(path), compiled_templates) as running:
        yield running


@pytest.fixture(autouse=True)
def noon(site: Site) -> None:
    """Every test begins at the same instant."""
    site.clock.strike(cast.NOW)


@dataclass
class Browsers:
    """Browsers that were opened and may be used again: opening one and its first page is slow."""

    browser: Browser
    url: str
    watch: Watch
    free: dict[str, list[BrowserContext]]

    def take(self, how: dict[str, Any]) -> BrowserContext:
        """One opened like this, with no cookie in it."""
        waiting = self.free.setdefault(repr(sorted(how.items())), [])
        return waiting.pop() if waiting else self.new(how)

    def new(self, how: dict[str, Any]) -> BrowserContext:
        """A new one opened like this."""
        context = self.browser.new_context(
            base_url=self.url, locale="en-GB", reduced_motion="reduce", **how
        )
        context.set_default_timeout(PATIENCE_MS)
        self.watch.over(context)
        return context

    def give_back(self, context: BrowserContext, how: dict[str, Any] | None) -> None:
        """Forget who sat there, and keep one page: a new one has to learn all scripts again."""
        if how is None:
            context.close()
            return
        for page in context.pages[1:]:
            page.close()
        for page in context.pages:
            page.goto(f"{self.url}/livez")  # another site would be another process
            # Whoever comes next finds it as it was opened.
            if viewport := how.get("viewport"):
                page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=how.get("color_scheme", "light"))
        context.clear_cookies()
        self.free[repr(sorted(how.items()))].append(context)


@pytest.fixture(scope="session")
def browsers(browser: Browser, server: Server) -> Browsers:
    """All browsers of this run."""
    expect.set_options(timeout=PATIENCE_MS)
    return Browsers(browser, server.url, server.watch, {})


@pytest.fixture
def watch(browsers: Browsers) -> Iterator[Watch]:
    """What the pages of this test did wrong; nothing, or the test fails."""
    watch = browsers.watch
    watch.seen.clear()
    watch.may_break = False
    yield watch
    assert watch.seen == []


@pytest.fixture
def opened(site: Site, browsers: Browsers, watch: Watch) -> Iterator[Opened]:
    """``opened(someone=None, **how)``: a browser, in their zone and signed in.

    ``alone=True`` for a test that changes the browser itself: its clock, what it remembers, who
    listens to it.
    """
    taken: list[tuple[BrowserContext, dict[str, Any] | None]] = []

    def open_one(
        someone: Someone | None = None, *, alone: bool = False, **how: Any
    ) -> BrowserContext:
        how.setdefault("timezone_id", someone.zone if someone else "UTC")
        context = browsers.new(how) if alone else browsers.take(how)
        taken.append((context, None if alone else how))
        if someone:
            context.add_cookies([site.cookie(someone)])
        return context

    yield open_one
    for context, how in taken:
        browsers.give_back(context, how)


@pytest.fixture
def seat(opened: Opened) -> Seat:
    """``seat(someone, **how)``: a page in a browser in which they are signed in."""

    def sit_down(someone: Someone | None = None, **how: Any) -> Page:
        context = opened(someone, **how)
        return context.pages[0] if context.pages else context.new_page()

    return sit_down


@pytest.fixture
def student(site: Site) -> Someone:
    """A student, new in every test."""
    return site.person("student", *cast.PEOPLE["student"])


@pytest.fixture
def coach(site: Site) -> Someone:
    """A coach, new in every test."""
    return site.person("coach", *cast.PEOPLE["coach"])


@pytest.fixture
def admin(site: Site) -> Someone:
    """An administrator, new in every test."""
    return site.person("admin", *cast.PEOPLE["admin"])
