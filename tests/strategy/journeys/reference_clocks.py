"""Local times for the plain reference, straight from the timezone data: minute by minute, no table, no search."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from aimwell.strategy.journeys.definition import Schedule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cache
def shown(zone: str, day: date, minute: int) -> datetime:
    """The first minute in which the clocks of a zone read that time of that day or later."""
    there = ZoneInfo(zone)
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    moment = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    while moment.astimezone(there).replace(tzinfo=None) < wall:
        moment += timedelta(minutes=1)
    return moment


def showings(zone: str, minute: int, around: datetime, weekdays: tuple[str, ...] = ()) -> Iterator[datetime]:
    """When the clocks show a time of day, from some days before an instant on; only on these weekdays."""
    first = around.astimezone(ZoneInfo(zone)).date() - timedelta(days=3)
    for number in range(40):
        day = first + timedelta(days=number)
        if not weekdays or DAYS[day.weekday()] in weekdays:
            yield shown(zone, day, minute)


def next_return(zone: str, day: date, days: int, minute: int, at: datetime) -> datetime | None:
    """The next time that the clocks show so many days after the yearly return of a day; none before 1900."""
    if not 1900 <= day.year <= 2099:
        return None
    returns = (_return(day, year) + timedelta(days=days) for year in range(at.year - 2, at.year + 3))
    return next(moment for each in returns if (moment := shown(zone, each, minute)) >= at)


def _return(day: date, year: int) -> date:
    """The day in a year; 29 February is the 28th where there is none."""
    return day.replace(year=year, day=28 if (day.month, day.day) == (2, 29) and not isleap(year) else day.day)


def slots(schedule: Schedule, zone: str, since: datetime, until: datetime) -> Iterator[datetime]:
    """The instants in (since, until] at which a schedule calls whoever lives by these clocks."""
    day = since.date() - timedelta(days=2)
    while day <= until.date() + timedelta(days=2):
        last = monthrange(day.year, day.month)[1]
        on_weekday = not schedule.weekdays or DAYS[day.weekday()] in schedule.weekdays
        on_day = schedule.day_of_month is None or day.day == min(schedule.day_of_month, last)
        if on_weekday and on_day and since < (at := shown(zone, day, schedule.time)) <= until:
            yield at
        day += timedelta(days=1)


def next_time(zone: str, minute: int, at: datetime, weekdays: tuple[str, ...] = ()) -> datetime:
    """The next time of day; a time that shows exactly now is now."""
    return next(moment for moment in showings(zone, minute, at, weekdays) if moment >= at)


def within_hours(zone: str, since: int, until: int, at: datetime, weekdays: tuple[str, ...]) -> datetime:
    """Now within the hours, whose beginning belongs to them and whose end does not; else their next beginning."""
    end = next(moment for moment in showings(zone, until, at) if moment > at)
    following = next(moment for moment in showings(zone, since, at) if moment > at)
    begun = [moment for moment in showings(zone, since, at) if moment <= at][-1]
    counts = not weekdays or begun in list(showings(zone, since, at, weekdays))
    return at if end < following and counts else next_time(zone, since, at, weekdays)
