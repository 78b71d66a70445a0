"""Days: one row per customer and local day with an order, and the weeks before the cut that they make up."""

from __future__ import annotations

from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.basis import basis

DAYS = basis(
    "days",
    """
    WITH bought AS (
        SELECT
            customer_id,
            CAST(local_at AS DATE) AS day,
            count(*) AS orders,
            sum(amount) AS amount
        FROM orders
        WHERE NOT returned
        GROUP BY customer_id, CAST(local_at AS DATE)
    )
    SELECT
        customer_id,
        day,
        orders,
        CAST(amount AS DECIMAL(18, 2)) AS amount,
        days_between(day, as_of_day()) AS age,
        days_between(lag(day) OVER (PARTITION BY customer_id ORDER BY day), day) AS gap,
        row_number() OVER (PARTITION BY customer_id ORDER BY day) AS nth
    FROM bought
    """,
    needs=("purchase.amount",),
    reads=(ORDERS,),
)
"""`gap` is the number of days since the day before on which the customer bought, empty on the first; `nth` counts from
the first day."""

WEEKS = basis(
    "weeks",
    """
    SELECT
        customer_id,
        greatest(whole(ratio(age - 1, 7)), 0) AS week,
        sum(orders) AS orders,
        CAST(sum(amount) AS DECIMAL(18, 2)) AS amount
    FROM days
    GROUP BY customer_id, greatest(whole(ratio(age - 1, 7)), 0)
    """,
    needs=("purchase.amount",),
    reads=(DAYS,),
)
"""`week` 0 is the seven local days before the day of the cut."""
