"""Writes a market of any size as canonical tables: customers, products, purchases and events, the same for every run.

    python bench/market_rows.py market.duckdb --customers 1000000 --purchases 20000000 --events 20000000

Every value is a hash of its row number and the seed, so that rows do not depend on threads or order. Activity is
skewed: the busiest fifth of the customers makes almost two fifths of the purchases and events. Simulated data.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

FIRST_DAY = "2023-01-01"
DAYS = 730
AS_OF = "2025-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class MarketSize:
    """How many rows each table gets."""

    customers: int = 1_000_000
    purchases: int = 20_000_000
    events: int = 20_000_000
    products: int = 5_000


def write_market(connection: duckdb.DuckDBPyConnection, size: MarketSize, *, seed: int = 1) -> None:
    """Create the tables `customer`, `product`, `purchase` and `event` in an open database, replacing what is there."""
    _define_macros(connection, seed)
    for statement in (_customers(size), _products(size), _purchases(size), _events(size)):
        connection.execute(statement)


def _define_macros(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """`roll(i, what)` is a number in [0, 1) drawn for row i; `someone(i, n)` a customer, the first ones more often."""
    connection.execute(
        f"CREATE OR REPLACE TEMP MACRO roll(i, what) AS (hash(i, what, {seed}) % 9007199254740992) / 9007199254740992.0"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP MACRO someone(i, n, what) AS "
        "'c' || lpad((floor(pow(roll(i, what), 1.5) * n))::BIGINT::VARCHAR, 8, '0')"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP MACRO some_time(i, what) AS TIMESTAMP '{FIRST_DAY}' "
        f"+ to_microseconds((roll(i, what) * {DAYS} * 86400000000)::BIGINT)"
    )
    connection.execute("CREATE OR REPLACE TEMP MACRO pick(words, u) AS words[1 + floor(u * len(words))::INTEGER]")


def _customers(size: MarketSize) -> str:
    return f"""
        CREATE OR REPLACE TABLE customer AS
        SELECT 'c' || lpad(i::VARCHAR, 8, '0') AS customer_id,
               TIMESTAMP '{FIRST_DAY}' + to_microseconds((roll(i, 'joined') * 300 * 86400000000)::BIGINT) AS created_at,
               DATE '1950-01-01' + (roll(i, 'born') * 20000)::INTEGER AS birth_date,
               pick(['female', 'male', NULL], roll(i, 'gender')) AS gender,
               pick(['北京', '上海', '广州', '深圳', '杭州', '成都', '武汉', '西安'], roll(i, 'city')) AS city
        FROM range({size.customers}) AS numbers(i)"""


def _products(size: MarketSize) -> str:
    return f"""
        CREATE OR REPLACE TABLE product AS
        SELECT 'p' || i AS product_id, 'Product ' || i AS name, 'category ' || (i % 60) AS category,
               'department ' || (i % 12) AS department, (5 + 95 * roll(i, 'price'))::DECIMAL(18, 2) AS price
        FROM range({size.products}) AS numbers(i)"""


def _purchases(size: MarketSize) -> str:
    return f"""
        CREATE OR REPLACE TABLE purchase AS
        SELECT 'o' || (i // 2) AS order_id, (i % 2)::VARCHAR AS line,
               someone(i // 2, {size.customers}, 'buyer') AS customer_id,
               'p' || floor(pow(roll(i, 'product'), 2) * {size.products})::BIGINT AS product_id,
               some_time(i // 2, 'bought') AS occurred_at, (1 + floor(3 * roll(i, 'units')))::DOUBLE AS quantity,
               (1 + 80 * pow(roll(i, 'amount'), 3))::DECIMAL(18, 2) AS amount, 0::DECIMAL(18, 2) AS discount,
               pick(['shop', 'app', 'web'], roll(i // 2, 'channel')) AS channel
        FROM range({size.purchases}) AS numbers(i)"""


def _events(size: MarketSize) -> str:
    names = "['visit', 'visit', 'visit', 'view_product', 'view_product', 'search', 'open_email', 'add_to_cart']"
    return f"""
        CREATE OR REPLACE TABLE event AS
        SELECT 'e' || i AS event_id, someone(i, {size.customers}, 'visitor') AS customer_id,
               pick({names}, roll(i, 'name')) AS name, some_time(i, 'happened') AS occurred_at,
               pick(['app', 'web'], roll(i, 'where')) AS channel, 's' || (i // 4) AS session_id,
               '{{"page": ' || (i % 100) || '}}' AS properties
        FROM range({size.events}) AS numbers(i)"""


def main() -> None:
    """Write the market that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("path", type=Path)
    parser.add_argument("--customers", type=int, default=MarketSize.customers)
    parser.add_argument("--purchases", type=int, default=MarketSize.purchases)
    parser.add_argument("--events", type=int, default=MarketSize.events)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    with duckdb.connect(str(given.path)) as connection:
        write_market(connection, MarketSize(given.customers, given.purchases, given.events), seed=given.seed)
    print(f"{given.path}: {time.perf_counter() - began:.0f} s, {given.path.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
