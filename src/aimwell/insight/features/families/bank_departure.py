"""Signs that a customer is leaving the bank: assets that flow out, salary that stays away."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.accounts import ACCOUNTS, SALARIES, STALE
from aimwell.insight.features.family import Column, query_family

OUTFLOW = query_family(
    "bank_outflow",
    "churn",
    Text("资产流失", "Outflow"),
    needs=("balance.amount",),
    reads=(ACCOUNTS,),
    thresholds=(STALE,),
    columns=(
        Column(
            "outflow_28d",
            Text("近28天资产流出比例", "Outflow (28 days)"),
            "share",
            Text(
                "28天前的管理资产中已不在的比例；没有减少为0",
                "Share of the assets of 28 days ago that has gone; 0 without a decline",
            ),
            measure="outflow",
        ),
        Column(
            "outflow_84d",
            Text("近84天资产流出比例", "Outflow (84 days)"),
            "share",
            Text(
                "84天前的管理资产中已不在的比例；没有减少为0",
                "Share of the assets of 84 days ago that has gone; 0 without a decline",
            ),
            measure="outflow",
        ),
        Column(
            "emptied",
            Text("已清空", "Emptied"),
            "boolean",
            Text("84天前有资产，现在几乎没有（不足5%）", "Held assets 84 days ago, and less than 5 % of them now"),
            empty=False,
        ),
    ),
    sql="""
    WITH held AS (
        SELECT
            customer_id,
            sum(CASE WHEN asset AND stands THEN amount ELSE 0 END) AS aum,
            sum(CASE WHEN asset THEN amount_28 ELSE 0 END) AS aum_28,
            sum(CASE WHEN asset THEN amount_84 ELSE 0 END) AS aum_84
        FROM accounts
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        ratio(greatest(aum_28 - aum, 0), aum_28) AS outflow_28d,
        ratio(greatest(aum_84 - aum, 0), aum_84) AS outflow_84d,
        aum_84 > 0 AND CAST(aum AS DOUBLE) < CAST(aum_84 AS DOUBLE) * 0.05 AS emptied
    FROM held
    """,
)

SALARY_GONE = query_family(
    "bank_salary_gone",
    "churn",
    Text("工资中断", "Salary stays away"),
    needs=("balance.amount",),
    reads=(SALARIES,),
    columns=(
        Column(
            "salary_stopped",
            Text("工资中断", "Salary stays away"),
            "boolean",
            Text(
                "此前半年至少三次代发工资，近45天一次也没有",
                "At least three salaries in the half year before, and none in the last 45 days",
            ),
            empty=False,
        ),
    ),
    sql="""
    SELECT
        customer_id,
        sum(flag(age <= 45)) = 0 AND sum(flag(age > 45 AND age <= 227)) >= 3 AS salary_stopped
    FROM salaries
    GROUP BY customer_id
    """,
)
