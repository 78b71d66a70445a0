"""Ctrl-C while a statement runs: the engine is told at once, for its loops may not look at signals for minutes."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

_AGAIN = 0.1  # seconds


class Watch:
    """A thread that hears of SIGINT through Python's wakeup descriptor, which is written even while C code runs."""

    def __init__(self) -> None:
        self._heard, self._told = socket.socketpair()
        self._told.setblocking(False)
        self._stop: Callable[[], None] | None = None
        self._over = threading.Event()
        self.interrupted = False
        threading.Thread(target=self._listen, name="aimwell-interrupts", daemon=True).start()

    @contextmanager
    def over(self, stop: Callable[[], None]) -> Iterator[None]:
        """While the block runs, SIGINT calls `stop`; whoever had the descriptor before has it again afterwards."""
        before = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        self._stop, self._over, self.interrupted = stop, threading.Event(), False
        try:
            yield
        finally:
            self._over.set()
            self._stop = None
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)

    def _listen(self) -> None:
        while signals := self._heard.recv(64):
            if signal.SIGINT in signals:
                self._interrupt()

    def _interrupt(self) -> None:
        """Ask until the block ends: an engine forgets what it was told before the statement began to run."""
        stop, over = self._stop, self._over
        if stop is None:
            return
        self.interrupted = True
        while not over.is_set():
            stop()
            over.wait(_AGAIN)


@cache
def watch() -> Watch:
    """The one watch of this process."""
    return Watch()


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT stop a statement by `stop`, and be a KeyboardInterrupt whatever the engine makes of it.

    Signals reach the main thread alone; in any other this does nothing. On the way out the engine is told once
    more: DuckDB 1.5 leaves a statement at the signal by itself and lets its other threads run on, and closing the
    connection would wait for them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    listener = watch()
    try:
        with listener.over(stop):
            yield
    except KeyboardInterrupt:
        stop()
        raise
    except Exception as error:
        if listener.interrupted:
            stop()
            raise KeyboardInterrupt from error
        raise
