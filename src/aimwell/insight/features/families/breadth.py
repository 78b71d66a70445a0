"""How widely a customer buys: products and categories, how many of them new, how many again and again."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.categories import CATEGORIES
from aimwell.insight.features.bases.goods import GOODS
from aimwell.insight.features.family import Column, query_family


def _products(days: int) -> Column:
    return Column(
        f"products_{days}d",
        Text(f"购买商品种数（近{days}天）", f"Products bought (last {days} days)"),
        "integer",
        Text(f"近{days}天买过的不同商品数", f"Different products bought in the last {days} days"),
        unit=units.PRODUCTS,
        measure="products",
        empty=0,
    )


def _categories(days: int) -> Column:
    return Column(
        f"categories_{days}d",
        Text(f"购买品类数（近{days}天）", f"Categories bought (last {days} days)"),
        "integer",
        Text(f"近{days}天买过的不同品类数", f"Different categories bought in the last {days} days"),
        unit=units.CATEGORIES,
        measure="categories",
        empty=0,
    )


PRODUCT_BREADTH = query_family(
    "product_breadth",
    "preference",
    Text("商品广度", "Breadth of products"),
    needs=(),
    reads=(GOODS,),
    columns=(
        _products(28),
        _products(112),
        _products(364),
        Column(
            "new_product_share",
            Text("尝新比例", "Share of new products"),
            "share",
            Text(
                "近84天买过的商品中此前从未买过的比例；首购不足84天时不可知",
                "Share of the products bought in the last 84 days that had never been bought before; unknown in the "
                "first 84 days",
            ),
        ),
        Column(
            "repeat_product_share",
            Text("复购商品占比", "Share of products bought again"),
            "share",
            Text("买过的商品中至少买过两次的比例", "Share of the products ever bought that were bought at least twice"),
        ),
        Column(
            "favourite_product_lines",
            Text("最常买商品次数", "Times the favourite product was bought"),
            "integer",
            Text("买得最多的一种商品的购买次数", "How often the product bought most often was bought"),
            unit=Text("次", "times"),
            empty=0,
        ),
    ),
    sql="""
    WITH begun AS (
        SELECT customer_id, first_at, last_at, lines, min(first_at) OVER (PARTITION BY customer_id) AS began_at
        FROM goods
    )
    SELECT
        customer_id,
        sum(flag(last_at >= days_before(28))) AS products_28d,
        sum(flag(last_at >= days_before(112))) AS products_112d,
        sum(flag(last_at >= days_before(364))) AS products_364d,
        CASE
            WHEN min(began_at) < days_before(84)
                THEN ratio(sum(flag(first_at >= days_before(84))), sum(flag(last_at >= days_before(84))))
        END AS new_product_share,
        mean(flag(lines >= 2)) AS repeat_product_share,
        max(lines) AS favourite_product_lines
    FROM begun
    GROUP BY customer_id
    """,
)

CATEGORY_BREADTH = query_family(
    "category_breadth",
    "preference",
    Text("品类广度", "Breadth of categories"),
    needs=(),
    reads=(CATEGORIES,),
    columns=(
        _categories(28),
        _categories(112),
        _categories(364),
        Column(
            "category_variety",
            Text("品类多样度", "Variety of categories"),
            "number",
            Text(
                "近364天消费的有效品类数（消费占比平方和的倒数）：1 表示只买一类",
                "Effective number of categories in the last 364 days (one over the sum of squared spend shares): 1 if "
                "all goes to one",
            ),
            unit=units.CATEGORIES,
        ),
        Column(
            "regular_categories",
            Text("常购品类数", "Regular categories"),
            "integer",
            Text("近84天至少买过3次的品类数", "Categories bought in at least three orders of the last 84 days"),
            unit=units.CATEGORIES,
            empty=0,
        ),
        Column(
            "new_categories_84d",
            Text("新品类数（近84天）", "New categories (last 84 days)"),
            "integer",
            Text(
                "近84天首次购买的品类数",
                "Categories bought for the first time in the last 84 days",
            ),
            unit=units.CATEGORIES,
            empty=0,
        ),
    ),
    sql="""
    SELECT
        customer_id,
        sum(flag(last_at >= days_before(28))) AS categories_28d,
        sum(flag(last_at >= days_before(112))) AS categories_112d,
        sum(flag(last_at >= days_before(364))) AS categories_364d,
        ratio(
            CAST(sum(amount_year) AS DOUBLE) * CAST(sum(amount_year) AS DOUBLE), sum(amount_year * amount_year)
        ) AS category_variety,
        sum(flag(orders_84 >= 3)) AS regular_categories,
        sum(flag(first_at >= days_before(84))) AS new_categories_84d
    FROM categories
    GROUP BY customer_id
    """,
)
