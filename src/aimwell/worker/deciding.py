"""Decisions that a running workspace makes by itself, once in each hour, day or week.

A period has one instant, its beginning in the workspace's timezone: what is decided in it is decided as of then. Rows
have the key decision, instant, customer, and are written in one transaction of the warehouse; the ledger gets what
changed, chunk by chunk; last of all the place is kept in the ledger. Whoever dies on the way is followed by one who
finds the rows and brings the rest of them over: nothing is decided, told or sent twice.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select

from aimwell.core.errors import AimwellError
from aimwell.core.time import parse_instant
from aimwell.insight.features.build import PREFIX
from aimwell.insight.opening import workshop_of
from aimwell.store.ledger.columns import micros
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.enrolments import cursor
from aimwell.store.ledger.writes import put
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.store.workspace import Workspace
from aimwell.strategy.decisions.deciding import activate_decision, decide, value_name
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.rows import was_decided

Every = Literal["hour", "day", "week"]
PATIENCE = timedelta(minutes=15)
"""After so long a decision that could not be made is tried again in the same period."""

_LOG = logging.getLogger(__name__)


def period_of(every: Every, now: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the hour, day or week (Monday) in which an instant lies, on the clock of a zone.

    >>> from datetime import UTC
    >>> period_of("week", datetime(2026, 3, 4, 1, tzinfo=UTC), ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-03-02T00:00:00+08:00'
    """
    local = now.astimezone(zone)
    if every == "hour":
        return local.replace(minute=0, second=0, microsecond=0)
    day = local.date() - timedelta(days=local.weekday() if every == "week" else 0)
    return parse_instant(day, zone)


def decide_due(
    workspace: Workspace,
    ledger: Ledger,
    warehouse: Warehouse,
    now: datetime,
    later: MutableMapping[str, datetime],
) -> int:
    """Make every decision of the workspace that is due and hand it to journeys; returns how many were made.

    later: until when those wait that could not be made; kept by the caller from one call to the next.
    Definitions are read anew each time, so that a file that changes counts from the next period on.   A decision that
    fails is told in the log, and others go on.
    """
    made = 0
    for name, definition in workspace.definitions(Decision).items():
        if definition.every is None or now < later.get(name, now):
            continue
        period = period_of(definition.every, now, workspace.zone)
        if _place(ledger, name) >= micros(period):
            continue
        try:
            _decide(workspace, ledger, warehouse, definition, period)
        except AimwellError as error:
            _LOG.error("%s is not decided: %s", name, error)
            later[name] = now + PATIENCE
            continue
        made += 1
    return made


def _decide(workspace: Workspace, ledger: Ledger, warehouse: Warehouse, definition: Decision, period: datetime) -> None:
    workshop = workshop_of(workspace, warehouse)
    if not was_decided(workshop, definition.name, period):
        standing = set(warehouse.engine.tables())
        try:
            decide(definition, workshop, period, currency=workspace.settings.currency, measured=False)
        finally:
            for table in warehouse.engine.tables():
                if table.startswith(PREFIX) and table not in standing:
                    warehouse.engine.drop(table)  # nobody asks for this instant again
    activate_decision(workshop, ledger, definition.name, period)
    with ledger.writing() as connection:
        put(connection, cursor, [{"consumer": value_name(definition.name), "position": micros(period)}])


def _place(ledger: Ledger, name: str) -> int:
    with ledger.reading() as connection:
        return connection.scalar(select(cursor.c.position).where(cursor.c.consumer == value_name(name))) or 0
