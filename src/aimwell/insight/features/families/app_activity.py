"""How often a customer opens the app or site, how lately, and at which hours."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.sessions import SESSIONS
from aimwell.insight.features.family import Column, Measure, measure_family, query_family

VISITS = measure_family(
    "app_visits",
    "transaction",
    Text("应用访问", "Visits to the app"),
    needs=("event.session_id",),
    base="sessions",
    at="began_at",
    reads=(SESSIONS,),
    measures=(
        Measure(
            "app_sessions",
            "count(*)",
            Text("访问次数（{days}）", "Sessions ({days})"),
            Text("{days}内打开应用或网站的次数", "Visits to the app or site in the {days}"),
            "integer",
            windows=(7, 28, 84),
            unit=Text("次", "sessions"),
            empty=0,
        ),
        Measure(
            "app_days",
            "count(DISTINCT local_date(began_at))",
            Text("访问天数（{days}）", "Days with a visit ({days})"),
            Text("{days}内有访问的天数", "Days with a visit in the {days}"),
            "integer",
            windows=(28, 84),
            unit=units.DAYS,
            empty=0,
        ),
        Measure(
            "app_depth",
            "mean(events)",
            Text("访问深度（{days}）", "Depth of a visit ({days})"),
            Text("{days}内平均每次访问的动作数", "Mean number of actions in a visit in the {days}"),
            "number",
            windows=(84,),
        ),
    ),
)

SILENCE = query_family(
    "app_silence",
    "churn",
    Text("应用沉默", "Silence in the app"),
    needs=("event.session_id",),
    reads=(SESSIONS,),
    columns=(
        Column(
            "app_last_days",
            Text("距上次访问天数", "Days since the last visit"),
            "integer",
            Text("距最近一次打开应用或网站的整天数", "Whole days since the app or site was last opened"),
            unit=units.DAYS,
        ),
        Column(
            "app_trend_28d",
            Text("访问趋势", "Trend of visits"),
            "number",
            Text(
                "近28天与此前28天的访问次数，两者之差除以两者之和，从−1（完全停止）到+1（从无到有）",
                "Visits of the last 28 days against the 28 before: difference over sum, from −1 (stopped) to +1 (new)",
            ),
        ),
    ),
    sql="""
    SELECT
        customer_id,
        days_between(max(began_at), as_of()) AS app_last_days,
        ratio(
            sum(flag(began_at >= days_before(28)))
                - sum(flag(began_at >= days_before(56) AND began_at < days_before(28))),
            sum(flag(began_at >= days_before(56)))
        ) AS app_trend_28d
    FROM sessions
    GROUP BY customer_id
    """,
)

HABITS = query_family(
    "app_habits",
    "preference",
    Text("访问习惯", "Habits of visiting"),
    needs=("event.session_id",),
    reads=(SESSIONS,),
    columns=(
        Column(
            "app_hour",
            Text("常用时段", "Hour in the app"),
            "integer",
            Text(
                "近182天访问最多的小时（工作区时区，0至23），连同前后各一小时平滑",
                "Hour with most visits in the last 182 days (clock of the workspace, 0 to 23), smoothed over its "
                "neighbours; ties to the earlier",
            ),
            unit=Text("点", "o'clock"),
        ),
        Column(
            "app_weekday",
            Text("常用星期", "Weekday in the app"),
            "integer",
            Text(
                "近182天访问最多的星期几，1周一至7周日",
                "Weekday with most visits, 1 Monday to 7 Sunday; ties to the earlier",
            ),
        ),
        Column(
            "app_weekend_share",
            Text("周末访问占比", "Share of weekend visits"),
            "share",
            Text("近182天周六日访问的比例", "Share of the visits of the last 182 days on Saturdays and Sundays"),
        ),
        Column(
            "app_channel",
            Text("常用渠道", "Way of visiting"),
            "text",
            Text("近182天访问最多的渠道", "Channel with most visits in the last 182 days; ties by name"),
            needs=("event.channel",),
        ),
    ),
    sql="""
    WITH recent AS (
        SELECT customer_id, channel, local_hour(began_at) AS hour_of_day, weekday(began_at) AS day_of_week
        FROM sessions
        WHERE began_at >= days_before(182)
    ),
    hours AS (
        SELECT customer_id, hour_of_day, count(*) AS times
        FROM recent
        GROUP BY customer_id, hour_of_day
    ),
    smooth AS (
        SELECT
            middle.customer_id,
            middle.hour_of_day,
            sum(CASE WHEN beside.hour_of_day = middle.hour_of_day THEN 2 ELSE 1 END * beside.times) AS times
        FROM hours AS middle
        JOIN hours AS beside
            ON beside.customer_id = middle.customer_id
            AND (
                beside.hour_of_day BETWEEN middle.hour_of_day - 1 AND middle.hour_of_day + 1
                OR beside.hour_of_day = (middle.hour_of_day + 1) % 24
                OR middle.hour_of_day = (beside.hour_of_day + 1) % 24
            )
        GROUP BY middle.customer_id, middle.hour_of_day
    ),
    best_hour AS (
        SELECT
            customer_id,
            hour_of_day,
            row_number() OVER (PARTITION BY customer_id ORDER BY times DESC, hour_of_day) AS place
        FROM smooth
    ),
    days AS (
        SELECT customer_id, day_of_week, count(*) AS times FROM recent GROUP BY customer_id, day_of_week
    ),
    best_day AS (
        SELECT
            customer_id,
            day_of_week,
            row_number() OVER (PARTITION BY customer_id ORDER BY times DESC, day_of_week) AS place
        FROM days
    ),
    ways AS (
        SELECT customer_id, channel, count(*) AS times
        FROM recent
        WHERE NOT channel IS NULL
        GROUP BY customer_id, channel
    ),
    best_way AS (
        SELECT
            customer_id,
            channel,
            row_number() OVER (PARTITION BY customer_id ORDER BY times DESC, channel) AS place
        FROM ways
    ),
    weekends AS (
        SELECT customer_id, mean(flag(day_of_week >= 6)) AS weekend_share FROM recent GROUP BY customer_id
    )
    SELECT
        weekends.customer_id,
        best_hour.hour_of_day AS app_hour,
        best_day.day_of_week AS app_weekday,
        weekends.weekend_share AS app_weekend_share,
        best_way.channel AS app_channel
    FROM weekends
    JOIN best_hour ON best_hour.customer_id = weekends.customer_id AND best_hour.place = 1
    JOIN best_day ON best_day.customer_id = weekends.customer_id AND best_day.place = 1
    LEFT JOIN best_way ON best_way.customer_id = weekends.customer_id AND best_way.place = 1
    """,
)
