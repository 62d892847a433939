"""Whether this process was told to stop, for the few answers that take their time.

The server ends only when its last answer has. It has signal handlers of its own, set after our
start; what Python writes to the wake-up pipe at a signal, it writes whoever handles the signal.
"""

import os
import select
import signal
import threading
import time
from contextlib import suppress
from typing import Final

ENDS: Final = (signal.SIGINT, signal.SIGTERM)

_told = threading.Event()
_pipe: int | None = None


def listen() -> None:
    """Hear of signals from now on; only the main thread can, and not where somebody else does."""
    global _pipe
    if _pipe is not None or threading.current_thread() is not threading.main_thread():
        return
    there = signal.set_wakeup_fd(-1)
    if there != -1:
        signal.set_wakeup_fd(there)
        return
    _pipe, end = os.pipe()
    os.set_blocking(_pipe, False)
    os.set_blocking(end, False)
    signal.set_wakeup_fd(end, warn_on_full_buffer=False)


def wait(seconds: float) -> bool:
    """Wait so long, or until this process is told to stop; whether it was."""
    if _pipe is None:
        time.sleep(seconds)
    elif not _told.is_set() and select.select([_pipe], [], [], seconds)[0]:
        # Another thread that waits may have read it first.
        with suppress(BlockingIOError):
            if any(number in ENDS for number in os.read(_pipe, 64)):
                _told.set()
    return _told.is_set()
