"""One writer at a time, in the order of asking: an unsubscribe never waits behind the next chunk of a million sends.

SQLite lets one connection write and makes the others poll, so that whoever writes in a loop always wins. Here writers
of one process queue in a line, and processes by two file locks: whoever holds `next` gets `now` when it becomes free,
and a writer that has just finished must first take `next` again. A process that dies leaves no lock behind.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aimwell.core.errors import AimwellError, Unavailable


class TakenTwice(AimwellError):
    """A writer asked for a second turn inside its own: it would wait for itself for ever. Write in one block."""


class _Line:
    """Those of one process who wait for one file, in their order; the first has the turn."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.waiting: deque[int] = deque()  # threads; each stands in a line at most once


_lines: dict[tuple[int, Path], _Line] = {}
"""By process (a forked child must not wait for its parent's threads) and file, however often it is opened."""


class Turnstile:
    """The queue of those who want to write one file."""

    def __init__(self, file: Path) -> None:
        self._file = file.resolve()
        self._next = self._file.with_name(f"{file.name}.next")
        self._now = self._file.with_name(f"{file.name}.now")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for our turn, have it while the block runs, and hand it over, however the block ends.

        Raises TakenTwice in a thread that has a turn on this file already.
        """
        with _standing_in(_lines.setdefault((os.getpid(), self._file), _Line()), self._file):
            with _locked(self._now, self._next):
                yield


@contextmanager
def _standing_in(line: _Line, file: Path) -> Iterator[None]:
    """Come to the head of the line; leave it at the end, also when the waiting itself is interrupted."""
    me = threading.get_ident()
    with line.condition:
        if me in line.waiting:
            raise TakenTwice(
                f"This thread is writing {file.name} already and asked to write it once more",
                remedy="Pass the open connection on instead of opening a second block.",
            )
        line.waiting.append(me)
    try:
        with line.condition:
            line.condition.wait_for(lambda: line.waiting[0] == me)
        yield
    finally:
        with line.condition:
            line.waiting.remove(me)
            line.condition.notify_all()


@contextmanager
def _locked(now: Path, next_: Path) -> Iterator[None]:
    """Hold `now`, having waited for it with `next` in hand."""
    queued = _open(next_)
    try:
        fcntl.flock(queued, fcntl.LOCK_EX)
        held = _open(now)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            fcntl.flock(queued, fcntl.LOCK_UN)
            yield
        finally:
            _release(held)
    finally:
        _release(queued)


def _open(file: Path) -> int:
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(
            f"The ledger in {file.parent} cannot be written",
            seen=error.strerror or str(error),
            remedy="Give this user the right to write in the folder, or free some space.",
        ) from error


def _release(descriptor: int) -> None:
    """Unlock at once: closing alone leaves the lock to a forked child that still has the file open."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)
