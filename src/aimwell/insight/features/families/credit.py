"""How a customer stands with credit: score, use of limits, payments that are behind."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.accounts import ACCOUNT_DAYS, ACCOUNTS, STALE
from aimwell.insight.features.family import Column, Threshold, query_family

_GOOD = Threshold("credit_good", 700, Text("信用良好分数线", "Score from which credit is good"))
_FAIR = Threshold("credit_fair", 600, Text("信用一般分数线", "Score from which credit is fair"))

SCORE = query_family(
    "credit_score",
    "credit",
    Text("信用分", "Credit score"),
    needs=("customer.credit_score",),
    thresholds=(_GOOD, _FAIR),
    columns=(
        Column(
            "credit_points",
            Text("信用分", "Credit score"),
            "number",
            Text("最近一次已知的信用评分", "The latest credit score that is known"),
            unit=units.POINTS,
        ),
        Column(
            "credit_grade",
            Text("信用档位", "Credit grade"),
            "text",
            Text("按工作区设定的分数线划分", "The score, cut at the thresholds of the workspace"),
            words={"good": Text("良好", "Good"), "fair": Text("一般", "Fair"), "weak": Text("偏弱", "Weak")},
        ),
    ),
    sql="""
    SELECT
        customer_id,
        credit_score AS credit_points,
        CASE
            WHEN credit_score >= setting('credit_good') THEN 'good'
            WHEN credit_score >= setting('credit_fair') THEN 'fair'
            WHEN NOT credit_score IS NULL THEN 'weak'
        END AS credit_grade
    FROM customer
    """,
)

LIMITS = query_family(
    "credit_limits",
    "credit",
    Text("额度使用", "Use of limits"),
    needs=("balance.amount", "balance.credit_limit"),
    reads=(ACCOUNTS,),
    thresholds=(STALE,),
    columns=(
        Column(
            "credit_limit_total",
            Text("授信额度", "Credit limit"),
            "money",
            Text("各账户约定额度之和", "Agreed limits of all accounts"),
            empty=0,
        ),
        Column(
            "credit_used",
            Text("已用额度", "Credit used"),
            "money",
            Text("有额度账户的当前欠款", "What is owed on accounts with a limit"),
            empty=0,
        ),
        Column(
            "credit_utilisation",
            Text("额度使用率", "Use of the limit"),
            "share",
            Text("已用额度除以授信额度", "Credit used over the limit"),
        ),
        Column(
            "overdue_days_now",
            Text("当前逾期天数", "Payment days overdue"),
            "integer",
            Text("各账户当前逾期天数的最大值", "Most days overdue on any account"),
            unit=units.DAYS,
            empty=0,
            needs=("balance.overdue_days",),
        ),
    ),
    sql="""
    SELECT
        customer_id,
        sum(CASE WHEN stands THEN credit_limit END) AS credit_limit_total,
        sum(CASE WHEN stands AND NOT credit_limit IS NULL THEN amount END) AS credit_used,
        ratio(
            sum(CASE WHEN stands AND credit_limit > 0 THEN amount END), sum(CASE WHEN stands THEN credit_limit END)
        ) AS credit_utilisation,
        max(CASE WHEN stands THEN overdue_days END) AS overdue_days_now
    FROM accounts
    GROUP BY customer_id
    """,
)

PAYMENTS = query_family(
    "credit_payments",
    "credit",
    Text("还款记录", "Payment record"),
    needs=("balance.amount", "balance.overdue_days"),
    reads=(ACCOUNT_DAYS,),
    columns=(
        Column(
            "overdue_worst_364d",
            Text("近一年最长逾期", "Longest overdue (year)"),
            "integer",
            Text("近364天有记录的最长逾期天数", "Most days overdue recorded in the last 364 days"),
            unit=units.DAYS,
            empty=0,
        ),
        Column(
            "overdue_share_364d",
            Text("近一年逾期占比", "Share of time overdue (year)"),
            "share",
            Text("近364天有记录的账户日中逾期的比例", "Share of the recorded account days that were overdue"),
        ),
        Column(
            "utilisation_average_182d",
            Text("近182天平均使用率", "Average use of the limit"),
            "share",
            Text("近182天有记录各日使用率的平均", "Mean use of the limit over the recorded days, last 182 days"),
            needs=("balance.credit_limit",),
        ),
        Column(
            "utilisation_peak_182d",
            Text("近182天最高使用率", "Highest use of the limit"),
            "share",
            Text("近182天有记录各日使用率的最高值", "Highest use of the limit recorded in the last 182 days"),
            needs=("balance.credit_limit",),
        ),
    ),
    sql="""
    SELECT
        customer_id,
        max(overdue_days) FILTER (WHERE day >= day_before(364)) AS overdue_worst_364d,
        mean(flag(overdue_days > 0)) FILTER (WHERE day >= day_before(364)) AS overdue_share_364d,
        mean(ratio(amount, credit_limit)) FILTER (WHERE day >= day_before(182) AND credit_limit > 0)
            AS utilisation_average_182d,
        max(ratio(amount, credit_limit)) FILTER (WHERE day >= day_before(182) AND credit_limit > 0)
            AS utilisation_peak_182d
    FROM account_days
    WHERE NOT overdue_days IS NULL
    GROUP BY customer_id
    """,
)
