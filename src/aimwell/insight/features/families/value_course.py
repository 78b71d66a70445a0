"""Whether a customer's value rises, is stable or fades: what he is expected to bring, beside what he brought last."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, Threshold, query_family

EXPECTED_VALUE = "expected_value"
"""The relation that whoever asks gives: the last scoring of an amount, with `customer_id`, `current`, `expected`."""

RISING = Threshold("value_rising", 1.2, Text("预期值达当前值的多少倍算上升", "rising: expected value over the current"))
FADING = Threshold(
    "value_fading", 0.8, Text("预期值不到当前值的多少倍算下降", "fading: expected value over the current")
)
FLOOR = Threshold(
    "value_floor",
    0.1,
    Text(
        "两边各加上平均当前值的这一比例，小额的零头不算方向",
        "this share of the mean current value is added to both, so that small change of small spenders is no direction",
    ),
)
COURSES: dict[str, Text] = {
    "rising": Text("上升", "rising"),
    "stable": Text("平稳", "stable"),
    "fading": Text("下降", "fading"),
}

VALUE_COURSE = query_family(
    "value_course",
    "lifetime_value",
    Text("价值走势", "Course of value"),
    needs=(),
    given=(EXPECTED_VALUE,),
    freshness="batch",
    thresholds=(RISING, FADING, FLOOR),
    columns=(
        Column(
            "value_course",
            Text("价值走势", "Course of value"),
            "text",
            Text(
                "预测的下期价值与刚过去一期的价值相比：达到上升门槛为上升，低于下降门槛为下降，其余为平稳",
                "The value expected of the next period against that of the last one: rising, fading, or stable between "
                "the two thresholds; one lucky period makes a customer look fading, for luck does not repeat",
            ),
            words=COURSES,
            inferred=True,
        ),
        Column(
            "value_pace",
            Text("预期价值升降", "Expected over current value"),
            "number",
            Text(
                "预测的下期价值除以刚过去一期的价值（两边各加一小份平均值）",
                "The value expected of the next period over that of the last one, a share of the mean added to both",
            ),
            unit=units.TIMES,
            inferred=True,
        ),
        Column(
            "value_current",
            Text("当前价值", "Current value"),
            "money",
            Text("评分之前一期的金额", "The amount of the period just before the scoring"),
        ),
        Column(
            "value_expected",
            Text("预期价值", "Expected value"),
            "money",
            Text("最近一次评分所预测的下期金额", "The amount of the next period, as the last scoring foretold it"),
            inferred=True,
        ),
    ),
    sql="""
    WITH usual AS (
        SELECT greatest(mean(current) * setting('value_floor'), 0.000001) AS floor FROM expected_value
    ),
    paced AS (
        SELECT
            expected_value.customer_id,
            expected_value.current,
            expected_value.expected,
            ratio(expected_value.expected + usual.floor, greatest(expected_value.current, 0) + usual.floor) AS pace
        FROM expected_value
        CROSS JOIN usual
    )
    SELECT
        customer_id,
        CASE
            WHEN pace >= setting('value_rising') THEN 'rising'
            WHEN pace < setting('value_fading') THEN 'fading'
            ELSE 'stable'
        END AS value_course,
        pace AS value_pace,
        current AS value_current,
        expected AS value_expected
    FROM paced
    """,
)
