"""A small shop with three planted habits: weekly small baskets, rare large ones, and hunting for discounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from aimwell.core.definitions import parse_definitions
from aimwell.core.text import Text
from aimwell.insight.clusterings.definition import Clustering
from aimwell.insight.features.family import Column, Family, query_family
from aimwell.insight.features.library import assemble
from aimwell.insight.predictions.workshop import Workshop
from aimwell.store.warehouse.duck import DuckEngine
from aimwell.store.warehouse.warehouse import Warehouse

ZONE = ZoneInfo("Asia/Shanghai")
AS_OF = datetime(2024, 7, 1, tzinfo=ZONE)
LATER = datetime(2024, 7, 29, tzinfo=ZONE)
# Visits in twelve weeks, money per visit, share of it that is discount, favourite category.
HABITS = ((24, 20.0, 0.02, "bread"), (3, 120.0, 0.02, "wine"), (8, 45.0, 0.4, "soap"))
Named = Callable[[int], str]

BUYING = query_family(
    "buying",
    "transaction",
    Text("购买", "Buying"),
    needs=("purchase.amount", "purchase.discount"),
    columns=(
        Column("visits_84d", Text("购买次数（近84天）", "Orders (last 84 days)"), "integer", Text("", ""), empty=0),
        Column("basket_84d", Text("客单价（近84天）", "Average order (last 84 days)"), "money", Text("", "")),
        Column(
            "discount_share_84d", Text("优惠力度（近84天）", "Discount share (last 84 days)"), "share", Text("", "")
        ),
        Column("spend_84d", Text("消费额（近84天）", "Spend (last 84 days)"), "money", Text("", ""), empty=0),
        Column("first_place", Text("首个门店", "First place"), "text", Text("", "")),
        Column("seldom_known", Text("很少知道", "Seldom known"), "number", Text("", "")),
        Column("same_for_all", Text("人人一样", "Same for all"), "number", Text("", "")),
    ),
    sql="""
    SELECT
        customer_id,
        count(*) AS visits_84d,
        mean(amount) AS basket_84d,
        ratio(sum(discount), sum(amount) + sum(discount)) AS discount_share_84d,
        sum(amount) AS spend_84d,
        min(place) AS first_place,
        max(CASE WHEN customer_id LIKE '%7' THEN 1.5 END) AS seldom_known,
        max(1.0) AS same_for_all
    FROM purchase
    WHERE occurred_at >= days_before(84)
    GROUP BY customer_id
    """,
)


def habit_of(number: int) -> int:
    """The habit of the customer of that number: 0, 1 or 2; a half, a third and a sixth of the customers."""
    return (0, 0, 0, 1, 1, 2)[number % 6]


def plain_id(number: int) -> str:
    """Ids in the order of the numbers."""
    return f"c{number:03d}"


def purchases(
    customers: int, seed: int, named: Named = plain_id, *, until: datetime = LATER + timedelta(days=84)
) -> pa.Table:
    """Purchases from 84 days before the cut until an instant, by habit."""
    chance = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    start = AS_OF - timedelta(days=84)
    days = (until - start).days
    for number in range(customers):
        visits, money, discounted, favourite = HABITS[habit_of(number)]
        count = 1 + chance.poisson(visits * days / 84)
        # The first visit is early, so that everybody is known at the cut.
        for day in np.sort([chance.uniform(0, 28), *chance.uniform(0, days, count - 1)]):
            paid = money * chance.lognormal(0, 0.2)
            rows.append(
                {
                    "order_id": f"o{len(rows)}",
                    "line": "1",
                    "customer_id": named(number),
                    "product_id": favourite if chance.random() < 0.6 else chance.choice(["bread", "wine", "soap"]),
                    "occurred_at": (start + timedelta(days=float(day)))
                    .astimezone(ZoneInfo("UTC"))
                    .replace(tzinfo=None),
                    "amount": round(paid * (1 - discounted), 2),
                    "discount": round(paid * discounted * chance.uniform(0.5, 1.5), 2),
                    "place": "north",
                }
            )
    table = pa.Table.from_pylist(rows)
    for place, name in enumerate(table.column_names):
        if name in {"amount", "discount"}:
            table = table.set_column(place, name, table.column(name).cast(pa.decimal128(18, 2), safe=False))
        if name == "occurred_at":
            table = table.set_column(place, name, table.column(name).cast(pa.timestamp("us")))
    return table


PRODUCTS = pa.table({"product_id": ["bread", "wine", "soap"], "category": ["bakery", "cellar", "household"]})


def shop(folder: Path, bought: pa.Table, families: tuple[Family, ...] = (BUYING,)) -> Workshop:
    """A workshop over these purchases, in memory."""
    engine = DuckEngine(threads=1)
    engine.write("purchase", bought)
    engine.write("product", PRODUCTS)
    return Workshop(Warehouse(engine, ZONE), assemble(list(families)), folder)


def define(changes: Mapping[str, object] | None = None) -> Clustering:
    """The clustering of habits, with some keys changed."""
    text = """
    people: {zh: 家庭, en: households}
    method: kmeans
    groups: 3
    repetitions: 4
    features:
      - feature: visits_84d
        high: {zh: 每周, en: weekly}
        low: {zh: 少来, en: occasional}
      - feature: basket_84d
        high: {zh: 大篮, en: big-basket}
        low: {zh: 小篮, en: small-basket}
      - feature: discount_share_84d
        high: {zh: 爱优惠, en: deal-seeking}
    """
    [definition] = parse_definitions(text, "clusterings/habits.yaml", Clustering, name="habits")
    return Clustering.model_validate(definition.model_dump() | dict(changes or {}))
