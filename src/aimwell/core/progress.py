"""Progress of long work: what is being done, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with what is being done and the share done so far, from 0 to 1; raising in it cancels the work."""


def silent(_: str, __: float) -> None:
    """Progress that nobody watches."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """The same watcher for a part of the work that runs from `start` to `end` of the whole.

    >>> seen = []
    >>> part(lambda what, done: seen.append(done), 0.5, 1.0)("load", 0.5)
    >>> seen
    [0.75]
    """
    return lambda what, done: progress(what, start + (end - start) * done)
