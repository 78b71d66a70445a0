"""Tables of one prediction: every figure beside its baseline, new and existing customers apart, tenths."""

from __future__ import annotations

from collections.abc import Sequence

from aimwell.core.text import Text
from aimwell.insight.predictions.backtest import Backtest
from aimwell.insight.predictions.evaluation import Evaluation, Metric
from aimwell.science.metrics.interval import Estimate
from aimwell.web.report.blocks import Cell, Table
from aimwell.web.report.formats import between, count, money, number, same, share

PROVEN, NOT_PROVEN = Text("已证实", "proven"), Text("尚未证实", "not proven")
_UNKNOWN = Text("—", "—")
_SHARES = {"share_for_80", "reached_10", "reached_20", "money_10"}
_MONEY = {"mae", "bias"}
_FOR_ANALYSTS = {"average_precision", "log_loss", "brier"}


def main_metrics(result: Backtest, currency: str) -> Table:
    """The figures that a marketer needs, each beside its baseline with both intervals."""
    chosen = [metric for metric in result.everybody.metrics if metric.name not in _FOR_ANALYSTS]
    title = Text("模型与基准并排，在留出的日期上", "Model and baseline side by side, on what was held out")
    return _metrics(chosen, title, currency)


def further_metrics(result: Backtest, currency: str) -> list[Table]:
    """What analysts ask for, then the main figures beside the other rules that one could follow."""
    rest = [metric for metric in result.everybody.metrics if metric.name in _FOR_ANALYSTS]
    tables = [_metrics(rest, Text("概率的质量", "Quality of the probabilities"), currency)] if rest else []
    for other in result.others:
        title = Text(f"对比另一条规则：{other.baseline.zh}", f"Beside another rule: {other.baseline.en}")
        tables.append(_metrics([m for m in other.metrics if m.name not in _FOR_ANALYSTS], title, currency))
    return tables


def _metrics(metrics: Sequence[Metric], title: Text, currency: str) -> Table:
    """Figures beside their baseline, which is named below the table, or row by row where there are several."""
    named = list({metric.against.en: metric.against for metric in metrics if metric.against}.values())
    rows = [_metric_row(metric, currency) for metric in metrics]
    columns = [
        Text("指标（95% 区间）", "figure (95% interval)"),
        Text("模型", "model"),
        Text("基准", "baseline"),
        Text("差", "difference"),
        Text("结论", "verdict"),
    ]
    if len(named) > 1:
        columns.append(Text("哪个基准", "which baseline"))
        rows = [[*row, metric.against or _UNKNOWN] for row, metric in zip(rows, metrics, strict=True)]
    return Table(columns, rows, title=title, numbers=frozenset({1, 2, 3}), note=_note(named))


def _note(named: Sequence[Text]) -> Text:
    zh, en = (f"基准：{named[0].zh}。", f"Baseline: {named[0].en}. ") if len(named) == 1 else ("", "")
    return Text(
        f"{zh}差由同样的客户成对算出；区间不含 0 才算已证实。",
        f"{en}Differences are paired, on the same customers; proven means that the interval does not hold zero.",
    )


def _metric_row(metric: Metric, currency: str) -> list[Text | Cell]:
    proof = {
        True: Cell(PROVEN, tone="ok"),
        False: Cell(NOT_PROVEN, tone="hold"),
        None: Cell(_UNKNOWN),
    }[metric.proven]
    figures = [same(figure(metric, each, currency)) for each in (metric.model, metric.baseline)]
    return [metric.label, *figures, _difference(metric, currency), proof]


def _difference(metric: Metric, currency: str) -> Text:
    """The difference of the two; of shares in percentage points."""
    gap = metric.difference
    if gap is None or metric.name not in _SHARES:
        return same(figure(metric, gap, currency))
    value, low, high = (number(100 * each, 1) for each in (gap.value, gap.low, gap.high))
    return Text(f"{value} 个百分点（{between(low, high)}）", f"{value} pp ({between(low, high)})")


def figure(metric: Metric, estimate: Estimate | None, currency: str) -> str:
    """A figure with its interval: money for errors, per cent for shares, plain for the others."""
    if estimate is None:
        return _UNKNOWN.en

    def said(value: float) -> str:
        if metric.name in _SHARES:
            return share(value)
        return money(value, currency) if metric.name in _MONEY else number(value)

    return f"{said(estimate.value)} ({between(said(estimate.low), said(estimate.high))})"


def age_groups(result: Backtest, currency: str) -> Table:
    """New and existing customers apart, by the first figure."""
    groups = (
        (Text("全部", "everybody"), result.everybody),
        (Text("新客户", "new customers"), result.new),
        (Text("老客户", "existing customers"), result.existing),
    )
    label = next((group.metrics[0].label for _, group in groups if group.metrics), Text("指标", "figure"))
    return Table(
        [
            Text("客户", "customers"),
            Text("人数", "people"),
            Text("发生", "did it"),
            label,
            Text("基准", "baseline"),
        ],
        [_age_row(name, group, currency) for name, group in groups],
        title=Text("新客户与老客户分开看", "New and existing customers apart"),
        numbers=frozenset({1, 2, 3, 4}),
        note=Text("人太少或结果全相同时不给数字。", "No figure where there are too few people, or all answered alike."),
    )


def _age_row(name: Text, group: Evaluation, currency: str) -> list[Text | Cell]:
    first = group.metrics[0] if group.metrics else None
    figures = [figure(first, each, currency) if first else "—" for each in _both(first)]
    return [name, same(count(group.people)), same(count(group.positives)), *(same(each) for each in figures)]


def _both(metric: Metric | None) -> tuple[Estimate | None, Estimate | None]:
    return (metric.model, metric.baseline) if metric else (None, None)


def tenths(result: Backtest, currency: str) -> Table:
    """From the best-scored tenth to the last: what was said and what was seen."""
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
            Text("相对平均", "against the mean"),
            Text("占总量", "share of all"),
        ],
        rows,
        title=Text("从得分最高的十分之一到最低", "From the best-scored tenth to the last"),
        numbers=frozenset({0, 1, 2, 3, 4}),
    )
