"""A worker kept running beside the site: started anew when it dies, gone when the site is."""

import sys
import threading

import pytest

from skileez import beside


def test_a_program_that_dies_is_told_of_and_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    again = threading.Event()

    def warning(event: str, **details: object) -> None:
        told.append({"event": event, **details})
        if len(told) == 2:
            again.set()

    monkeypatch.setattr(beside.log, "warning", warning)
    monkeypatch.setattr(beside, "PAUSE_SECONDS", 0)
    command = [sys.executable, "-S", "-c", "raise SystemExit(3)"]
    with beside.keep_running(command):
        assert again.wait(30)
    assert told[1] == {"event": "beside.died", "command": " ".join(command), "code": 3}


def test_a_program_hears_that_we_are_gone_by_the_end_of_its_input() -> None:
    waits = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]
    keeper = beside._Keeper(waits, threading.Event())
    assert keeper._start()
    assert keeper.process
    assert keeper.process.stdin
    keeper.process.stdin.close()
    assert keeper.process.wait(30) == 0
