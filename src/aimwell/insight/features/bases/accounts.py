"""Accounts: one row per customer and account with its latest balance, and whether it still stands."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.basis import BasisColumn, basis
from aimwell.insight.features.family import Threshold

STALE = Threshold(
    "balance_stale_days",
    45,
    Text("账户余额超过多少天未更新即视为已销户", "Days without a balance after which an account counts as gone"),
)

ACCOUNT_DAYS = basis(
    "account_days",
    """
    SELECT customer_id, account, kind, day, amount, matures_on, credit_limit, overdue_days
    FROM balance
    WHERE kind <> 'salary'
    """,
    needs=("balance.amount",),
    columns=(
        BasisColumn("account", "text", ("balance.account",)),
        BasisColumn("matures_on", "day", ("balance.matures_on",)),
        BasisColumn("credit_limit", "money", ("balance.credit_limit",)),
        BasisColumn("overdue_days", "number", ("balance.overdue_days",)),
    ),
)
"""Balances alone: salaries are flows."""

ACCOUNTS = basis(
    "accounts",
    """
    WITH latest AS (
        SELECT
            customer_id,
            account,
            kind,
            max(day) AS seen_on,
            arg_max(amount, day) AS amount,
            max(amount) AS peak,
            max(matures_on) AS matures_on,
            arg_max(credit_limit, day) FILTER (WHERE NOT credit_limit IS NULL) AS credit_limit,
            arg_max(overdue_days, day) FILTER (WHERE NOT overdue_days IS NULL) AS overdue_days,
            arg_max(amount, day) FILTER (WHERE day < day_before(28)) AS amount_28,
            max(day) FILTER (WHERE day < day_before(28)) AS seen_on_28,
            arg_max(amount, day) FILTER (WHERE day < day_before(84)) AS amount_84,
            max(day) FILTER (WHERE day < day_before(84)) AS seen_on_84
        FROM account_days
        GROUP BY customer_id, account, kind
    )
    SELECT
        customer_id,
        account,
        kind,
        matures_on,
        amount,
        peak,
        credit_limit,
        overdue_days,
        kind IN ('deposit', 'term_deposit', 'fund', 'wealth', 'insurance', 'securities', 'gold') AS asset,
        days_between(seen_on, as_of_day()) <= setting('balance_stale_days') AS stands,
        CASE
            WHEN days_between(seen_on_28, day_before(28)) <= setting('balance_stale_days') THEN amount_28 ELSE 0
        END AS amount_28,
        CASE
            WHEN days_between(seen_on_84, day_before(84)) <= setting('balance_stale_days') THEN amount_84 ELSE 0
        END AS amount_84
    FROM latest
    """,
    needs=("balance.amount",),
    reads=(ACCOUNT_DAYS,),
    columns=(
        BasisColumn("matures_on", "day", ("balance.matures_on",)),
        BasisColumn("credit_limit", "money", ("balance.credit_limit",)),
        BasisColumn("overdue_days", "number", ("balance.overdue_days",)),
    ),
)
"""`stands` is false for accounts that are no longer reported; `amount_28` and `amount_84` are the balances 28 and 84
days before the cut, 0 where the account did not stand then. `deposit` is money on call, `term_deposit` is bound."""

SALARIES = basis(
    "salaries",
    """
    SELECT
        customer_id,
        day,
        amount,
        days_between(day, as_of_day()) AS age,
        row_number() OVER (PARTITION BY customer_id ORDER BY day DESC, amount DESC) AS turn
    FROM balance
    WHERE kind = 'salary' AND amount > 0
    """,
    needs=("balance.amount",),
)
"""Salary inflows, the latest first (`turn` 1)."""
