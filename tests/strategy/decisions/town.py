"""A town whose truth is known: everybody's purchases are made from what was decided for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.text import Text
from aimwell.core.time import to_store
from aimwell.insight.features.family import Column, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.decisions.definition import Decision
from aimwell.strategy.decisions.rows import TABLE

NOW = datetime(2025, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=28)


def _column(name: str, kind: Any = "number") -> Column:
    return Column(name, Text(name, name), kind, Text(name, name), empty="-" if kind == "text" else 0)


MADE = query_family(
    "made",
    "transaction",
    Text("造", "Made"),
    needs=("customer.promise",),
    columns=(_column("promise"), _column("stage", "text"), _column("worth", "text")),
    sql="SELECT customer_id, promise, stage, worth FROM customer",
)


@contextmanager
def town(folder: Path, people: int) -> Iterator[Workshop]:
    """Customer i of n promises 4 i / n of money; the first half are of low worth, every fourth is fading."""
    engine = DuckEngine(folder / "warehouse.duckdb", threads=2)
    numbers = np.arange(people)
    engine.write(
        "customer",
        pa.table(
            {
                "customer_id": [f"c{number:05d}" for number in numbers],
                "created_at": pa.array([to_store(NOW - timedelta(days=300))] * people, pa.timestamp("us")),
                "promise": 4 * numbers / people,
                "stage": ["fading" if number % 4 == 0 else "willing" for number in numbers],
                "worth": ["high" if 2 * number >= people else "low" for number in numbers],
                "city": ["York" if number % 5 else "Bath" for number in numbers],
            }
        ),
    )
    with Warehouse(engine, ZoneInfo("UTC")) as warehouse:
        yield Workshop(warehouse, assemble([MADE]), folder)


def decision(**words: Any) -> Decision:
    """A letter that gains what is promised and a call that gains 1.5, for 1 each."""
    given: dict[str, Any] = {
        "name": "autumn",
        "audience": {"attribute": "city", "known": True},
        "budget": 1500,
        "hold_out": 0.2,
        "explore": 0.3,
        "outcome": {"within": "28d"},
        "treatments": {
            "letter": {"channel": "mail", "cost": 1, "gain": {"tag": "promise", "error": 0.5}},
            "call": {"channel": "phone", "cost": 1, "gain": {"amount": 1.5, "error": 0.5}},
        },
    }
    return Decision.model_validate(given | words)


def kept(workshop: Workshop) -> list[dict[str, Any]]:
    """All rows of the table of decisions, in order of runs and customers."""
    query = exp.select("*").from_(TABLE).order_by("as_of", "customer_id")
    return list(workshop.warehouse.engine.to_arrow(query).to_pylist())


def buy(workshop: Workshop, effect: Callable[[int, str], float], *, noise: float = 1.0, as_of: datetime = NOW) -> None:
    """Let everyone buy for 20, what the effect of number and treatment adds, and what they are used to.

    What they are used to (0 to 40) was bought before the decision too, so that it foretells most of the rest.
    """
    chance = np.random.default_rng(0)
    rows = [row for row in kept(workshop) if row["as_of"] == to_store(as_of)]
    used = chance.uniform(0, 40, len(rows))
    amounts = [
        20 + habit + chance.normal(0, noise) + effect(int(row["customer_id"][1:]), row["treatment"])
        for habit, row in zip(used, rows, strict=True)
    ]
    names = [row["customer_id"] for row in rows]
    after, before = to_store(as_of + timedelta(days=3)), to_store(as_of - timedelta(days=3))
    bought = {
        "order_id": [f"{when}{as_of:%m%d}{number}" for when in "ab" for number in range(len(rows))],
        "customer_id": names * 2,
        "occurred_at": pa.array([before] * len(rows) + [after] * len(rows), pa.timestamp("us")),
        "amount": [*used.tolist(), *amounts],
    }
    workshop.warehouse.engine.append("purchase", pa.table(bought))
    workshop.warehouse.refresh()
