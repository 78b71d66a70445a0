"""The last four stretches of 28 days beside each other: the usual one, the worst and the best."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, query_family

_FOUR = Text("最近四个28天", "the last four stretches of 28 days")


def _money(name: str, label: Text, which: Text) -> Column:
    meaning = Text(f"{_FOUR.zh}中{which.zh}的消费额", f"Spend of the {which.en} of {_FOUR.en}")
    return Column(name, label, "money", meaning, empty=0)


STRETCHES = query_family(
    "stretches",
    "transaction",
    Text("每28天消费", "Spend by 28 days"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    columns=(
        _money(
            "usual_28d_spend",
            Text("通常28天消费", "Usual spend in 28 days"),
            Text("中间两个平均", "two in the middle (mean)"),
        ),
        _money("worst_28d_spend", Text("最低28天消费", "Worst spend in 28 days"), Text("最低", "worst")),
        _money("best_28d_spend", Text("最高28天消费", "Best spend in 28 days"), Text("最高", "best")),
        Column(
            "spread_28d_spend",
            Text("28天消费波动", "Spread of spend by 28 days"),
            "money",
            Text(f"{_FOUR.zh}消费额的标准差", f"Standard deviation of the spend of {_FOUR.en}"),
            empty=0,
        ),
        Column(
            "empty_28d",
            Text("无消费的28天数", "Stretches of 28 days without spend"),
            "integer",
            Text(f"{_FOUR.zh}中没有消费的个数", f"How many of {_FOUR.en} had no spend"),
            unit=Text("个", "stretches"),
            empty=4,
        ),
    ),
    sql="""
    WITH four AS (
        SELECT
            customer_id,
            CAST(sum(CASE WHEN ordered_at >= days_before(28) THEN amount ELSE 0 END) AS DOUBLE) AS a,
            CAST(sum(CASE WHEN ordered_at >= days_before(56) AND ordered_at < days_before(28) THEN amount ELSE 0 END)
                AS DOUBLE) AS b,
            CAST(sum(CASE WHEN ordered_at >= days_before(84) AND ordered_at < days_before(56) THEN amount ELSE 0 END)
                AS DOUBLE) AS c,
            CAST(sum(CASE WHEN ordered_at >= days_before(112) AND ordered_at < days_before(84) THEN amount ELSE 0 END)
                AS DOUBLE) AS d
        FROM orders
        WHERE NOT returned
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        ratio(a + b + c + d - greatest(a, b, c, d) - least(a, b, c, d), 2) AS usual_28d_spend,
        least(a, b, c, d) AS worst_28d_spend,
        greatest(a, b, c, d) AS best_28d_spend,
        sqrt(
            greatest(ratio(a * a + b * b + c * c + d * d, 4) - ratio((a + b + c + d) * (a + b + c + d), 16), 0)
        ) AS spread_28d_spend,
        flag(a = 0) + flag(b = 0) + flag(c = 0) + flag(d = 0) AS empty_28d
    FROM four
    """,
)
