"""Local days of simulated people as UTC instants, by the offset that each timezone really has at noon of that day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from aimwell.simulation.app.people import NEVER, ZONES
from aimwell.simulation.chance import Integers

DAY_SECONDS = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Turns a day (counted from `first_day`), a second of it and a timezone into milliseconds since 1970, and back.

    Every second of a local day is counted by the offset at noon, so that days join without gaps or overlaps but for
    the nights on which the clocks change.
    """

    first_day: np.datetime64

    def millis(self, zone: Integers, day: Integers, second: Integers) -> Integers:
        """Milliseconds since 1970 (UTC); `day` may be one for all."""
        begins = (self._since_1970 + day) * DAY_SECONDS + second - self.offsets(zone, day)
        return np.asarray(begins * 1_000)

    def local(self, zone: Integers, millis: Integers) -> tuple[Integers, Integers]:
        """The local day and the second of it at instants."""
        roughly = millis // 1_000 // DAY_SECONDS - self._since_1970
        seconds = millis // 1_000 + self.offsets(zone, roughly) - self._since_1970 * DAY_SECONDS
        return seconds // DAY_SECONDS, seconds % DAY_SECONDS

    def offsets(self, zone: Integers, day: Integers) -> Integers:
        """Seconds by which each local clock is ahead of UTC at noon of its day."""
        days, where = np.unique(np.minimum(day, NEVER), return_inverse=True)
        table = np.asarray([_offsets(int(each) + self._since_1970) for each in days], dtype=np.int64).reshape(
            -1, len(ZONES)
        )
        return np.asarray(table[where.reshape(np.shape(day)), zone])

    def day_of(self, at: datetime) -> int:
        """The UTC day of an instant, counted from the first day."""
        return (at - _EPOCH).days - self._since_1970

    @property
    def _since_1970(self) -> int:
        return int(self.first_day.astype("datetime64[D]").astype(np.int64))


@lru_cache(maxsize=4_096)
def _offsets(day: int) -> tuple[int, ...]:
    if not -100_000 < day < 100_000:  # a day that does not come
        return (0,) * len(ZONES)
    noon = datetime.combine((_EPOCH + timedelta(days=day)).date(), time(12))
    return tuple(
        int(offset.total_seconds()) if (offset := noon.replace(tzinfo=ZoneInfo(zone)).utcoffset()) else 0
        for zone in ZONES
    )


def millis_of(at: datetime) -> int:
    """An aware instant as milliseconds since 1970, rounded up, so that half-open periods keep their meaning."""
    return -((_EPOCH - at) // _MILLISECOND)


def instant_of(millis: int) -> datetime:
    """Milliseconds since 1970 as an aware instant."""
    return _EPOCH + timedelta(milliseconds=millis)
