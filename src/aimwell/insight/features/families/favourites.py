"""What a customer likes best: the department, category and brand that take most of the spend."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.categories import CATEGORIES
from aimwell.insight.features.bases.goods import BRANDS, DEPARTMENTS
from aimwell.insight.features.basis import Basis
from aimwell.insight.features.family import Column, Family, query_family


def _favourite(what: str, label: Text, *, reads: Basis, rows: str) -> Family:
    said = Text(f"近364天消费额最高的{label.zh}", f"The {label.en} with the highest spend in the last 364 days")
    return query_family(
        f"favourite_{what}",
        "preference",
        Text(f"{label.zh}偏好", f"Favourite {label.en}"),
        needs=(f"product.{what}",),
        reads=(reads,),
        columns=(
            Column(f"top_{what}", Text(f"最爱{label.zh}", f"Top {label.en}"), "text", said),
            Column(
                f"top_{what}_share",
                Text(f"最爱{label.zh}占比", f"Share of the top {label.en}"),
                "share",
                Text(
                    f"最爱{label.zh}占近364天消费额的比例",
                    f"Share of the top {label.en} in the spend of the last 364 days",
                ),
            ),
        ),
        sql=rows,
    )


DEPARTMENT = _favourite(
    "department",
    Text("部门", "department"),
    reads=DEPARTMENTS,
    rows="""
    SELECT
        customer_id,
        arg_max(department, (amount_year, department)) AS top_department,
        ratio(max(amount_year), sum(amount_year)) AS top_department_share
    FROM departments
    WHERE amount_year > 0
    GROUP BY customer_id
    """,
)

CATEGORY = _favourite(
    "category",
    Text("品类", "category"),
    reads=CATEGORIES,
    rows="""
    SELECT
        customer_id,
        arg_max(category, (amount_year, category)) AS top_category,
        ratio(max(amount_year), sum(amount_year)) AS top_category_share
    FROM categories
    WHERE amount_year > 0
    GROUP BY customer_id
    """,
)

BRAND = _favourite(
    "brand",
    Text("品牌", "brand"),
    reads=BRANDS,
    rows="""
    WITH totals AS (
        SELECT customer_id, brand, sum(amount_year) AS amount_year
        FROM brands
        GROUP BY customer_id, brand
    )
    SELECT
        customer_id,
        arg_max(brand, (amount_year, brand)) AS top_brand,
        ratio(max(amount_year), sum(amount_year)) AS top_brand_share
    FROM totals
    WHERE amount_year > 0
    GROUP BY customer_id
    """,
)
