"""A way of life that purchases hint at: inferred, from categories that the company itself ties to ways of life.

The ties are rows of `relation`: head a product category, relation `lifestyle`, tail the way of life.
"""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.family import Column, query_family

LIFESTYLE = query_family(
    "app_lifestyle",
    "preference",
    Text("生活方式（推断）", "Way of life (inferred)"),
    needs=("relation.tail", "purchase.product_id", "product.category"),
    freshness="batch",
    columns=(
        Column(
            "lifestyle",
            Text("生活方式（推断）", "Way of life (inferred)"),
            "text",
            Text(
                "推断，非客户自述：近182天在某生活方式相关类目的购买占比高于全体平均1.5倍以上且至少3行，取倍数最高者",
                "Inferred, not stated: from the purchases of the last 182 days, the way of life whose categories take "
                "up at least 1.5 times the average share, in 3 lines or more; the highest counts, ties by name",
            ),
            inferred=True,
        ),
        Column(
            "lifestyle_strength",
            Text("生活方式强度", "Strength of the way of life"),
            "number",
            Text("推断：该占比与全体平均之比", "Inferred: that share over the average share"),
            unit=Text("倍", "times"),
            inferred=True,
        ),
    ),
    sql="""
    WITH lines AS (
        SELECT purchase.customer_id, relation.tail AS way
        FROM purchase
        JOIN product ON product.product_id = purchase.product_id
        LEFT JOIN relation ON relation.head = product.category AND relation.relation = 'lifestyle'
        WHERE purchase.occurred_at >= days_before(182) AND purchase.amount > 0
    ),
    own AS (
        SELECT customer_id, way, count(*) AS lines FROM lines GROUP BY customer_id, way
    ),
    totals AS (
        SELECT customer_id, sum(lines) AS lines FROM own GROUP BY customer_id
    ),
    everyone AS (
        SELECT way, ratio(sum(lines), (SELECT sum(lines) FROM own)) AS share FROM own GROUP BY way
    ),
    multiples AS (
        SELECT
            own.customer_id,
            own.way,
            ratio(ratio(own.lines, totals.lines), everyone.share) AS strength
        FROM own
        JOIN totals ON totals.customer_id = own.customer_id
        JOIN everyone ON everyone.way = own.way
        WHERE NOT own.way IS NULL AND own.lines >= 3
    ),
    best AS (
        SELECT
            customer_id,
            way,
            strength,
            row_number() OVER (PARTITION BY customer_id ORDER BY strength DESC, way) AS place
        FROM multiples
        WHERE strength >= 1.5
    )
    SELECT customer_id, way AS lifestyle, strength AS lifestyle_strength FROM best WHERE place = 1
    """,
)
