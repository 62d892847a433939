"""Servers for the time of the run: granian with one worker, both sides alike."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO

SECRET = "a secret that is only good for this benchmark"


@contextmanager
def serving(what: str, url: str) -> Iterator[int]:
    """Serve ``bench.served:what`` on the database ``url``; the port."""
    port = _free_port()
    environ = {
        **os.environ,
        "DATABASE_URL": url,
        "SECRET_KEY": SECRET,
        "PASSWORD_TIME_COST": "1",
        "PASSWORD_MEMORY_KIB": "8",
        "SIGN_IN_FAILURES_PER_ADDRESS": "1000",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    options = [
        "--interface=wsgi",
        "--workers=1",
        "--blocking-threads=8",
        "--host=127.0.0.1",
        f"--port={port}",
        "--no-ws",
        "--log-level=error",
        "--factory",
        f"bench.served:{what}",
    ]
    # What a server logs is part of its work.
    with TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *options], env=environ, stdout=log, stderr=log
        )
        try:
            _wait(port, process, log)
            yield port
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def serving_all(wanted: dict[str, tuple[str, str]]) -> Iterator[dict[str, int]]:
    """Several at once: ports by name, of (what, url) by name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(*one)) for name, one in wanted.items()}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"the server ended by itself:\n{log.read().decode()}")
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not come up within 30 s")
