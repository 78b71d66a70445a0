"""Signatures over what goes between us and a provider: HMAC-SHA256 over the instant and the body, compared safely."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)
"""How far the instant of a signed message may be from ours, in both directions; older ones may be replayed ones."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a body sent at an instant, in hexadecimal.

    >>> sign("s", "0", b"{}")[:16]
    'e79b1f685c78e46b'
    """
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed(secret: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether the signature is ours; compared in constant time. A prefix such as `v1=` or `sha256=` is allowed."""
    given = signature.strip().rpartition("=")[2].lower()
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), given.encode("utf-8", "replace"))


def fresh(timestamp: str, now: datetime) -> bool:
    """Whether an instant in epoch seconds is within five minutes of now."""
    try:
        return abs(float(timestamp) - now.timestamp()) <= TOLERANCE.total_seconds()
    except ValueError:
        return False


def redacted(text: str, *secrets: str) -> str:
    """A text that came from outside, without our secrets in it and short enough for a log.

    >>> redacted("wrong key abc", "abc")
    'wrong key •••'
    """
    for each in secrets:
        if each:
            text = text.replace(each, "•••")
    return " ".join(text.split())[:300]
