"""What an HTTP status says about a message, told alike for every channel that speaks HTTP."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

from aimwell.delivery.channel import Receipt, Result

LONGEST_WAIT = 24 * 3_600.0
_LATER = frozenset([408, 421, 423, 425, 429])


def receipt_of_status(
    key: str, status: int, words: str, *, ref: str | None = None, wait: float | None = None
) -> Receipt:
    """The receipt for a message whose call was answered.

    2xx accepted. 408, 421, 423, 425, 429 and 5xx failed, to be tried again; but 504: a gateway waited in vain and what
    is behind it may have acted, so it is unknown. Redirects and other 4xx are refused: a repetition would not help.

    >>> receipt_of_status("k", 503, "busy").result, receipt_of_status("k", 504, "").result
    ('failed', 'unknown')
    """
    if 200 <= status < 300:
        return Receipt(key, "accepted", ref)
    detail = f"{status} {words}".strip()
    if 300 <= status < 400:
        return Receipt(key, "refused", detail=f"{status}: redirects are not followed")
    result: Result = "unknown" if status == 504 else "failed" if status in _LATER or status >= 500 else "refused"
    return Receipt(key, result, ref, detail, retry_after=wait if result == "failed" else None)


def retry_after(header: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` header asks for, at most a day; None if there is none or it cannot be read.

    >>> from datetime import UTC
    >>> (
    ...     retry_after("Thu, 01 Jan 1970 00:02:00 GMT", datetime(1970, 1, 1, tzinfo=UTC)),
    ...     retry_after("soon", datetime.now(UTC)),
    ... )
    (120.0, None)
    """
    if not header:
        return None
    if header.strip().isdigit():
        return min(float(header.strip()[:9]), LONGEST_WAIT)
    try:
        wait = (parsedate_to_datetime(header) - now).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT)
