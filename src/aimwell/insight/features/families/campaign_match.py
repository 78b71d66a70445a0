"""How the goods of one campaign fit a customer: what he bought of the products that it gives coupons for."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, query_family

CAMPAIGN_GOODS = "campaign_goods"
"""The relation that whoever asks about a campaign gives: its coupons as rows of `code` and `product_id`."""

_GOODS = Text("活动券商品", "products with a coupon of the campaign")


def _count(name: str, label: Text, meaning: Text, unit: Text) -> Column:
    return Column(name, label, "integer", meaning, unit=unit, empty=0)


CAMPAIGN_MATCH = query_family(
    "campaign_match",
    "preference",
    Text("与活动的契合", "Fit with a campaign"),
    needs=("purchase.product_id", "product.product_id"),
    given=(CAMPAIGN_GOODS,),
    columns=(
        _count(
            "campaign_lines_28d",
            Text("活动券商品行数（近28天）", "Lines of the campaign's goods (28 days)"),
            Text(f"近28天购买{_GOODS.zh}的行数", f"Lines of {_GOODS.en} in the last 28 days"),
            units.LINES,
        ),
        _count(
            "campaign_lines_112d",
            Text("活动券商品行数（近112天）", "Lines of the campaign's goods (112 days)"),
            Text(f"近112天购买{_GOODS.zh}的行数", f"Lines of {_GOODS.en} in the last 112 days"),
            units.LINES,
        ),
        _count(
            "campaign_products",
            Text("买过的活动券商品数", "Products of the campaign bought"),
            Text(f"近112天买过的{_GOODS.zh}种数", f"Different {_GOODS.en} bought in the last 112 days"),
            units.PRODUCTS,
        ),
        _count(
            "campaign_orders",
            Text("含活动券商品的订单数", "Orders with the campaign's goods"),
            Text(f"近112天含{_GOODS.zh}的订单数", f"Orders of the last 112 days with {_GOODS.en}"),
            units.ORDERS,
        ),
        Column(
            "campaign_spend",
            Text("活动券商品消费额", "Spend on the campaign's goods"),
            "money",
            Text(f"近112天购买{_GOODS.zh}的金额", f"Spend on {_GOODS.en} in the last 112 days"),
            empty=0,
        ),
        Column(
            "campaign_spend_share",
            Text("活动券商品消费占比", "Share of spend on the campaign's goods"),
            "share",
            Text(f"近112天消费额中{_GOODS.zh}的比例", f"Share of {_GOODS.en} in the spend of the last 112 days"),
            empty=0,
        ),
        Column(
            "campaign_days_since",
            Text("距上次买活动券商品天数", "Days since the campaign's goods"),
            "integer",
            Text(f"距近112天内最近一次购买{_GOODS.zh}的天数", f"Days since {_GOODS.en} were last bought, within 112"),
            unit=units.DAYS,
        ),
        _count(
            "campaign_codes",
            Text("用得上的券数", "Coupons that fit"),
            Text("近112天买过其商品的券数", "Coupons of which some product was bought in the last 112 days"),
            Text("张", "coupons"),
        ),
        _count(
            "campaign_codes_again",
            Text("常用得上的券数", "Coupons that fit again and again"),
            Text("近112天至少两单买过其商品的券数", "Coupons whose products were in two orders or more of 112 days"),
            Text("张", "coupons"),
        ),
        _count(
            "campaign_narrow_codes",
            Text("用得上的专用券数", "Narrow coupons that fit"),
            Text(
                "其中适用商品不超过200种的券数",
                "Those of them that are good for at most 200 products",
            ),
            Text("张", "coupons"),
        ),
        Column(
            "campaign_code_orders",
            Text("券契合度", "Strength of fit"),
            "number",
            Text(
                "各券相关订单数加一的自然对数之和（近112天）",
                "Sum over the coupons of the logarithm of one plus the orders with their products (112 days)",
            ),
            empty=0,
        ),
        Column(
            "campaign_shelf_share",
            Text("活动相关细类消费占比", "Share of spend on the campaign's shelves"),
            "share",
            Text(
                "近112天消费额中与活动券商品同细类的比例",
                "Share of the spend of the last 112 days on the subcategories of the campaign's products",
            ),
            empty=0,
            needs=("product.subcategory",),
        ),
    ),
    uses=("product.subcategory",),
    sql="""
    WITH offered AS (
        SELECT product_id FROM campaign_goods GROUP BY product_id
    ),
    codes AS (
        SELECT code, count(DISTINCT product_id) AS products FROM campaign_goods GROUP BY code
    ),
    lines AS (
        SELECT customer_id, order_id, product_id, occurred_at, amount
        FROM purchase
        WHERE occurred_at >= days_before(112) AND amount >= 0 AND NOT product_id IS NULL
    ),
    bought AS (
        SELECT lines.customer_id, lines.order_id, lines.product_id, lines.occurred_at, lines.amount
        FROM lines
        JOIN offered ON offered.product_id = lines.product_id
    ),
    matched AS (
        SELECT
            customer_id,
            sum(flag(occurred_at >= days_before(28))) AS lines_28,
            count(*) AS lines_112,
            count(DISTINCT product_id) AS products,
            count(DISTINCT order_id) AS orders,
            sum(amount) AS spend,
            days_between(max(occurred_at), as_of()) AS since
        FROM bought
        GROUP BY customer_id
    ),
    by_code AS (
        SELECT bought.customer_id, given.code, count(DISTINCT bought.order_id) AS orders
        FROM bought
        JOIN campaign_goods AS given ON given.product_id = bought.product_id
        GROUP BY bought.customer_id, given.code
    ),
    coded AS (
        SELECT
            by_code.customer_id,
            count(*) AS codes,
            sum(flag(by_code.orders >= 2)) AS again,
            sum(flag(codes.products <= 200)) AS narrow,
            sum(ln(1 + by_code.orders)) AS strength
        FROM by_code
        JOIN codes ON codes.code = by_code.code
        GROUP BY by_code.customer_id
    ),
    shelves AS (
        SELECT product.subcategory
        FROM offered
        JOIN product ON product.product_id = offered.product_id
        WHERE NOT product.subcategory IS NULL
        GROUP BY product.subcategory
    ),
    spent AS (
        SELECT
            lines.customer_id,
            sum(lines.amount) AS spend,
            sum(CASE WHEN NOT shelves.subcategory IS NULL THEN lines.amount ELSE 0 END) AS shelf_spend
        FROM lines
        LEFT JOIN product ON product.product_id = lines.product_id
        LEFT JOIN shelves ON shelves.subcategory = product.subcategory
        GROUP BY lines.customer_id
    )
    SELECT
        spent.customer_id,
        coalesce(matched.lines_28, 0) AS campaign_lines_28d,
        coalesce(matched.lines_112, 0) AS campaign_lines_112d,
        coalesce(matched.products, 0) AS campaign_products,
        coalesce(matched.orders, 0) AS campaign_orders,
        coalesce(matched.spend, 0) AS campaign_spend,
        ratio(coalesce(matched.spend, 0), spent.spend) AS campaign_spend_share,
        matched.since AS campaign_days_since,
        coalesce(coded.codes, 0) AS campaign_codes,
        coalesce(coded.again, 0) AS campaign_codes_again,
        coalesce(coded.narrow, 0) AS campaign_narrow_codes,
        coalesce(coded.strength, 0) AS campaign_code_orders,
        ratio(spent.shelf_spend, spent.spend) AS campaign_shelf_share
    FROM spent
    LEFT JOIN matched ON matched.customer_id = spent.customer_id
    LEFT JOIN coded ON coded.customer_id = spent.customer_id
    """,
)
