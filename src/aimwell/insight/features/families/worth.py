"""What a customer has been worth so far: spend per year, and the margin where it is known."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, Measure, measure_family, query_family

YEARLY_SPEND = query_family(
    "yearly_spend",
    "lifetime_value",
    Text("年化消费", "Spend per year"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    columns=(
        Column(
            "yearly_spend",
            Text("年化消费额", "Spend per year"),
            "money",
            Text(
                "历史消费额按自首购以来的天数折算成364天；不足56天不折算",
                "All spend over the days since the first order, for 364 days; unknown in the first 56 days",
            ),
        ),
    ),
    sql="""
    WITH since AS (
        SELECT customer_id, sum(amount) AS amount, max(age) AS days
        FROM orders
        GROUP BY customer_id
    )
    SELECT customer_id, CASE WHEN days >= 56 THEN 364 * ratio(amount, days) END AS yearly_spend
    FROM since
    """,
)

MARGIN = measure_family(
    "margin",
    "lifetime_value",
    Text("毛利", "Margin"),
    needs=("product.margin", "purchase.quantity", "purchase.product_id"),
    base="""
    SELECT purchase.customer_id, purchase.occurred_at, purchase.quantity * product.margin AS margin
    FROM purchase
    JOIN product ON product.product_id = purchase.product_id
    """,
    at="occurred_at",
    measures=(
        Measure(
            "margin",
            "sum(margin)",
            Text("毛利（{days}）", "Margin ({days})"),
            Text(
                "{days}内所买商品的数量乘以截止日已知的单位毛利",
                "Quantity times the margin per unit as known at the cut, over the {days}",
            ),
            "money",
            windows=(364, None),
        ),
    ),
)
