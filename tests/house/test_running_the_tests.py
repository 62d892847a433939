"""The tests' own command."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tests_are_found_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "test_session_management.py"), "--collect-only", "-q"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-o", "testpaths=tests/rules"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "tests/rules/test_states.py::" in done.stdout
