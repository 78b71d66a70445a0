"""A million recommendations to simulated banks and shops, and how many break a limit, counted again by an audit.

Run: `python bench/recommend_limits.py [PLACES] [SEED]` (by default 1,800,000 places, half in each market; most of the
bank's stay empty, for few of its customers have a valid risk test). The bank has products with risk levels and terms,
and customers who were tested, long ago, or never; what they own is not recommended again. In both markets the business
never wants some items shown, and on top of the simulated tables some products are out of stock. The audit
(`recommenders/audit.py`) reads raw rows in plain Python and shares no code with what makes the lists; items drawn by
lot instead show that it sees.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.time import local_day, zone
from aimwell.insight.features.library import library
from aimwell.insight.predictions.workshop import Workshop
from aimwell.simulation import bank, shop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.recommenders.audit import audit
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.making import TABLE, recommend

ZONE = zone("Asia/Shanghai")
NEEDED = ("customer", "product", "price", "purchase")
LEARN = {"days": 20, "most_people": 300, "trees": {"rounds": 40, "leaves": 7, "min_rows": 20, "bags": 1}}
MARKETS: Mapping[str, Mapping[str, object]] = {
    "bank": {
        "list_size": 20,
        "horizon_days": 7,
        "eligible": {"again": False, "sold_within_days": 365},
        "say": [{"action": "never", "line": "mixed", "why": "no licence yet"}],
    },
    "shop": {
        "list_size": 20,
        "say": [{"action": "never", "items": ["G000003", "G000040"], "why": "recalled"}],
    },
}


def main(places: int, seed: int) -> None:
    """Make the lists of both markets and print what the audit found."""
    for name, wanted in MARKETS.items():
        people = places // 2 // 20
        tables = drawn(name, people, seed)
        definition = Recommender.model_validate(
            {"name": "next", "candidates": {"each": 40, "most": 80}, "learn": LEARN} | dict(wanted)
        )
        bought = tables["purchase"].column("occurred_at").to_pylist()
        _market(name, definition, tables, max(bought).replace(tzinfo=UTC) + timedelta(seconds=1))


def drawn(name: str, people: int, seed: int) -> dict[str, pa.Table]:
    """The simulated tables that recommending reads; some products end, and some are out of stock."""
    tables = {"bank": bank, "shop": shop}[name].tables(seed, people)
    chance = np.random.default_rng(seed)
    goods = sorted({str(each) for each in tables["product"].column("product_id").to_pylist()})
    stock = np.where(chance.random(len(goods)) < 0.15, 0.0, chance.integers(1, 90, len(goods)))
    price = pa.table({"product_id": goods, "place": ["all"] * len(goods), "stock": stock})
    return {name: each for name, each in (tables | {"price": price}).items() if name in NEEDED}


def _market(name: str, definition: Recommender, tables: Mapping[str, pa.Table], now: datetime) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckEngine(threads=1)
        for table, rows in tables.items():
            engine.write(table, rows)
        workshop = Workshop(Warehouse(engine, ZONE), library(), Path(folder))
        begin = time.process_time()
        made = recommend(definition, workshop, now)
        middle = time.process_time()
        rows = engine.to_arrow(exp.select("customer_id", "item").from_(TABLE))
        lists = list(zip(rows.column("customer_id").to_pylist(), rows.column("item").to_pylist(), strict=True))
        found = audit(definition, lists, tables, now, local_day(now, ZONE))
        goods = sorted({item for _, item in lists} | set(tables["product"].column("product_id").to_pylist()))
        chance = np.random.default_rng(1)
        spoilt = [(customer, goods[int(chance.integers(len(goods)))]) for customer, _ in lists[::20]]
        seen = audit(definition, spoilt, tables, now, local_day(now, ZONE))
    print(f"\nsimulated {name}: {made.recommended:,} to {made.people:,} customers, nothing eligible for {made.empty:,}")
    print(f"  {middle - begin:.0f} CPU s to make, {time.process_time() - middle:.0f} to audit twice")
    print(f"  audit: {found.recommended:,} looked at, violations {found.violations}")
    print(f"  {seen.recommended:,} items drawn by lot instead would break {seen.violations}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_800_000, int(sys.argv[2]) if len(sys.argv) > 2 else 7)
