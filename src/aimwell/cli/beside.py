"""A worker in a process of its own beside a server: started again when it ends by itself, ended with the server."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

AGAIN_AFTER = 5.0
"""Seconds until a worker that ended by itself is started again."""

PATIENCE = 60.0
"""Seconds for the step under way when it is told to end."""

_LOG = logging.getLogger(__name__)


@contextmanager
def kept_running(command: Sequence[str], *, again_after: float = AGAIN_AFTER) -> Iterator[None]:
    """Keep a process running while the block runs; each end that nobody asked for is logged."""
    stop = threading.Event()
    current: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stop.is_set():
            current[:] = [subprocess.Popen(list(command))]
            if stop.is_set():
                current[0].terminate()
            code = current[0].wait()
            if not stop.is_set():
                _LOG.error("the worker ended", extra={"code": code, "again_after": again_after})
                stop.wait(again_after)

    keeper = threading.Thread(target=keep, name="aimwell-beside")
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        for process in current:
            _end(process)
        keeper.join()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the step under way finish."""
    process.terminate()
    try:
        process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
