"""The rows that a contribution is made of, as a history knows them: purchases, touches, campaign spend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.insight.features.basis import parsed
from aimwell.science.arrays import IntArray
from aimwell.store.warehouse.history import History

_LINES = """
SELECT
    purchase.customer_id,
    coalesce(purchase.product_id, '') AS product_id,
    sum(coalesce(cents(purchase.quantity * product.margin), cents(assumed * (amount + coalesce(discount, 0))), 0))
        AS margin,
    sum(coalesce(purchase.discount, 0)) AS incentives,
    count(*) AS lines,
    sum(flag(purchase.quantity * product.margin IS NULL)) AS unknown
FROM purchase
LEFT JOIN product ON product.product_id = purchase.product_id
GROUP BY purchase.customer_id, coalesce(purchase.product_id, '')
"""
_TOUCHES = """
SELECT customer_id, coalesce(campaign, '') AS campaign, count(*) AS touches, sum(coalesce(cost, 0)) AS cost
FROM touch
GROUP BY customer_id, coalesce(campaign, '')
"""
_SPEND = "SELECT coalesce(campaign, '') AS campaign, sum(cost) AS cost FROM spend GROUP BY coalesce(campaign, '')"
_MARGINS = ("product", "margin"), ("purchase", "quantity"), ("purchase", "product_id")


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """What the books hold of a period, money in cents.

    lines: by customer and product, with `margin`, `incentives`, `lines` and how many of them have no margin, `unknown`.
    touches: by customer and campaign, with `touches` and `cost`.   spend: by campaign, with `cost`.   Each sorted by
    its names.
    """

    lines: pa.Table
    touches: pa.Table
    spend: pa.Table

    @property
    def total(self) -> tuple[int, int, int]:
        """Margin, incentives and contacts of all, in cents."""
        contacts = cents(self.touches, "cost").sum() + cents(self.spend, "cost").sum()
        return int(cents(self.lines, "margin").sum()), int(cents(self.lines, "incentives").sum()), int(contacts)

    @property
    def empty(self) -> bool:
        """Whether nothing was bought, nobody touched and nothing spent."""
        return not (self.lines.num_rows or self.touches.num_rows or self.spend.num_rows)


def read_books(history: History, days: int, assumed: float | None = None) -> Books:
    """The books of so many days before the cut.

    The margin is quantity times the margin per unit as known at the cut, before discounts, rounded for each line; an
    incentive is the discount of a line; a touch and a campaign cost what their tables say. What is not loaded is 0.
    assumed: the margin of lines without one, as a share of their price before discounts; None: it is 0, and they are
    counted.
    Raises NotEnoughData when no margin is known of anything that was bought and none is assumed, BadQuestion when a
    share outside of 0 to 1 is.
    """
    lines = _read(history, _lines_of(history, assumed), "purchase.occurred_at", days)
    touches, spend = _EMPTY_TOUCHES, _EMPTY_SPEND
    if history.has("touch", "touch_id"):
        touches = _read(history, _touches_of(history), "occurred_at", days)
    if history.has("spend", "cost"):
        spend = _read(history, parsed(_SPEND), "day", days)
    return Books(
        lines.sort_by([("customer_id", "ascending"), ("product_id", "ascending")]),
        touches.sort_by([("customer_id", "ascending"), ("campaign", "ascending")]),
        spend.sort_by("campaign"),
    )


def count_books(history: History, days: int, assumed: float | None = None) -> tuple[int, int, int]:
    """Margin, incentives and contacts in cents, summed straight over the rows of the tables, by nobody and nothing.

    Takes the same and raises the same as `read_books`.
    """
    lines = _read(history, _straight(_lines_of(history, assumed)), "purchase.occurred_at", days)
    contacts = 0
    if history.has("touch", "touch_id"):
        contacts += int(cents(_read(history, _straight(_touches_of(history)), "occurred_at", days), "cost").sum())
    if history.has("spend", "cost"):
        contacts += int(cents(_read(history, _straight(parsed(_SPEND)), "day", days), "cost").sum())
    return int(cents(lines, "margin").sum()), int(cents(lines, "incentives").sum()), contacts


_MONEY = pa.decimal128(18, 2)
_EMPTY_SPEND = pa.table({"campaign": pa.array([], pa.string()), "cost": pa.array([], _MONEY)})
_EMPTY_TOUCHES = pa.table(
    {
        "customer_id": pa.array([], pa.string()),
        "campaign": pa.array([], pa.string()),
        "touches": pa.array([], pa.int64()),
        "cost": pa.array([], _MONEY),
    }
)
_HUNDRED = pa.scalar(Decimal(100), pa.decimal128(3, 0))


def cents(table: pa.Table, name: str) -> IntArray:
    """A column of money in whole cents, what is unknown as 0, [rows]."""
    column = pc.multiply(pc.fill_null(table.column(name).cast(_MONEY), 0), _HUNDRED).cast(pa.int64())
    found: IntArray = column.to_numpy().astype(np.int64)
    return found


def _lines_of(history: History, assumed: float | None) -> exp.Select:
    """The query of lines, with what is not loaded as unknown and with the margin that is assumed."""
    if assumed is not None and not 0 <= assumed <= 1:
        raise BadQuestion("A margin is a share of the price", expected="0 to 100 per cent", seen=f"{100 * assumed:g}")
    absent = [(table, column) for table, column in _MARGINS if not history.has(table, column)]
    if absent and assumed is None:
        raise NotEnoughData(
            "Without margins nobody's contribution is known",
            expected="product.margin, purchase.quantity and purchase.product_id",
            seen=f"nothing in {', '.join(f'{table}.{column}' for table, column in absent)}",
            remedy="Load the margin per unit with the products, or say which margin to assume "
            "(`--margin-percent`, or `assumed_margin_percent` under [settings]).",
        )
    query, unknown = parsed(_LINES), exp.null()
    given: dict[tuple[str, str], exp.Expr] = {
        ("", "assumed"): unknown if assumed is None else exp.Literal.number(assumed)
    }
    if ("product", "margin") in absent or ("purchase", "product_id") in absent:
        query.set("joins", [])
        given["product", "margin"] = unknown
    for column in ("quantity", "product_id", "discount", "amount"):
        if not history.has("purchase", column):
            given["purchase", column] = given["", column] = unknown
    return _replaced(query, given)


def _touches_of(history: History) -> exp.Select:
    return _replaced(parsed(_TOUCHES), {} if history.has("touch", "cost") else {("", "cost"): exp.null()})


def _replaced(query: exp.Select, given: Mapping[tuple[str, str], exp.Expr]) -> exp.Select:
    """The query with columns, named by table and name, replaced by what stands for them."""
    for column in list(query.find_all(exp.Column)):
        if (column.table, column.name) in given:
            column.replace(given[column.table, column.name].copy())
    return query


def _straight(query: exp.Select) -> exp.Select:
    """The same sums over all rows at once."""
    sums = [each for each in query.expressions if each.find(exp.AggFunc)]
    query.set("group", None)
    return query.select(*sums, append=False)


def _read(history: History, query: exp.Select, at: str, days: int) -> pa.Table:
    """The rows of a query since so many days before the cut."""
    macro = "day_before" if at == "day" else "days_before"
    since = exp.Anonymous(this=macro, expressions=[exp.Literal.number(days)])
    return history.to_arrow(query.where(exp.GTE(this=exp.to_column(at), expression=since)))
