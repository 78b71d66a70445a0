"""What a customer did lately, each order counting less the older it is."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, query_family

_HALF_LIVES = (14, 28, 56, 112)


def _visits(days: int) -> Column:
    return Column(
        f"recent_visits_{days}h",
        Text(f"近期到访（半衰期{days}天）", f"Recent orders (half-life {days} days)"),
        "number",
        Text(f"订单数，每过{days}天权重减半", f"Orders, each counting half as much every {days} days"),
        measure="recent_visits",
        empty=0,
    )


def _spend(days: int) -> Column:
    return Column(
        f"recent_spend_{days}h",
        Text(f"近期消费（半衰期{days}天）", f"Recent spend (half-life {days} days)"),
        "money",
        Text(f"消费额，每过{days}天权重减半", f"Spend, each order counting half as much every {days} days"),
        measure="recent_spend",
        empty=0,
    )


RECENT = query_family(
    "recent",
    "transaction",
    Text("近期加权", "Weighted by recency"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    columns=(*map(_visits, _HALF_LIVES), *map(_spend, _HALF_LIVES)),
    sql="""
    WITH weighted AS (
        SELECT
            customer_id,
            CAST(amount AS DOUBLE) AS amount,
            exp(age * -0.0495105129) AS w14,
            exp(age * -0.0247552564) AS w28,
            exp(age * -0.0123776282) AS w56,
            exp(age * -0.0061888141) AS w112
        FROM orders
        WHERE NOT returned
    )
    SELECT
        customer_id,
        sum(w14) AS recent_visits_14h,
        sum(w28) AS recent_visits_28h,
        sum(w56) AS recent_visits_56h,
        sum(w112) AS recent_visits_112h,
        sum(amount * w14) AS recent_spend_14h,
        sum(amount * w28) AS recent_spend_28h,
        sum(amount * w56) AS recent_spend_56h,
        sum(amount * w112) AS recent_spend_112h
    FROM weighted
    GROUP BY customer_id
    """,
)
