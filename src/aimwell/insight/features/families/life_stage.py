"""Where a customer stands in the course of the relation: introduction, growth, maturity, decline."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, Threshold, query_family

_NEW = Threshold("life_new_days", 84, Text("首购后多少天内算引入期", "introduction: so many days from the first order"))
_QUIET = Threshold("life_quiet_days", 84, Text("多少天没有购买算衰退期", "decline: so many days without an order"))
_GROWTH = Threshold(
    "life_growth", 1.25, Text("近84天消费达前84天的多少倍算成长期", "growth: spend of 84 days over the 84 before")
)
_DECLINE = Threshold(
    "life_decline", 0.75, Text("近84天消费不到前84天的多少倍算衰退期", "decline: spend of 84 days over the 84 before")
)

LIFE_STAGE = query_family(
    "life_stage",
    "lifetime_value",
    Text("生命周期", "Life stage"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    thresholds=(_NEW, _QUIET, _GROWTH, _DECLINE),
    columns=(
        Column(
            "life_stage",
            Text("生命周期阶段", "Life stage"),
            "text",
            Text(
                "首购不久为引入期；久未购买或近84天消费明显下降为衰退期，明显上升（含久别重来）为成长期，其余为成熟期",
                "Introduction soon after the first order; decline when long silent or when spend of 84 days fell far, "
                "growth when it rose far (or came back from nothing); maturity otherwise",
            ),
            words={
                "introduction": Text("引入期", "introduction"),
                "growth": Text("成长期", "growth"),
                "maturity": Text("成熟期", "maturity"),
                "decline": Text("衰退期", "decline"),
            },
        ),
        Column(
            "life_pace",
            Text("消费升降", "Rise of spend"),
            "number",
            Text("近84天消费除以其前84天消费", "Spend of the last 84 days over that of the 84 days before"),
            unit=units.TIMES,
        ),
    ),
    sql="""
    WITH spent AS (
        SELECT
            customer_id,
            max(age) AS first_days,
            min(age) AS last_days,
            coalesce(sum(amount) FILTER (WHERE age < 84), 0) AS recent,
            coalesce(sum(amount) FILTER (WHERE age >= 84 AND age < 168), 0) AS earlier
        FROM orders
        WHERE NOT returned
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        CASE
            WHEN first_days < setting('life_new_days') THEN 'introduction'
            WHEN last_days >= setting('life_quiet_days') THEN 'decline'
            WHEN earlier <= 0 OR recent >= earlier * setting('life_growth') THEN 'growth'
            WHEN recent < earlier * setting('life_decline') THEN 'decline'
            ELSE 'maturity'
        END AS life_stage,
        ratio(recent, earlier) AS life_pace
    FROM spent
    """,
)
