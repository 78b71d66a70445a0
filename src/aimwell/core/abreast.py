"""Pieces of work that do not wait for each other, side by side on the cores that there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Made = TypeVar("Made")


def abreast(make: Callable[[Piece], Made], pieces: Sequence[Piece]) -> list[Made]:
    """What is made of each piece, in the order of the pieces, on as many threads as there are cores.

    For work that leaves Python alone (compiled libraries that use one thread each), and that shares nothing.
    The error of the first piece that fails is raised, after those begun have ended; the others are not begun.

    >>> abreast(str.upper, ["a", "b", "c"])
    ['A', 'B', 'C']
    """
    if len(pieces) < 2 or cores() < 2:
        return [make(piece) for piece in pieces]
    with ThreadPoolExecutor(min(len(pieces), cores())) as pool:
        begun = [pool.submit(make, piece) for piece in pieces]
        try:
            return [each.result() for each in begun]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
