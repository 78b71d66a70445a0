"""Pictures of one prediction: how many must be contacted, can the probabilities be believed, does it keep working?"""

from __future__ import annotations

from collections.abc import Sequence

from aimwell.core.text import Text
from aimwell.insight.predictions.backtest import Backtest
from aimwell.insight.predictions.periods import PeriodResult
from aimwell.web.report import charts, theme
from aimwell.web.report.blocks import Chart, Key
from aimwell.web.report.formats import between, count, number, share, short_moment

MODEL = Text("模型", "model")
_RANDOM = Text("随机", "random")
_TARGET = 0.8
_SPOKEN_OF = 0.3
"""The probability that the question is asked of; the nearest group answers it."""


def gains(result: Backtest) -> Chart | None:
    """How many must be contacted to reach 80 %, beside the rule of thumb and random choice; None without a curve."""
    whole, curve = result.everybody, result.everybody.curve
    if curve is None:
        return None
    lines = [
        charts.Line(MODEL, curve.contacted, curve.model, low=curve.low, high=curve.high),
        charts.Line(whole.baseline, curve.contacted, curve.baseline, role="baseline"),
        charts.Line(_RANDOM, [0, 1], [0, 1], role="random"),
    ]
    needed = _first_at(curve.contacted, curve.model)
    rule = _first_at(curve.contacted, curve.baseline)
    about_money = result.kind == "how_much"
    question = (
        Text("联系多少客户，能覆盖多少金额？", "How many must be contacted to reach the money?")
        if about_money
        else Text("联系多少客户，能覆盖多少目标客户？", "How many must be contacted to reach them?")
    )
    reached = (
        Text("覆盖的金额占比", "share of the money reached")
        if about_money
        else Text("覆盖的目标客户占比", "share of them reached")
    )
    drawing = charts.gains(
        lines,
        reached=reached,
        mark=(needed, _TARGET),
        mark_text=Text(f"{share(needed, 0)} 覆盖 80%", f"{share(needed, 0)} reach 80%"),
    )
    keys = [*(line.key for line in lines), Key(Text("95% 区间", "95% interval"), theme.SERIES[0], "band")]
    return Chart(question, drawing, _saved(whole.people, rule - needed), legend=keys)


def _first_at(contacted: Sequence[float], reached: Sequence[float]) -> float:
    return next((x for x, y in zip(contacted, reached, strict=True) if y >= _TARGET), 1.0)


def _saved(people: int, less: float) -> Text:
    saved = round(less * people)
    if saved <= 0:
        return Text("并不比基准省。", "It saves nothing beside the baseline.")
    return Text(
        f"{count(people)} 人中少联系约 {count(saved)} 人，就能覆盖同样的 80%。",
        f"Of {count(people)} people about {count(saved)} fewer need contact for the same 80%.",
    )


def calibration(result: Backtest) -> Chart | None:
    """Whether "30 %" means 30 %; None where nothing was compared."""
    bins = result.everybody.calibration
    if not bins:
        return None
    drawing = charts.calibration(
        [each.predicted for each in bins],
        [each.seen.value for each in bins],
        [each.seen.low for each in bins],
        [each.seen.high for each in bins],
        [each.people for each in bins],
    )
    told, held = min(bins, key=lambda each: abs(each.predicted - _SPOKEN_OF)), sum(each.holds for each in bins)
    interval = between(share(told.seen.low, 0), share(told.seen.high, 0))
    said, seen = share(told.predicted, 0), share(told.seen.value, 0)
    answer = Text(
        f"预测平均 {said} 的一组里，实际 {seen}（{interval}）；{len(bins)} 组中 {held} 组相符。",
        f"Of those given {said} on average, {seen} did it ({interval}); {held} of {len(bins)} groups hold.",
    )
    question = (
        Text("「会买」的概率可信吗？", "Can the probability of buying at all be believed?")
        if result.kind == "how_much"
        else Text("说 30% 就是 30% 吗？", 'Does "30%" mean 30%?')
    )
    return Chart(question, drawing, answer, legend=charts.calibration_keys())


def periods(result: Backtest, *, by_campaign: bool) -> Chart | None:
    """Whether it keeps working, date by date; None where fewer than two dates can be compared."""
    shown = [period for period in result.periods if period.auc is not None]
    if len(shown) < 2:
        return None
    dots = [_dot(period) for period in shown]
    x_title = Text("活动", "campaign") if by_campaign else Text("预测的日期", "date of the prediction")
    drawing = charts.periods(
        dots, x_title=x_title, y_title=Text("AUC（0.5 随机，1 完美）", "AUC (0.5 random, 1 perfect)")
    )
    lowest = min(dot.value for dot in dots)
    answer = Text(
        f"{len(dots)} 期里最低 {number(lowest, 2)}。空心点用于选择设置，实心点只评一次，从未参与训练与选择。",
        f"Never below {number(lowest, 2)} in {len(dots)} periods. Hollow: settings were chosen on it. "
        "Filled: judged once, never learnt from or chosen on.",
    )
    keys = [
        Key(Text("模型，留出（竖线为 95% 区间）", "model, held out (bar: 95% interval)"), theme.SERIES[0], "circle"),
        Key(Text("模型，选择设置时", "model, while choosing"), theme.SERIES[0], "circle-open"),
        Key(result.everybody.baseline, theme.SERIES[1], "square"),
    ]
    question = Text("每期都有效吗？排序准确度 AUC", "Does it keep working? Order of the list (AUC)")
    return Chart(question, drawing, answer, wide=True, height=280, legend=keys)


def _dot(period: PeriodResult) -> charts.Dot:
    if period.auc is None:
        raise ValueError("the period was not judged")
    return charts.Dot(
        short_moment(period.cut_off),
        period.auc.value,
        period.auc.low,
        period.auc.high,
        period.baseline.value if period.baseline else None,
        period.role == "held_out",
    )
