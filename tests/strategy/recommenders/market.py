"""A small bank with a known truth: each customer likes one line of products, and buys from it on most of his visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from tests.insight.features.small import SHANGHAI, local, warehouse_with

from aimwell.core.definitions import parse_definitions
from aimwell.insight.features.library import library
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.warehouse import Warehouse
from aimwell.strategy.recommenders.definition import Recommender

LINES = ("基金", "存款", "保险", "card")
DAYS = 40
NOW = datetime(2025, 3, 1, tzinfo=SHANGHAI)
FIRST = NOW - timedelta(days=DAYS)
Rows = list[dict[str, object]]

DEFINITION = """
level: product
line: category
candidates: {each: 12, most: 24}
learn: {days: 3, trees: {rounds: 40, leaves: 7, min_rows: 5, bags: 1}}
list_size: 5
"""


def products(per_line: int = 6) -> Rows:
    """Six products in each of four lines, dearer by number, with risk levels from 1 to 3; one was never sold."""
    rows: Rows = [
        {
            "product_id": f"{line}{number}",
            "name": f"{line}{'稳健' if number % 2 else '进取'} no {number}",
            "category": line,
            "price": 100 * number + 10,
            "risk_level": 1 + number % 3,
            "available_since": local(2024, 1, 1),
        }
        for line in LINES
        for number in range(per_line)
    ]
    rows.append({"product_id": "unsold", "name": "基金 new", "category": "基金", "available_since": local(2025, 2, 20)})
    return rows


def purchases(customers: int = 60, seed: int = 3) -> Rows:
    """Visits every other day or so; four of five purchases are of the line that the customer likes."""
    chance = np.random.default_rng(seed)
    rows: Rows = []
    for number in range(customers):
        liked = number % len(LINES)
        for day in range(DAYS):
            if chance.random() > 0.4:
                continue
            line = liked if chance.random() < 0.8 else int(chance.integers(len(LINES)))
            item = min(int(chance.geometric(0.4)) - 1, 5)
            at = FIRST + timedelta(days=day, hours=10 + number % 8)
            moment = local(at.year, at.month, at.day, at.hour)
            bought = f"{LINES[line]}{item}"
            rows.append(purchase(f"o{len(rows)}", f"c{number:02d}", bought, moment, 100 * item + 10))
    return rows


def purchase(order: str, customer: str, item: str, at: datetime, amount: float = 10) -> dict[str, object]:
    """One line of an order."""
    return {
        "order_id": order,
        "line": "1",
        "customer_id": customer,
        "product_id": item,
        "occurred_at": at,
        "quantity": 1,
        "amount": amount,
    }


def customers(count: int = 60) -> Rows:
    """Risk levels from 1 to 3, some never tested, some long ago; the last one never bought anything."""
    return [
        {
            "customer_id": f"c{number:02d}",
            "created_at": local(2024, 1, 1),
            "city": ("北京", "上海")[number % 2],
            "risk_level": None if number % 10 == 9 else 1 + number % 3,
            "risk_tested_at": local(2023 if number % 7 == 6 else 2024, 12, 1),
        }
        for number in range(count + 1)
    ]


def bank(folder: Path, **tables: Sequence[Mapping[str, object]]) -> Workshop:
    """The small bank in memory; tables given replace its own."""
    rows = {"purchase": purchases(), "product": products(), "customer": customers()} | tables
    return opened(warehouse_with(**{name: each for name, each in rows.items() if each}), folder)


def opened(warehouse: Warehouse, folder: Path) -> Workshop:
    """A workshop around a warehouse."""
    return Workshop(warehouse, library(), folder)


def recommender(text: str = "", base: str = DEFINITION) -> Recommender:
    """The small bank's recommender, with further settings as YAML."""
    return parse_definitions(base + text, "recommenders/next.yaml", Recommender, name="next")[0]
