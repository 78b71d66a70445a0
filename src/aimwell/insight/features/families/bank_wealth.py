"""What wealth products a customer buys: how often, of which term and risk, and what on sale would fit."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, query_family

_TIMES = Text("次", "contracts")

WEALTH = query_family(
    "bank_wealth",
    "preference",
    Text("理财偏好", "Taste in wealth products"),
    needs=("purchase.amount", "purchase.product_id", "product.risk_level", "product.term_days"),
    columns=(
        Column(
            "wealth_contracts_364d",
            Text("近一年理财笔数", "Wealth contracts (year)"),
            "integer",
            Text("近364天购买有风险等级产品的笔数", "Contracts for products with a risk level in the last 364 days"),
            unit=_TIMES,
            empty=0,
        ),
        Column(
            "wealth_bought_364d",
            Text("近一年理财金额", "Wealth bought (year)"),
            "money",
            Text("近364天购买有风险等级产品的金额", "Amount of these contracts in the last 364 days"),
            empty=0,
        ),
        Column(
            "wealth_last_days",
            Text("距上次购买理财天数", "Days since a wealth contract"),
            "integer",
            Text("距最近一次购买理财的整天数；从未购买则为空", "Whole days since the last one; empty if there is none"),
            unit=units.DAYS,
        ),
        Column(
            "wealth_ever",
            Text("买过理财", "Ever bought wealth products"),
            "boolean",
            Text("是否买过有风险等级的产品", "Whether a product with a risk level was ever bought"),
            empty=False,
        ),
        Column(
            "term_preferred",
            Text("偏好期限", "Term preferred"),
            "number",
            Text("所购有期限产品按金额加权的平均天数", "Mean term in days of what was bought, by amount"),
            unit=units.DAYS,
        ),
        Column(
            "risk_bought",
            Text("所购风险", "Risk bought"),
            "number",
            Text("所购产品按金额加权的平均风险等级", "Mean risk level of what was bought, by amount"),
        ),
        Column(
            "wealth_category",
            Text("偏好理财类别", "Kind of wealth product preferred"),
            "text",
            Text("按购买金额最多的类别", "Category with the largest amount bought; ties by name"),
            needs=("product.category",),
        ),
    ),
    sql="""
    WITH bought AS (
        SELECT
            purchase.customer_id,
            purchase.occurred_at,
            purchase.amount,
            product.category,
            product.risk_level,
            product.term_days
        FROM purchase
        JOIN product ON product.product_id = purchase.product_id
        WHERE purchase.amount > 0 AND NOT product.risk_level IS NULL
    ),
    kinds AS (
        SELECT customer_id, category, sum(amount) AS amount
        FROM bought
        WHERE NOT category IS NULL
        GROUP BY customer_id, category
    ),
    liked AS (
        SELECT
            customer_id,
            category,
            row_number() OVER (PARTITION BY customer_id ORDER BY amount DESC, category) AS place
        FROM kinds
    ),
    sums AS (
        SELECT
            customer_id,
            sum(flag(occurred_at >= days_before(364))) AS contracts,
            sum(CASE WHEN occurred_at >= days_before(364) THEN amount ELSE 0 END) AS amount,
            days_between(max(occurred_at), as_of()) AS last_days,
            ratio(
                sum(CASE WHEN NOT term_days IS NULL THEN CAST(amount AS DOUBLE) * term_days END),
                sum(CASE WHEN NOT term_days IS NULL THEN amount END)
            ) AS term,
            ratio(sum(CAST(amount AS DOUBLE) * risk_level), sum(amount)) AS risk
        FROM bought
        GROUP BY customer_id
    )
    SELECT
        sums.customer_id,
        sums.contracts AS wealth_contracts_364d,
        sums.amount AS wealth_bought_364d,
        sums.last_days AS wealth_last_days,
        TRUE AS wealth_ever,
        sums.term AS term_preferred,
        sums.risk AS risk_bought,
        liked.category AS wealth_category
    FROM sums
    LEFT JOIN liked ON liked.customer_id = sums.customer_id AND liked.place = 1
    """,
)

ON_SALE = query_family(
    "bank_on_sale",
    "latent_demand",
    Text("在售匹配产品", "Products on sale that fit"),
    needs=("customer.risk_level", "product.risk_level", "product.available_since", "product.available_until"),
    columns=(
        Column(
            "matching_on_sale",
            Text("在售匹配产品数", "Products on sale that fit"),
            "integer",
            Text(
                "今天在售且风险不高于客户等级的产品数",
                "Products on sale today whose risk is not above the customer's tested level",
            ),
            unit=units.PRODUCTS,
            empty=0,
        ),
    ),
    sql="""
    WITH shelf AS (
        SELECT risk_level, count(*) AS products
        FROM product
        WHERE NOT risk_level IS NULL AND available_since < as_of()
            AND (available_until IS NULL OR available_until >= as_of())
        GROUP BY risk_level
    )
    SELECT customer.customer_id, sum(shelf.products) AS matching_on_sale
    FROM customer
    JOIN shelf ON shelf.risk_level <= customer.risk_level
    GROUP BY customer.customer_id
    """,
)
