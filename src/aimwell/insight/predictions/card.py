"""The model card: everything one must know before using a model, as plain values and as a page in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aimwell.core.rules import plain_rule
from aimwell.core.text import Language, Text
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.backtest import Backtest
from aimwell.insight.predictions.definition import Prediction
from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.evaluation import Evaluation, Metric
from aimwell.insight.predictions.periods import Role
from aimwell.insight.predictions.plain import Result


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """A feature on the card: its name, label, family, and its share of what the trees gained."""

    name: str
    label: Text
    weight: float


@dataclass(frozen=True, slots=True)
class Card(Result):
    """What a model is, what it learnt from, how good it was, and what it must not be used for.

    question: population, target and horizon as written.   learnt_from: names of the cut-offs of the model in use.
    rows, positives: what the model in use learnt from.   columns: the features, the weightiest first.
    dropped: columns that were left out, with the reason.   timeless: tables that do not say since when they are known.
    marks: hashes of definition and data.   limits: what the figures do not say.
    """

    prediction: str
    title: Text
    kind: str
    version: str
    question: Mapping[str, object]
    trained_as_of: datetime | None
    learnt_from: tuple[str, ...]
    rows: int
    positives: int
    columns: tuple[ColumnLine, ...]
    dropped: tuple[tuple[str, Text], ...]
    timeless: tuple[str, ...]
    backtest: Backtest
    limits: tuple[Text, ...]
    about: str
    marks: Mapping[str, str]
    seed: int

    def markdown(self, language: Language) -> str:
        """The card as a page of Markdown."""
        return "\n".join([*_head(self, language), *_figures(self, language), *_warnings(self, language)]) + "\n"


def question_of(definition: Prediction) -> dict[str, object]:
    """What is asked, in plain values as a person would write them."""
    if definition.flat is not None:
        return {"flat": definition.flat.model_dump(mode="json", exclude_none=True)}
    found: dict[str, object] = {
        "population": plain_rule(definition.population) if definition.population else "everybody",
        "target": definition.target.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        if definition.target
        else None,
        "horizon_days": definition.horizon_days,
    }
    if definition.gap_days:
        found["gap_days"] = definition.gap_days
    return found


def column_lines(columns: Mapping[str, Column], encoding: Encoding, gains: list[float]) -> tuple[ColumnLine, ...]:
    """The used columns with their share of the trees' gain, the weightiest first."""
    total = sum(gains) or 1.0
    lines = [
        ColumnLine(name, columns[name].label, gain / total) for name, gain in zip(encoding.names, gains, strict=True)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.weight, line.name)))


def limits_of(definition: Prediction) -> tuple[Text, ...]:
    """What the figures of such a prediction do not say, whatever the data."""
    found = [_ASSOCIATION]
    if definition.flat is not None and definition.flat.order_by is None:
        found.append(_NO_ORDER)
    if definition.kind == "how_much":
        found.append(_SUMS)
    return tuple(found)


def verdict(backtest: Backtest) -> Text:
    """One sentence: is the model better than the baseline, by how much, how surely."""
    metrics = backtest.everybody.metrics
    if not metrics:
        return Text("没有足够的结果可供评估。", "There were too few outcomes to judge by.")
    first = metrics[0]
    numbers = {"value": _number(first.model.value), "base": _number(first.baseline.value if first.baseline else None)}
    rule = first.against or backtest.everybody.baseline
    text = {True: _BETTER, False: _NOT_BETTER, None: _ALONE}[first.proven]
    return Text(
        text.zh.format(metric=first.label.zh, rule=rule.zh, **numbers),
        text.en.format(metric=first.label.en, rule=rule.en, **numbers),
    )


def _head(card: Card, language: Language) -> list[str]:
    said = _WORDS[language]
    as_of = card.trained_as_of.isoformat() if card.trained_as_of else "-"
    lines = [f"# {said['card']}: {card.title.said(language)}", "", verdict(card.backtest).said(language), ""]
    lines += [f"- **{said['version']}**: `{card.version}` ({card.kind})", f"- **{said['trained']}**: {as_of}"]
    lines += [f"- **{said[key]}**: `{value}`" for key, value in card.question.items() if key in said]
    if card.learnt_from:
        lines.append(f"- **{said['cut_offs']}**: {', '.join(card.learnt_from)}")
    lines.append(f"- **{said['rows']}**: {card.rows:,} ({said['positives']} {card.positives:,})")
    if card.about:
        lines.append(f"- **{said['about']}**: {card.about}")
    return [*lines, ""]


def _figures(card: Card, language: Language) -> list[str]:
    said, test = _WORDS[language], card.backtest
    lines = [f"## {said['figures']}", "", f"{said['held_out']}: {', '.join(test.held_out)}", ""]
    lines += _table(test.everybody, language)
    # Nobody in a flat file is known to be new or not.
    for title, group in (("new", test.new), ("existing", test.existing)) if card.trained_as_of else ():
        lines += [f"### {said[title]} ({group.people:,})", ""]
        lines += _table(group, language) if group.metrics else [*(note.said(language) for note in group.notes), ""]
    for other in test.others:
        lines += [f"### {said['beside']} {other.baseline.said(language)}", "", *_table(other, language)]
    if test.everybody.zeros:
        zero = test.everybody.zeros
        lines += [f"{said['zeros']}: {zero.predicted:.1%} / {zero.seen.value:.1%}", ""]
    lines += [*_lists(test, language), *_periods(test, language)]
    lines += [f"## {said['columns']}", ""]
    lines += [f"- {line.label.said(language)} (`{line.name}`): {line.weight:.1%}" for line in card.columns[:15]]
    return [*lines, ""]


def _lists(test: Backtest, language: Language) -> list[str]:
    """What the best of the list contain, and whether the probabilities can be believed."""
    said, whole = _WORDS[language], test.everybody
    if not whole.top:
        return []
    head = [said[key] for key in ("list", "rate", "reached", "lift")]
    lines = [f"## {said['lists']}", "", f"| {' | '.join(head)} |", "|---|---|---|---|"]
    lines += [f"| {row.people:,} | {row.rate} | {row.reached:.1%} | {row.lift:.2f} |" for row in whole.top]
    if whole.calibration_line:
        line = whole.calibration_line
        lines += ["", said["calibration"].format(slope=line.slope, shift=line.shift)]
    return [*lines, ""]


def _periods(test: Backtest, language: Language) -> list[str]:
    said = _WORDS[language]
    head = [said[key] for key in ("cut_off", "role", "people", "positives", "model", "baseline")]
    lines = [f"## {said['periods']}", "", f"| {' | '.join(head)} |", "|---|---|---|---|---|---|"]
    for each in test.periods:
        cells = [each.cut_off, said[_ROLES[each.role]], f"{each.people:,}", f"{each.positives:,}"]
        lines.append(f"| {' | '.join(cells)} | {each.auc or '-'} | {each.baseline or '-'} |")
    return [*lines, ""]


def _table(evaluation: Evaluation, language: Language) -> list[str]:
    said = _WORDS[language]
    lines = [f"| {said['figure']} | {said['model']} | {said['baseline']} | {said['difference']} |", "|---|---|---|---|"]
    lines += [_row(metric, language) for metric in evaluation.metrics]
    return [*lines, ""]


def _row(metric: Metric, language: Language) -> str:
    against = f" ({metric.against.said(language)})" if metric.against else ""
    cells = [
        str(metric.model),
        f"{metric.baseline}{against}" if metric.baseline else "-",
        str(metric.difference or "-"),
    ]
    return f"| {metric.label.said(language)} | {' | '.join(cells)} |"


def _warnings(card: Card, language: Language) -> list[str]:
    said = _WORDS[language]
    lines = [f"## {said['findings']}", ""]
    lines += [f"- **{finding.severity}** {finding.text.said(language)}" for finding in card.backtest.findings] or ["-"]
    lines += ["", f"## {said['limits']}", "", *(f"- {limit.said(language)}" for limit in card.limits)]
    if card.dropped:
        lines += ["", f"## {said['dropped']}", "", *(f"- `{name}` {why.said(language)}" for name, why in card.dropped)]
    marks = ", ".join(f"{name} `{mark}`" for name, mark in card.marks.items())
    return [*lines, "", f"{said['marks']}: {marks}, seed {card.seed}"]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


_BETTER = Text(
    "在检验期上，{metric} 为 {value}，优于基准“{rule}”（{base}），差异可靠。",
    "On the held-out dates {metric} was {value}, better than the baseline {rule!r} ({base}) beyond chance.",
)
_NOT_BETTER = Text(
    "在检验期上，{metric} 为 {value}，未能证明优于基准“{rule}”（{base}）。",
    "On the held-out dates {metric} was {value}; it does not beat the baseline {rule!r} ({base}) beyond chance.",
)
_ALONE = Text("在检验期上，{metric} 为 {value}。", "On the held-out dates {metric} was {value}.")
_ASSOCIATION = Text(
    "分数说明谁更可能发生，不说明联系他会带来什么改变；后者需要实验。",
    "Scores say who is likelier, not what contacting them would change; that takes an experiment.",
)
_NO_ORDER = Text(
    "文件没有时间顺序，只能随机留出：真实使用中的效果通常更差。",
    "The file has no order of time, so rows were held out at random: in use the figures are usually worse.",
)
_SUMS = Text(
    "“期望值”可以相加做预算；“典型值”是中位数，不可相加。",
    "Expected amounts may be added up for a budget; typical ones are medians and may not.",
)
_ROLES: Mapping[Role, str] = {"learnt": "learnt", "chosen_on": "chosen_on", "held_out": "held_out_role"}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "card": "模型卡",
        "version": "版本",
        "trained": "训练时点",
        "population": "对象",
        "target": "预测目标",
        "horizon_days": "预测期（天）",
        "gap_days": "间隔（天）",
        "flat": "平面文件",
        "cut_offs": "学习时点",
        "rows": "学习行数",
        "positives": "其中有结果",
        "about": "数据",
        "figures": "检验结果",
        "held_out": "检验时点（训练时未用）",
        "new": "新客户",
        "existing": "老客户",
        "beside": "另一基准：",
        "zeros": "零金额比例（预测 / 实际）",
        "lists": "名单与概率",
        "list": "名单人数",
        "rate": "其中有结果的比例（区间）",
        "reached": "覆盖的目标客户",
        "lift": "提升倍数",
        "calibration": "概率校准：斜率 {slope}（1 为最佳），整体偏移 {shift}（0 为最佳）。",
        "periods": "逐个时点（AUC）",
        "cut_off": "时点",
        "role": "用途",
        "people": "人数",
        "learnt": "学习",
        "chosen_on": "调参",
        "held_out_role": "检验",
        "columns": "最重要的特征",
        "figure": "指标",
        "model": "模型（区间）",
        "baseline": "基准（区间）",
        "difference": "差（区间）",
        "findings": "检查发现",
        "limits": "使用限制",
        "dropped": "未使用的列",
        "marks": "指纹",
    },
    "en": {
        "card": "Model card",
        "version": "Version",
        "trained": "Trained as of",
        "population": "Population",
        "target": "Target",
        "horizon_days": "Horizon (days)",
        "gap_days": "Gap (days)",
        "flat": "Flat file",
        "cut_offs": "Learnt at",
        "rows": "Rows learnt from",
        "positives": "with the outcome",
        "about": "Data",
        "figures": "How good it was",
        "held_out": "Held out (never learnt from)",
        "new": "New customers",
        "existing": "Existing customers",
        "beside": "Beside another baseline:",
        "zeros": "Share with nothing (promised / seen)",
        "lists": "Lists and probabilities",
        "list": "List of",
        "rate": "Share with the outcome (interval)",
        "reached": "Reached of all",
        "lift": "Lift",
        "calibration": "Calibration: slope {slope} (best 1), shift {shift} (best 0).",
        "periods": "Cut-off by cut-off (AUC)",
        "cut_off": "Cut-off",
        "role": "Used to",
        "people": "People",
        "learnt": "learn",
        "chosen_on": "choose",
        "held_out_role": "judge",
        "columns": "Features that matter most",
        "figure": "Figure",
        "model": "Model (interval)",
        "baseline": "Baseline (interval)",
        "difference": "Difference (interval)",
        "findings": "What the guard found",
        "limits": "Limits",
        "dropped": "Columns not used",
        "marks": "Marks",
    },
}
