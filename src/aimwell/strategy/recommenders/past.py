"""What was bought until an instant, by customer and item: all that generators and features read of purchases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.insight.predictions.rows import Names
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, totals
from aimwell.science.recommend.sparse import Sparse, lookup, sparse
from aimwell.store.warehouse.binder import parse
from aimwell.store.warehouse.history import History
from aimwell.strategy.recommenders.definition import Level

FADING_DAYS = 28
"""What was bought so many days ago counts half of what is bought today."""

_CARTS = """
WITH lines AS (
    SELECT purchase.customer_id, level_of_item AS item, purchase.order_id, purchase.occurred_at, purchase.amount
    FROM purchase
    LEFT JOIN product ON product.product_id = purchase.product_id
    WHERE purchase.amount >= 0
),
carts AS (
    SELECT
        customer_id, item, order_id, min(occurred_at) AS seen_at, sum(amount) AS amount,
        days_between(min(occurred_at), as_of()) AS days
    FROM lines
    WHERE NOT item IS NULL
    GROUP BY customer_id, item, order_id
)
"""
_PAIRS = (
    _CARTS
    + """
SELECT
    customer_id,
    item,
    CAST(count(*) AS DOUBLE) AS orders,
    CAST(sum(flag(days < 7)) AS DOUBLE) AS orders_7,
    CAST(sum(flag(days < 28)) AS DOUBLE) AS orders_28,
    CAST(sum(flag(days < 84)) AS DOUBLE) AS orders_84,
    sum(exp(-0.0247552 * days)) AS fading,
    CAST(min(days) AS DOUBLE) AS last_days,
    CAST(max(days) AS DOUBLE) AS first_days,
    CAST(sum(amount) AS DOUBLE) AS amount,
    CAST(sum(flag(weekday(seen_at) = weekday(as_of()))) AS DOUBLE) AS same_weekday
FROM carts
GROUP BY customer_id, item
"""
)
_VISITS = """
WITH carts AS (
    SELECT
        customer_id, order_id, CAST(sum(amount) AS DOUBLE) AS amount,
        days_between(min(occurred_at), as_of()) AS days, count(DISTINCT product_id) AS goods
    FROM purchase
    WHERE amount >= 0
    GROUP BY customer_id, order_id
)
SELECT
    customer_id,
    CAST(count(*) AS DOUBLE) AS visits,
    CAST(sum(flag(days < 7)) AS DOUBLE) AS visits_7,
    CAST(sum(flag(days < 28)) AS DOUBLE) AS visits_28,
    CAST(sum(flag(days < 84)) AS DOUBLE) AS visits_84,
    CAST(min(days) AS DOUBLE) AS visit_days,
    CAST(max(days) AS DOUBLE) AS known_days,
    mean(amount) AS spent_per_visit,
    mean(goods) AS goods_per_visit
FROM carts
GROUP BY customer_id
"""
MEASURES = (
    "orders",
    "orders_7",
    "orders_28",
    "orders_84",
    "fading",
    "last_days",
    "first_days",
    "amount",
    "same_weekday",
)
VISITS = (
    "visits",
    "visits_7",
    "visits_28",
    "visits_84",
    "visit_days",
    "known_days",
    "spent_per_visit",
    "goods_per_visit",
)


@dataclass(frozen=True)
class Past:
    """Who bought what before an instant.

    customers, items: ids in order [n], [m].   person, item: the pairs that were ever bought, in order [p].
    measures: what is known of each pair [p]: orders, orders_7, … (within so many days), fading (orders, halved every
    28 days), last_days and first_days (since the last and the first), amount, same_weekday (orders on the weekday
    of the instant).   visits: what is known of each customer [n], NaN for one who never bought.
    """

    customers: Names
    items: Names
    person: IntArray
    item: IntArray
    measures: Mapping[str, FloatArray]
    visits: Mapping[str, FloatArray]
    _matrices: dict[str, Sparse] = field(default_factory=dict, repr=False)

    @property
    def people(self) -> int:
        return self.customers.size

    @property
    def width(self) -> int:
        """How many items there are."""
        return self.items.size

    @cached_property
    def keys(self) -> IntArray:
        """Each pair as one number, in order."""
        return self.person * self.width + self.item

    def holds(self, person: IntArray, item: IntArray) -> BoolArray:
        """Whether each customer ever bought the item [n]."""
        return lookup(self.keys, self.keys, person * self.width + item)[1]

    def of(self, measure: str, person: IntArray, item: IntArray) -> FloatArray:
        """A measure of pairs, NaN where the customer never bought the item [n]."""
        return lookup(self.keys, self.measures[measure], person * self.width + item)[0]

    def matrix(self, measure: str) -> Sparse:
        """A measure as a sparse matrix [customers, items]."""
        if measure not in self._matrices:
            self._matrices[measure] = self._sparse(self.measures[measure])
        return self._matrices[measure]

    @cached_property
    def bought(self) -> Sparse:
        """1 where a customer ever bought an item."""
        return self._sparse(np.ones(self.person.size))

    @cached_property
    def taste(self) -> Sparse:
        """How much a customer is drawn to an item: the logarithm of fading orders, so that many count little more."""
        return self._sparse(np.log1p(self.measures["fading"]) + np.log1p(self.measures["orders"]) / 4)

    def by_item(self, values: FloatArray) -> FloatArray:
        """Sum of a number of each pair over customers [m]."""
        return totals(self.item, values, self.width)

    def _sparse(self, values: FloatArray) -> Sparse:
        return sparse(self.person, self.item, values, (self.people, self.width))


def read_past(history: History, level: Level, items: Names, customers: Names | None = None) -> Past:
    """What everybody bought before the cut of the history.

    items: ids of the items that are told apart, in order; other purchases are left out.
    customers: further ids that are known although they may have bought nothing.
    Raises NotEnoughData when there are no purchases that name an item.
    """
    require_purchases(history, level)
    pairs = history.to_arrow(at_level(_PAIRS, level))
    if not pairs.num_rows:
        raise NotEnoughData(
            f"Nobody bought anything before {history.as_of:%Y-%m-%d}",
            expected="purchases with a product",
            remedy="Load purchases, or take a later date.",
        )
    visits = history.to_arrow(_VISITS)
    bought_by, by = coded(visits.column("customer_id"))
    everyone = np.union1d(bought_by, customers) if customers is not None and customers.size else bought_by
    who, person = coded(pairs.column("customer_id"))
    what, item = coded(pairs.column("item"))
    places = np.searchsorted(items, what)
    known = np.isin(what, items)[item]
    person, item = np.searchsorted(everyone, who)[person], places[item]
    order = np.flatnonzero(known)
    order = order[np.lexsort((item[order], person[order]))]
    spread = np.searchsorted(everyone, bought_by)[by]
    return Past(
        everyone,
        items,
        person[order],
        item[order],
        {name: pairs.column(name).to_numpy()[order] for name in MEASURES},
        {name: _spread(visits.column(name).to_numpy(), spread, everyone.size) for name in VISITS},
    )


@dataclass(frozen=True)
class Bought:
    """Who bought which item in a time: ids, and for each pair their places among them."""

    customers: Names
    items: Names
    person: IntArray
    item: IntArray

    def placed(self, past: Past) -> tuple[IntArray, IntArray]:
        """The pairs by their places in a past that knows all of the customers; items that it does not know are -1."""
        goods = np.where(np.isin(self.items, past.items), np.searchsorted(past.items, self.items), -1)
        return np.searchsorted(past.customers, self.customers)[self.person], goods[self.item].astype(np.int64)


def read_bought(history: History, level: Level, horizon_days: int) -> Bought:
    """Who bought which item within so many days from the cut on; nobody where nobody did.

    Raises NotEnoughData when the data carry no purchases of items at that level.
    """
    require_purchases(history, level)
    rows = history.horizon(horizon_days).to_arrow(at_level(_TRUTH, level))
    who, person = coded(rows.column("customer_id"))
    what, item = coded(rows.column("item"))
    return Bought(who, what, person, item)


_DAYS = """
SELECT local_date(occurred_at) AS day, count(DISTINCT customer_id) AS buyers
FROM purchase
WHERE amount >= 0 AND NOT product_id IS NULL
GROUP BY local_date(occurred_at)
"""
_TRUTH = """
SELECT purchase.customer_id, level_of_item AS item
FROM purchase
LEFT JOIN product ON product.product_id = purchase.product_id
WHERE purchase.amount >= 0 AND NOT level_of_item IS NULL
GROUP BY purchase.customer_id, level_of_item
"""


def buyers_by_day(history: History) -> dict[date, int]:
    """How many customers bought something on each local day before the cut; days without buyers are left out."""
    if not history.has("purchase", "product_id"):
        return {}
    rows = history.to_arrow(_DAYS)
    return dict(zip(rows.column("day").to_pylist(), rows.column("buyers").to_pylist(), strict=True))


def at_level(sql: str, level: Level) -> exp.Select:
    """Authored SQL with `level_of_item` standing for the column that tells items apart."""
    column = exp.column("product_id", table="purchase") if level == "product" else exp.column(level, table="product")

    def named(node: exp.Expr) -> exp.Expr:
        return column.copy() if isinstance(node, exp.Column) and node.name == "level_of_item" else node

    tree = parse(sql).transform(named)
    assert isinstance(tree, exp.Select)  # noqa: S101 (a SELECT stays one)
    if level == "product":
        _drop_catalogue(tree)
    return tree


def require_purchases(history: History, level: Level) -> None:
    """Raise NotEnoughData when the data carry no purchases of items at that level."""
    if not history.has("purchase", "product_id"):
        raise NotEnoughData(
            "No purchases that name a product are loaded, so nothing can be recommended",
            expected="rows in purchase with product_id",
            remedy="Load a source that fills purchase.product_id.",
        )
    if level != "product" and not history.has("product", level):
        raise NotEnoughData(
            f"Products say nothing about their {level}",
            expected=f"product.{level} filled",
            remedy="Load it, or take another level.",
        )


def coded(column: pa.ChunkedArray) -> tuple[Names, IntArray]:
    """The distinct texts of a column in order, and the place of each row's text among them."""
    encoded = column.combine_chunks().dictionary_encode()
    names = np.asarray(encoded.dictionary.to_pylist(), dtype=np.str_)
    order = np.argsort(names, kind="stable")
    places = np.empty(names.size, dtype=np.int64)
    places[order] = np.arange(names.size)
    return names[order], places[encoded.indices.to_numpy().astype(np.int64)]


def _drop_catalogue(tree: exp.Select) -> None:
    """Products are told apart by the purchase alone: no join, so that products without a row count too."""
    for select in tree.find_all(exp.Select):
        joins = [each for each in select.args.get("joins") or [] if each.this.name != "product"]
        select.set("joins", joins)


def _spread(values: FloatArray, places: IntArray, size: int) -> FloatArray:
    found = np.full(size, np.nan)
    found[places] = values
    return found
