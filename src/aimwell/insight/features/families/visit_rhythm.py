"""Each customer's own cadence, and how far the present silence breaks it."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.days import DAYS
from aimwell.insight.features.family import Column, query_family

_UNKNOWN = Text("至少两个购买日才可知", "known from two days with orders on")


def _gap(name: str, label: Text, meaning: Text, unit: Text = units.DAYS) -> Column:
    return Column(
        name, label, "number", Text(f"{meaning.zh}；{_UNKNOWN.zh}", f"{meaning.en}; {_UNKNOWN.en}"), unit=unit
    )


def _count(name: str, label: Text, meaning: Text) -> Column:
    return Column(name, label, "integer", meaning, unit=Text("次", "times"), empty=0)


_GAPS = (
    _gap(
        "gap_mean",
        Text("平均购买间隔", "Mean gap"),
        Text("相邻两个购买日之间的平均天数", "Mean number of days from one day with an order to the next"),
    ),
    _gap(
        "gap_median", Text("典型购买间隔", "Usual gap"), Text("购买间隔的中位数", "Median gap between days with orders")
    ),
    _gap(
        "gap_recent",
        Text("近期购买间隔", "Recent gap"),
        Text("最近5个购买间隔的平均天数", "Mean of the last five gaps between days with orders"),
    ),
    _gap(
        "gap_longest",
        Text("最长购买间隔", "Longest gap"),
        Text("最长的购买间隔", "Longest gap between days with orders"),
    ),
    _gap(
        "gap_longest_112d",
        Text("近112天最长购买间隔", "Longest gap of late"),
        Text("近112天内结束的最长购买间隔", "Longest gap that ended within the last 112 days"),
    ),
    _gap(
        "gap_long",
        Text("偏长的购买间隔", "Long gap"),
        Text("购买间隔的九成分位数：十次里有九次不超过它", "Nine in ten gaps between days with orders are no longer"),
    ),
    _gap(
        "gap_variation",
        Text("间隔波动", "Variation of gaps"),
        Text("间隔的标准差除以平均；越小越规律", "Standard deviation of the gaps over their mean; small is regular"),
        units.TIMES,
    ),
)
_SILENCE = (
    _gap(
        "silence_against_mean",
        Text("沉默倍数", "Silence against the mean gap"),
        Text("距上次购买的天数除以平均间隔", "Days since the last order over the mean gap"),
        units.TIMES,
    ),
    _gap(
        "silence_against_longest",
        Text("沉默相对最长间隔", "Silence against the longest gap"),
        Text(
            "距上次购买的天数除以历史最长间隔；超过1即为前所未有",
            "Days since the last order over the longest gap; above 1 it has never been so long",
        ),
        units.TIMES,
    ),
    _gap(
        "silence_against_long",
        Text("沉默相对偏长间隔", "Silence against a long gap"),
        Text(
            "距上次购买的天数除以偏长的购买间隔（九成分位数）",
            "Days since the last order over the long gap (nine in ten)",
        ),
        units.TIMES,
    ),
    _gap(
        "silence_in_spreads",
        Text("沉默超出程度", "Silence in spreads"),
        Text(
            "距上次购买的天数超出平均间隔几个标准差", "By how many standard deviations the silence exceeds the mean gap"
        ),
        Text("个标准差", "standard deviations"),
    ),
    Column(
        "silence_outlasted_share",
        Text("曾有更长沉默的比例", "Share of longer silences"),
        "share",
        Text(
            "以往间隔中不短于当前沉默的比例（加一平滑）；越小越反常",
            "Share of the customer's own gaps that were at least as long as the present silence (one more added to "
            "both counts); small is unusual",
        ),
    ),
    Column(
        "days_overdue",
        Text("超出惯常间隔天数", "Days beyond the usual gap"),
        "number",
        Text(
            "距上次购买的天数减去平均间隔；负数表示还没到惯常的日子",
            "Days since the last order less the mean gap; negative while the usual day lies ahead",
        ),
        unit=units.DAYS,
    ),
)

VISIT_RHYTHM = query_family(
    "visit_rhythm",
    "churn",
    Text("到访节律", "Visit rhythm"),
    needs=("purchase.amount",),
    reads=(DAYS,),
    columns=(
        *_GAPS,
        *_SILENCE,
        _count(
            "gaps_over_14d",
            Text("超14天的间隔次数", "Gaps over 14 days"),
            Text("以往超过14天的间隔次数", "How often more than 14 days passed between two orders"),
        ),
        _count(
            "gaps_over_28d",
            Text("超28天的间隔次数", "Gaps over 28 days"),
            Text("以往超过28天的间隔次数", "How often more than 28 days passed between two orders"),
        ),
        Column(
            "visit_days_28d",
            Text("购买日数（近28天）", "Days with orders (last 28 days)"),
            "integer",
            Text("近28天有购买的天数", "Days with an order within the last 28 days"),
            unit=units.DAYS,
            measure="visit_days",
            empty=0,
        ),
        Column(
            "visit_days_112d",
            Text("购买日数（近112天）", "Days with orders (last 112 days)"),
            "integer",
            Text("近112天有购买的天数", "Days with an order within the last 112 days"),
            unit=units.DAYS,
            measure="visit_days",
            empty=0,
        ),
    ),
    sql="""
    WITH lasts AS (
        SELECT customer_id, min(age) AS silence, count(*) AS days FROM days GROUP BY customer_id
    ),
    numbered AS (
        SELECT days.customer_id, days.age, days.gap, lasts.silence, lasts.days - days.nth + 1 AS place
        FROM days
        JOIN lasts ON lasts.customer_id = days.customer_id
    ),
    gaps AS (
        SELECT
            customer_id,
            min(silence) AS silence,
            count(gap) AS gaps,
            mean(gap) AS gap_mean,
            quantile_at(gap, 0.5) AS gap_median,
            mean(CASE WHEN place <= 5 THEN gap END) AS gap_recent,
            quantile_at(gap, 0.9) AS gap_long,
            max(gap) AS gap_longest,
            max(CASE WHEN age <= 112 THEN gap END) AS gap_longest_112d,
            spread(gap) AS gap_spread,
            sum(flag(gap >= silence)) AS outlasted,
            sum(flag(gap > 14)) AS gaps_over_14d,
            sum(flag(gap > 28)) AS gaps_over_28d,
            sum(flag(age <= 28)) AS visit_days_28d,
            sum(flag(age <= 112)) AS visit_days_112d
        FROM numbered
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        gap_mean,
        gap_median,
        gap_recent,
        gap_longest,
        gap_longest_112d,
        gap_long,
        ratio(gap_spread, gap_mean) AS gap_variation,
        ratio(silence, gap_mean) AS silence_against_mean,
        ratio(silence, gap_longest) AS silence_against_longest,
        ratio(silence, gap_long) AS silence_against_long,
        ratio(silence - gap_mean, gap_spread) AS silence_in_spreads,
        ratio(outlasted + 1, gaps + 1) AS silence_outlasted_share,
        silence - gap_mean AS days_overdue,
        gaps_over_14d,
        gaps_over_28d,
        visit_days_28d,
        visit_days_112d
    FROM gaps
    """,
)
