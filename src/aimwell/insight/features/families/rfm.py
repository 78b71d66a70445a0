"""Recency, frequency and spend as scores from 1 to 5, and the group that they make."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, Threshold, query_family

_HIGH = Threshold("rfm_high_score", 4, Text("不低于这个分数算“高”", "scores from here on count as high"))


def _score(name: str, label: Text, by: Text) -> Column:
    return Column(
        name,
        label,
        "integer",
        Text(
            f"买过的客户按{by.zh}排成五等份，5 为最好；相同者按编号分先后",
            f"Customers who ever bought, in five equal parts by {by.en}; 5 is best, ties are broken by id",
        ),
        unit=units.POINTS,
    )


RFM = query_family(
    "rfm",
    "tier",
    Text("RFM 分层", "RFM"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    thresholds=(_HIGH,),
    freshness="batch",
    columns=(
        _score(
            "recency_score", Text("近度得分", "Recency score"), Text("距上次购买的天数", "days since the last order")
        ),
        _score(
            "frequency_score", Text("频度得分", "Frequency score"), Text("近364天订单数", "orders of the last 364 days")
        ),
        _score("monetary_score", Text("金额得分", "Spend score"), Text("近364天消费额", "spend of the last 364 days")),
        Column(
            "rfm_score",
            Text("RFM 总分", "RFM score"),
            "integer",
            Text("三项得分之和，3 至 15", "Sum of the three scores, 3 to 15"),
            unit=units.POINTS,
        ),
        Column(
            "rfm_group",
            Text("RFM 客群", "RFM group"),
            "text",
            Text(
                "由近度、频度、金额各自高低推断的八类客户；不低于 rfm_high_score 分为高",
                "One of eight groups, inferred from whether recency, frequency and spend are high (`rfm_high_score` "
                "or more)",
            ),
            inferred=True,
            words={
                "hhh": Text("重要价值客户", "champions"),
                "hlh": Text("重要发展客户", "big spenders to bring back more often"),
                "lhh": Text("重要保持客户", "champions going quiet"),
                "llh": Text("重要挽留客户", "big spenders nearly lost"),
                "hhl": Text("一般价值客户", "frequent small buyers"),
                "hll": Text("一般发展客户", "recent occasional buyers"),
                "lhl": Text("一般保持客户", "frequent small buyers going quiet"),
                "lll": Text("一般挽留客户", "dormant"),
            },
        ),
    ),
    sql="""
    WITH facts AS (
        SELECT
            customer_id,
            min(age) AS recency,
            sum(flag(ordered_at >= days_before(364))) AS frequency,
            sum(CASE WHEN ordered_at >= days_before(364) THEN amount ELSE 0 END) AS monetary
        FROM orders
        WHERE NOT returned
        GROUP BY customer_id
    ),
    scored AS (
        SELECT
            customer_id,
            ntile(5) OVER (ORDER BY recency DESC, customer_id DESC) AS r,
            ntile(5) OVER (ORDER BY frequency, customer_id DESC) AS f,
            ntile(5) OVER (ORDER BY monetary, customer_id DESC) AS m
        FROM facts
    )
    SELECT
        customer_id,
        r AS recency_score,
        f AS frequency_score,
        m AS monetary_score,
        r + f + m AS rfm_score,
        CASE WHEN r >= setting('rfm_high_score') THEN 'h' ELSE 'l' END
            || CASE WHEN f >= setting('rfm_high_score') THEN 'h' ELSE 'l' END
            || CASE WHEN m >= setting('rfm_high_score') THEN 'h' ELSE 'l' END AS rfm_group
    FROM scored
    """,
)
