"""Ctrl-C while a statement runs: the engine is told at once, for its loops may not look at signals for minutes."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache


class Watch:
    """A thread that hears of SIGINT through Python's wakeup descriptor, which is written even while C code runs."""

    def __init__(self) -> None:
        self._heard, self._told = socket.socketpair()
        self._told.setblocking(False)
        self._stop: Callable[[], None] | None = None
        self.interrupted = False
        threading.Thread(target=self._listen, name="aimwell-interrupts", daemon=True).start()

    @contextmanager
    def over(self, stop: Callable[[], None]) -> Iterator[None]:
        """While the block runs, SIGINT calls `stop`; whoever had the descriptor before has it again afterwards."""
        before = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        self._stop, self.interrupted = stop, False
        try:
            yield
        finally:
            self._stop = None
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)

    def _listen(self) -> None:
        while signals := self._heard.recv(64):
            if signal.SIGINT in signals:
                self._interrupt()

    def _interrupt(self) -> None:
        stop = self._stop
        if stop is not None:
            self.interrupted = True
            stop()


@cache
def watch() -> Watch:
    """The one watch of this process."""
    return Watch()


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT stop a statement by `stop`, and be a KeyboardInterrupt whatever the engine makes of it.

    Signals reach the main thread alone; in any other this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    listener = watch()
    try:
        with listener.over(stop):
            yield
    except Exception as error:
        if listener.interrupted:
            raise KeyboardInterrupt from error
        raise
