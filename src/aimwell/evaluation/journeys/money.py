"""What people spent in the time after they entered a journey: purchases of the warehouse, or what a rehearsal made up.

The two are never mixed: a rehearsal's orders reach no warehouse, and real purchases say nothing of a rehearsal.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import pyarrow as pa
from sqlalchemy import BigInteger, select, type_coerce
from sqlglot import exp

from aimwell.core.time import from_store
from aimwell.evaluation.journeys.entries import Entry
from aimwell.insight.identity.lookup import resolve_messages
from aimwell.store.ledger.arrivals import SIMULATION
from aimwell.store.ledger.columns import length
from aimwell.store.ledger.ledger import Ledger
from aimwell.store.ledger.schema.inbox import message
from aimwell.store.warehouse.engine import Engine

_PEOPLE, _PURCHASE = "lift_people", "purchase"


@dataclass(frozen=True, slots=True)
class Spending:
    """What each spent within their time, by enrolment id in the currency; who is missing spent nothing.

    until: up to when spending is known; who had less than their time before it cannot be counted yet.
    """

    amounts: Mapping[int, float]
    until: datetime
    source: Literal["purchases", "simulated orders"]


def purchases(engine: Engine, people: Sequence[Entry], within: timedelta) -> Spending | None:
    """What each bought from entry until their time was over, known up to the last purchase that was loaded.

    None if the warehouse has no purchases.
    """
    if _PURCHASE not in engine.tables():
        return None
    last = exp.select(exp.alias_(exp.Max(this=exp.column("occurred_at")), "last")).from_(_PURCHASE)
    reached = engine.to_arrow(last).column("last")[0].as_py()
    if reached is None:
        return None
    until = from_store(reached)
    if not people:
        return Spending({}, until, "purchases")
    engine.write(_PEOPLE, _windows(people, within))
    try:
        rows = engine.to_arrow(_spent()).to_pylist()
    finally:
        engine.drop(_PEOPLE)
    return Spending({row["enrolment_id"]: row["spent"] or 0.0 for row in rows}, until, "purchases")


def simulated_orders(ledger: Ledger, people: Sequence[Entry], within: timedelta, until: datetime) -> Spending:
    """The same from the orders that a rehearsal made up, played up to `until`: events with an `amount`."""
    at = type_coerce(message.c.occurred_at, BigInteger).label("at")
    query = select(message.c.user_id, message.c.anonymous_id, message.c.properties, at)
    with ledger.reading_events() as connection:
        rows = connection.execute(query.where(message.c.source == SIMULATION, message.c.kind == "track")).all()
    with ledger.reading() as connection:
        owners = resolve_messages(connection, rows)
    entered = {each.customer_id: each for each in people}
    amounts: defaultdict[int, float] = defaultdict(float)
    for row, owner in zip(rows, owners, strict=True):
        entry = entered.get(owner or "")
        amount = json.loads(row.properties).get("amount")
        if entry and isinstance(amount, int | float) and 0 <= row.at - entry.entered_at < length(within):
            amounts[entry.id] += amount
    return Spending(amounts, until, "simulated orders")


def _windows(people: Sequence[Entry], within: timedelta) -> pa.Table:
    instants = pa.timestamp("us")
    return pa.table(
        {
            "enrolment_id": pa.array([each.id for each in people], pa.int64()),
            "customer_id": [each.customer_id for each in people],
            "since": pa.array([each.entered_at for each in people], pa.int64()).cast(instants),
            "until": pa.array([each.entered_at + length(within) for each in people], pa.int64()).cast(instants),
        }
    )


def _spent() -> exp.Select:
    spent = exp.alias_(exp.cast(exp.Sum(this=exp.column("amount", table="b")), exp.DType.DOUBLE), "spent")
    bought = exp.column("occurred_at", table="b")
    return (
        exp.select(exp.column("enrolment_id", table="p"), spent)
        .from_(exp.alias_(exp.to_table(_PEOPLE), "p", table=True))
        .join(
            exp.alias_(exp.to_table(_PURCHASE), "b", table=True),
            on=exp.and_(
                exp.EQ(this=exp.column("customer_id", table="b"), expression=exp.column("customer_id", table="p")),
                exp.GTE(this=bought, expression=exp.column("since", table="p")),
                exp.LT(this=bought.copy(), expression=exp.column("until", table="p")),
            ),
        )
        .group_by(exp.column("enrolment_id", table="p"))
    )
