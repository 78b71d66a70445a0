"""How regularly a customer buys: active weeks, the slope of the weeks, how much they differ, and pauses."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.days import WEEKS
from aimwell.insight.features.family import Column, query_family


def _active(weeks: int) -> Column:
    return Column(
        f"active_weeks_{weeks}w",
        Text(f"活跃周占比（近{weeks}周）", f"Active weeks (last {weeks})"),
        "share",
        Text(f"近{weeks}周中有购买的周所占比例", f"Share of the last {weeks} weeks with an order"),
        measure="active_weeks",
        empty=0,
    )


def _slope(name: str, measure: str, label: Text, what: Text, weeks: int) -> Column:
    return Column(
        name,
        label,
        "number",
        Text(
            f"近{weeks}周每周{what.zh}的线性斜率，除以其每周平均；−0.1 表示每周减少平均的一成",
            f"Linear slope of weekly {what.en} over the last {weeks} weeks, as a share of their mean; "
            "−0.1 loses a tenth of the mean each week",
        ),
        measure=measure,
    )


def _pause(weeks: int) -> Column:
    return Column(
        f"longest_pause_{weeks}w",
        Text(f"最长停顿（近{weeks}周）", f"Longest pause (last {weeks} weeks)"),
        "integer",
        Text(
            f"近{weeks}周内最多连续几周没有购买（含到截止日为止的空白）",
            f"Most weeks in a row without an order within the last {weeks}, up to the day of the cut",
        ),
        unit=units.WEEKS,
        measure="longest_pause",
    )


_SPEND, _ORDERS = Text("消费额", "spend"), Text("订单数", "orders")

WEEKLY = query_family(
    "weekly",
    "transaction",
    Text("每周规律", "Weekly regularity"),
    needs=("purchase.amount",),
    reads=(WEEKS,),
    columns=(
        _active(4),
        _active(8),
        _active(16),
        _active(26),
        _active(52),
        _slope("spend_slope_8w", "spend_slope", Text("消费斜率（8周）", "Spend slope (8 weeks)"), _SPEND, 8),
        _slope("spend_slope_16w", "spend_slope", Text("消费斜率（16周）", "Spend slope (16 weeks)"), _SPEND, 16),
        _slope("visit_slope_8w", "visit_slope", Text("到访斜率（8周）", "Visit slope (8 weeks)"), _ORDERS, 8),
        _slope("visit_slope_16w", "visit_slope", Text("到访斜率（16周）", "Visit slope (16 weeks)"), _ORDERS, 16),
        Column(
            "weekly_spend_spread",
            Text("周消费波动", "Spread of weekly spend"),
            "number",
            Text(
                "近16周每周消费的标准差除以平均（变异系数），空周计为0",
                "Standard deviation of weekly spend over its mean in the last 16 weeks, empty weeks count as 0",
            ),
        ),
        Column(
            "best_week",
            Text("最高周消费", "Best week"),
            "money",
            Text("近16周中消费最高的一周的金额", "Spend of the best of the last 16 weeks"),
            empty=0,
        ),
        Column(
            "weekly_spend",
            Text("周均消费", "Weekly spend"),
            "money",
            Text("近16周平均每周消费", "Mean weekly spend of the last 16 weeks"),
            empty=0,
        ),
        _pause(16),
        _pause(26),
    ),
    sql="""
    WITH steps AS (
        SELECT
            customer_id,
            week,
            orders,
            amount,
            week - coalesce(lag(week) OVER (PARTITION BY customer_id ORDER BY week), -1) - 1 AS pause
        FROM weeks
    ),
    sums AS (
        SELECT
            customer_id,
            sum(flag(week < 4)) AS active_4,
            sum(flag(week < 8)) AS active_8,
            sum(flag(week < 16)) AS active_16,
            sum(flag(week < 26)) AS active_26,
            sum(flag(week < 52)) AS active_52,
            sum(CASE WHEN week < 8 THEN amount ELSE 0 END) AS spend_8,
            sum(CASE WHEN week < 8 THEN (3.5 - week) * amount ELSE 0 END) AS spend_8_by_time,
            CAST(sum(CASE WHEN week < 16 THEN amount ELSE 0 END) AS DOUBLE) AS spend_16,
            sum(CASE WHEN week < 16 THEN (7.5 - week) * amount ELSE 0 END) AS spend_16_by_time,
            CAST(sum(CASE WHEN week < 16 THEN amount * amount ELSE 0 END) AS DOUBLE) AS spend_16_squared,
            sum(CASE WHEN week < 8 THEN orders ELSE 0 END) AS orders_8,
            sum(CASE WHEN week < 8 THEN (3.5 - week) * orders ELSE 0 END) AS orders_8_by_time,
            sum(CASE WHEN week < 16 THEN orders ELSE 0 END) AS orders_16,
            sum(CASE WHEN week < 16 THEN (7.5 - week) * orders ELSE 0 END) AS orders_16_by_time,
            max(CASE WHEN week < 16 THEN amount END) AS best,
            max(CASE WHEN week - pause <= 16 THEN least(pause, 16 - (week - pause)) END) AS longest_pause_16w,
            max(CASE WHEN week - pause <= 26 THEN least(pause, 26 - (week - pause)) END) AS longest_pause_26w
        FROM steps
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        ratio(active_4, 4) AS active_weeks_4w,
        ratio(active_8, 8) AS active_weeks_8w,
        ratio(active_16, 16) AS active_weeks_16w,
        ratio(active_26, 26) AS active_weeks_26w,
        ratio(active_52, 52) AS active_weeks_52w,
        ratio(8 * spend_8_by_time, 42 * spend_8) AS spend_slope_8w,
        ratio(16 * spend_16_by_time, 340 * spend_16) AS spend_slope_16w,
        ratio(8 * orders_8_by_time, 42 * orders_8) AS visit_slope_8w,
        ratio(16 * orders_16_by_time, 340 * orders_16) AS visit_slope_16w,
        CASE
            WHEN spend_16 > 0
                THEN ratio(4 * sqrt(greatest(spend_16_squared - 0.0625 * pow(spend_16, 2), 0)), spend_16)
        END AS weekly_spend_spread,
        best AS best_week,
        ratio(spend_16, 16) AS weekly_spend,
        longest_pause_16w,
        longest_pause_26w
    FROM sums
    """,
)
