"""What a customer is worth to the bank in a year at today's balances, by margins that the workspace sets."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.accounts import ACCOUNTS, STALE
from aimwell.insight.features.family import Column, Threshold, query_family

_DEPOSIT = Threshold("margin_deposit", 0.012, Text("存款年利差", "Yearly margin on deposits"))
_WEALTH = Threshold("margin_wealth", 0.006, Text("理财与基金年费率", "Yearly margin on wealth products and funds"))
_LOAN = Threshold("margin_loan", 0.025, Text("贷款年利差", "Yearly margin on loans"))
_CARD = Threshold("margin_card", 0.04, Text("信用卡透支年收益率", "Yearly margin on card balances"))

VALUE = query_family(
    "bank_value",
    "lifetime_value",
    Text("年度贡献", "Yearly contribution"),
    needs=("balance.amount",),
    reads=(ACCOUNTS,),
    thresholds=(STALE, _DEPOSIT, _WEALTH, _LOAN, _CARD),
    columns=(
        Column(
            "contribution_year",
            Text("年度贡献估计", "Contribution in a year"),
            "money",
            Text(
                "由当前各类余额乘以工作区设定的年利差估计",
                "Estimated from today's balances and the margins of the workspace",
            ),
            empty=0,
            inferred=True,
        ),
        Column(
            "contribution_share_debt",
            Text("贡献中借款占比", "Contribution from lending"),
            "share",
            Text("年度贡献估计中来自贷款与信用卡的比例", "Share of that contribution from loans and cards"),
            inferred=True,
        ),
    ),
    sql="""
    WITH earned AS (
        SELECT
            customer_id,
            sum(
                CASE
                    WHEN NOT stands THEN 0
                    WHEN kind IN ('deposit', 'term_deposit') THEN CAST(amount AS DOUBLE) * setting('margin_deposit')
                    WHEN asset THEN CAST(amount AS DOUBLE) * setting('margin_wealth')
                    ELSE 0
                END
            ) AS saved,
            sum(
                CASE
                    WHEN NOT stands THEN 0
                    WHEN kind IN ('loan', 'mortgage') THEN CAST(amount AS DOUBLE) * setting('margin_loan')
                    WHEN kind = 'credit_card' THEN CAST(amount AS DOUBLE) * setting('margin_card')
                    ELSE 0
                END
            ) AS lent
        FROM accounts
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        saved + lent AS contribution_year,
        ratio(lent, saved + lent) AS contribution_share_debt
    FROM earned
    """,
)
