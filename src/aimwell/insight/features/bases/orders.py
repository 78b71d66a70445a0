"""Orders: one row per customer and order."""

from __future__ import annotations

from aimwell.insight.features.basis import BasisColumn, basis

ORDERS = basis(
    "orders",
    """
    SELECT
        customer_id,
        order_id,
        min(occurred_at) AS ordered_at,
        local_time(min(occurred_at)) AS local_at,
        days_between(min(occurred_at), as_of()) AS age,
        CAST(sum(amount) AS DECIMAL(18, 2)) AS amount,
        sum(amount) < 0 AS returned,
        count(*) AS lines,
        CAST(coalesce(sum(discount), 0) AS DECIMAL(18, 2)) AS discount,
        CAST(coalesce(sum(coupon_discount), 0) AS DECIMAL(18, 2)) AS coupon_discount,
        sum(flag(coupon_discount > 0)) AS coupon_lines,
        min(place) AS place,
        min(channel) AS channel
    FROM purchase
    GROUP BY customer_id, order_id
    """,
    needs=("purchase.amount",),
    columns=(
        BasisColumn("discount", "money", ("purchase.discount",)),
        BasisColumn("coupon_discount", "money", ("purchase.coupon_discount",)),
        BasisColumn("coupon_lines", "integer", ("purchase.coupon_discount",)),
        BasisColumn("place", "text", ("purchase.place",)),
        BasisColumn("channel", "text", ("purchase.channel",)),
    ),
)
