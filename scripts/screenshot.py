"""Take the README's pictures of the real thing: the coach's dashboard and one session.

``make screenshot`` starts a demo of its own on a free port and stops it again.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Playwright, sync_playwright

PICTURES = Path(__file__).parents[1] / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 860}
PATIENCE = 60.0


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """A demo with new data, kept in ``folder/demo.db``; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    environ = {**os.environ, "PORT": str(port), "SKILEEZ_DEMO_DB": str(folder / "demo.db")}
    environ.setdefault("LOG_LEVEL", "WARNING")
    server = subprocess.Popen([Path(sys.executable).with_name("skileez"), "demo"], env=environ)
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                urlopen(f"{base}/livez", timeout=5).close()
                break
            except (URLError, OSError):
                time.sleep(0.2)
        yield base
    finally:
        server.terminate()
        server.wait(timeout=60)


def chromium(playwright: Playwright) -> Browser:
    """The machine's own Chromium."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    return playwright.chromium.launch(
        executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else []
    )


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo(Path(folder)) as base,
        sync_playwright() as playwright,
    ):
        browser = chromium(playwright)
        context = browser.new_context(
            base_url=base, viewport=SIZE, color_scheme="light", timezone_id="America/New_York"
        )
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=email]", "coach@demo.example")
        page.fill("[name=password]", "skileez-demo-2026")
        page.click("form[action*=sign-in] [type=submit]")
        page.wait_for_url("**/dashboard*")
        page.screenshot(path=PICTURES / "dashboard.png")
        page.goto("/sessions?state=reschedule_requested")
        page.click("main .session-link >> nth=0")
        page.wait_for_url("**/sessions/*")
        page.screenshot(path=PICTURES / "session.png")
        context.close()
        browser.close()


if __name__ == "__main__":
    main()
