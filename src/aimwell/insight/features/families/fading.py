"""What a customer used to buy and no longer does."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.categories import CATEGORIES
from aimwell.insight.features.bases.goods import DEPARTMENTS
from aimwell.insight.features.family import Column, query_family

_REGULAR = Text("此前至少买过3次", "bought at least three times before")

LOST_CATEGORIES = query_family(
    "lost_categories",
    "churn",
    Text("流失品类", "Lost categories"),
    needs=(),
    reads=(CATEGORIES,),
    columns=(
        Column(
            "lost_categories",
            Text("流失品类数", "Lost categories"),
            "integer",
            Text(f"{_REGULAR.zh}、但近56天没买的品类数", f"Categories {_REGULAR.en} but not in the last 56 days"),
            unit=units.CATEGORIES,
            empty=0,
        ),
        Column(
            "lost_category_share",
            Text("流失品类占比", "Share of categories lost"),
            "share",
            Text(
                f"{_REGULAR.zh}的品类中近56天没买的比例",
                f"Share of the categories {_REGULAR.en} that were not bought in the last 56 days",
            ),
        ),
        Column(
            "lost_category_spend_share",
            Text("流失品类消费占比", "Spend share of lost categories"),
            "share",
            Text("流失品类占历史消费额的比例", "Share of all spend that went to the categories now lost"),
        ),
        Column(
            "most_missed_category",
            Text("最可惜的流失品类", "Most missed category"),
            "text",
            Text("流失品类中历史消费额最高的一个", "The lost category with the highest spend of old"),
            inferred=True,
        ),
        Column(
            "overdue_category_share",
            Text("逾期品类占比", "Share of categories overdue"),
            "share",
            Text(
                "至少买过3次的品类中，距上次购买已超过本人平均间隔两倍的比例",
                "Share of the categories bought at least three times whose silence is over twice the own mean gap",
            ),
        ),
    ),
    sql="""
    WITH regular AS (
        SELECT
            customer_id,
            category,
            amount,
            flag(last_at < days_before(56)) AS lost,
            flag(
                (orders - 1) * days_between(last_at, as_of()) > 2 * days_between(first_at, last_at)
            ) AS overdue
        FROM categories
        WHERE orders >= 3
    )
    SELECT
        customer_id,
        sum(lost) AS lost_categories,
        mean(lost) AS lost_category_share,
        ratio(sum(lost * amount), sum(amount)) AS lost_category_spend_share,
        arg_max(CASE WHEN lost = 1 THEN category END, (lost, amount, category)) AS most_missed_category,
        mean(overdue) AS overdue_category_share
    FROM regular
    GROUP BY customer_id
    """,
)

LOST_DEPARTMENTS = query_family(
    "lost_departments",
    "churn",
    Text("沉默部门", "Silent departments"),
    needs=(),
    reads=(DEPARTMENTS,),
    columns=(
        Column(
            "silent_departments",
            Text("沉默部门数", "Silent departments"),
            "integer",
            Text(
                "此前至少买过5行、但近28天没买的部门数",
                "Departments with at least five lines before but none in the last 28 days",
            ),
            unit=Text("个", "departments"),
            empty=0,
        ),
        Column(
            "active_departments_28d",
            Text("活跃部门数（近28天）", "Active departments (last 28 days)"),
            "integer",
            Text("近28天买过的部门数", "Departments bought in the last 28 days"),
            unit=Text("个", "departments"),
            empty=0,
        ),
    ),
    sql="""
    SELECT
        customer_id,
        sum(flag(lines >= 5 AND last_at < days_before(28))) AS silent_departments,
        sum(flag(last_at >= days_before(28))) AS active_departments_28d
    FROM departments
    GROUP BY customer_id
    """,
)
