"""Run the tests: ``python test_session_management.py [arguments for pytest]``."""

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["--rootdir", str(Path(__file__).parent), *sys.argv[1:]]))
