"""What was bought until an instant, by customer and item: all that generators and features read of purchases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.core.time import local_day, to_store
from aimwell.insight.predictions.rows import Names
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, totals
from aimwell.science.recommend.sparse import Sparse, lookup, sparse
from aimwell.store.warehouse.binder import parse
from aimwell.store.warehouse.history import History
from aimwell.strategy.recommenders.definition import Level
from aimwell.strategy.recommenders.purchases import (
    Basket,
    changes,
    coded,
    read_purchases,
    require_purchases,
)

FADING_DAYS = 28
"""What was bought so many days ago counts half of what is bought today."""

_DAY = 86_400_000_000
_FADE = 0.0247552
"""ln 2 / 28: what was bought 28 days ago counts half."""
_GRAIN = 2.0**36
"""Fading orders are counted in grains, so that their sum is exact and no order of rows changes its last digit."""
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


def read_past(
    history: History,
    level: Level,
    items: Names,
    customers: Names | None = None,
    basket: Basket | None = None,
) -> Past:
    """What everybody bought before the cut of the history.

    items: ids of the items that are told apart, in order; other purchases are left out.
    customers: further ids that are known although they may have bought nothing.
    basket: what was bought before the cut, where it has been read already.
    Raises NotEnoughData when there are no purchases that name an item.
    """
    basket = basket or read_purchases(history, level).before(history)
    if not (basket.item >= 0).any():
        raise NotEnoughData(
            f"Nobody bought anything before {history.as_of:%Y-%m-%d}",
            expected="purchases with a product",
            remedy="Load purchases, or take a later date.",
        )
    came = np.unique(basket.person)
    bought_by = basket.customers[came]
    everyone = np.union1d(bought_by, customers) if customers is not None and customers.size else bought_by
    spread = np.full(basket.customers.size, -1, dtype=np.int64)
    spread[came] = np.searchsorted(everyone, bought_by)
    now = int(np.datetime64(to_store(history.as_of), "us").astype(np.int64))
    today = local_day(history.as_of, history.zone).isoweekday()
    person, item, measures = _pairs(basket, _places(basket.items, items), now, today)
    visits = {name: _spread(values, spread[came], everyone.size) for name, values in _visits(basket, now).items()}
    return Past(everyone, items, spread[person], item, measures, visits)


def _places(found: Names, items: Names) -> IntArray:
    """The place of each found item among those told apart, -1 where it is none of them; one more -1 at the end."""
    places = np.full(found.size + 1, -1, dtype=np.int64)
    if items.size:
        near = np.minimum(np.searchsorted(items, found), items.size - 1)
        places[:-1] = np.where(items[near] == found, near, -1)
    return places


def _pairs(basket: Basket, places: IntArray, now: int, today: int) -> tuple[IntArray, IntArray, dict[str, FloatArray]]:
    """Customers and items that were ever bought, in order, with their measures; an order counts once."""
    item = places[basket.item]
    rows = basket.by_item[item[basket.by_item] >= 0]
    person, item, order = basket.person[rows].astype(np.int64), item[rows], basket.order[rows]
    cart = np.flatnonzero(changes(person, item, order))
    days = ((now - basket.at[rows[cart]]) // _DAY).astype(np.float64)
    begin = np.flatnonzero(changes(person[cart], item[cart]))

    def total(values: FloatArray | IntArray | BoolArray) -> FloatArray:
        return np.add.reduceat(values.astype(np.float64), begin)

    found = {"orders": total(np.ones(cart.size))}
    found |= {f"orders_{within}": total(days < within) for within in (7, 28, 84)}
    found["fading"] = total(np.rint(np.exp(-_FADE * days) * _GRAIN)) / _GRAIN
    found["last_days"] = np.minimum.reduceat(days, begin)
    found["first_days"] = np.maximum.reduceat(days, begin)
    found["amount"] = total(np.add.reduceat(basket.cents[rows], cart)) / 100
    found["same_weekday"] = total(basket.weekday[rows[cart]] == today)
    return person[cart[begin]], item[cart[begin]], found


def _visits(basket: Basket, now: int) -> dict[str, FloatArray]:
    """What is known of the visits of each customer who came, in order; a visit is an order."""
    cart = np.flatnonzero(changes(basket.person, basket.order))
    days = ((now - np.minimum.reduceat(basket.at, cart)) // _DAY).astype(np.float64)
    cents = np.add.reduceat(basket.cents, cart)
    kinds = changes(basket.person, basket.order, basket.product) & (basket.product >= 0)
    goods = np.add.reduceat(kinds.astype(np.int64), cart)
    begin = np.flatnonzero(changes(basket.person[cart]))

    def total(values: FloatArray | IntArray | BoolArray) -> FloatArray:
        return np.add.reduceat(values.astype(np.float64), begin)

    visits = total(np.ones(cart.size))
    return {
        "visits": visits,
        **{f"visits_{within}": total(days < within) for within in (7, 28, 84)},
        "visit_days": np.minimum.reduceat(days, begin),
        "known_days": np.maximum.reduceat(days, begin),
        "spent_per_visit": total(cents) / 100 / visits,
        "goods_per_visit": total(goods) / visits,
    }


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


def _drop_catalogue(tree: exp.Select) -> None:
    """Products are told apart by the purchase alone: no join, so that products without a row count too."""
    for select in tree.find_all(exp.Select):
        joins = [each for each in select.args.get("joins") or [] if each.this.name != "product"]
        select.set("joins", joins)


def _spread(values: FloatArray, places: IntArray, size: int) -> FloatArray:
    found = np.full(size, np.nan)
    found[places] = values
    return found
