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

from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).parents[1] / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 860}
PATIENCE = 60.0


@contextmanager
def demo() -> Iterator[str]:
    """A demo with new data; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "PORT": str(port), "SKILEEZ_DEMO_DB": f"{folder}/demo.db"}
        server = subprocess.Popen([Path(sys.executable).with_name("skileez"), "demo"], env=environ)
        try:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                try:
                    urlopen(f"{base}/healthz", timeout=5).close()
                    break
                except (URLError, OSError):
                    time.sleep(0.2)
            yield base
        finally:
            server.terminate()
            server.wait(timeout=60)


def main() -> None:
    chromium = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    PICTURES.mkdir(parents=True, exist_ok=True)
    with demo() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
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
