"""When a customer shops: weekday, time of day and time of month, on the local clock."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, query_family


def _share(name: str, label: Text, when: Text, measure: str = "") -> Column:
    return Column(
        name,
        label,
        "share",
        Text(f"{when.zh}的订单占全部订单的比例（当地时间）", f"Share of all orders placed {when.en} (local time)"),
        measure=measure,
    )


_WEEKDAYS = {
    "1": Text("周一", "Monday"),
    "2": Text("周二", "Tuesday"),
    "3": Text("周三", "Wednesday"),
    "4": Text("周四", "Thursday"),
    "5": Text("周五", "Friday"),
    "6": Text("周六", "Saturday"),
    "7": Text("周日", "Sunday"),
}

TIMING = query_family(
    "timing",
    "preference",
    Text("购物时间", "Time of shopping"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    columns=(
        _share("weekend_share", Text("周末占比", "Weekend share"), Text("周六、周日", "on Saturday or Sunday")),
        Column(
            "favourite_weekday",
            Text("常购星期", "Favourite shopping day"),
            "text",
            Text("订单最多的星期几（并列取靠前的）", "Weekday with the most orders (the earlier one when equal)"),
            words=_WEEKDAYS,
        ),
        _share("morning_share", Text("上午占比", "Morning share"), Text("5点至11点", "from 5 to 11"), "part_of_day"),
        _share("midday_share", Text("午间占比", "Midday share"), Text("11点至14点", "from 11 to 14"), "part_of_day"),
        _share(
            "afternoon_share", Text("下午占比", "Afternoon share"), Text("14点至17点", "from 14 to 17"), "part_of_day"
        ),
        _share("evening_share", Text("傍晚占比", "Evening share"), Text("17点至21点", "from 17 to 21"), "part_of_day"),
        _share("night_share", Text("夜间占比", "Night share"), Text("21点至次日5点", "from 21 to 5"), "part_of_day"),
        Column(
            "usual_hour",
            Text("惯常购物时刻", "Usual hour"),
            "number",
            Text("订单时刻的平均（当地时间，小时）", "Mean hour of the orders (local time)"),
            unit=Text("时", "o'clock"),
        ),
        _share(
            "month_start_share",
            Text("月初占比", "Start-of-month share"),
            Text("每月1日至7日", "from the 1st to the 7th"),
        ),
    ),
    sql="""
    WITH clock AS (
        SELECT
            customer_id,
            extract(HOUR FROM local_at) AS hour,
            extract(DAY FROM local_at) AS day_of_month,
            days_between(DATE '2000-01-03', CAST(local_at AS DATE)) % 7 + 1 AS weekday_number
        FROM orders
        WHERE NOT returned
    ),
    counted AS (
        SELECT
            customer_id,
            count(*) AS visits,
            sum(flag(weekday_number = 1)) AS d1,
            sum(flag(weekday_number = 2)) AS d2,
            sum(flag(weekday_number = 3)) AS d3,
            sum(flag(weekday_number = 4)) AS d4,
            sum(flag(weekday_number = 5)) AS d5,
            sum(flag(weekday_number = 6)) AS d6,
            sum(flag(weekday_number = 7)) AS d7,
            sum(flag(hour >= 5 AND hour < 11)) AS morning,
            sum(flag(hour >= 11 AND hour < 14)) AS midday,
            sum(flag(hour >= 14 AND hour < 17)) AS afternoon,
            sum(flag(hour >= 17 AND hour < 21)) AS evening,
            sum(flag(hour >= 21 OR hour < 5)) AS night,
            mean(hour) AS usual_hour,
            sum(flag(day_of_month <= 7)) AS month_start
        FROM clock
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        ratio(d6 + d7, visits) AS weekend_share,
        CASE greatest(d1, d2, d3, d4, d5, d6, d7)
            WHEN d1 THEN '1'
            WHEN d2 THEN '2'
            WHEN d3 THEN '3'
            WHEN d4 THEN '4'
            WHEN d5 THEN '5'
            WHEN d6 THEN '6'
            WHEN d7 THEN '7'
        END AS favourite_weekday,
        ratio(morning, visits) AS morning_share,
        ratio(midday, visits) AS midday_share,
        ratio(afternoon, visits) AS afternoon_share,
        ratio(evening, visits) AS evening_share,
        ratio(night, visits) AS night_share,
        usual_hour,
        ratio(month_start, visits) AS month_start_share
    FROM counted
    """,
)
