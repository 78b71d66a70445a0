"""The weather at the customer's city: what was seen in the last days, and what is forecast for the next ones."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.family import Column, query_family

_DEGREES = Text("℃", "°C")
_MILLIMETRES = Text("毫米", "mm")

WEATHER = query_family(
    "app_weather",
    "basic",
    Text("当地天气", "Local weather"),
    needs=("customer.city", "context.place", "context.value", "context.issued_at"),
    columns=(
        Column(
            "temperature_seen_7d",
            Text("近7天气温", "Temperature (7 days)"),
            "number",
            Text("所在城市近7天实测气温的平均", "Mean temperature seen at the customer's city in the last 7 days"),
            unit=_DEGREES,
        ),
        Column(
            "rain_seen_7d",
            Text("近7天降雨", "Rain (7 days)"),
            "number",
            Text("所在城市近7天实测降雨之和", "Rain seen at the customer's city in the last 7 days"),
            unit=_MILLIMETRES,
        ),
        Column(
            "temperature_ahead_3d",
            Text("未来3天气温预报", "Temperature forecast (3 days)"),
            "number",
            Text(
                "所在城市今天起3天的预报气温平均，取最近一次预报",
                "Mean forecast for today and the two days after; the latest forecast counts",
            ),
            unit=_DEGREES,
        ),
        Column(
            "rain_ahead_3d",
            Text("未来3天降雨预报", "Rain forecast (3 days)"),
            "number",
            Text(
                "所在城市今天起3天的预报降雨之和，取最近一次预报",
                "Rain forecast for today and the two days after; the latest forecast counts",
            ),
            unit=_MILLIMETRES,
        ),
        Column(
            "temperature_change_ahead",
            Text("气温变化预报", "Change of temperature ahead"),
            "number",
            Text("未来3天预报气温减近7天实测气温", "Forecast of the next 3 days less what was seen in the last 7"),
            unit=_DEGREES,
        ),
    ),
    sql="""
    WITH told AS (
        SELECT
            place,
            kind,
            day,
            arg_max(value, issued_at) FILTER (WHERE NOT issued_at IS NULL) AS forecast,
            max(CASE WHEN issued_at IS NULL THEN value END) AS seen
        FROM context
        WHERE kind IN ('temperature', 'rain') AND day >= day_before(7) AND day < day_before(-3)
        GROUP BY place, kind, day
    ),
    cities AS (
        SELECT
            place,
            mean(CASE WHEN kind = 'temperature' AND day < as_of_day() THEN seen END) AS temperature_seen,
            sum(CASE WHEN kind = 'rain' AND day < as_of_day() THEN seen END) AS rain_seen,
            mean(CASE WHEN kind = 'temperature' AND day >= as_of_day() THEN forecast END) AS temperature_ahead,
            sum(CASE WHEN kind = 'rain' AND day >= as_of_day() THEN forecast END) AS rain_ahead
        FROM told
        GROUP BY place
    )
    SELECT
        customer.customer_id,
        cities.temperature_seen AS temperature_seen_7d,
        cities.rain_seen AS rain_seen_7d,
        cities.temperature_ahead AS temperature_ahead_3d,
        cities.rain_ahead AS rain_ahead_3d,
        cities.temperature_ahead - cities.temperature_seen AS temperature_change_ahead
    FROM customer
    JOIN cities ON cities.place = customer.city
    """,
)
