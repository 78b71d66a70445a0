"""The shelf: every item that there is at an instant, its line, words and limits, and which of them are on sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from sqlglot import exp

from aimwell.core.time import to_store
from aimwell.insight.predictions.rows import Names
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.recommend.content import telling, words
from aimwell.science.recommend.sparse import Sparse
from aimwell.store.warehouse.history import History
from aimwell.strategy.recommenders.definition import Level, Recommender
from aimwell.strategy.recommenders.purchases import Basket, read_purchases

_DAY = 86_400_000_000
_SPOKEN = ("name", "department", "category", "subcategory", "brand")


@dataclass(frozen=True)
class Shelf:
    """The items at an instant, in order of their ids [m].

    names: what people read.   line: place of the item's line in `lines`, -1 none.   sold_days: days since it was last
    sold, NaN never.   listed_days: days since it came into the catalogue, NaN not known.   price, risk, term_days:
    NaN not known.   on_sale, in_stock: whether it may be sold now.   said: everything that is said of an item in words.
    facts: (property, value) of each item, for the graph.
    """

    items: Names
    names: Names
    lines: Names
    line: IntArray
    sold_days: FloatArray
    listed_days: FloatArray
    price: FloatArray
    risk: FloatArray
    term_days: FloatArray
    on_sale: BoolArray
    in_stock: BoolArray
    said: tuple[tuple[str, ...], ...]
    facts: tuple[tuple[tuple[str, str], ...], ...]

    @cached_property
    def content(self) -> Sparse:
        """Items by the words in their names and groups, weighed by how telling they are [m, words]."""
        return telling(self.said)[0]

    def name(self, place: int) -> str:
        """What people read for the item at a place."""
        return str(self.names[place])


def read_shelf(history: History, definition: Recommender, basket: Basket | None = None) -> Shelf:
    """Every item known at the cut of the history: sold before it, or in the catalogue by then.

    basket: what was bought before the cut, where it has been read already.
    Raises NotEnoughData when no purchase names an item.
    """
    basket = basket or read_purchases(history, definition.level).before(history)
    catalogue = _catalogue(history, definition)
    sold, days = _sold(basket, history)
    listed = np.asarray(catalogue.column("item").to_pylist(), dtype=np.str_) if catalogue else np.empty(0, np.str_)
    items = np.union1d(sold, listed)
    where = np.searchsorted(items, listed)
    sold_days = np.full(items.size, np.nan)
    sold_days[np.searchsorted(items, sold)] = days

    def texts(name: str) -> list[str | None]:
        found: list[str | None] = [None] * items.size
        if catalogue is not None and name in catalogue.column_names:
            for place, value in zip(where, catalogue.column(name).to_pylist(), strict=True):
                found[place] = value
        return found

    def figures(name: str) -> FloatArray:
        found = np.full(items.size, np.nan)
        if catalogue is not None and name in catalogue.column_names:
            found[where] = catalogue.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
        return found

    above = texts("line")
    lines = np.unique([each for each in above if each]) if any(above) else np.empty(0, np.str_)
    line = np.array([int(np.searchsorted(lines, each)) if each else -1 for each in above], dtype=np.int64)
    spoken = {name: texts(name) for name in _SPOKEN}
    names = np.array([spoken["name"][place] or str(item) for place, item in enumerate(items)], dtype=np.str_)
    listed_days, ended = figures("listed_days"), figures("ended")
    fresh = ~np.isnan(listed_days) & np.isnan(sold_days)
    recent = np.nan_to_num(sold_days, nan=np.inf) <= definition.eligible.sold_within_days
    stock = figures("stock")
    return Shelf(
        items,
        names,
        lines,
        line,
        sold_days,
        listed_days,
        figures("price"),
        figures("risk"),
        figures("term_days"),
        (recent | fresh) & ~(ended > 0),
        ~(stock <= 0),
        tuple(_words(str(items[place]), spoken, place) for place in range(items.size)),
        tuple(_facts(spoken, place) for place in range(items.size)),
    )


def _sold(basket: Basket, history: History) -> tuple[Names, FloatArray]:
    """The items that were ever sold, in order, and the days since each was sold last."""
    rows = np.flatnonzero(basket.item >= 0)
    last = np.full(basket.items.size, np.iinfo(np.int64).min)
    np.maximum.at(last, basket.item[rows], basket.at[rows])
    sold = np.unique(basket.item[rows])
    now = int(np.datetime64(to_store(history.as_of), "us").astype(np.int64))
    return basket.items[sold], ((now - last[sold]) // _DAY).astype(np.float64)


def _words(item: str, spoken: dict[str, list[str | None]], place: int) -> tuple[str, ...]:
    own = words(item) if not item.isdigit() else []
    return tuple(dict.fromkeys(own + [word for each in spoken.values() for word in words(each[place] or "")]))


def _facts(spoken: dict[str, list[str | None]], place: int) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name in _SPOKEN[1:] if (value := spoken[name][place]))


def _catalogue(history: History, definition: Recommender) -> pa.Table | None:
    """One row per item of the catalogue with what is said of it; None where no catalogue is loaded."""
    if not history.has("product"):
        return None
    level, above = definition.level, definition.stands_in
    item = exp.column("product_id" if level == "product" else level, table="product")
    chosen: list[exp.Expr] = [exp.alias_(item, "item")]
    spoken = [name for name in _SPOKEN if history.has("product", name) and _coarser(name, level)]
    chosen += [exp.alias_(_least(name), name) for name in spoken]
    if above and history.has("product", above):
        chosen.append(exp.alias_(_least(above), "line"))
    for name, measure in (("price", "price"), ("risk_level", "risk"), ("term_days", "term_days")):
        if history.has("product", name):
            double = exp.cast(exp.column(name, table="product"), exp.DType.DOUBLE)
            chosen.append(exp.alias_(exp.Max(this=double), measure))
    chosen += _availability(history)
    query = exp.select(*chosen).from_("product")
    if history.has("price", "stock"):
        on = exp.EQ(this=exp.column("product_id", table="price"), expression=exp.column("product_id", table="product"))
        query = query.join("price", on=on, join_type="left")
        stock = exp.cast(exp.column("stock", table="price"), exp.DType.DOUBLE)
        query = query.select(exp.alias_(exp.Sum(this=stock), "stock"))
    query = query.where(exp.Not(this=exp.Is(this=item.copy(), expression=exp.null())))
    return history.to_arrow(query.group_by(item.copy()).order_by("item"))


def _availability(history: History) -> list[exp.Expr]:
    """Days since the item came into the catalogue, and whether all of it has ended."""
    found: list[exp.Expr] = []
    if history.has("product", "available_since"):
        since = exp.Min(this=exp.column("available_since", table="product"))
        days = exp.Anonymous(this="days_between", expressions=[since, exp.Anonymous(this="as_of")])
        found.append(exp.alias_(exp.cast(days, exp.DType.DOUBLE), "listed_days"))
    if history.has("product", "available_until"):
        ended = exp.Not(this=exp.Is(this=exp.column("available_until", table="product"), expression=exp.null()))
        flagged = exp.Min(this=exp.Anonymous(this="flag", expressions=[ended]))
        found.append(exp.alias_(exp.cast(flagged, exp.DType.DOUBLE), "ended"))
    return found


def _coarser(name: str, level: Level) -> bool:
    """Whether all products of an item share a property (of its name only a product itself can speak)."""
    order = ("product", "subcategory", "category", "department")
    if level in {"brand", "department"}:
        return False
    if name in {"name", "brand"}:
        return level == "product"
    return order.index(name) > order.index(level)


def _least(name: str) -> exp.Expr:
    return exp.Min(this=exp.column(name, table="product"))


def spoken_lines(shelf: Shelf, places: Sequence[int]) -> list[str]:
    """The names of the lines of items, empty where an item stands in none."""
    return [str(shelf.lines[shelf.line[place]]) if shelf.line[place] >= 0 else "" for place in places]
