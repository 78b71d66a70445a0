"""Where a customer lives, beyond the name of the city: the clock there, and how many customers live there too."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.family import Column, query_family

GEOGRAPHY = query_family(
    "app_geography",
    "basic",
    Text("地域", "Place"),
    needs=("customer.city",),
    freshness="batch",
    columns=(
        Column(
            "city_customers",
            Text("同城客户数", "Customers in the same city"),
            "integer",
            Text("与此人同城的已知客户数，含本人", "Known customers in the customer's city, this one included"),
            unit=Text("人", "customers"),
        ),
        Column(
            "city_share",
            Text("同城客户占比", "Share of the city"),
            "share",
            Text("同城客户占有城市资料的客户之比", "Share of the customers with a known city who live in this one"),
        ),
        Column(
            "home_timezone",
            Text("所在时区", "Timezone"),
            "text",
            Text("客户所在的时区", "Timezone in which the customer lives"),
            needs=("customer.timezone",),
        ),
    ),
    sql="""
    WITH cities AS (
        SELECT city, count(*) AS customers FROM customer WHERE NOT city IS NULL GROUP BY city
    )
    SELECT
        customer.customer_id,
        cities.customers AS city_customers,
        ratio(cities.customers, (SELECT sum(customers) FROM cities)) AS city_share,
        customer.timezone AS home_timezone
    FROM customer
    LEFT JOIN cities ON cities.city = customer.city
    """,
)
