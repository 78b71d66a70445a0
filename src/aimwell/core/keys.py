"""Keys by digest: the same thing gets the same number on every machine and every day, so that a replay repeats nothing.

BLAKE2b (RFC 7693) over the parts, each preceded by its length; Python's own `hash` differs from process to process.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

SHARDS = 64
"""Work is divided by customer into so many parts; a worker takes whole parts."""

_TOP = 1 << 63


def number_of(*parts: str) -> int:
    """A whole number in [0, 2^63) that stands for these texts, in this order.

    >>> number_of("welcome", "c1") == number_of("welcome", "c1")
    True
    >>> number_of("ab", "c") == number_of("a", "bc")
    False
    """
    told = b"".join(_told(part) for part in parts)
    return int.from_bytes(blake2b(told, digest_size=8).digest(), "big") % _TOP


def share_of(*parts: str) -> float:
    """A fixed draw in [0, 1) for these texts: who is in a hold-out stays in it.

    >>> 0.0 <= share_of("hold-out", "c1") < 1.0
    True
    """
    return number_of(*parts) / _TOP


def shares_of(*parts: str, of: Iterable[str]) -> list[float]:
    """`share_of` of the same parts with each of many last parts, in a third of the time.

    >>> shares_of("hold-out", of=["c1"]) == [share_of("hold-out", "c1")]
    True
    """
    common = blake2b(b"".join(_told(part) for part in parts), digest_size=8)
    found = []
    for last in of:
        mine = common.copy()
        mine.update(_told(last))
        found.append(int.from_bytes(mine.digest(), "big") % _TOP / _TOP)
    return found


def _told(part: str) -> bytes:
    encoded = part.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(8, "big") + encoded


def shard_of(customer_id: str) -> int:
    """The part of the work to which a customer belongs, in [0, SHARDS)."""
    return number_of("shard", customer_id) % SHARDS
