"""Own brand or maker's brand, and how faithful a customer is to one brand within a category."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.goods import BRANDS
from aimwell.insight.features.family import Column, query_family

OWN_BRAND = query_family(
    "own_brand",
    "preference",
    Text("自有品牌", "Own brand"),
    needs=("purchase.amount", "purchase.product_id", "product.own_brand"),
    columns=(
        Column(
            "own_brand_share_112d",
            Text("自有品牌占比（近112天）", "Own-brand share (last 112 days)"),
            "share",
            Text("近112天消费中自有品牌的比例", "Share of own-brand products in the spend of the last 112 days"),
            measure="own_brand_share",
        ),
        Column(
            "own_brand_share_364d",
            Text("自有品牌占比（近364天）", "Own-brand share (last 364 days)"),
            "share",
            Text("近364天消费中自有品牌的比例", "Share of own-brand products in the spend of the last 364 days"),
            measure="own_brand_share",
        ),
    ),
    sql="""
    WITH spent AS (
        SELECT
            purchase.customer_id,
            product.own_brand,
            sum(CASE WHEN purchase.occurred_at >= days_before(112) THEN purchase.amount ELSE 0 END) AS amount_112,
            sum(purchase.amount) AS amount_year
        FROM purchase
        JOIN product ON product.product_id = purchase.product_id
        WHERE NOT product.own_brand IS NULL AND purchase.occurred_at >= days_before(364)
        GROUP BY purchase.customer_id, product.own_brand
    )
    SELECT
        customer_id,
        ratio(sum(CASE WHEN own_brand AND amount_112 > 0 THEN amount_112 ELSE 0 END), sum(greatest(amount_112, 0)))
            AS own_brand_share_112d,
        ratio(sum(CASE WHEN own_brand AND amount_year > 0 THEN amount_year ELSE 0 END), sum(greatest(amount_year, 0)))
            AS own_brand_share_364d
    FROM spent
    GROUP BY customer_id
    """,
)

BRAND_LOYALTY = query_family(
    "brand_loyalty",
    "preference",
    Text("品牌忠诚", "Brand loyalty"),
    needs=("product.brand", "product.category"),
    reads=(BRANDS,),
    columns=(
        Column(
            "brand_loyalty",
            Text("品牌忠诚度", "Brand loyalty"),
            "share",
            Text(
                "在买过至少3行的各品类中，最爱品牌占该品类消费的比例，按消费额加权平均",
                "Share of the favourite brand within each category of at least three lines, weighted by spend",
            ),
        ),
    ),
    sql="""
    WITH shelves AS (
        SELECT customer_id, category, max(amount) AS best, sum(amount) AS amount
        FROM brands
        WHERE amount > 0 AND NOT category IS NULL
        GROUP BY customer_id, category
        HAVING sum(lines) >= 3
    )
    SELECT customer_id, ratio(sum(best), sum(amount)) AS brand_loyalty
    FROM shelves
    GROUP BY customer_id
    """,
)
