"""Tiers by what a customer is worth among all: by rank of spend, and by what carries most of the turnover."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, Threshold, query_family

_TOP = Threshold(
    "value_tier_top_percent", 5, Text("消费最高的百分之几为“顶级”", "top tier: the highest per cent by spend")
)
_HIGH = Threshold(
    "value_tier_high_percent",
    20,
    Text("消费最高的百分之几（含顶级）为“高”", "high tier: the highest per cent, top included"),
)
_MIDDLE = Threshold(
    "value_tier_middle_percent",
    50,
    Text("消费最高的百分之几（含以上）为“中”", "middle tier: the highest per cent, above included"),
)
_A = Threshold(
    "pareto_a_percent",
    80,
    Text("A 类客户共同贡献的消费百分比", "class A: those who together bring this per cent of spend"),
)
_B = Threshold(
    "pareto_b_percent",
    95,
    Text("A、B 类客户共同贡献的消费百分比", "classes A and B together bring this per cent of spend"),
)

VALUE_TIER = query_family(
    "value_tier",
    "tier",
    Text("价值分层", "Value tier"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    thresholds=(_TOP, _HIGH, _MIDDLE, _A, _B),
    freshness="batch",
    columns=(
        Column(
            "value_tier",
            Text("价值等级", "Value tier"),
            "text",
            Text(
                "按近364天消费额在有消费客户中的名次分级，门槛为 value_tier_…_percent",
                "Rank by spend of the last 364 days among those who spent; thresholds `value_tier_…_percent`",
            ),
            words={
                "top": Text("顶级", "top"),
                "high": Text("高", "high"),
                "middle": Text("中", "middle"),
                "low": Text("低", "low"),
            },
        ),
        Column(
            "spend_percentile",
            Text("消费百分位", "Spend percentile"),
            "share",
            Text(
                "近364天消费额不高于本人的客户所占比例",
                "Share of those who spent in the last 364 days that rank no higher",
            ),
        ),
        Column(
            "pareto_class",
            Text("ABC 分类", "ABC class"),
            "text",
            Text(
                "按近364天消费额从高到低累计：A 类合计到 pareto_a_percent，B 类到 pareto_b_percent，其余 C 类",
                "Spend of the last 364 days added up from the highest: A up to `pareto_a_percent`, B up to "
                "`pareto_b_percent`, C the rest",
            ),
            words={"A": Text("A 类", "class A"), "B": Text("B 类", "class B"), "C": Text("C 类", "class C")},
        ),
        Column(
            "spend_contribution",
            Text("消费贡献", "Contribution to spend"),
            "number",
            Text(
                "近364天消费额占全体客户的百万分之几",
                "Spend of the last 364 days in millionths of the spend of all customers",
            ),
            unit=Text("百万分之一", "millionths"),
            empty=0,
        ),
    ),
    sql="""
    WITH spent AS (
        SELECT customer_id, sum(amount) AS amount
        FROM orders
        WHERE ordered_at >= days_before(364)
        GROUP BY customer_id
        HAVING sum(amount) > 0
    ),
    ranked AS (
        SELECT
            customer_id,
            amount,
            row_number() OVER (ORDER BY amount DESC, customer_id) AS place,
            count(*) OVER () AS customers,
            sum(amount) OVER () AS total,
            sum(amount) OVER (ORDER BY amount DESC, customer_id ROWS UNBOUNDED PRECEDING) - amount AS above
        FROM spent
    )
    SELECT
        customer_id,
        CASE
            WHEN 100 * (place - 1) < setting('value_tier_top_percent') * customers THEN 'top'
            WHEN 100 * (place - 1) < setting('value_tier_high_percent') * customers THEN 'high'
            WHEN 100 * (place - 1) < setting('value_tier_middle_percent') * customers THEN 'middle'
            ELSE 'low'
        END AS value_tier,
        ratio(customers - place + 1, customers) AS spend_percentile,
        CASE
            WHEN 100 * above < setting('pareto_a_percent') * total THEN 'A'
            WHEN 100 * above < setting('pareto_b_percent') * total THEN 'B'
            ELSE 'C'
        END AS pareto_class,
        1000000 * ratio(amount, total) AS spend_contribution
    FROM ranked
    """,
)
