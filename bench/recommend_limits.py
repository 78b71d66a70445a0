"""A million recommendations to a made-up bank, and how many of them break a limit, counted again by SQL alone.

Run: `python bench/recommend_limits.py [CUSTOMERS]` (by default 100,000 with ten places each; the data are made
with a seed). Products have risk levels and ends of sale, a part is out of stock; customers were tested, long ago,
or never; what was bought is not recommended again. The recount knows nothing of how lists are made.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from aimwell.core.time import zone
from aimwell.insight.features.library import library
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.making import TABLE, recommend

ZONE = zone("Asia/Shanghai")
NOW = datetime(2025, 6, 1, tzinfo=ZONE)
PRODUCTS, LINES, DAYS, BOUGHT = 300, 12, 120, 8

RECOUNT = """
SELECT
    count(*) AS recommended,
    sum(flag(coalesce(product.available_until < as_of(), FALSE))) AS ended,
    sum(flag(coalesce(price.stock <= 0, FALSE))) AS out_of_stock,
    sum(flag(NOT held.customer_id IS NULL)) AS owned,
    sum(flag(NOT product.risk_level IS NULL AND customer.risk_level IS NULL)) AS not_assessed,
    sum(flag(NOT product.risk_level IS NULL AND customer.risk_level < product.risk_level)) AS too_risky,
    sum(flag(NOT product.risk_level IS NULL AND customer.risk_tested_at < days_before(366))) AS expired
FROM lists
JOIN product ON product.product_id = lists.item
JOIN customer ON customer.customer_id = lists.customer_id
LEFT JOIN price ON price.product_id = lists.item
LEFT JOIN held ON held.customer_id = lists.customer_id AND held.product_id = lists.item
"""


def main(customers: int) -> None:
    """Make the lists and print what the recount found."""
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckEngine(threads=1)
        for name, rows in tables(customers, seed=11).items():
            engine.write(name, rows)
        workshop = Workshop(Warehouse(engine, ZONE), library(), Path(folder))
        definition = Recommender.model_validate(
            {
                "name": "next",
                "candidates": {"each": 30, "most": 60},
                "eligible": {"again": False, "sold_within_days": DAYS},
                "learn": {"days": 5, "most_people": 300},
            }
        )
        begin = time.process_time()
        made = recommend(definition, workshop, NOW)
        print(f"{made.recommended:,} to {made.people:,} customers, {made.violations} against a limit by our own count")
        print(f"{time.process_time() - begin:.0f} CPU s")
        history = workshop.history(NOW)
        history.create_scratch_as(
            "held", "SELECT customer_id, product_id FROM purchase GROUP BY customer_id, product_id"
        )
        print(history.to_arrow(RECOUNT, {"lists": TABLE, "held": "held"}).to_pylist()[0])


def tables(customers: int, seed: int) -> dict[str, pa.Table]:
    """Products in lines, customers who each like one line, and what they bought in four months."""
    chance = np.random.default_rng(seed)
    people = [f"c{number:07d}" for number in range(customers)]
    goods = [f"p{number:03d}" for number in range(PRODUCTS)]
    line = np.arange(PRODUCTS) % LINES
    risk = chance.integers(1, 6, PRODUCTS)
    ended = chance.random(PRODUCTS) < 0.1
    buyer = np.repeat(np.arange(customers), chance.poisson(BOUGHT, customers))
    liked = np.where(chance.random(buyer.size) < 0.7, buyer % LINES, chance.integers(0, LINES, buyer.size))
    item = liked + LINES * np.minimum(chance.geometric(0.1, buyer.size) - 1, PRODUCTS // LINES - 1)
    since = np.datetime64((NOW - timedelta(days=DAYS)).astimezone(zone("UTC")).replace(tzinfo=None), "us")
    at = since + (chance.random(buyer.size) * DAYS * 86_400e6).astype("timedelta64[us]")
    tested = since - (chance.random(customers) * 600 * 86_400e6).astype("timedelta64[us]")
    never = chance.random(customers) < 0.1
    money = pa.array([10.0] * buyer.size).cast(pa.decimal128(18, 2))
    return {
        "product": pa.table(
            {
                "product_id": goods,
                "name": [f"{kind} {number}" for number, kind in enumerate(line)],
                "category": [f"line {kind}" for kind in line],
                "risk_level": pa.array(risk, pa.int64(), mask=chance.random(PRODUCTS) < 0.3),
                "available_until": pa.array(np.where(ended, since, np.datetime64("NaT")), pa.timestamp("us")),
            }
        ),
        "price": pa.table(
            {
                "product_id": goods,
                "place": ["all"] * PRODUCTS,
                "stock": pa.array((chance.random(PRODUCTS) > 0.1).astype(float)),
            }
        ),
        "customer": pa.table(
            {
                "customer_id": people,
                "risk_level": pa.array(chance.integers(1, 6, customers), pa.int64(), mask=never),
                "risk_tested_at": pa.array(np.where(never, np.datetime64("NaT"), tested), pa.timestamp("us")),
            }
        ),
        "purchase": pa.table(
            {
                "order_id": [f"o{number}" for number in range(buyer.size)],
                "line": ["1"] * buyer.size,
                "customer_id": [people[each] for each in buyer],
                "product_id": [goods[each] for each in item],
                "occurred_at": pa.array(at, pa.timestamp("us")),
                "amount": money,
            }
        ),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
