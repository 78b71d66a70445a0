"""Predictions: can I trust it, how many must I contact, does it keep working, and what did the guard see?"""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.predictions.backtest import Backtest
from aimwell.insight.predictions.evaluation import Evaluation, Metric
from aimwell.insight.predictions.findings import Finding, Severity
from aimwell.web.report.blocks import Block, Fact, Facts, Fold, Sentence, Tone
from aimwell.web.report.formats import between, count, listed, missing, moment, money, number, same, share
from aimwell.web.report.questions import Question
from aimwell.web.report.sections import prediction_charts, prediction_tables

_TONES: dict[Severity, Tone] = {"alarm": "danger", "warning": "warn", "note": "plain"}
_SEVERITIES: dict[Severity, Text] = {
    "alarm": Text("警报", "Alarm"),
    "warning": Text("注意", "Warning"),
    "note": Text("说明", "Note"),
}
_NOT_RANDOM = Text("不是随机联系的", "Not chosen at random")
_ANALYST = Text("专业视图", "Analyst view")


def prediction_blocks(result: Backtest, question: Question, currency: str) -> list[Block]:
    """Everything that a marketer, and one fold deeper an analyst, wants to know about one prediction."""
    blocks: list[Block] = [Sentence(verdict(result, currency), "primary")]
    blocks += [_finding(each) for each in result.findings if _is_loud(each)]
    blocks.append(_protocol(result, question, currency))
    drawn = (
        prediction_charts.gains(result),
        prediction_charts.calibration(result),
        prediction_charts.periods(result, by_campaign=question.by_campaign),
    )
    blocks += [chart for chart in drawn if chart is not None]
    if result.everybody.metrics:
        blocks.append(prediction_tables.main_metrics(result, currency))
        blocks.append(prediction_tables.age_groups(result, currency))
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
        f"联系得分最高的 {mine}（{low_high}），覆盖 80% 的目标客户；按「{name.zh}」要 {rule}。",
        f'Contact the best-scored {mine} ({low_high}) and reach 80% of them; by "{name.en}" it takes {rule}.',
    )
    return _with_proof(text, needed)


def proof_of(result: Backtest) -> bool | None:
    """Whether the figure that the verdict speaks of is better than its baseline beyond chance."""
    metric = result.everybody.metric("mae" if result.kind == "how_much" else "share_for_80")
    return metric.proven if metric else None


def _amount_verdict(whole: Evaluation, currency: str) -> Text:
    error = whole.metric("mae")
    if error is None or error.baseline is None:
        return Text("没有可比的基准，不下结论。", "There is nothing to compare with, so no verdict.")
    mine, rule = money(error.model.value, currency), money(error.baseline.value, currency)
    low_high = between(money(error.model.low, currency), money(error.model.high, currency))
    mean = money(whole.mean, currency)
    text = Text(
        f"平均每人 {mean}，预测平均差 {mine}（{low_high}）；按「{whole.baseline.zh}」差 {rule}。",
        f"On an average of {mean} a customer the forecast is off by {mine} ({low_high}); "
        f'"{whole.baseline.en}" is off by {rule}.',
    )
    return _with_proof(text, error)


def _with_proof(text: Text, metric: Metric) -> Text:
    if metric.proven:
        return Text(f"{text.zh}优于基准，已证实。", f"{text.en} Better than the baseline beyond chance.")
    return Text(
        f"{text.zh}差别尚未证实（区间包含 0）。", f"{text.en} The difference is not proven (its interval holds zero)."
    )


def _finding(finding: Finding) -> Sentence:
    if finding.check == "not_random":
        return Sentence(finding.text, "warn", _NOT_RANDOM)
    return Sentence(finding.text, _TONES[finding.severity], _SEVERITIES[finding.severity])


def _is_loud(finding: Finding) -> bool:
    """Warnings, and that people were not chosen at random: nobody may read a response rate as an effect."""
    return finding.severity != "note" or finding.check == "not_random"


def _protocol(result: Backtest, question: Question, currency: str) -> Facts:
    """Of whom it is asked, what counts as yes, what was learnt from, and what was held out."""
    whole, amounts = result.everybody, result.kind == "how_much"
    days = question.days
    over = Text(f"（之后 {days} 天内）", f", over the next {days} days") if days else same("")
    answer = Text("预测的金额", "amount foretold") if amounts else Text("算作发生", "counts as yes")
    if missing(whole.mean):
        rate = same("")
    elif amounts:
        rate = Text(f"，人均 {money(whole.mean, currency)}", f", {money(whole.mean, currency)} each on average")
    else:
        rate = Text(f"，其中 {share(whole.mean)} 发生", f", {share(whole.mean)} of whom did it")
    held = listed([moment(name) for name in result.held_out])
    return Facts(
        [
            Fact(Text("问的是谁", "asked of"), question.asked_of),
            Fact(answer, Text(question.answer.zh + over.zh, question.answer.en + over.en)),
            Fact(Text("学习用", "learnt from"), _learnt(result, question)),
            Fact(
                Text("留出，只评一次", "held out, judged once"),
                Text(
                    f"{'活动 ' if question.by_campaign else ''}{held.zh}：{count(whole.people)} 人{rate.zh}",
                    f"{'campaign ' if question.by_campaign else ''}{held.en}: {count(whole.people)} people{rate.en}",
                ),
            ),
            Fact(Text("基准", "baseline"), whole.baseline),
        ],
        title=Text("怎样评的", "How it was judged"),
    )


def _learnt(result: Backtest, question: Question) -> Text:
    before = [period for period in result.periods if period.role != "held_out"]
    rows, yes = count(result.learnt_rows), count(result.learnt_positives)
    if not before:
        return Text(f"{rows} 行，其中 {yes} 行发生", f"{rows} rows, {yes} of them yes")
    first, last = moment(before[0].cut_off), moment(before[-1].cut_off)
    what = Text("场活动", "earlier campaigns") if question.by_campaign else Text("个日期", "earlier dates")
    span = same("")
    if not question.by_campaign:
        span = Text(f"（{first.zh} 至 {last.zh}）", f" ({first.en} to {last.en})")
    return Text(
        f"{len(before)} {what.zh}{span.zh}，{rows} 行，其中 {yes} 行发生",
        f"{len(before)} {what.en}{span.en}: {rows} rows, {yes} of them yes",
    )


def _analyst(result: Backtest, currency: str) -> Fold:
    blocks: list[Block] = [*prediction_tables.further_metrics(result, currency)]
    if result.everybody.tenths:
        blocks.append(prediction_tables.tenths(result, currency))
    line = result.everybody.calibration_line
    if line is not None:
        slope, intercept = number(line.slope.value, 2), number(line.intercept.value, 2)
        blocks.append(
            Sentence(
                Text(
                    f"校准线：斜率 {slope}（完美为 1），截距 {intercept}（完美为 0）。",
                    f"Calibration line: slope {slope} (perfect: 1), intercept {intercept} (perfect: 0).",
                )
            )
        )
    quiet = [finding for finding in result.findings if not _is_loud(finding)]
    blocks += [_finding(finding) for finding in quiet]
    blocks.append(Sentence(Text(f"随机种子 {result.seed}。", f"Random seed {result.seed}.")))
    return Fold(_ANALYST, blocks)
