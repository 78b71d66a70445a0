"""One writer at a time, in the order of asking: an unsubscribe never waits behind the next chunk of a million sends.

SQLite lets one connection write and makes the others poll, so that whoever writes in a loop always wins. Here writers
of one process queue by ticket, and processes by two file locks: whoever holds `next` gets `now` when it becomes free,
and a writer that has just finished must first take `next` again.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turnstile:
    """The queue of those who want to write one file."""

    def __init__(self, file: Path) -> None:
        self._next = file.with_name(f"{file.name}.next")
        self._now = file.with_name(f"{file.name}.now")
        self._condition = threading.Condition()
        self._given = 0
        self._served = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for our turn, have it while the block runs, and hand it over."""
        with self._condition:
            ticket = self._given
            self._given += 1
            self._condition.wait_for(lambda: self._served == ticket)
        try:
            with _locked(self._next) as queued, _locked(self._now):
                fcntl.flock(queued, fcntl.LOCK_UN)
                yield
        finally:
            with self._condition:
                self._served += 1
                self._condition.notify_all()


@contextmanager
def _locked(file: Path) -> Iterator[int]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
