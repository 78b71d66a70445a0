"""Signs that a customer has money to invest and thinks about it."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.accounts import ACCOUNTS, SALARIES, STALE
from aimwell.insight.features.bases.sessions import VIEWS
from aimwell.insight.features.family import Column, Threshold, query_family

_IDLE = Threshold(
    "idle_money", 10_000, Text("闲置资金起算额", "Amount from which money that becomes free counts as idle")
)

WEALTH_SIGNALS = query_family(
    "latent_wealth",
    "latent_demand",
    Text("理财潜在需求", "Latent demand for wealth products"),
    needs=(
        "customer.customer_id",
        "balance.amount",
        "balance.matures_on",
        "event.properties",
        "product.risk_level",
        "purchase.product_id",
    ),
    reads=(ACCOUNTS, SALARIES, VIEWS),
    thresholds=(STALE, _IDLE),
    columns=(
        Column(
            "wealth_views_28d",
            Text("近28天浏览理财次数", "Wealth products viewed (28 days)"),
            "integer",
            Text("近28天浏览有风险等级产品的次数", "Views of products with a risk level in the last 28 days"),
            unit=Text("次", "views"),
            empty=0,
        ),
        Column(
            "wealth_views_open_28d",
            Text("近28天浏览未购", "Viewed since the last contract (28 days)"),
            "integer",
            Text(
                "近28天浏览理财的次数，只计最近一次购买之后的",
                "Views of wealth products in the last 28 days that came after the last contract",
            ),
            unit=Text("次", "views"),
            empty=0,
        ),
        Column(
            "salary_rise",
            Text("涨薪", "Pay has risen"),
            "boolean",
            Text(
                "最近两次工资都比此前中位数高15%以上",
                "The last two salaries are both over 15 % above the median before",
            ),
            empty=False,
        ),
        Column(
            "money_freed",
            Text("资金刚释放", "Money has become free"),
            "boolean",
            Text(
                "近35天到期的资金达到闲置起算额，且此后未购买",
                "What matured in the last 35 days reaches the idle amount, and nothing was bought since",
            ),
            empty=False,
        ),
        Column(
            "wealth_demand",
            Text("理财需求分", "Wealth demand"),
            "integer",
            Text(
                "推断：浏览未购每次15分（至多60），资金刚释放25分，涨薪15分",
                "Inferred: 15 for each view since the last contract (60 at most), 25 for freed money, 15 for a rise",
            ),
            unit=Text("分", "points"),
            empty=0,
            inferred=True,
        ),
    ),
    sql="""
    WITH contracts AS (
        SELECT purchase.customer_id, max(purchase.occurred_at) AS last_at
        FROM purchase
        JOIN product ON product.product_id = purchase.product_id
        WHERE purchase.amount > 0 AND NOT product.risk_level IS NULL
        GROUP BY purchase.customer_id
    ),
    looked AS (
        SELECT
            views.customer_id,
            count(*) AS times,
            sum(flag(contracts.last_at IS NULL OR views.occurred_at > contracts.last_at)) AS times_open
        FROM views
        LEFT JOIN contracts ON contracts.customer_id = views.customer_id
        WHERE NOT views.risk_level IS NULL AND views.occurred_at >= days_before(28)
        GROUP BY views.customer_id
    ),
    freed AS (
        SELECT customer_id, sum(peak) AS amount, max(matures_on) AS last_on
        FROM accounts
        WHERE asset AND matures_on < as_of_day() AND matures_on >= day_before(35)
        GROUP BY customer_id
    ),
    paid AS (
        SELECT
            customer_id,
            ratio(
                min(CASE WHEN turn <= 2 THEN amount END),
                quantile_at(CASE WHEN turn > 2 AND age <= 240 THEN amount END, 0.5)
            ) AS risen
        FROM salaries
        GROUP BY customer_id
    ),
    signs AS (
        SELECT
            customer.customer_id,
            coalesce(looked.times, 0) AS times,
            coalesce(looked.times_open, 0) AS times_open,
            coalesce(paid.risen > 1.15, FALSE) AS rise,
            coalesce(
                freed.amount >= setting('idle_money')
                    AND (contracts.last_at IS NULL OR local_date(contracts.last_at) < freed.last_on),
                FALSE
            ) AS free
        FROM customer
        LEFT JOIN looked ON looked.customer_id = customer.customer_id
        LEFT JOIN paid ON paid.customer_id = customer.customer_id
        LEFT JOIN freed ON freed.customer_id = customer.customer_id
        LEFT JOIN contracts ON contracts.customer_id = customer.customer_id
    )
    SELECT
        customer_id,
        times AS wealth_views_28d,
        times_open AS wealth_views_open_28d,
        rise AS salary_rise,
        free AS money_freed,
        15 * least(times_open, 4) + 25 * flag(free) + 15 * flag(rise) AS wealth_demand
    FROM signs
    """,
)
