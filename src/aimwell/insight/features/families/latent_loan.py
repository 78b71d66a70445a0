"""Signs that a customer thinks about borrowing."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, query_family

_TIMES = Text("次", "times")

LOAN_SIGNALS = query_family(
    "latent_loan",
    "latent_demand",
    Text("贷款潜在需求", "Latent demand for loans"),
    needs=("event.name",),
    columns=(
        Column(
            "loan_calculator_28d",
            Text("近28天用贷款计算器", "Loan calculator (28 days)"),
            "integer",
            Text("近28天使用贷款计算器的次数", "How often the loan calculator was used in the last 28 days"),
            unit=_TIMES,
            measure="loan_calculator",
            empty=0,
        ),
        Column(
            "loan_calculator_84d",
            Text("近84天用贷款计算器", "Loan calculator (84 days)"),
            "integer",
            Text("近84天使用贷款计算器的次数", "How often the loan calculator was used in the last 84 days"),
            unit=_TIMES,
            measure="loan_calculator",
            empty=0,
        ),
        Column(
            "loan_calculator_last_days",
            Text("距上次用贷款计算器", "Days since the loan calculator"),
            "integer",
            Text("距最近一次使用贷款计算器的整天数", "Whole days since the loan calculator was last used"),
            unit=units.DAYS,
        ),
        Column(
            "loan_demand",
            Text("贷款需求分", "Loan demand"),
            "integer",
            Text(
                "推断：近28天在上次提款之后使用贷款计算器，每次35分，至多100",
                "Inferred: 35 for each use of the loan calculator in the last 28 days since a loan was last drawn, "
                "100 at most",
            ),
            unit=units.POINTS,
            empty=0,
            inferred=True,
        ),
    ),
    sql="""
    WITH drawn AS (
        SELECT customer_id, max(occurred_at) AS last_at
        FROM event
        WHERE name = 'loan_drawn'
        GROUP BY customer_id
    ),
    used AS (
        SELECT
            event.customer_id,
            event.occurred_at,
            drawn.last_at IS NULL OR event.occurred_at > drawn.last_at AS since_drawn
        FROM event
        LEFT JOIN drawn ON drawn.customer_id = event.customer_id
        WHERE event.name = 'loan_calculator_used'
    )
    SELECT
        customer_id,
        sum(flag(occurred_at >= days_before(28))) AS loan_calculator_28d,
        sum(flag(occurred_at >= days_before(84))) AS loan_calculator_84d,
        days_between(max(occurred_at), as_of()) AS loan_calculator_last_days,
        least(35 * sum(flag(since_drawn AND occurred_at >= days_before(28))), 100) AS loan_demand
    FROM used
    GROUP BY customer_id
    """,
)
