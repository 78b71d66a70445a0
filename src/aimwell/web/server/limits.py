"""How much one write key may send: a bucket of tokens, one for each message."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from aimwell.core.errors import BadQuestion


@dataclass(frozen=True, slots=True)
class Pace:
    """Messages that one write key may send: `per_second` for long, `burst` at once after a rest."""

    per_second: float = 10_000
    burst: float = 50_000

    def __post_init__(self) -> None:
        if self.per_second <= 0 or self.burst < 1:
            raise BadQuestion("A pace needs a rate above zero and a burst of at least one", seen=repr(self))


class Bucket:
    """The tokens of one write key. A request is let in while there are any, and may leave a debt of its own size.

    So a request is refused before its body is read, and none is larger than the bucket.
    """

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace, self._clock = pace, clock
        self._tokens, self._at = pace.burst, clock()

    def wait(self) -> int:
        """Whole seconds until the next request is let in; 0 if it may come now."""
        self._fill()
        return 0 if self._tokens > 0 else max(1, math.ceil(-self._tokens / self._pace.per_second))

    def charge(self, messages: int) -> None:
        """Take a token for each message."""
        self._fill()
        self._tokens -= messages

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._pace.burst, self._tokens + (now - self._at) * self._pace.per_second)
        self._at = now
