"""Sessions: one row per customer and visit to an app, site or mini program."""

from __future__ import annotations

from aimwell.insight.features.basis import BasisColumn, basis

SESSIONS = basis(
    "sessions",
    """
    SELECT
        customer_id,
        session_id,
        min(occurred_at) AS began_at,
        min(channel) AS channel,
        count(*) AS events
    FROM event
    WHERE NOT session_id IS NULL
    GROUP BY customer_id, session_id
    """,
    needs=("event.session_id",),
    columns=(BasisColumn("channel", "text", ("event.channel",)),),
)

VIEWS = basis(
    "views",
    """
    SELECT
        event.customer_id,
        event.occurred_at,
        days_between(event.occurred_at, as_of()) AS age,
        product.product_id,
        product.category,
        product.risk_level
    FROM event
    JOIN product ON product.product_id = event.properties ->> 'product_id'
    WHERE event.name = 'product_viewed' AND event.occurred_at >= days_before(182)
    """,
    needs=("event.properties", "product.product_id"),
    columns=(
        BasisColumn("category", "text", ("product.category",)),
        BasisColumn("risk_level", "number", ("product.risk_level",)),
    ),
)
"""Products that were looked at in the last 182 days."""
