"""Writes touches and outcomes of the ledger into the warehouse, where predictions and segments learn from them.

A touch is a message that a provider took; outcomes are what was reported of it, the marks of machines left out. Rows
replace themselves by key, so that reading a little more than is new (the last minute again) repeats nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import BigInteger, Select, false, select, type_coerce
from sqlglot import exp

from aimwell.core.time import from_store, to_store
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.outbox import intent, outcome
from aimwell.store.warehouse.warehouse import Warehouse

PLACE = "recorded_place"
OVERLAP = timedelta(minutes=1)
_INSTANT = pa.timestamp("us")
_TOUCH = pa.schema(
    {
        "touch_id": pa.string(),
        "customer_id": pa.string(),
        "campaign": pa.string(),
        "journey": pa.string(),
        "node": pa.string(),
        "creative_id": pa.string(),
        "channel": pa.string(),
        "occurred_at": _INSTANT,
        "cost": pa.decimal128(18, 2),
    }
)
_OUTCOME = pa.schema(
    {
        "outcome_id": pa.string(),
        "touch_id": pa.string(),
        "customer_id": pa.string(),
        "kind": pa.string(),
        "occurred_at": _INSTANT,
        "value": pa.decimal128(18, 2),
    }
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many rows were written, those of the last minute counted again."""

    touches: int
    outcomes: int


def record_touches(warehouse: Warehouse, ledger: Ledger, now: datetime, *, leave_out: Collection[str] = ()) -> Recorded:
    """Bring what the ledger has learnt since the last time into the warehouse, in one transaction of the warehouse.

    leave_out: channels that only play at sending; what they "sent" happened to nobody.
    """
    since = _place(warehouse) - OVERLAP
    with ledger.reading() as connection:
        touches = connection.execute(_touches(since, leave_out)).all()
        outcomes = connection.execute(_outcomes(since, leave_out)).all()
    with warehouse.engine.transaction():
        _merge(warehouse, "touch", _touch_rows(touches), "touch_id")
        _merge(warehouse, "outcome", _outcome_rows(outcomes), "outcome_id")
        reached = pa.table({"reached": pa.array([to_store(now)], _INSTANT)})
        warehouse.engine.write(PLACE, reached)
    if touches or outcomes:
        warehouse.refresh()
    return Recorded(len(touches), len(outcomes))


def _place(warehouse: Warehouse) -> datetime:
    if PLACE not in warehouse.engine.tables():
        return datetime.fromisoformat("1970-01-02T00:00:00+00:00")
    rows = warehouse.engine.to_arrow(exp.select("reached").from_(PLACE)).to_pylist()
    return from_store(rows[0]["reached"])


def _touches(since: datetime, leave_out: Collection[str]) -> Select[*tuple[Any, ...]]:
    names = ("key", "customer_id", "journey", "node", "content", "channel", "cost")
    accepted = type_coerce(intent.c.accepted_at, BigInteger).label("at")
    query = select(*(intent.c[name] for name in names), accepted)
    mine = intent.c.channel.not_in(sorted(leave_out))
    return query.where(intent.c.accepted_at.is_not(None), intent.c.changed_at >= since, mine)


def _outcomes(since: datetime, leave_out: Collection[str]) -> Select[*tuple[Any, ...]]:
    at = type_coerce(outcome.c.at, BigInteger).label("at")
    columns = (outcome.c.key, outcome.c.kind, outcome.c.ref, outcome.c.customer_id, outcome.c.value, at)
    query = select(*columns).where(outcome.c.recorded_at >= since, outcome.c.machine.is_(false()))
    if not leave_out:
        return query
    played = select(intent.c.key).where(intent.c.channel.in_(sorted(leave_out)))
    return query.where(outcome.c.key.not_in(played))


def _touch_rows(rows: Sequence[Any]) -> pa.Table:
    return pa.table(
        {
            "touch_id": [row.key for row in rows],
            "customer_id": [row.customer_id for row in rows],
            "campaign": [row.journey for row in rows],
            "journey": [row.journey for row in rows],
            "node": [row.node for row in rows],
            "creative_id": [row.content for row in rows],
            "channel": [row.channel for row in rows],
            "occurred_at": _instants(rows),
            "cost": _money([row.cost / 1_000_000 for row in rows]),
        },
        schema=_TOUCH,
    )


def _outcome_rows(rows: Sequence[Any]) -> pa.Table:
    return pa.table(
        {
            "outcome_id": [f"{row.key}:{row.kind}:{row.ref}" for row in rows],
            "touch_id": [row.key for row in rows],
            "customer_id": [row.customer_id for row in rows],
            "kind": [row.kind for row in rows],
            "occurred_at": _instants(rows),
            "value": _money([None if row.value is None else row.value / 100 for row in rows]),
        },
        schema=_OUTCOME,
    )


def _instants(rows: Sequence[Any]) -> pa.Array:
    return pa.array([row.at for row in rows], pa.int64()).cast(_INSTANT)


def _money(amounts: Sequence[float | None]) -> pa.Array:
    return pa.array(amounts, pa.float64()).cast(pa.decimal128(18, 2), safe=False)


def _merge(warehouse: Warehouse, name: str, rows: pa.Table, key: str) -> None:
    """Replace or add rows of a canonical table, whichever columns it has."""
    if rows.num_rows == 0:
        return
    if not warehouse.engine.columns(name):
        warehouse.engine.append(name, rows)
        return
    warehouse.engine.merge(name, warehouse.shaped(name, rows), (key,))
