"""The rows that a contribution is made of, as a history knows them: purchases, touches, campaign spend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from aimwell.core.errors import NotEnoughData
from aimwell.insight.features.basis import parsed
from aimwell.science.arrays import IntArray
from aimwell.store.warehouse.history import History

_LINES = """
SELECT
    purchase.customer_id,
    coalesce(purchase.product_id, '') AS product_id,
    sum(cents(purchase.quantity * product.margin)) AS margin,
    sum(coalesce(purchase.discount, 0)) AS incentives
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


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """What the books hold of a period, money in cents.

    lines: by customer and product, with `margin` and `incentives`.   touches: by customer and campaign, with `touches`
    and `cost`.   spend: by campaign, with `cost`.   Each sorted by its names.
    """

    lines: pa.Table
    touches: pa.Table
    spend: pa.Table

    @property
    def total(self) -> tuple[int, int, int]:
        """Margin, incentives and contacts of all, in cents."""
        contacts = cents(self.touches, "cost").sum() + cents(self.spend, "cost").sum()
        return int(cents(self.lines, "margin").sum()), int(cents(self.lines, "incentives").sum()), int(contacts)


def read_books(history: History, days: int) -> Books:
    """The books of so many days before the cut.

    The margin is quantity times the margin per unit as known at the cut, before discounts, rounded for each line; an
    incentive is the discount of a line; a touch and a campaign cost what their tables say. What is not loaded is 0.
    Raises NotEnoughData when no margin is known of anything that was bought.
    """
    needs = ("product", "margin"), ("purchase", "quantity"), ("purchase", "product_id")
    absent = [f"{table}.{column}" for table, column in needs if not history.has(table, column)]
    if absent:
        raise NotEnoughData(
            "Without margins nobody's contribution is known",
            expected="product.margin, purchase.quantity and purchase.product_id",
            seen=f"nothing in {', '.join(absent)}",
            remedy="Load the margin per unit with the products.",
        )
    lines = _read(history, _LINES, "purchase.occurred_at", days, ("purchase", "discount"))
    touches, spend = _EMPTY_TOUCHES, _EMPTY_SPEND
    if history.has("touch", "touch_id"):
        touches = _read(history, _TOUCHES, "occurred_at", days, ("touch", "cost"))
    if history.has("spend", "cost"):
        spend = _read(history, _SPEND, "day", days)
    return Books(
        lines.sort_by([("customer_id", "ascending"), ("product_id", "ascending")]),
        touches.sort_by([("customer_id", "ascending"), ("campaign", "ascending")]),
        spend.sort_by("campaign"),
    )


_MONEY = pa.decimal128(38, 2)
_EMPTY_SPEND = pa.table({"campaign": pa.array([], pa.string()), "cost": pa.array([], _MONEY)})
_EMPTY_TOUCHES = pa.table(
    {
        "customer_id": pa.array([], pa.string()),
        "campaign": pa.array([], pa.string()),
        "touches": pa.array([], pa.int64()),
        "cost": pa.array([], _MONEY),
    }
)


def cents(table: pa.Table, name: str) -> IntArray:
    """A column of money in whole cents, what is unknown as 0, [rows]."""
    column = pc.fill_null(table.column(name).cast(_MONEY), 0)
    found: IntArray = np.array([int(value * 100) for value in column.to_pylist()], dtype=np.int64)
    return found


def _read(history: History, sql: str, at: str, days: int, uses: tuple[str, str] | None = None) -> pa.Table:
    """The rows of a query since so many days before the cut; the column `uses` counts as 0 where it is not loaded."""
    query = parsed(sql)
    if uses is not None and not history.has(*uses):
        for column in query.find_all(exp.Column):
            if column.name == uses[1]:
                column.replace(exp.Literal.number(0))
    macro = "day_before" if at == "day" else "days_before"
    since = exp.Anonymous(this=macro, expressions=[exp.Literal.number(days)])
    return history.to_arrow(query.where(exp.GTE(this=exp.to_column(at), expression=since)))
