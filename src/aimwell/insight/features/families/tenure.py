"""How long a customer has been with us, and how it began."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, query_family

KNOWN = query_family(
    "known_since",
    "basic",
    Text("入会时长", "Known since"),
    needs=("customer.created_at",),
    columns=(
        Column(
            "days_known",
            Text("入会天数", "Days known"),
            "integer",
            Text("自成为客户以来的整天数", "Whole days since we know the customer"),
            unit=units.DAYS,
        ),
    ),
    sql="SELECT customer_id, days_between(created_at, as_of()) AS days_known FROM customer",
)

TENURE = query_family(
    "tenure",
    "basic",
    Text("首购", "First purchase"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    columns=(
        Column(
            "days_since_first_order",
            Text("首购距今天数", "Days since the first order"),
            "integer",
            Text("自第一次购买以来的整天数", "Whole days since the first order"),
            unit=units.DAYS,
        ),
        Column(
            "first_order_amount",
            Text("首购金额", "Amount of the first order"),
            "money",
            Text("第一次购买的金额", "Amount of the first order"),
        ),
        Column(
            "visits_first_56d",
            Text("首购后56天内购买次数", "Orders in the first 56 days"),
            "integer",
            Text("第一次购买起56天内的订单数", "Orders within 56 days of the first one, itself included"),
            unit=units.ORDERS,
        ),
    ),
    sql="""
    WITH begun AS (
        SELECT
            customer_id,
            order_id,
            ordered_at,
            age,
            amount,
            max(age) OVER (PARTITION BY customer_id) AS oldest
        FROM orders
        WHERE NOT returned
    )
    SELECT
        customer_id,
        max(age) AS days_since_first_order,
        arg_min(amount, (ordered_at, order_id)) AS first_order_amount,
        sum(flag(oldest - age < 56)) AS visits_first_56d
    FROM begun
    GROUP BY customer_id
    """,
)
