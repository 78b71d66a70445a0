"""When an event happened, although the clock of the device that sent it may be wrong.

What a library sends as `timestamp` is the device's clock at the event (the Segment specification renames it to
`originalTimestamp` on arrival), and `sentAt` is the same clock at sending. Their difference is a length of time, which
a wrong clock still measures rightly, so the event lies that long before our own clock at arrival:

    occurred_at = received_at - (sentAt - originalTimestamp)

The time on the network is thereby counted as waiting: the result is late by that much, mostly a fraction of a second.
Source: https://segment.com/docs/connections/spec/common/ (timestamps).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from aimwell.store.intake.rejections import Unfit

FUTURE_TOLERANCE = timedelta(minutes=5)
"""How far ahead of our clock an event may lie (it is then dated as received), and how far `sentAt` may lie before the
event. Ours: clocks that are set by the network differ by seconds; local time sent as UTC must not slip through."""

MAX_SKEW = timedelta(days=36_525)
"""Largest correction, in both directions. Ours: a device without battery starts in 1970, which must be corrected; a
`sentAt` that is a century away is no clock at all, and is ignored."""

_LONGEST_REMEMBERED = 40  # characters: instants have fewer, and nobody shall fill the memory

FLOOR_YEAR = 2000
"""Earliest year of an event. Ours: nothing was tracked before; the starting dates of most dead clocks lie there."""


def date_event(content: Mapping[str, object], sent: object, received_at: datetime) -> tuple[datetime, datetime | None]:
    """The instant at which an event happened (UTC), and the one that the device's clock showed, if it said one.

    With `originalTimestamp` and a different `timestamp` in one message, a server has corrected it before: `timestamp`
    is taken as it is. With neither, the event is dated as received. A `sentAt` that cannot be read, lies before the
    event, or is more than MAX_SKEW away from our clock is ignored.

    Raises Unfit for a timestamp that is none, for one in the future and for one before FLOOR_YEAR.
    """
    stated, original = _read(content, "timestamp"), _read(content, "originalTimestamp")
    shown = original or stated
    if shown is None:
        return received_at, None
    if original and stated and stated != original:
        occurred = stated
    else:
        occurred = correct_skew(shown, read_instant(sent), received_at)
    if occurred - received_at > FUTURE_TOLERANCE:
        raise Unfit("from_future", f"{occurred.isoformat()}, received at {received_at.isoformat()}")
    if occurred.year < FLOOR_YEAR:
        raise Unfit("before_floor", f"{occurred.isoformat()} is before the year {FLOOR_YEAR}")
    return min(occurred, received_at), shown


def correct_skew(shown: datetime, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The instant of an event, given what the device's clock showed then and at sending; uncorrected if that is odd.

    >>> off = timedelta(days=-400)
    >>> true = datetime(2026, 3, 1, 8, tzinfo=UTC)
    >>> correct_skew(true + off, true + timedelta(minutes=9) + off, true + timedelta(minutes=9)) == true
    True
    """
    if sent_at is None or shown - sent_at > FUTURE_TOLERANCE:
        return shown
    skew = received_at - sent_at
    if abs(skew) > MAX_SKEW:
        return shown
    try:
        return shown + skew
    except OverflowError:  # an event in the first century: it is refused for its year
        return shown


def read_instant(value: object) -> datetime | None:
    """The aware instant (UTC) of an ISO 8601 text, read as UTC if it has no offset; None if it is no instant.

    >>> read_instant("2026-03-01T16:00:00.123+08:00")
    datetime.datetime(2026, 3, 1, 8, 0, 0, 123000, tzinfo=datetime.timezone.utc)
    """
    if not isinstance(value, str):
        return None
    return _read_short(value) if len(value) <= _LONGEST_REMEMBERED else _read_text(value)


@lru_cache(maxsize=8_192)  # the messages of a batch share the time of sending, and often their own
def _read_short(text: str) -> datetime | None:
    return _read_text(text)


def _read_text(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text.strip())
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read(content: Mapping[str, object], field: str) -> datetime | None:
    value = content.get(field)
    if value is None:
        return None
    instant = read_instant(value)
    if instant is None:
        raise Unfit("bad_timestamp", f"{field} is {str(value)[:60]!r}")
    return instant
