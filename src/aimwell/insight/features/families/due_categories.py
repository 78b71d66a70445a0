"""What a customer is likely to need next: categories due by his own rhythm, and popular ones never bought."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.categories import CATEGORIES
from aimwell.insight.features.family import Column, Threshold, query_family

_RHYTHM = Text("按本人间隔（至少买过3次）", "by the customer's own gap (bought at least three times)")
_POPULAR = Threshold(
    "popular_categories",
    20,
    Text("近84天买的人最多的多少个品类算热门", "how many of the most widely bought categories are popular"),
)

DUE = query_family(
    "due_categories",
    "latent_demand",
    Text("到期品类", "Categories due"),
    needs=(),
    reads=(CATEGORIES,),
    columns=(
        Column(
            "due_categories",
            Text("到期品类数", "Categories due"),
            "integer",
            Text(
                f"{_RHYTHM.zh}已到或快到（间隔的八成至三倍）再次购买时间的品类数",
                f"Categories whose next purchase is due {_RHYTHM.en}: silent for 0.8 to 3 of those gaps",
            ),
            unit=units.CATEGORIES,
            empty=0,
        ),
        Column(
            "most_due_category",
            Text("最该补货的品类", "Category most due"),
            "text",
            Text("到期品类中近364天消费额最高的一个", "The category due with the highest spend of the last 364 days"),
            inferred=True,
        ),
        Column(
            "due_spend",
            Text("到期品类预期消费", "Spend due"),
            "money",
            Text("到期品类平均每次消费额之和", "Sum of the mean spend per order of the categories due"),
            empty=0,
        ),
    ),
    sql="""
    WITH rhythm AS (
        SELECT
            customer_id,
            category,
            amount_year,
            ratio(amount, orders) AS per_order,
            ratio(days_between(first_at, last_at), orders - 1) AS gap,
            days_between(last_at, as_of()) AS silence
        FROM categories
        WHERE orders >= 3
    )
    SELECT
        customer_id,
        count(*) AS due_categories,
        arg_max(category, (amount_year, category)) AS most_due_category,
        sum(per_order) AS due_spend
    FROM rhythm
    WHERE silence >= 0.8 * gap AND silence <= 3 * gap AND gap > 0
    GROUP BY customer_id
    """,
)

NEVER_BOUGHT = query_family(
    "never_bought",
    "latent_demand",
    Text("未买过的热门品类", "Popular categories never bought"),
    needs=(),
    reads=(CATEGORIES,),
    thresholds=(_POPULAR,),
    freshness="batch",
    columns=(
        Column(
            "popular_never_bought",
            Text("未买过的热门品类数", "Popular categories never bought"),
            "integer",
            Text(
                "热门品类（近84天买的人最多的 popular_categories 个）中从未买过的个数",
                "How many of the `popular_categories` most widely bought categories of the last 84 days the customer "
                "never bought",
            ),
            unit=units.CATEGORIES,
        ),
        Column(
            "next_popular_category",
            Text("最热门的未买品类", "Most popular category never bought"),
            "text",
            Text("从未买过的品类中买的人最多的一个", "The most widely bought category that the customer never bought"),
            inferred=True,
        ),
    ),
    sql="""
    WITH counted AS (
        SELECT category, sum(flag(last_at >= days_before(84))) AS buyers
        FROM categories
        GROUP BY category
    ),
    ranked AS (
        SELECT category, row_number() OVER (ORDER BY buyers DESC, category) AS place
        FROM counted
        WHERE buyers > 0
    ),
    popular AS (
        SELECT category, place FROM ranked WHERE place <= setting('popular_categories')
    ),
    people AS (
        SELECT customer_id FROM categories GROUP BY customer_id
    ),
    absent AS (
        SELECT
            people.customer_id,
            popular.place,
            CASE WHEN categories.category IS NULL THEN popular.category END AS category
        FROM people
        CROSS JOIN popular
        LEFT JOIN categories
            ON categories.customer_id = people.customer_id AND categories.category = popular.category
    )
    SELECT
        customer_id,
        count(category) AS popular_never_bought,
        arg_min(category, place) FILTER (WHERE NOT category IS NULL) AS next_popular_category
    FROM absent
    GROUP BY customer_id
    """,
)
