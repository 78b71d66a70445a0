"""What a basket looks like: how many lines, how often a large one, and which kind of basket is usual."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.orders import ORDERS
from aimwell.insight.features.family import Column, Threshold, query_family

_SMALL = Threshold(
    "small_basket_lines", 4, Text("不超过这么多行的订单算小单", "orders of at most so many lines are small")
)
_LARGE = Threshold(
    "large_basket_lines", 20, Text("不少于这么多行的订单算大单", "orders of at least so many lines are large")
)

BASKETS = query_family(
    "baskets",
    "preference",
    Text("购物篮", "Basket"),
    needs=("purchase.amount",),
    reads=(ORDERS,),
    thresholds=(_SMALL, _LARGE),
    columns=(
        Column(
            "lines_per_order_84d",
            Text("每单行数（近84天）", "Lines per order (last 84 days)"),
            "number",
            Text("近84天平均每单的商品行数", "Mean number of lines per order in the last 84 days"),
            unit=units.LINES,
            measure="lines_per_order",
        ),
        Column(
            "lines_per_order_ever",
            Text("每单行数（历史以来）", "Lines per order (all of history)"),
            "number",
            Text("历史以来平均每单的商品行数", "Mean number of lines per order in all of history"),
            unit=units.LINES,
            measure="lines_per_order",
        ),
        Column(
            "lines_bought_84d",
            Text("购买行数（近84天）", "Lines bought (last 84 days)"),
            "integer",
            Text("近84天购买的商品行数", "Lines bought in the last 84 days"),
            unit=units.LINES,
            empty=0,
        ),
        Column(
            "large_basket_share",
            Text("大单占比", "Share of large baskets"),
            "share",
            Text(
                "近364天订单中行数不少于 large_basket_lines 的比例",
                "Share of the orders of the last 364 days with at least `large_basket_lines` lines",
            ),
        ),
        Column(
            "small_basket_share",
            Text("小单占比", "Share of small baskets"),
            "share",
            Text(
                "近364天订单中行数不超过 small_basket_lines 的比例",
                "Share of the orders of the last 364 days with at most `small_basket_lines` lines",
            ),
        ),
        Column(
            "basket_class",
            Text("购物方式", "Way of shopping"),
            "text",
            Text(
                "由近364天大单、小单的占比推断：囤货（大单过三分之一）、零买（小单过三分之二）、日常",
                "Inferred from the share of large and small baskets of the last 364 days: stocks up (over a third "
                "large), top-up (over two thirds small), everyday",
            ),
            inferred=True,
            words={
                "stocks_up": Text("囤货", "stocks up"),
                "top_up": Text("零买", "top-up"),
                "everyday": Text("日常", "everyday"),
            },
        ),
        Column(
            "days_since_large_basket",
            Text("距上次大单天数", "Days since a large basket"),
            "integer",
            Text(
                "距最近一次行数不少于 large_basket_lines 的订单的天数",
                "Days since the last order with at least `large_basket_lines` lines",
            ),
            unit=units.DAYS,
        ),
    ),
    sql="""
    WITH sizes AS (
        SELECT
            customer_id,
            mean(CASE WHEN ordered_at >= days_before(84) THEN lines END) AS lines_84,
            mean(lines) AS lines_ever,
            sum(CASE WHEN ordered_at >= days_before(84) THEN lines ELSE 0 END) AS bought_84,
            mean(CASE WHEN ordered_at >= days_before(364) THEN flag(lines >= setting('large_basket_lines')) END)
                AS large,
            mean(CASE WHEN ordered_at >= days_before(364) THEN flag(lines <= setting('small_basket_lines')) END)
                AS small,
            min(CASE WHEN lines >= setting('large_basket_lines') THEN age END) AS large_age
        FROM orders
        WHERE NOT returned
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        lines_84 AS lines_per_order_84d,
        lines_ever AS lines_per_order_ever,
        bought_84 AS lines_bought_84d,
        large AS large_basket_share,
        small AS small_basket_share,
        CASE
            WHEN 3 * large > 1 THEN 'stocks_up'
            WHEN 3 * small > 2 THEN 'top_up'
            WHEN NOT large IS NULL THEN 'everyday'
        END AS basket_class,
        large_age AS days_since_large_basket
    FROM sizes
    """,
)
