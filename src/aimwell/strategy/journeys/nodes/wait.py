"""Wait: for a length of time, until a time of day, until a date of the customer's, or until something happens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, PlainSerializer, PlainValidator, model_validator
from sqlalchemy import BigInteger, ColumnElement, Connection, case, cast, func, literal, null, or_, select

from aimwell.core.comparisons import Duration, Part, Word
from aimwell.core.text import Text
from aimwell.store.ledger.clocks import keep_anniversaries, next_shown, next_yearly, shown_on
from aimwell.store.ledger.columns import length
from aimwell.store.ledger.extremes import earliest, latest
from aimwell.store.ledger.schema.people import clock, profile
from aimwell.strategy.journeys.conditions import Condition, Leaf, signals_of
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Leaving, Micros, NodeKind, NodeSettings, Place, Scene
from aimwell.strategy.journeys.predicates import became, plain

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _time_of_day(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1440:
        return value  # YAML 1.1 reads 09:30 as 570: base sixty gives just the minutes since midnight
    if isinstance(value, str) and (found := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value)):
        return int(found[1]) * 60 + int(found[2])
    raise ValueError('expected a time of day such as "09:30"')


TimeOfDay = Annotated[
    int,
    PlainValidator(_time_of_day, json_schema_input_type=str),
    PlainSerializer(lambda minute: f"{minute // 60:02}:{minute % 60:02}", return_type=str),
]
Weekday = Annotated[str, Field(pattern=f"^({'|'.join(WEEKDAYS)})$")]


class Until(Part):
    """The next time that the customer's clocks show a time of day."""

    time: TimeOfDay = Field(description='such as "10:00"; where the clocks skip it, the first instant after the gap')
    weekdays: tuple[Weekday, ...] = Field(default=(), description="by default every day")


class Hours(Part):
    """Hours of the day; whoever comes within them goes on at once."""

    since: TimeOfDay = Field(description='when they begin, such as "09:00"')
    until: TimeOfDay = Field(description="when they end; before since: on the next day")
    weekdays: tuple[Weekday, ...] = Field(default=(), description="on which they begin; by default every day")


class OnDate(Part):
    """A date in the customer's profile, some days before or after it, at a time of day."""

    attribute: Word = Field(description="name of the attribute that holds the date")
    days: int = Field(default=0, ge=-400, le=400, description="-3 is three days before the date")
    time: TimeOfDay = Field(default=9 * 60, description='time of day there, such as "09:00"')
    yearly: bool = Field(
        default=False, description="when the day returns next, as a birthday; 29 February is the 28th in other years"
    )

    @model_validator(mode="after")
    def _within_a_year(self) -> OnDate:
        if self.yearly and abs(self.days) > 180:
            raise ValueError("days: at most 180 before or after a day that returns every year")
        return self


class WaitSettings(NodeSettings):
    """Exactly one of the ways to wait."""

    for_: Duration | None = Field(default=None, alias="for", description="so long, by elapsed time: 1d is 24 hours")
    until: Until | None = Field(default=None, description="until the customer's clocks show a time of day")
    hours: Hours | None = Field(default=None, description="until it is within these hours where the customer is")
    date: OnDate | None = Field(default=None, description="until a date of the customer's")
    event: Condition | None = Field(default=None, description="until this condition comes true")
    any: tuple[Condition, ...] = Field(default=(), description="until the first of these comes true")
    at_most: Duration | None = Field(default=None, description="of event and any: how long at most")

    @model_validator(mode="after")
    def _one_way(self) -> WaitSettings:
        ways = [self.for_, self.until, self.hours, self.date, self.event, self.any or None]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("say how to wait by exactly one of for, until, hours, date, event, any")
        if (self.event is not None or self.any) and self.at_most is None:
            raise ValueError("at_most: how long to wait at most for the event, such as 3d")
        if self.at_most is not None and self.event is None and not self.any:
            raise ValueError("at_most belongs to event and any")
        if not all(isinstance(each, Leaf) for each in (self.event, *self.any) if each is not None):
            raise ValueError("wait for simple conditions; write several under any:")
        return self

    @property
    def awaited(self) -> tuple[Leaf, ...]:
        """The simple conditions of which the first ends the wait."""
        given = (self.event,) if self.event is not None else self.any
        return tuple(each for each in given if isinstance(each, Leaf))


class Wait(NodeKind[WaitSettings]):
    """Events win over the timer at one instant. A time that has passed lets people go on at once."""

    name = "wait"
    label = Text("等待", "Wait")
    about = Text("等待一段时间、一个时刻、一个日期或一件事", "wait for a time, a date or an event")
    settings = WaitSettings
    example: ClassVar[Mapping[str, object]] = {"event": {"attribute": "city", "is": "上海"}, "at_most": "3d"}

    def ports(self, settings: WaitSettings) -> tuple[str, ...]:
        return ("happened", "timeout") if settings.awaited else ("next",)

    def optional_ports(self, settings: WaitSettings) -> tuple[str, ...]:
        if settings.date is None:
            return ()
        return ("unknown",) if settings.date.yearly else ("passed", "unknown")

    def signals(self, settings: WaitSettings, place: Place) -> frozenset[str]:
        return frozenset(signal for each in settings.awaited for signal in signals_of(each, place.journey))

    def minutes(self, settings: WaitSettings) -> frozenset[int]:
        found: list[int] = [each.time for each in (settings.until, settings.date) if each is not None]
        found += [settings.hours.since, settings.hours.until] if settings.hours else []
        return frozenset(found)

    def prepare(self, settings: WaitSettings, connection: Connection) -> None:
        if settings.date is not None and settings.date.yearly:
            keep_anniversaries(connection)

    def waits(self, settings: WaitSettings) -> bool:
        return settings.for_ is not None

    def timer(self, settings: WaitSettings, scene: Scene) -> Micros:
        at = plain(moving.c.at)
        if settings.for_ is not None:
            return at + literal(length(settings.for_), BigInteger)
        if settings.at_most is not None:
            return at + literal(length(settings.at_most), BigInteger)
        if settings.until is not None:
            return next_shown(moving.c.zone, settings.until.time, at, weekdays=_weekdays(settings.until.weekdays))
        if settings.hours is not None:
            return _in_hours(settings.hours, at)
        return func.coalesce(latest(_date_at(settings.date), at), at) if settings.date else at

    def look(self, settings: WaitSettings, scene: Scene) -> Micros | None:
        since, until = plain(moving.c.at), plain(moving.c.timer_at)
        seen = [became(each, until=until, since=since) for each in settings.awaited]
        return latest(earliest(*seen), since) if seen else None

    def leave(self, settings: WaitSettings, scene: Scene) -> Leaving:
        timer = plain(moving.c.timer_at)
        over = timer <= literal(scene.now, BigInteger)
        if settings.awaited:
            seen = plain(moving.c.seen_at)
            return Leaving(
                case((seen <= timer, literal("happened")), (over, literal("timeout")), else_=null()),
                case((seen <= timer, seen), else_=timer),
            )
        if settings.date is not None:
            date = _date_at(settings.date)
            port = case(
                (timer > plain(moving.c.at), literal("next")),  # it was known and to come, whatever became of it
                (date.is_(None), literal("unknown")),
                (date < plain(moving.c.at), literal("passed")),
                else_=literal("next"),
            )
            return Leaving(case((over, port), else_=null()), timer)
        return Leaving(case((over, literal("next")), else_=null()), timer)


def _weekdays(named: tuple[str, ...]) -> frozenset[int] | None:
    return frozenset(WEEKDAYS.index(day) for day in named) or None


def _in_hours(hours: Hours, at: Micros) -> Micros:
    """Now, where the end of the hours comes before their next beginning; else that beginning."""
    days = _weekdays(hours.weekdays)
    begins = next_shown(moving.c.zone, hours.since, at, weekdays=days)
    ends = next_shown(moving.c.zone, hours.until, at, after=True)
    last = next_shown(moving.c.zone, hours.since, at, after=True)
    if days is None:
        return case((ends < last, at), else_=begins)
    today = _began_on(hours, at, days)
    return case((or_(begins == at, (ends < last) & today), at), else_=begins)


def _began_on(hours: Hours, at: Micros, days: frozenset[int]) -> ColumnElement[bool]:
    """Whether the hours that run at an instant began on one of these weekdays."""
    began = (
        select(clock.c.weekday)
        .where(clock.c.zone == moving.c.zone, clock.c.minute == hours.since, plain(clock.c.at) <= at)
        .order_by(clock.c.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return began.in_(sorted(days))


def _date_at(date: OnDate) -> Micros:
    day = (
        select(cast(profile.c.number, BigInteger))
        .where(profile.c.customer_id == moving.c.customer_id, profile.c.name == date.attribute)
        .correlate(moving)  # it stands within another look-up and would read everybody's rows
        .scalar_subquery()
    )
    if date.yearly:
        return next_yearly(moving.c.zone, date.time, day, plain(moving.c.at), days=date.days)
    return shown_on(moving.c.zone, date.time, day + literal(date.days, BigInteger))


WAIT = Wait()
