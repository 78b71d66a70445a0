"""Instants, local days and periods: aware at the edges, naive UTC inside the warehouse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aimwell.core.errors import BadQuestion

_DURATION = re.compile(r"^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")
_SHORT = re.compile(r"^(\d+)\s*(s|m|h|d|w)$")
_UNIT = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open stretch of time `[since, until)` between two aware instants."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        require_aware(self.since)
        require_aware(self.until)
        if self.until < self.since:
            raise BadQuestion(
                f"A period must not end ({self.until.isoformat()}) before it begins ({self.since.isoformat()})"
            )

    @property
    def length(self) -> timedelta:
        return self.until - self.since


def zone(name: str) -> ZoneInfo:
    """The timezone of that IANA name.

    Raises BadQuestion for a name that does not exist.
    >>> zone("Asia/Shanghai").key
    'Asia/Shanghai'
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        raise BadQuestion(
            f"Unknown timezone {name!r}", remedy="Use an IANA name such as Asia/Shanghai or America/New_York."
        ) from error


def require_aware(instant: datetime) -> datetime:
    """The instant itself, refused if it does not say in which timezone it stands."""
    if instant.tzinfo is None:
        raise BadQuestion(
            f"The instant {instant.isoformat()} has no timezone",
            remedy="Give an aware datetime, or a text such as 2017-11-01 that the workspace's timezone completes.",
        )
    return instant


def to_store(instant: datetime) -> datetime:
    """The naive UTC value under which the warehouse keeps an aware instant.

    >>> to_store(datetime(2017, 11, 1, tzinfo=zone("America/New_York")))
    datetime.datetime(2017, 11, 1, 4, 0)
    """
    return require_aware(instant).astimezone(UTC).replace(tzinfo=None)


def from_store(stored: datetime) -> datetime:
    """The aware instant (in UTC) behind a naive value of the warehouse."""
    return stored.replace(tzinfo=UTC)


def parse_instant(text: str | date | datetime, where: ZoneInfo) -> datetime:
    """An aware instant from a date or date-time; what has no timezone is read in `where`, a bare date as its midnight.

    Raises BadQuestion if the text is no ISO 8601 date or date-time.
    >>> parse_instant("2017-11-01", zone("America/New_York")).isoformat()
    '2017-11-01T00:00:00-04:00'
    """
    if isinstance(text, str):
        try:
            value = datetime.fromisoformat(text)
        except ValueError as error:
            raise BadQuestion(
                f"{text!r} is no date or instant", remedy="Write it as 2017-11-01 or 2017-11-01T08:30."
            ) from error
    elif isinstance(text, datetime):
        value = text
    else:
        value = datetime.combine(text, time.min)
    return value if value.tzinfo else value.replace(tzinfo=where)


def local_day(instant: datetime, where: ZoneInfo) -> date:
    """The calendar day that the clock on the wall shows at that instant.

    >>> local_day(datetime(2017, 11, 1, 3, 0, tzinfo=UTC), zone("America/New_York"))
    datetime.date(2017, 10, 31)
    """
    return require_aware(instant).astimezone(where).date()


def add_days(instant: datetime, days: int, where: ZoneInfo) -> datetime:
    """The same time on the wall clock so many days later (earlier when negative), across daylight-saving changes."""
    return (require_aware(instant).astimezone(where).replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=where)


def parse_duration(text: str) -> timedelta:
    """A length of time from ISO 8601 (`P28D`, `PT2H`) or its short form (`28d`, `2h`).

    >>> parse_duration("P4W") == parse_duration("28d")
    True
    """
    if match := _SHORT.match(text.strip()):
        return int(match[1]) * _UNIT[match[2]]
    match = _DURATION.match(text.strip())
    if not match or not any(match.groups()):
        raise BadQuestion(f"{text!r} is no length of time", remedy="Write it as 28d, 4w, 2h or P28D.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


@lru_cache(maxsize=256)
def transitions(where: ZoneInfo, *, since: datetime, until: datetime) -> tuple[tuple[datetime, timedelta], ...]:
    """The instants (naive UTC) at which the zone's offset changed in the period, each with the offset from then on.

    The first entry is the offset in force at `since`. Found by bisection over days, exact to the second.
    """
    begin, end = to_store(since), to_store(until)
    found = [(begin, _offset(where, begin))]
    day = begin
    while day < end:
        following = min(day + timedelta(days=1), end)
        if (offset := _offset(where, following)) != found[-1][1]:
            low, high = day, following
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                if _offset(where, middle) == found[-1][1]:
                    low = middle
                else:
                    high = middle
            found.append((high, offset))
        day = following
    return tuple(found)


def _offset(where: ZoneInfo, naive_utc: datetime) -> timedelta:
    return naive_utc.replace(tzinfo=UTC).astimezone(where).utcoffset() or timedelta(0)
