"""Entries that nobody triggers: at a time of day everyone in a segment knocks, and at the start those already in it."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, Text, insert, literal, select

from aimwell.core.time import zone as zone_named
from aimwell.store.ledger.clocks import shown_at, zones_lived_in
from aimwell.store.ledger.columns import instant, micros
from aimwell.store.ledger.schema.enrolments import cursor, knock
from aimwell.store.ledger.schema.journeys import journey, journey_version
from aimwell.store.ledger.schema.people import customer, membership
from aimwell.store.ledger.writes import insert_new, put
from aimwell.strategy.journeys.definition import EntryRule, Schedule
from aimwell.strategy.journeys.nodes.wait import WEEKDAYS
from aimwell.strategy.journeys.version import load_version


def call_scheduled(connection: Connection, now: datetime, home: ZoneInfo) -> int:
    """Let knock whoever a schedule or a start calls, in the caller's transaction; returns how many knocked.

    home: the workspace's timezone. Each slot calls once; slots that passed while nobody looked call late, with their
    own instant. A journey that is not running calls nobody, and what passed meanwhile is not made up for.
    """
    called = 0
    running = select(journey.c.name, journey.c.version_id, journey.c.state, journey_version.c.applied_at).join(
        journey_version, journey_version.c.id == journey.c.version_id
    )
    for row in connection.execute(running).all():
        definition = load_version(connection, row.version_id).definition
        for number, rule in enumerate(definition.entry):
            if rule.schedule is not None:
                consumer = f"schedule:{row.name}:{number}"
                since = _place(connection, consumer) or row.applied_at
                if row.state == "running":
                    called += _call(connection, row.name, rule.schedule, (max(since, row.applied_at), now), home)
                put(connection, cursor, [{"consumer": consumer, "position": micros(now)}])
            elif rule.existing and row.state == "running":
                called += _call_existing(connection, row.name, rule, row.version_id, row.applied_at)
    return called


def slots(schedule: Schedule, there: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """The instants in `(since, until]` at which a schedule calls those whose clocks are of that timezone.

    >>> daily = Schedule(time=540, segment="vip")
    >>> [
    ...     each.isoformat()
    ...     for each in slots(
    ...         daily,
    ...         ZoneInfo("Asia/Shanghai"),
    ...         *map(datetime.fromisoformat, ("2026-03-01T01:00+00:00", "2026-03-03T00:00+00:00")),
    ...     )
    ... ]
    ['2026-03-02T01:00:00+00:00']
    """
    day = since.astimezone(there).date() - timedelta(days=1)
    while day <= until.astimezone(there).date() + timedelta(days=1):
        at = shown_at(there, day, schedule.time)
        if since < at <= until and _on(schedule, day):
            yield at.astimezone(UTC)
        day += timedelta(days=1)


def _on(schedule: Schedule, day: date) -> bool:
    if schedule.weekdays and WEEKDAYS[day.weekday()] not in schedule.weekdays:
        return False
    if schedule.day_of_month is None:
        return True
    return day.day == min(schedule.day_of_month, calendar.monthrange(day.year, day.month)[1])


def _call(
    connection: Connection, name: str, schedule: Schedule, period: tuple[datetime, datetime], home: ZoneInfo
) -> int:
    """One statement per slot and timezone."""
    theirs = schedule.zone == "customer"
    zones = zones_lived_in(connection) if theirs else [home.key]
    called = 0
    for zone in sorted(zones):
        for at in slots(schedule, zone_named(zone), *period):
            cause = literal(f"schedule:{at.isoformat()}", Text)
            people = select(literal(name, Text), membership.c.customer_id, cause, literal(at, knock.c.at.type)).where(
                membership.c.segment == schedule.segment
            )
            if theirs:
                people = people.join(customer, customer.c.customer_id == membership.c.customer_id).where(
                    customer.c.zone == zone
                )
            called += _knock(connection, people)
    return called


def _call_existing(connection: Connection, name: str, rule: EntryRule, version_id: int, at: datetime) -> int:
    """Those who are in the segment at the start, once per version, as soon as the ledger has them."""
    known = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == f"segment:{rule.segment}"))
    done = f"existing:{version_id}:{rule.segment}"
    if known is None or not insert_new(connection, cursor, [{"consumer": done, "position": micros(at)}]):
        return 0
    cause = literal(f"existing:{rule.segment}", Text)
    people = select(literal(name, Text), membership.c.customer_id, cause, literal(at, knock.c.at.type))
    return _knock(connection, people.where(membership.c.segment == rule.segment))


def _knock(connection: Connection, people: Select[*tuple[Any, ...]]) -> int:
    statement = insert(knock).from_select(["journey", "customer_id", "cause", "at"], people)
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def _place(connection: Connection, consumer: str) -> datetime | None:
    found = connection.scalar(select(cursor.c.position).where(cursor.c.consumer == consumer))
    return None if found is None else instant(found)
