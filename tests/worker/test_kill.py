"""A real worker, a real mail server, ``kill -9``: once here, 200 times in ``make kill``."""

import shutil
from pathlib import Path

from bench import kill
from tests.conftest import unbound_after


def test_a_worker_that_is_killed_loses_nothing(sqlite_template: Path, tmp_path: Path) -> None:
    database = tmp_path / "kill.sqlite3"
    shutil.copy(sqlite_template, database)
    with unbound_after():
        found = kill.run(f"sqlite:///{database}", tmp_path, kills=1, seed=7)
    assert found.wrong == []
    assert found.kills == 1
    assert found.messages > 10
