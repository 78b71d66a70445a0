"""Predictions: can I trust it, how many must I contact, does it keep working, and what did the guard see?"""

from __future__ import annotations

from collections.abc import Sequence

from aimwell.core.text import Text
from aimwell.insight.predictions.backtest import Backtest
from aimwell.insight.predictions.evaluation import Evaluation, Metric
from aimwell.insight.predictions.findings import Finding, Severity
from aimwell.insight.predictions.periods import PeriodResult
from aimwell.science.metrics.interval import Estimate
from aimwell.web.report import charts
from aimwell.web.report.blocks import Block, Cell, Chart, Fold, Sentence, Table, Tone
from aimwell.web.report.formats import between, count, money, number, same, share

MODEL = Text("模型", "Model")
RANDOM = Text("随机", "Random")
_TARGET = 0.8
_SHARES = {"share_for_80", "reached_10", "reached_20", "money_10"}
_TONES: dict[Severity, Tone] = {"alarm": "danger", "warning": "warn", "note": "plain"}
_SEVERITIES: dict[Severity, Text] = {
    "alarm": Text("警报", "Alarm"),
    "warning": Text("注意", "Warning"),
    "note": Text("说明", "Note"),
}


def prediction_blocks(result: Backtest, currency: str) -> list[Block]:
    """Everything that a marketer, and one fold deeper an analyst, wants to know about one prediction."""
    whole = result.everybody
    blocks: list[Block] = [Sentence(verdict(result, currency), "primary")]
    blocks += [
        Sentence(finding.text, _TONES[finding.severity], _SEVERITIES[finding.severity]) for finding in _loud(result)
    ]
    if whole.curve is not None:
        blocks.append(_gains(result))
    if whole.calibration:
        blocks.append(_calibration(result))
    if sum(period.auc is not None for period in result.periods) > 1:
        blocks.append(_periods(result.periods, whole.baseline))
    blocks.append(_groups(result, currency))
    blocks.append(_analyst(result, currency))
    return blocks


def verdict(result: Backtest, currency: str) -> Text:
    """The first sentence: what the list is worth beside the rule of thumb, or that nothing was proven."""
    whole = result.everybody
    if whole.notes:
        return whole.notes[0]
    if result.kind == "how_much":
        return _amount_verdict(whole, currency)
    needed = whole.metric("share_for_80")
    if needed is None or needed.baseline is None:
        return Text("没有可比的基准，不下结论。", "There is nothing to compare with, so no verdict.")
    mine, rule = share(needed.model.value), share(needed.baseline.value)
    low_high = between(share(needed.model.low), share(needed.model.high))
    name = whole.baseline
    text = Text(
        f"联系得分最高的 {mine}（{low_high}），覆盖 80% 的目标客户；{name.zh}要 {rule}。",
        f"Contact the best-scored {mine} ({low_high}) and reach 80% of them; {name.en} needs {rule}.",
    )
    return _with_proof(text, needed)


def _amount_verdict(whole: Evaluation, currency: str) -> Text:
    error = whole.metric("mae")
    if error is None or error.baseline is None:
        return Text("没有可比的基准，不下结论。", "There is nothing to compare with, so no verdict.")
    mine, rule = money(error.model.value, currency), money(error.baseline.value, currency)
    mean = money(whole.mean, currency)
    text = Text(
        f"平均每人 {mean}，预测平均差 {mine}；{whole.baseline.zh}差 {rule}。",
        f"On an average of {mean} a customer the forecast is off by {mine}; {whole.baseline.en} by {rule}.",
    )
    return _with_proof(text, error)


def _with_proof(text: Text, metric: Metric) -> Text:
    if metric.proven:
        return Text(f"{text.zh}优于基准，已证实。", f"{text.en} Better than the baseline beyond chance.")
    return Text(
        f"{text.zh}差别尚未证实（区间包含 0）。", f"{text.en} The difference is not proven (its interval holds zero)."
    )


def _loud(result: Backtest) -> list[Finding]:
    return [finding for finding in result.findings if _is_loud(finding)]


def _is_loud(finding: Finding) -> bool:
    """Warnings, and that people were not chosen at random: nobody may read a response rate as an effect."""
    return finding.severity != "note" or finding.check == "not_random"


def _gains(result: Backtest) -> Chart:
    whole = result.everybody
    curve = whole.curve
    if curve is None:
        raise ValueError("the evaluation has no curve")
    baseline = charts.Line(whole.baseline, curve.contacted, curve.baseline, role="baseline")
    lines = [
        charts.Line(MODEL, curve.contacted, curve.model, low=curve.low, high=curve.high),
        baseline,
        charts.Line(RANDOM, [0, 1], [0, 1], role="random"),
    ]
    needed = _first_at(curve.contacted, curve.model, _TARGET)
    mark_text = Text(f"联系 {share(needed, 0)}，覆盖 80%", f"{share(needed, 0)} contacted, 80% reached")
    rule = _first_at(curve.contacted, curve.baseline, _TARGET)
    money_wise = result.kind == "how_much"
    question = (
        Text("联系多少人，能覆盖多少金额？", "How many must be contacted to reach the money?")
        if money_wise
        else Text("联系多少人，能覆盖多少目标客户？", "How many must be contacted to reach them?")
    )
    saved = round((rule - needed) * whole.people)
    answer = (
        Text(
            f"{count(whole.people)} 人中少联系 {count(saved)} 人，就能覆盖同样的 80%。阴影为 95% 区间。",
            f"Of {count(whole.people)} people, {count(saved)} fewer need contact for the same 80%. Band: 95% interval.",
        )
        if saved > 0
        else Text("并不比基准省。阴影为 95% 区间。", "It saves nothing beside the baseline. Band: 95% interval.")
    )
    return Chart(question, charts.gains(lines, mark=(needed, _TARGET), mark_text=mark_text), answer)


def _first_at(contacted: Sequence[float], reached: Sequence[float], target: float) -> float:
    return next((x for x, y in zip(contacted, reached, strict=True) if y >= target), 1.0)


def _calibration(result: Backtest) -> Chart:
    bins = result.everybody.calibration
    drawing = charts.calibration(
        [each.predicted for each in bins],
        [each.seen.value for each in bins],
        [each.seen.low for each in bins],
        [each.seen.high for each in bins],
        [each.people for each in bins],
    )
    top = bins[-1]
    held = sum(each.holds for each in bins)
    interval = between(share(top.seen.low, 0), share(top.seen.high, 0))
    said, seen = share(top.predicted, 0), share(top.seen.value, 0)
    answer = Text(
        f"给出 {said} 的一组里，实际 {seen}（{interval}）；{len(bins)} 组中 {held} 组相符。",
        f"Of those given {said}, {seen} did it ({interval}); {held} of {len(bins)} groups hold.",
    )
    question = (
        Text("“会买”的概率可信吗？", "Can the probability of buying at all be believed?")
        if result.kind == "how_much"
        else Text("说 30% 就是 30% 吗？", "Does “30%” mean 30%?")
    )
    return Chart(question, drawing, answer)


def _periods(periods: Sequence[PeriodResult], baseline: Text) -> Chart:
    shown = [period for period in periods if period.auc is not None]
    aucs = [period.auc for period in shown if period.auc is not None]
    bases = [period.baseline for period in shown if period.baseline is not None]
    model = charts.Line(
        MODEL, [], [each.value for each in aucs], low=[each.low for each in aucs], high=[each.high for each in aucs]
    )
    beside = charts.Line(baseline, [], [each.value for each in bases]) if len(bases) == len(aucs) else None
    drawing = charts.periods(
        [period.cut_off for period in shown], model, beside, y_title=Text("AUC", "AUC"), y_format=".2f"
    )
    lowest = min(each.value for each in aucs)
    answer = Text(
        f"{len(shown)} 个时点中，排序准确度最低 {number(lowest, 2)}；最后一个时点从未参与训练与选择。",
        f"Over {len(shown)} dates the AUC is never below {number(lowest, 2)}; the last date was never learnt from.",
    )
    return Chart(Text("每期都有效吗？", "Does it keep working?"), drawing, answer, wide=True)


def _groups(result: Backtest, currency: str) -> Table:
    rows: list[list[Text | Cell]] = []
    names = (
        (Text("全部", "Everybody"), result.everybody),
        (Text("新客户", "New customers"), result.new),
        (Text("老客户", "Existing customers"), result.existing),
    )
    for name, group in names:
        first = group.metrics[0] if group.metrics else None
        rows.append(
            [
                name,
                same(count(group.people)),
                same(count(group.positives)),
                same(_figure(first, first.model, currency) if first else "—"),
                same(_figure(first, first.baseline, currency) if first and first.baseline else "—"),
            ]
        )
    label = next((group.metrics[0].label for _, group in names if group.metrics), Text("指标", "figure"))
    return Table(
        [
            Text("客户", "Customers"),
            Text("人数", "people"),
            Text("发生", "did it"),
            label,
            Text(f"基准：{result.everybody.baseline.zh}", f"baseline: {result.everybody.baseline.en}"),
        ],
        rows,
        title=Text("新客户与老客户分开看", "New and existing customers apart"),
        numbers=frozenset({1, 2, 3, 4}),
        note=Text("人太少或结果全相同时不给数字。", "No figure where there are too few people, or all answered alike."),
        wide=True,
    )


def _figure(metric: Metric, estimate: Estimate | None, currency: str) -> str:
    if estimate is None:
        return "—"
    if metric.name in _SHARES:
        low_high = between(share(estimate.low), share(estimate.high))
        return f"{share(estimate.value)} ({low_high})"
    if metric.name in {"mae", "bias"}:
        low_high = between(money(estimate.low, currency), money(estimate.high, currency))
        return f"{money(estimate.value, currency)} ({low_high})"
    return f"{number(estimate.value)} ({between(number(estimate.low), number(estimate.high))})"


def _analyst(result: Backtest, currency: str) -> Fold:
    blocks: list[Block] = [_metrics(result.everybody, currency)]
    blocks += [_metrics(other, currency) for other in result.others]
    blocks.append(_tenths(result, currency))
    notes = [finding for finding in result.findings if not _is_loud(finding)]
    blocks += [Sentence(finding.text, "plain", _SEVERITIES[finding.severity]) for finding in notes]
    held = ", ".join(result.held_out)
    blocks.append(
        Sentence(
            Text(
                f"训练 {count(result.learnt_rows)} 行（{count(result.learnt_positives)} 行发生），"
                f"留出 {held} 只评一次；随机种子 {result.seed}。",
                f"Learnt from {count(result.learnt_rows)} rows ({count(result.learnt_positives)} positive); "
                f"{held} held out and judged once; seed {result.seed}.",
            )
        )
    )
    return Fold(Text("专业视图", "Analyst view"), blocks)


def _metrics(evaluation: Evaluation, currency: str) -> Table:
    rows: list[list[Text | Cell]] = []
    for metric in evaluation.metrics:
        against = metric.against or Text("—", "—")
        proof = {
            True: Cell(Text("已证实", "proven"), tone="ok"),
            False: Cell(Text("尚未证实", "not proven"), tone="hold"),
            None: Cell(Text("—", "—")),
        }[metric.proven]
        rows.append(
            [
                metric.label,
                same(_figure(metric, metric.model, currency)),
                against,
                same(_figure(metric, metric.baseline, currency)),
                same(_figure(metric, metric.difference, currency)),
                proof,
            ]
        )
    return Table(
        [
            Text("指标", "figure"),
            Text("模型（95% 区间）", "model (95% interval)"),
            Text("对比", "beside"),
            Text("基准", "baseline"),
            Text("差", "difference"),
            Text("结论", "verdict"),
        ],
        rows,
        title=Text(f"全部指标，对比{evaluation.baseline.zh}", f"All figures beside {evaluation.baseline.en}"),
        numbers=frozenset({1, 3, 4}),
    )


def _tenths(result: Backtest, currency: str) -> Table:
    amounts = result.kind == "how_much"

    def shown(value: float) -> Text:
        return same(money(value, currency) if amounts else share(value))

    rows: list[list[Text | Cell]] = [
        [
            same(str(tenth.tenth)),
            same(count(tenth.people)),
            shown(tenth.predicted),
            shown(tenth.seen),
            same(number(tenth.lift, 1) + "×"),
            Cell(same(share(tenth.share)), bar=tenth.share),
        ]
        for tenth in result.everybody.tenths
    ]
    return Table(
        [
            Text("十分位", "tenth"),
            Text("人数", "people"),
            Text("预测", "predicted"),
            Text("实际", "seen"),
            Text("提升", "lift"),
            Text("占总量", "share of all"),
        ],
        rows,
        title=Text("从得分最高的十分之一到最低", "From the best-scored tenth to the last"),
        numbers=frozenset({0, 1, 2, 3, 4}),
    )
