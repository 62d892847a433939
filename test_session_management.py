"""Run the tests: ``python test_session_management.py [arguments for pytest]``.

In a checkout any python will do: it goes on in the environment that ``make install`` builds.
"""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    try:
        version("skileez-sessions")
    except PackageNotFoundError:
        subprocess.run(["make", "--quiet", "install"], cwd=HERE, check=True)
        python = str(HERE / ".venv" / "bin" / "python")
        os.execv(python, [python, __file__, *sys.argv[1:]])

    import pytest

    sys.exit(pytest.main(["--rootdir", str(HERE), *sys.argv[1:]]))
