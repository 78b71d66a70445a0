"""Writes intents: what a node wants sent, with the key under which it is sent at most once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, case, literal, null, select, type_coerce

from aimwell.store.ledger.columns import Instant, length
from aimwell.store.ledger.schema.outbox import intent
from aimwell.store.ledger.writes import insert_new_from
from aimwell.strategy.journeys.moving import moving
from aimwell.strategy.journeys.node import Micros, Scene, key_of


def write_intents(
    scene: Scene,
    rows: ColumnElement[bool],
    *,
    visit: ColumnElement[int],
    step: ColumnElement[int],
    channel: ColumnElement[str],
    content: ColumnElement[str],
    at: Micros,
    purpose: str,
    priority: int,
    expires_after: timedelta | None,
) -> None:
    """One intent for each of the rows, in one statement; those whose key is there already are left as they are."""
    expires = at + literal(length(expires_after), BigInteger) if expires_after else type_coerce(null(), BigInteger)
    cost = (
        case(*((channel == name, literal(each)) for name, each in scene.costs.items()), else_=literal(0))
        if scene.costs
        else literal(0)
    )
    values: dict[str, ColumnElement[Any]] = {
        "key": key_of(scene.place, visit, step),
        "enrolment_id": moving.c.id,
        "journey": moving.c.journey,
        "version_id": moving.c.version_id,
        "node": moving.c.node,
        "visit": visit,
        "step": step,
        "customer_id": moving.c.customer_id,
        "shard": moving.c.shard,
        "channel": channel,
        "content": content,
        "purpose": literal(purpose, Text),
        "priority": literal(priority),
        "cost": type_coerce(cost, BigInteger),
        "planned_at": type_coerce(at, Instant),
        "expires_at": type_coerce(expires, Instant),
        "due_at": type_coerce(at, Instant),
        "state": literal("waiting", Text),
        "attempts": literal(0),
        "changed_at": type_coerce(at, Instant),
    }
    insert_new_from(scene.connection, intent, list(values), select(*values.values()).where(rows))
