"""How long ago things happened: the last order, the one before, the last large or discounted one."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, query_family


def _days_since(name: str, label: Text, meaning: Text, *needs: str) -> Column:
    return Column(name, label, "integer", meaning, unit=units.DAYS, needs=needs)


RECENCY = query_family(
    "recency",
    "churn",
    Text("距今天数", "Recency"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    columns=(
        _days_since(
            "days_since_order",
            Text("距上次购买天数", "Days since the last order"),
            Text("距最近一次购买的整天数", "Whole days since the last order"),
        ),
        _days_since(
            "days_since_usual_order",
            Text("距上次正常金额购买天数", "Days since an order of usual size"),
            Text(
                "距最近一次金额不低于本人平均一半的购买的天数",
                "Whole days since the last order of at least half of the customer's own mean amount",
            ),
        ),
        _days_since(
            "days_since_discount",
            Text("距上次用优惠天数", "Days since a discount"),
            Text("距最近一次享受优惠的购买的天数", "Whole days since the last order with a discount"),
            "purchase.discount",
        ),
        Column(
            "last_order_amount",
            Text("上次购买金额", "Amount of the last order"),
            "money",
            Text("最近一次购买的金额", "Amount of the last order"),
        ),
        Column(
            "last_order_against_mean",
            Text("上次购买相对平均", "Last order against the mean"),
            "number",
            Text("最近一次购买的金额除以本人平均每单金额", "Amount of the last order over the customer's mean order"),
            unit=units.TIMES,
        ),
    ),
    sql="""
    WITH bought AS (
        SELECT
            customer_id,
            order_id,
            ordered_at,
            age,
            amount,
            discount,
            sum(amount) OVER (PARTITION BY customer_id) AS total,
            count(*) OVER (PARTITION BY customer_id) AS orders
        FROM orders
        WHERE NOT returned
    )
    SELECT
        customer_id,
        min(age) AS days_since_order,
        min(CASE WHEN 2 * orders * amount >= total THEN age END) AS days_since_usual_order,
        min(CASE WHEN discount > 0 THEN age END) AS days_since_discount,
        arg_max(amount, (ordered_at, order_id)) AS last_order_amount,
        ratio(arg_max(amount, (ordered_at, order_id)) * count(*), sum(amount)) AS last_order_against_mean
    FROM bought
    GROUP BY customer_id
    """,
)
