"""Another program beside this one: started with it, started anew when it dies, stopped with it."""

import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from skileez import logs

PAUSE_SECONDS: Final = 2
"""Before a program that died is started anew."""
PATIENCE_SECONDS: Final = 30
"""For a program that was told to stop; then it is killed."""

log = logs.logger(__name__)


@contextmanager
def keep_running(command: Sequence[str]) -> Iterator[None]:
    """Keep ``command`` running while the block runs.

    Its standard input is a pipe from us: a program that reads the end of it knows that we are
    gone, however we ended.
    """
    over = threading.Event()
    keeper = _Keeper(command, over)
    thread = threading.Thread(target=keeper.keep, name="beside", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        keeper.stop()
        thread.join(PATIENCE_SECONDS)


class _Keeper:
    def __init__(self, command: Sequence[str], over: threading.Event) -> None:
        self.command, self.over = command, over
        self.process: subprocess.Popen[bytes] | None = None
        self.turn = threading.Lock()

    def keep(self) -> None:
        while self._start():
            assert self.process is not None
            code = self.process.wait()
            assert self.process.stdin is not None
            self.process.stdin.close()
            if not self.over.is_set():
                log.warning("beside.died", command=" ".join(self.command), code=code)
                self.over.wait(PAUSE_SECONDS)

    def _start(self) -> bool:
        with self.turn:
            if self.over.is_set():
                return False
            # A terminal's Ctrl+C reaches only us: we tell it to stop when we are done.
            self.process = subprocess.Popen(  # noqa: S603
                self.command, stdin=subprocess.PIPE, start_new_session=True
            )
            return True

    def stop(self) -> None:
        with self.turn:
            process = self.process
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
