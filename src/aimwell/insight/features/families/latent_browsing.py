"""What a customer looks at and does not buy, and the baskets that were left behind."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.sessions import VIEWS
from aimwell.insight.features.family import Column, Threshold, query_family

_LEAST = Threshold(
    "browsed_least_views", 3, Text("浏览多少次才算有兴趣", "Views from which a category counts as looked at")
)

BROWSING = query_family(
    "latent_browsing",
    "latent_demand",
    Text("浏览未购", "Looked at, not bought"),
    needs=("event.properties", "product.category", "purchase.product_id"),
    reads=(VIEWS,),
    thresholds=(_LEAST,),
    columns=(
        Column(
            "browsed_category",
            Text("浏览未购类目", "Category looked at"),
            "text",
            Text(
                "推断：近28天浏览足够多（默认三次）、其间未购买的类目中，浏览次数比自己以往最多的一个",
                "Inferred: of the categories viewed often enough (by default 3 times) in the last 28 days and not "
                "bought, the one viewed most beyond the customer's own habit; ties by name",
            ),
            inferred=True,
        ),
        Column(
            "browsed_views",
            Text("该类目浏览次数", "Views of that category"),
            "integer",
            Text("近28天浏览该类目的次数", "Views of that category in the last 28 days"),
            unit=Text("次", "views"),
            empty=0,
        ),
        Column(
            "browsed_categories",
            Text("浏览未购类目数", "Categories looked at"),
            "integer",
            Text("近28天浏览过而未购买的类目数", "Categories viewed and not bought in the last 28 days"),
            unit=units.CATEGORIES,
            empty=0,
        ),
    ),
    sql="""
    WITH looked AS (
        SELECT
            customer_id,
            category,
            sum(flag(occurred_at >= days_before(28))) AS now_views,
            sum(flag(occurred_at < days_before(28))) AS past_views
        FROM views
        WHERE NOT category IS NULL
        GROUP BY customer_id, category
    ),
    bought AS (
        SELECT DISTINCT purchase.customer_id, product.category
        FROM purchase
        JOIN product ON product.product_id = purchase.product_id
        WHERE purchase.occurred_at >= days_before(28) AND purchase.amount > 0
    ),
    unbought AS (
        SELECT
            looked.customer_id,
            looked.category,
            looked.now_views,
            ratio(looked.past_views, 5.5) AS usual_views
        FROM looked
        LEFT JOIN bought ON bought.customer_id = looked.customer_id AND bought.category = looked.category
        WHERE bought.category IS NULL AND looked.now_views > 0
    ),
    placed AS (
        SELECT
            customer_id,
            category,
            now_views,
            row_number() OVER (
                PARTITION BY customer_id
                ORDER BY
                    flag(now_views >= setting('browsed_least_views')) DESC,
                    now_views - usual_views DESC,
                    category
            ) AS place,
            count(*) OVER (PARTITION BY customer_id) AS categories
        FROM unbought
    )
    SELECT
        customer_id,
        CASE WHEN now_views >= setting('browsed_least_views') THEN category END AS browsed_category,
        CASE WHEN now_views >= setting('browsed_least_views') THEN now_views ELSE 0 END AS browsed_views,
        categories AS browsed_categories
    FROM placed
    WHERE place = 1
    """,
)

BASKETS = query_family(
    "latent_baskets",
    "latent_demand",
    Text("遗弃购物车", "Baskets left behind"),
    needs=("event.name", "purchase.amount"),
    columns=(
        Column(
            "baskets_left_28d",
            Text("近28天遗弃购物车", "Baskets left (28 days)"),
            "integer",
            Text(
                "近28天加入购物车而当天没有购买的天数",
                "Days of the last 28 on which something was put in the basket and nothing was bought",
            ),
            unit=units.DAYS,
            measure="baskets_left",
            empty=0,
        ),
        Column(
            "baskets_left_84d",
            Text("近84天遗弃购物车", "Baskets left (84 days)"),
            "integer",
            Text(
                "近84天加入购物车而当天没有购买的天数",
                "Days of the last 84 on which something was put in the basket and nothing was bought",
            ),
            unit=units.DAYS,
            measure="baskets_left",
            empty=0,
        ),
        Column(
            "basket_left_last_days",
            Text("距上次遗弃购物车", "Days since a basket was left"),
            "integer",
            Text("距最近一次遗弃购物车的整天数", "Whole days since a basket was last left behind"),
            unit=units.DAYS,
        ),
        Column(
            "basket_left_share",
            Text("购物车遗弃率", "Share of baskets left"),
            "share",
            Text(
                "近182天加购的日子中当天没有购买的比例", "Share of the days with a basket, last 182, without a purchase"
            ),
        ),
    ),
    sql="""
    WITH filled AS (
        SELECT customer_id, local_date(occurred_at) AS day, max(occurred_at) AS filled_at
        FROM event
        WHERE name = 'product_added' AND occurred_at >= days_before(182)
        GROUP BY customer_id, local_date(occurred_at)
    ),
    paid AS (
        SELECT DISTINCT customer_id, local_date(occurred_at) AS day
        FROM purchase
        WHERE amount > 0 AND occurred_at >= days_before(183)
    ),
    fates AS (
        SELECT filled.customer_id, filled.filled_at, paid.day IS NULL AS is_left
        FROM filled
        LEFT JOIN paid ON paid.customer_id = filled.customer_id AND paid.day = filled.day
    )
    SELECT
        customer_id,
        sum(flag(is_left AND filled_at >= days_before(28))) AS baskets_left_28d,
        sum(flag(is_left AND filled_at >= days_before(84))) AS baskets_left_84d,
        days_between(max(CASE WHEN is_left THEN filled_at END), as_of()) AS basket_left_last_days,
        mean(flag(is_left)) AS basket_left_share
    FROM fates
    GROUP BY customer_id
    """,
)
