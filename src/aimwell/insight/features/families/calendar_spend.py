"""How holidays and days off move what a customer buys."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, query_family

SPEND = query_family(
    "calendar_spend",
    "preference",
    Text("节日消费", "Holiday shopping"),
    needs=("purchase.amount", "context.kind", "context.issued_at"),
    reads=(ORDERS,),
    freshness="batch",
    columns=(
        Column(
            "holiday_lift",
            Text("节前购买倍数", "Lift before holidays"),
            "number",
            Text(
                "近364天节前7天的订单数与按天数平均应有的订单数之比，两者各加2以防订单太少；1为不受节日影响",
                "Orders in the 7 days before holidays, last 364 days, over what an even spread over the days would "
                "give; 2 is added to both, so that few orders say little; 1 means that holidays do not matter",
            ),
            unit=Text("倍", "times"),
        ),
        Column(
            "day_off_share",
            Text("休息日订单占比", "Share of orders on days off"),
            "share",
            Text(
                "近364天在周末、节日和调休休息日的订单比例",
                "Share of the orders of the last 364 days on weekends, holidays and days off",
            ),
        ),
    ),
    sql="""
    WITH told AS (
        SELECT kind, day, arg_max(value, (issued_at, value)) AS value
        FROM context
        WHERE kind IN ('holiday', 'day_off') AND NOT issued_at IS NULL
            AND day >= day_before(365) AND day < day_before(-8)
        GROUP BY kind, day
    ),
    feasts AS (
        SELECT day FROM told WHERE kind = 'holiday'
    ),
    recent AS (
        SELECT customer_id, order_id, CAST(local_at AS DATE) AS day
        FROM orders
        WHERE NOT returned AND ordered_at >= days_before(364)
    ),
    open_days AS (
        SELECT DISTINCT day FROM recent
    ),
    near_days AS (
        SELECT
            open_days.day,
            max(flag(NOT feasts.day IS NULL)) AS near,
            max(flag(NOT free.day IS NULL)) AS free
        FROM open_days
        LEFT JOIN feasts
            ON days_between(open_days.day, feasts.day) BETWEEN 1 AND 7
        LEFT JOIN told AS free ON free.day = open_days.day AND free.kind = 'day_off' AND free.value = 1
        GROUP BY open_days.day
    ),
    since AS (
        SELECT
            day,
            sum(near) OVER (ORDER BY day DESC) AS near_days,
            count(*) OVER (ORDER BY day DESC) AS all_days
        FROM near_days
    ),
    own AS (
        SELECT
            recent.customer_id,
            min(recent.day) AS first_day,
            count(*) AS orders,
            sum(near_days.near) AS near_orders,
            sum(near_days.free) AS free_orders
        FROM recent
        JOIN near_days ON near_days.day = recent.day
        GROUP BY recent.customer_id
    )
    SELECT
        own.customer_id,
        ratio(own.near_orders + 2, ratio(own.orders * since.near_days, since.all_days) + 2) AS holiday_lift,
        ratio(own.free_orders, own.orders) AS day_off_share
    FROM own
    JOIN since ON since.day = own.first_day
    """,
)
