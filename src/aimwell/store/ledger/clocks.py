"""When the clocks of a timezone show a time of day: a table of instants, so that "the next 10:00 there" is a lookup.

Databases compute local times differently or not at all; the standard library does it once per timezone, time and day.
A time that the clocks skip (spring) counts as the first instant after the gap; one they show twice (autumn) counts
once, the first time.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    column,
    func,
    or_,
    select,
    true,
    type_coerce,
    values,
)

from aimwell.core.errors import BadQuestion
from aimwell.core.time import zone as zone_named
from aimwell.store.ledger.columns import DAY
from aimwell.store.ledger.schema.people import anniversary, clock, customer
from aimwell.store.ledger.writes import insert_new, insert_new_from

_EPOCH_DAY = date(1970, 1, 1)
_FOUR_YEARS = 1461
_BACK, _AHEAD, _SPARE = timedelta(days=3), timedelta(days=400), 30


def shown_at(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """The first instant at which the clocks of a timezone show that time of that local day, or have passed it.

    >>> shown_at(ZoneInfo("America/New_York"), date(2026, 3, 8), 2 * 60 + 30).isoformat()  # 02:30 is skipped
    '2026-03-08T07:00:00+00:00'
    >>> shown_at(ZoneInfo("America/New_York"), date(2026, 11, 1), 60 + 30).isoformat()  # 01:30 comes twice
    '2026-11-01T05:30:00+00:00'
    """
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    there = wall.astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return there
    # In a gap `fold=0` reads the wall by the offset before it and comes out after the change, `fold=1` before it.
    return _first_after_gap(zone, wall.replace(fold=1).astimezone(UTC), there)


def _first_after_gap(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant in (low, high] at which the offset changes."""
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH_DAY).days


def keep_clocks(
    connection: Connection, minutes: Iterable[int], now: datetime, *, zones: Iterable[str] | None = None
) -> None:
    """Have the clock table hold these times of day, from three days ago to 400 days ahead, for customers' timezones.

    minutes: since midnight, 0 to 1439.   now: aware.   zones: only these, instead of those of all customers.
    A timezone that does not exist gets the clocks of UTC, so that its customers wait for something. What is there
    stays, and each timezone and time has every day between its first and its last. A call that finds everything there
    costs one statement, however many customers there are.
    """
    since, until = day_number(now.astimezone(UTC).date() - _BACK), day_number((now.astimezone(UTC) + _AHEAD).date())
    wanted, named = sorted(set(minutes)), None if zones is None else sorted(set(zones))
    if not wanted or named == []:
        return
    for name, minute, first, last in connection.execute(_lacking(wanted, named, since, until)).all():
        if first is None or last is None:
            missing = [(since, until + _SPARE)]
        else:  # a longer stretch at once, so that not every day brings a few rows
            missing = [(since, first - 1), (last + 1, until + _SPARE)]
        for begin, end in missing:
            if begin <= end:
                insert_new(connection, clock, _rows(name, minute, begin, end))


def _lacking(
    minutes: Sequence[int], zones: Sequence[str] | None, since: int, until: int
) -> Select[str, int, int | None, int | None]:
    """The timezones and times that lack days of a stretch, with their first and last day so far."""
    asked = values(column("minute", Integer), name="asked").data([(minute,) for minute in minutes]).cte("asked")
    named = _lived_in() if zones is None else _named(zones)
    here = (clock.c.zone == named.c.zone, clock.c.minute == asked.c.minute)
    first = select(func.min(clock.c.day)).where(*here).correlate(named, asked).scalar_subquery()
    last = select(func.max(clock.c.day)).where(*here).correlate(named, asked).scalar_subquery()
    found = select(named.c.zone, asked.c.minute, first.label("first"), last.label("last")).join(asked, true())
    spread = found.where(named.c.zone.is_not(None)).subquery()
    lacks = or_(spread.c.first.is_(None), spread.c.first > since, spread.c.last < until)
    return select(spread).where(lacks).order_by(spread.c.zone, spread.c.minute)


def zones_lived_in(connection: Connection) -> list[str]:
    """The timezones that customers have, in order."""
    lived = _lived_in()
    return list(connection.scalars(select(lived.c.zone).where(lived.c.zone.is_not(None)).order_by(lived.c.zone)))


def _lived_in() -> CTE:
    """The timezones of all customers, each found from the one before by the index: the customers are not counted."""
    lived = select(func.min(customer.c.zone).label("zone")).cte("lived", recursive=True)
    after = select(func.min(customer.c.zone)).where(customer.c.zone > lived.c.zone).scalar_subquery()
    return lived.union_all(select(after).where(lived.c.zone.is_not(None)))


def _named(zones: Sequence[str]) -> CTE:
    return values(column("zone", Text), name="named").data([(name,) for name in zones]).cte("named")


def _rows(name: str, minute: int, first: int, last: int) -> list[dict[str, object]]:
    try:
        there = zone_named(name)
    except BadQuestion:
        there = ZoneInfo("UTC")
    days = (_EPOCH_DAY + timedelta(days=number) for number in range(first, last + 1))
    return [
        {
            "zone": name,
            "minute": minute,
            "at": shown_at(there, day, minute),
            "day": day_number(day),
            "weekday": day.weekday(),
        }
        for day in days
    ]


def next_shown(
    zone: ColumnElement[str],
    minute: int,
    since: ColumnElement[int],
    *,
    weekdays: frozenset[int] | None = None,
    after: bool = False,
) -> ColumnElement[int]:
    """The first instant at or after `since` (strictly after, with `after`) at which a zone's clocks show that time.

    since: in microseconds.
    An expression in microseconds for use inside statements; NULL where the clock table does not reach.
    """
    shown = type_coerce(clock.c.at, BigInteger)
    later = shown > since if after else shown >= since
    found = select(func.min(type_coerce(clock.c.at, BigInteger))).where(
        clock.c.zone == zone, clock.c.minute == minute, later
    )
    if weekdays is not None:
        found = found.where(clock.c.weekday.in_(sorted(weekdays)))
    return found.scalar_subquery()


def shown_on(zone: ColumnElement[str], minute: int, day: ColumnElement[int]) -> ColumnElement[int]:
    """The instant at which a zone's clocks show that time on that local day (days since 1970), in microseconds.

    Beyond the days that the clock table holds, the nearest day's offset counts: up to an hour off, never unknown.
    """
    there = select(type_coerce(clock.c.at, BigInteger) + (day - clock.c.day) * DAY).where(
        clock.c.zone == zone, clock.c.minute == minute
    )
    up_to = there.where(clock.c.day <= day).order_by(clock.c.day.desc()).limit(1)
    after = there.where(clock.c.day > day).order_by(clock.c.day).limit(1)
    return func.coalesce(up_to.scalar_subquery(), after.scalar_subquery())


def keep_anniversaries(connection: Connection) -> None:
    """Have the table of anniversaries hold every day of 1900 to 2099 under its month and day; once per ledger.

    Whoever was born on 29 February has the birthday on the 28th in other years.
    """
    if connection.scalar(select(func.count()).select_from(anniversary)):
        return
    insert_new(connection, anniversary, [row for year in range(1900, 1905) for row in _anniversaries(year)])
    first, last = day_number(date(1901, 1, 1)), day_number(date(2099, 12, 31))
    shift = _FOUR_YEARS
    while first + shift <= last:  # from 1901 to 2099 every fourth year is a leap year: each statement doubles the table
        later = (anniversary.c.day + shift).label("day")
        grown = select(anniversary.c.month_day, later).where(anniversary.c.day >= first, later <= last)
        insert_new_from(connection, anniversary, ["month_day", "day"], grown)
        shift *= 2


def _anniversaries(year: int) -> list[dict[str, object]]:
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365 + isleap(year))]
    rows: list[dict[str, object]] = [{"month_day": 100 * day.month + day.day, "day": day_number(day)} for day in days]
    return rows if isleap(year) else [*rows, {"month_day": 229, "day": day_number(date(year, 2, 28))}]


def next_yearly(
    zone: ColumnElement[str], minute: int, born: ColumnElement[int], since: ColumnElement[int], *, days: int = 0
) -> ColumnElement[int]:
    """When a zone's clocks next show a time, at or after `since`, so many days after the yearly return of a day.

    born: the day whose month and day return, in days since 1970; outside of 1900 to 2099 the answer is NULL.
    """
    month_day = select(func.min(anniversary.c.month_day)).where(anniversary.c.day == born).scalar_subquery()
    first = since // DAY - (days + 2)
    shown = type_coerce(clock.c.at, BigInteger)
    return (
        select(func.min(shown))
        .select_from(anniversary)
        .join(clock, clock.c.day == anniversary.c.day + days)
        .where(
            anniversary.c.month_day == month_day,
            anniversary.c.day.between(first, first + 370),
            clock.c.zone == zone,
            clock.c.minute == minute,
            shown >= since,
        )
        .scalar_subquery()
    )
