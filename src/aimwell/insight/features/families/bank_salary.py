"""The salary that comes in: how much, how regularly, on which day, and whether it has just risen."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.accounts import SALARIES
from aimwell.insight.features.family import Column, query_family

SALARY = query_family(
    "bank_salary",
    "transaction",
    Text("代发工资", "Salary"),
    needs=("balance.amount",),
    reads=(SALARIES,),
    columns=(
        Column(
            "salary_last",
            Text("最近一次工资", "Last salary"),
            "money",
            Text("最近一次工资入账金额", "Amount of the last salary that came in"),
        ),
        Column(
            "salary_last_days",
            Text("距最近工资天数", "Days since the salary"),
            "integer",
            Text("距最近一次工资入账的天数", "Days since the last salary came in"),
            unit=units.DAYS,
        ),
        Column(
            "salary_typical",
            Text("平常工资", "Usual salary"),
            "money",
            Text("近182天工资的中位数，奖金月份影响小", "Median salary of the last 182 days, hardly moved by a bonus"),
        ),
        Column(
            "salary_months",
            Text("近182天工资次数", "Salaries (182 days)"),
            "integer",
            Text("近182天工资入账的次数", "How often a salary came in during the last 182 days"),
            unit=Text("次", "times"),
            empty=0,
        ),
        Column(
            "salary_change",
            Text("工资变化", "Change of salary"),
            "number",
            Text(
                "最近两次工资中较低者与此前182天中位数之比减1：涨薪为正，一次性奖金不算",
                "The lower of the last two salaries over the median of the 182 days before, less 1: a rise is "
                "positive, a single bonus does not count",
            ),
        ),
        Column(
            "payday",
            Text("发薪日", "Payday"),
            "integer",
            Text(
                "近182天最常见的入账日（每月几号）", "Day of the month on which salaries mostly came in, last 182 days"
            ),
        ),
        Column(
            "days_to_payday",
            Text("距发薪日天数", "Days to payday"),
            "integer",
            Text("距下一个发薪日的天数，当天为0", "Days until the next payday, 0 on the day itself"),
            unit=units.DAYS,
        ),
    ),
    sql="""
    WITH dated AS (
        SELECT customer_id, extract(DAY FROM day) AS of_month, count(*) AS times
        FROM salaries
        WHERE age <= 182
        GROUP BY customer_id, extract(DAY FROM day)
    ),
    paydays AS (
        SELECT
            customer_id,
            of_month,
            row_number() OVER (PARTITION BY customer_id ORDER BY times DESC, of_month) AS place
        FROM dated
    ),
    today AS (
        SELECT
            customer_id,
            of_month,
            extract(DAY FROM as_of_day()) AS now_of_month,
            days_between(
                date_trunc('month', as_of_day()), date_trunc('month', as_of_day()) + INTERVAL 1 MONTH
            ) AS month_days
        FROM paydays
        WHERE place = 1
    ),
    amounts AS (
        SELECT
            customer_id,
            min(age) AS last_days,
            max(CASE WHEN turn = 1 THEN amount END) AS last_amount,
            min(CASE WHEN turn <= 2 THEN amount END) AS lower_amount,
            quantile_at(CASE WHEN age <= 182 THEN amount END, 0.5) AS typical,
            quantile_at(CASE WHEN turn > 2 AND age <= 240 THEN amount END, 0.5) AS before_amount,
            sum(flag(age <= 182)) AS times
        FROM salaries
        GROUP BY customer_id
    )
    SELECT
        amounts.customer_id,
        amounts.last_amount AS salary_last,
        amounts.last_days AS salary_last_days,
        amounts.typical AS salary_typical,
        amounts.times AS salary_months,
        ratio(amounts.lower_amount, amounts.before_amount) - 1 AS salary_change,
        today.of_month AS payday,
        CASE
            WHEN today.of_month >= today.now_of_month
                THEN least(today.of_month, today.month_days) - today.now_of_month
            ELSE today.month_days - today.now_of_month + today.of_month
        END AS days_to_payday
    FROM amounts
    LEFT JOIN today ON today.customer_id = amounts.customer_id
    """,
)
