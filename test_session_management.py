"""Run the tests: ``python test_session_management.py [arguments for pytest]``.

It may be run from any folder; paths among the arguments are the checkout's. In a checkout any
python will do: it goes on in the environment that ``make install`` builds.
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

    # pytest looks for its tests where it stands.
    os.chdir(HERE)
    sys.exit(pytest.main(sys.argv[1:]))
