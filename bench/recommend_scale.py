"""Lists for very many customers and products: processor seconds and memory, without ever a dense matrix.

Run: `python bench/recommend_scale.py [CUSTOMERS] [PRODUCTS] [PURCHASES] [LISTS]` (by default 200,000, 20,000, ten for
each customer, and lists for 20,000 of them). Made-up purchases with a seed: each customer likes some of 200 lines, and
products differ in popularity. It reads all purchases once, learns from two days, and makes lists block by block.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from aimwell.core.time import to_store, zone
from aimwell.insight.features.library import library
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.making import recommend

ZONE = zone("Asia/Shanghai")
NOW = datetime(2025, 6, 1, tzinfo=ZONE)
DAYS, LINES = 90, 200
GENERATORS = ["own", "popular", "item_item", "siblings"]


def main(customers: int, products: int, purchases: int, lists: int) -> None:
    """Draw the market, make the lists and print what it cost."""
    definition = Recommender.model_validate(
        {
            "name": "next",
            "population": {"attribute": "asked", "is": True},
            "candidates": {"each": 40, "most": 100, "generators": GENERATORS},
            "learn": {"days": 2, "most_people": 500, "trees": {"rounds": 60, "leaves": 15, "bags": 1}},
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckEngine(threads=1)
        for name, rows in drawn(customers, products, purchases, lists, seed=5).items():
            engine.write(name, rows)
        workshop = Workshop(Warehouse(engine, ZONE), library(), Path(folder))
        begin, before = time.process_time(), _peak()
        made = recommend(definition, workshop, NOW)
        spent = time.process_time() - begin
    print(f"{customers:,} customers, {products:,} products, {purchases:,} purchases; {', '.join(made.generators)}")
    print(f"{made.recommended:,} recommendations to {made.people:,} customers, {made.violations} against a limit")
    print(f"{spent:.0f} CPU s; {before:.2f} GB before, {_peak():.2f} GB at the peak")
    print(f"a dense matrix of doubles would hold {customers * products * 8 / 1e9:.0f} GB")


def drawn(customers: int, products: int, purchases: int, lists: int, seed: int) -> dict[str, pa.Table]:
    """Products in lines, customers who each like a few lines, and three months of purchases."""
    chance = np.random.default_rng(seed)
    people = pa.array([f"c{number:07d}" for number in range(customers)])
    goods = pa.array([f"p{number:05d}" for number in range(products)])
    buyer = chance.integers(0, customers, purchases)
    line = (buyer * 7 + np.minimum(chance.geometric(0.4, purchases) - 1, 9) * 13) % LINES
    rank = np.minimum(chance.geometric(0.05, purchases) - 1, products // LINES - 1)
    since = np.datetime64(to_store(NOW - timedelta(days=DAYS)), "us")
    at = since + (chance.random(purchases) * DAYS * 86_400e6).astype("timedelta64[us]")
    order = np.char.add("o", np.arange(purchases).astype(np.str_))
    return {
        "customer": pa.table({"customer_id": people, "asked": np.arange(customers) % max(customers // lists, 1) == 0}),
        "product": pa.table(
            {"product_id": goods, "category": [f"line {number % LINES}" for number in range(products)]}
        ),
        "purchase": pa.table(
            {
                "order_id": pa.array(order.tolist()),
                "customer_id": people.take(pa.array(buyer)),
                "product_id": goods.take(pa.array(rank * LINES + line)),
                "occurred_at": pa.array(at, pa.timestamp("us")),
                "amount": pa.array([10.0] * purchases).cast(pa.decimal128(18, 2)),
            }
        ),
    }


def _peak() -> float:
    """The most memory this process ever held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    defaults = [200_000, 20_000, 10 * (given[0] if given else 200_000), 20_000]
    main(*(given + defaults[len(given) :])[:4])
