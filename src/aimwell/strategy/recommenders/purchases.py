"""Every line bought before an instant, read once; what was known at any earlier instant is cut from it in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.core.time import to_store
from aimwell.insight.predictions.rows import Names
from aimwell.science.arrays import BoolArray, IntArray
from aimwell.store.warehouse.history import History
from aimwell.strategy.recommenders.definition import Level

Small = NDArray[np.int32]
NO_ITEM = -1


@dataclass(frozen=True)
class Basket:
    """What was bought, line by line, as known at an instant; in order of customer, order, product and time [n].

    customers, items: the ids behind the places `person` and `item`, in order; an item of -1 is none.   order: a number
    of the order, distinct between customers.   product: a number of the product, -1 none.   at: microseconds UTC.
    weekday: local, from 1.   cents: what was paid.   by_item: the lines in order of customer, item, order and time.
    """

    customers: Names
    items: Names
    person: Small
    order: Small
    product: Small
    item: Small
    at: IntArray
    weekday: NDArray[np.int8]
    cents: IntArray
    by_item: IntArray


@dataclass(frozen=True)
class Purchases:
    """All lines that were known at the last instant, in order of customer, order, product and time [n].

    until: that instant.   products: the ids behind `product`, in order.   known: when a line was known,
    microseconds UTC.   Cost: some 45 bytes for each line.
    """

    until: datetime
    level: Level
    customers: Names
    products: Names
    person: Small
    order: Small
    product: Small
    at: IntArray
    known: IntArray
    weekday: NDArray[np.int8]
    cents: IntArray
    _sorted: dict[bytes, IntArray] = field(default_factory=dict, repr=False)

    def before(self, history: History) -> Basket:
        """What was known at the cut of a history; exactly what reading at that cut would give.

        Raises BadQuestion for a later instant than that of the reading.
        """
        if history.as_of > self.until:
            raise BadQuestion(
                f"Purchases were read until {self.until}", expected="that instant or an earlier one",
                seen=f"{history.as_of}",
            )  # fmt: skip
        bound = np.datetime64(to_store(history.as_of), "us").astype(np.int64)
        items, of_product = self._grouped(history)
        item = np.where(self.product >= 0, of_product[self.product], NO_ITEM).astype(np.int32)
        rows = self.known < bound
        sort = self._by_item(of_product, item)
        place = np.cumsum(rows) - 1
        return Basket(
            self.customers,
            items,
            self.person[rows],
            self.order[rows],
            self.product[rows],
            item[rows],
            self.at[rows],
            self.weekday[rows],
            self.cents[rows],
            place[sort[rows[sort]]],
        )

    def _by_item(self, of_product: Small, item: Small) -> IntArray:
        """All lines in order of customer, item, order and time; sorted anew only where the catalogue has changed."""
        mark = of_product.tobytes()
        if mark not in self._sorted:
            self._sorted.clear()
            self._sorted[mark] = np.lexsort((self.at, self.order, item, self.person))
        return self._sorted[mark]

    def _grouped(self, history: History) -> tuple[Names, Small]:
        """The items, and the place of each product's item among them as the catalogue says at the cut [products]."""
        if self.level == "product":
            return self.products, np.arange(max(self.products.size, 1), dtype=np.int32)
        column = exp.column(self.level, table="product")
        query = exp.select(exp.column("product_id", table="product"), exp.alias_(column, "item")).from_("product")
        rows = history.to_arrow(query.where(exp.Not(this=exp.Is(this=column.copy(), expression=exp.null()))))
        found: Small = np.full(max(self.products.size, 1), NO_ITEM, dtype=np.int32)
        if not rows.num_rows or not self.products.size:
            return np.empty(0, dtype=np.str_), found
        names, item = coded(rows.column("item"))
        ids, product = coded(rows.column("product_id"))
        place = np.minimum(np.searchsorted(self.products, ids), self.products.size - 1)
        here = (self.products[place] == ids)[product]
        found[place[product[here]]] = item[here]
        return names, found


def read_purchases(history: History, level: Level) -> Purchases:
    """Every line with an amount of 0 or more that is known at the cut of the history; returns are left out.

    Raises NotEnoughData when the data carry no purchases of items at that level.
    """
    require_purchases(history, level)
    late = history.has("purchase", "known_at")
    weekday = exp.Anonymous(this="weekday", expressions=[exp.column("occurred_at")])
    chosen: list[exp.Expr] = [exp.column(name) for name in ("customer_id", "order_id", "product_id", "occurred_at")]
    chosen += [exp.alias_(weekday, "weekday"), exp.cast(exp.column("amount"), exp.DType.DOUBLE).as_("amount")]
    chosen += [exp.column("known_at")] if late else []
    paid = exp.GTE(this=exp.column("amount"), expression=exp.Literal.number(0))
    rows = history.to_arrow(exp.select(*chosen).from_("purchase").where(paid))
    customers, person = coded(rows.column("customer_id"))
    _, order = coded(rows.column("order_id"), ordered=False)
    products, product = coded(rows.column("product_id"))
    at = _instants(rows.column("occurred_at"))
    known = np.maximum(at, _instants(rows.column("known_at"))) if late else at
    sort = np.lexsort((known, at, product, order, person))
    kept = order[sort]
    fresh = np.concatenate([[False], (kept[1:] != kept[:-1]) | (person[sort][1:] != person[sort][:-1])])
    return Purchases(
        history.as_of,
        level,
        customers,
        products,
        person[sort].astype(np.int32),
        np.cumsum(fresh[: sort.size]).astype(np.int32),
        product[sort].astype(np.int32),
        at[sort],
        known[sort],
        rows.column("weekday").to_numpy().astype(np.int8)[sort],
        np.rint(rows.column("amount").to_numpy() * 100).astype(np.int64)[sort],
    )


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


def coded(column: pa.ChunkedArray, *, ordered: bool = True) -> tuple[Names, IntArray]:
    """The distinct texts of a column in order, and the place of each row's text among them; -1 where there is none.

    ordered: whether the texts are put in order, or left as they come.
    """
    encoded = column.combine_chunks().dictionary_encode()
    names = np.asarray(encoded.dictionary.to_pylist(), dtype=np.str_)
    codes = cast(IntArray, encoded.indices.fill_null(-1).to_numpy().astype(np.int64))
    if not ordered:
        return names, codes
    order = np.argsort(names, kind="stable")
    places = np.full(names.size + 1, -1, dtype=np.int64)
    places[order] = np.arange(names.size)
    return names[order], places[codes]


def changes(*columns: NDArray[Any]) -> BoolArray:
    """Where a row differs from the one before in any column; the first always does [n]."""
    found = np.zeros(columns[0].size, dtype=np.bool_)
    found[:1] = True
    for column in columns:
        found[1:] |= column[1:] != column[:-1]
    return found


def _instants(column: pa.ChunkedArray) -> IntArray:
    """Microseconds UTC; the earliest there is where none is given."""
    return cast(IntArray, column.cast(pa.int64()).fill_null(np.iinfo(np.int64).min).to_numpy())
