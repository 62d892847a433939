"""Each command in a process of its own, as an operator runs it on the first day."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PASSWORD = "a long quiet river"
RUN = "from skileez.cli import main; main()"


@pytest.fixture
def site(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a site with an empty SQLite database."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'skileez.sqlite3')}"
    return {
        **os.environ,
        "DATABASE_URL": url,
        "SECRET_KEY": "s" * 48,
        "PUBLIC_URL": "https://sessions.example.org",
        "PASSWORD_MEMORY_KIB": "8",
    }


def run(site: dict[str, str], *arguments: str, typed: str = "") -> str:
    """What the command prints. It has to end well."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, *arguments],
        env=site,
        input=typed,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_day_of_a_site(site: dict[str, str]) -> None:
    admin = "admin@example.org"
    said = run(site, "create-admin", admin, "--zone", "Europe/Berlin", typed=f"{PASSWORD}\n")
    assert said.endswith("admin@example.org is an administrator.\n")
    assert run(site, "reset-link", admin).startswith("https://sessions.example.org/reset/")
