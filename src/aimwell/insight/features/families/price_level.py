"""Whether a customer buys the dear or the cheap products of a category."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.goods import GOODS
from aimwell.insight.features.family import Column, query_family

PRICE_LEVEL = query_family(
    "price_level",
    "preference",
    Text("价位偏好", "Price level"),
    needs=("purchase.quantity", "product.category"),
    reads=(GOODS,),
    freshness="batch",
    columns=(
        Column(
            "price_level",
            Text("价位", "Price level"),
            "number",
            Text(
                "所买商品的成交单价相对同品类商品的几何平均（按行加权）；1 为平均，2 为贵一倍",
                "Price paid per unit of the products bought against the geometric mean of their category, weighted by "
                "lines; 1 is average, 2 twice as dear",
            ),
            unit=units.TIMES,
        ),
    ),
    sql="""
    WITH sold AS (
        SELECT product_id, ln(ratio(sum(amount), sum(quantity))) AS price
        FROM purchase
        WHERE amount > 0 AND quantity > 0
        GROUP BY product_id
    ),
    priced AS (
        SELECT
            sold.product_id,
            sold.price - mean(sold.price) OVER (PARTITION BY product.category) AS premium
        FROM sold
        JOIN product ON product.product_id = sold.product_id
        WHERE NOT product.category IS NULL
    )
    SELECT goods.customer_id, exp(ratio(sum(goods.lines * priced.premium), sum(goods.lines))) AS price_level
    FROM goods
    JOIN priced ON priced.product_id = goods.product_id
    WHERE goods.lines > 0
    GROUP BY goods.customer_id
    """,
)
