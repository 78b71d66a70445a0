"""Goods: one row per customer and product, and the departments and brands that they make up."""

from __future__ import annotations

from aimwell.insight.features.basis import BasisColumn, basis

GOODS = basis(
    "goods",
    """
    WITH bought AS (
        SELECT
            customer_id,
            product_id,
            min(occurred_at) AS first_at,
            max(occurred_at) AS last_at,
            sum(flag(amount >= 0)) AS lines,
            CAST(sum(amount) AS DECIMAL(18, 2)) AS amount,
            CAST(sum(CASE WHEN occurred_at >= days_before(112) THEN amount ELSE 0 END) AS DECIMAL(18, 2)) AS amount_112,
            CAST(sum(CASE WHEN occurred_at >= days_before(364) THEN amount ELSE 0 END) AS DECIMAL(18, 2)) AS amount_year
        FROM purchase
        WHERE NOT product_id IS NULL
        GROUP BY customer_id, product_id
    )
    SELECT
        bought.customer_id,
        bought.product_id,
        bought.first_at,
        bought.last_at,
        bought.lines,
        bought.amount,
        bought.amount_112,
        bought.amount_year,
        product.department AS department,
        product.category AS category,
        product.brand AS brand,
        product.own_brand AS own_brand
    FROM bought
    LEFT JOIN product ON product.product_id = bought.product_id
    """,
    needs=("purchase.amount", "purchase.product_id", "product.product_id"),
    columns=(
        BasisColumn("department", "text", ("product.department",)),
        BasisColumn("category", "text", ("product.category",)),
        BasisColumn("brand", "text", ("product.brand",)),
        BasisColumn("own_brand", "boolean", ("product.own_brand",)),
    ),
)

DEPARTMENTS = basis(
    "departments",
    """
    SELECT
        purchase.customer_id,
        product.department,
        min(purchase.occurred_at) AS first_at,
        max(purchase.occurred_at) AS last_at,
        sum(flag(purchase.amount >= 0)) AS lines,
        CAST(sum(purchase.amount) AS DECIMAL(18, 2)) AS amount,
        CAST(sum(CASE WHEN purchase.occurred_at >= days_before(112) THEN purchase.amount ELSE 0 END)
            AS DECIMAL(18, 2)) AS amount_112,
        CAST(sum(CASE WHEN purchase.occurred_at >= days_before(364) THEN purchase.amount ELSE 0 END)
            AS DECIMAL(18, 2)) AS amount_year
    FROM purchase
    JOIN product ON product.product_id = purchase.product_id
    WHERE NOT product.department IS NULL
    GROUP BY purchase.customer_id, product.department
    """,
    needs=("purchase.amount", "purchase.product_id", "product.department"),
)
"""Read from the purchases themselves: a customer's goods are nearly as many, and most predictions need no goods."""

BRANDS = basis(
    "brands",
    """
    SELECT
        customer_id,
        category,
        brand,
        sum(lines) AS lines,
        CAST(sum(amount) AS DECIMAL(18, 2)) AS amount,
        CAST(sum(amount_year) AS DECIMAL(18, 2)) AS amount_year
    FROM goods
    WHERE NOT brand IS NULL
    GROUP BY customer_id, category, brand
    """,
    needs=("product.brand",),
    reads=(GOODS,),
)
"""One row per customer, category and brand."""
