"""Whether a customer buys more or less than before: contrasts of one stretch of time with the one before it."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, query_family

_SCALE = Text("从−1（完全停止）到+1（从无到有）", "from −1 (stopped) to +1 (new)")


def _contrast(name: str, measure: str, label: Text, compared: Text) -> Column:
    meaning = Text(
        f"{compared.zh}，两者之差除以两者之和，{_SCALE.zh}", f"{compared.en}: difference over sum, {_SCALE.en}"
    )
    return Column(name, label, "number", meaning, measure=measure)


TREND = query_family(
    "trend",
    "transaction",
    Text("消费趋势", "Trend"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    columns=(
        _contrast(
            "spend_trend_28d",
            "spend_trend",
            Text("消费趋势（28天）", "Spend trend (28 days)"),
            Text("近28天消费与此前28天相比", "Spend of the last 28 days against the 28 days before"),
        ),
        _contrast(
            "spend_trend_84d",
            "spend_trend",
            Text("消费趋势（84天）", "Spend trend (84 days)"),
            Text("近84天消费与此前84天相比", "Spend of the last 84 days against the 84 days before"),
        ),
        _contrast(
            "visit_trend_28d",
            "visit_trend",
            Text("到访趋势（28天）", "Visit trend (28 days)"),
            Text("近28天订单数与此前28天相比", "Orders of the last 28 days against the 28 days before"),
        ),
        _contrast(
            "visit_trend_84d",
            "visit_trend",
            Text("到访趋势（84天）", "Visit trend (84 days)"),
            Text("近84天订单数与此前84天相比", "Orders of the last 84 days against the 84 days before"),
        ),
        _contrast(
            "spend_pace",
            "spend_pace",
            Text("消费节奏变化", "Spend pace"),
            Text(
                "近28天消费与近112天每28天平均相比", "Spend of the last 28 days against the 28-day mean of the last 112"
            ),
        ),
        _contrast(
            "visit_pace_14d",
            "visit_pace",
            Text("到访节奏变化（14天）", "Visit pace (14 days)"),
            Text(
                "近14天订单数与近56天每14天平均相比",
                "Orders of the last 14 days against the 14-day mean of the last 56",
            ),
        ),
        _contrast(
            "visit_pace_28d",
            "visit_pace",
            Text("到访节奏变化（28天）", "Visit pace (28 days)"),
            Text(
                "近28天订单数与近112天每28天平均相比",
                "Orders of the last 28 days against the 28-day mean of the last 112",
            ),
        ),
        _contrast(
            "spend_year_on_year",
            "spend_year_on_year",
            Text("同比变化", "Year on year"),
            Text(
                "近84天消费与364天前的同期相比，首购须早于该期",
                "Spend of the last 84 days against the same days 364 days ago, known if the first order is older",
            ),
        ),
    ),
    sql="""
    WITH stretch AS (
        SELECT
            customer_id,
            sum(CASE WHEN ordered_at >= days_before(28) THEN amount ELSE 0 END) AS spend_28,
            sum(CASE WHEN ordered_at >= days_before(56) AND ordered_at < days_before(28) THEN amount ELSE 0 END)
                AS spend_28_before,
            sum(CASE WHEN ordered_at >= days_before(84) THEN amount ELSE 0 END) AS spend_84,
            sum(CASE WHEN ordered_at >= days_before(112) THEN amount ELSE 0 END) AS spend_112,
            sum(CASE WHEN ordered_at >= days_before(168) AND ordered_at < days_before(84) THEN amount ELSE 0 END)
                AS spend_84_before,
            sum(CASE WHEN ordered_at >= days_before(448) AND ordered_at < days_before(364) THEN amount ELSE 0 END)
                AS spend_84_last_year,
            min(ordered_at) AS began_at,
            sum(flag(ordered_at >= days_before(14))) AS visits_14,
            sum(flag(ordered_at >= days_before(28))) AS visits_28,
            sum(flag(ordered_at >= days_before(56))) AS visits_56,
            sum(flag(ordered_at >= days_before(84))) AS visits_84,
            sum(flag(ordered_at >= days_before(112))) AS visits_112,
            sum(flag(ordered_at >= days_before(168))) AS visits_168
        FROM orders
        WHERE NOT returned
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        ratio(spend_28 - spend_28_before, spend_28 + spend_28_before) AS spend_trend_28d,
        ratio(spend_84 - spend_84_before, spend_84 + spend_84_before) AS spend_trend_84d,
        ratio(2 * visits_28 - visits_56, visits_56) AS visit_trend_28d,
        ratio(2 * visits_84 - visits_168, visits_168) AS visit_trend_84d,
        ratio(4 * spend_28 - spend_112, 4 * spend_28 + spend_112) AS spend_pace,
        ratio(4 * visits_14 - visits_56, 4 * visits_14 + visits_56) AS visit_pace_14d,
        ratio(4 * visits_28 - visits_112, 4 * visits_28 + visits_112) AS visit_pace_28d,
        CASE
            WHEN began_at < days_before(448)
                THEN ratio(spend_84 - spend_84_last_year, spend_84 + spend_84_last_year)
        END AS spend_year_on_year
    FROM stretch
    """,
)
