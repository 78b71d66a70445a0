"""The leak guard: looks for columns that know the future and for figures that cannot be true, without being asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from aimwell.core.text import Text
from aimwell.insight.features.family import Column
from aimwell.insight.predictions.encoding import Encoding, is_text
from aimwell.insight.predictions.evaluation import Evaluation, Metric
from aimwell.insight.predictions.findings import Finding, Severity
from aimwell.insight.predictions.folds import customer_folds
from aimwell.insight.predictions.likelihood import Trial
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.sheet import make_sheet
from aimwell.insight.predictions.trees import grow
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.drift import Verdict, base_rate_shift
from aimwell.science.metrics.interval import Estimate
from aimwell.science.metrics.ranking import auc, auc_estimate

SURELY, LIKELY, STRIKING = 0.97, 0.90, 0.80
"""AUC of a single column from which it is an alarm, a warning, or a warning if nothing else comes near."""
FAR_ABOVE = 0.15
LARGE_GAP, GAP = 0.10, 0.04
"""By how much a random split may look better than time order before it is an alarm, or a warning."""
ENOUGH = 10
SAMPLE = 20_000
ALIKE = 0.8
QUICK_ROUNDS = 150


@dataclass(frozen=True, slots=True)
class ColumnSigns:
    """What one column alone tells of the answer: its AUC, and who has a value at all.

    present, absent: rows with and without a value, and how many of them were positive.
    """

    column: Column
    auc: float
    present: int
    present_positive: int
    absent: int
    absent_positive: int


def answer_of(rows: Rows) -> BoolArray:
    """Yes or no for each row; for amounts without any nothing, whether it is above the middle."""
    happened = rows.truth > 0
    return happened if not happened.all() else rows.truth > float(np.median(rows.truth))


def inspect_columns(rows: Rows, seed: int) -> list[Finding]:
    """Columns that are too good to be true, and columns that are only filled when the answer is known.

    Looks at 20,000 of the rows at most, drawn at random with the seed.
    """
    seen = _sample(rows, seed)
    happened = answer_of(seen)
    if not happened.any() or happened.all():
        return []
    signs: list[ColumnSigns] = []
    ranks: dict[str, FloatArray] = {}
    for column in seen.learnt_columns:
        ranks[column.name] = _ranks(seen, column.name, happened, seed)
        signs.append(_signs(column, ranks[column.name], _known(seen, column.name), happened))
    found = [finding for sign in signs if (finding := _filled_after(sign, happened))]
    named = {finding.column for finding in found}
    found += [finding for sign in signs if sign.column.name not in named and (finding := _too_good(sign, signs, ranks))]
    return found


def inspect_base_rates(learnt: Rows, tested: Rows, minimum: int) -> list[Finding]:
    """Whether the share of positives has moved since training, and whether there were enough of them."""
    found: list[Finding] = []
    if len(learnt) > 0 and len(tested) > 0:
        shift = base_rate_shift(learnt.positives, len(learnt), tested.positives, len(tested))
        if shift.verdict is not Verdict.NONE:
            numbers = {"before": shift.before.value, "now": shift.now.value}
            found.append(Finding("base_rate_moves", "warning", _MOVED.format(**_percent(numbers)), numbers=numbers))
    if learnt.positives < minimum:
        text = _FEW.format(seen=learnt.positives, wanted=minimum)
        found.append(Finding("few_positives", "warning", text, numbers={"positives": float(learnt.positives)}))
    return found


def inspect_windows(learnt: Rows, judged: Rows) -> list[Finding]:
    """Whether a training answer was known only after the moment that it helps to foretell."""
    cuts = learnt.cuts
    first = min(cuts[cut].opens for cut in set(judged.cut.tolist()))
    late = [cuts[cut].name for cut in sorted(set(learnt.cut.tolist())) if cuts[cut].closes > first]
    if not late:
        return []
    return [Finding("overlap", "alarm", _OVERLAP.format(names=", ".join(late)))]


def inspect_worth(evaluation: Evaluation) -> list[Finding]:
    """Whether the model is any better than the baseline, said plainly where it is not, or where that says little."""
    first = evaluation.metrics[0] if evaluation.metrics else None
    if first is None:
        return []
    if first.proven is not False or first.difference is None:
        return _nothing_is_closer(first, evaluation)
    numbers = {"difference": first.difference.value, "low": first.difference.low, "high": first.difference.high}
    shown = {name: f"{value:.3g}" for name, value in numbers.items()}
    text = _WORTHLESS.format(metric=first.label.zh, **shown)
    text = Text(text.zh, _WORTHLESS.format(metric=first.label.en, **shown).en)
    return [Finding("no_better_than_baseline", "warning", text, numbers=numbers)]


def _nothing_is_closer(error: Metric, evaluation: Evaluation) -> list[Finding]:
    """Where most have nothing, promising nobody anything may have the smallest mean error, and says nothing."""
    # Whoever is promised nothing is missed by his whole amount, so that the error of all is the mean amount.
    if error.name != "mae" or error.model.value < evaluation.mean:
        return []
    numbers = {"model": error.model.value, "nothing": evaluation.mean}
    text = _NOTHING.format(**{name: f"{value:,.4g}" for name, value in numbers.items()})
    return [Finding("nothing_is_closer", "warning", text, numbers=numbers)]


def inspect_split(rows: Rows, encoding: Encoding, trial: Trial, ordered: Estimate, seed: int) -> list[Finding]:
    """Whether the same trees look much better when customers are parted at random instead of in order of time.

    ordered: the AUC in order of time.   Such a gap says that the past does not foretell the future as well as it
    foretells itself: something knows the time, or the future.
    """
    shuffled = random_split(rows, encoding, trial, seed)
    if shuffled is None:
        return []
    gap = shuffled.value - ordered.value
    severity: Severity | None = "alarm" if gap > LARGE_GAP else "warning" if gap > GAP else None
    if severity is None or shuffled.low <= ordered.high:
        return []
    numbers = {"random": shuffled.value, "time": ordered.value}
    text = _SPLIT.format(random=f"{shuffled.value:.3f}", time=f"{ordered.value:.3f}")
    return [Finding("random_beats_time", severity, text, numbers=numbers)]


def random_split(rows: Rows, encoding: Encoding, trial: Trial, seed: int) -> Estimate | None:
    """AUC when a quarter of the customers, drawn at random, is foretold from the others; for detection alone."""
    happened = answer_of(rows)
    fold = customer_folds(rows, 4, seed)[0]
    judged = happened[fold.judge]
    if not judged.any() or judged.all() or happened[fold.learn].sum() < ENOUGH:
        return None
    sheet = make_sheet(rows, encoding.matrix(rows.table), encoding, trial.settings, happened.astype(np.float64))
    settings = trial.settings.trees.model_copy(update={"bags": 1})
    trees = grow(sheet.take(fold.learn), settings, "binary", min(trial.rounds, QUICK_ROUNDS), seed)
    return auc_estimate(trees.raw(sheet.matrix[fold.judge]), judged, groups=rows.customers[fold.judge])


def _sample(rows: Rows, seed: int) -> Rows:
    if len(rows) <= SAMPLE:
        return rows
    places: IntArray = np.sort(np.random.default_rng(seed).choice(len(rows), SAMPLE, replace=False)).astype(np.int64)
    return rows.take(places)


def _known(rows: Rows, name: str) -> BoolArray:
    column = rows.table.column(name)
    if is_text(column):
        return ~np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)
    return ~np.isnan(rows.values(name))


def _ranks(rows: Rows, name: str, happened: BoolArray, seed: int) -> FloatArray:
    """Ranks of a column's values; words are ranked by how often the answer was yes among *other* rows with them."""
    if not is_text(rows.table.column(name)):
        values = rows.values(name)
        known = values[~np.isnan(values)]
        return np.asarray(rankdata(np.where(np.isnan(values), np.median(known) if known.size else 0.0, values)))
    words = np.asarray(rows.table.column(name).fill_null("").to_pylist(), dtype=np.str_)
    _, codes = np.unique(words, return_inverse=True)
    half = np.random.default_rng(seed).random(len(rows)) < 0.5
    rates = np.empty(len(rows))
    for learn, judge in ((half, ~half), (~half, half)):
        size = int(codes.max()) + 1
        yes = np.bincount(codes[learn], weights=happened[learn], minlength=size)
        seen = np.bincount(codes[learn], minlength=size)
        rates[judge] = ((yes + happened.mean()) / (seen + 1.0))[codes[judge]]
    return np.asarray(rankdata(rates))


def _signs(column: Column, ranks: FloatArray, known: BoolArray, happened: BoolArray) -> ColumnSigns:
    value = auc(ranks, happened)
    return ColumnSigns(
        column,
        max(value, 1.0 - value),
        int(known.sum()),
        int(happened[known].sum()),
        int((~known).sum()),
        int(happened[~known].sum()),
    )


def _filled_after(sign: ColumnSigns, happened: BoolArray) -> Finding | None:
    """A column that is filled only where the answer is yes (or only where it is no) was written after the answer."""
    if min(sign.present, sign.absent) < ENOUGH:
        return None
    base = float(happened.mean())
    negatives = happened.size - int(happened.sum())
    present_share = sign.present_positive / max(int(happened.sum()), 1)
    others_share = (sign.present - sign.present_positive) / max(negatives, 1)
    by_presence = (1.0 + abs(present_share - others_share)) / 2.0
    # One side all yes, although yes is not the rule: nobody knows that before it happens.
    pure = base < 1.0 - 2.0 / ENOUGH and (sign.present_positive == sign.present or sign.absent_positive == sign.absent)
    if not pure and by_presence < LIKELY:
        return None
    numbers = {
        "rate_with": sign.present_positive / sign.present,
        "rate_without": sign.absent_positive / sign.absent,
    }
    text = _FILLED.format(name=sign.column.name, **_percent(numbers))
    return Finding("filled_after", "alarm", text, sign.column.name, numbers)


def _too_good(sign: ColumnSigns, signs: list[ColumnSigns], ranks: dict[str, FloatArray]) -> Finding | None:
    if sign.auc < STRIKING:
        return None
    mine = ranks[sign.column.name]
    others = sorted((other for other in signs if other is not sign), key=lambda other: -other.auc)
    witness = next((other for other in others if not _alike(mine, ranks[other.column.name])), None)
    next_best = witness.auc if witness else 0.5
    numbers = {"auc": sign.auc, "next_best": next_best}
    severity: Severity
    if sign.auc >= SURELY:
        severity = "alarm"
    elif sign.auc >= LIKELY or sign.auc - next_best >= FAR_ABOVE:
        severity = "warning"
    else:
        return None
    text = _TOO_GOOD.format(name=sign.column.name, auc=f"{sign.auc:.3f}", next=f"{next_best:.3f}")
    return Finding("too_good", severity, text, sign.column.name, numbers)


def _alike(one: FloatArray, two: FloatArray) -> bool:
    """Whether two columns say nearly the same, so that the one is no witness against the other."""
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return False
    return bool(abs(float(np.corrcoef(one, two)[0, 1])) >= ALIKE)


def _percent(numbers: dict[str, float]) -> dict[str, str]:
    return {name: f"{100 * value:.1f}%" for name, value in numbers.items()}


_WORTHLESS = Text(
    "未能证明模型优于基准：{metric} 的差为 {difference}（区间 {low} 至 {high}）。请先用基准规则。",
    "The model is not proven better than the baseline: {metric} differs by {difference} (interval {low} to {high}). "
    "Use the baseline.",
)
_NOTHING = Text(
    "多数人金额为零：一律预测零的平均误差是 {nothing}，模型是 {model}。误差在此意义不大，请看名单的排序和期望值。",
    "Most have nothing: promising everybody nothing would have a mean error of {nothing}, the model has {model}. The "
    "error says little here: go by the order of the list and the expected amounts.",
)
_MOVED = Text(
    "目标比例已变动：训练期 {before}，检验期 {now}。概率可能整体偏高或偏低，排序不受影响。",
    "The share of positives has moved: {before} in training, {now} when judged. Probabilities may all be too high or "
    "too low; the order of the list is not affected.",
)
_FEW = Text(
    "训练期只有 {seen} 个正例（建议至少 {wanted} 个），结果不稳定。",
    "Only {seen} positives to learn from (at least {wanted} are advised): the results are unsteady.",
)
_OVERLAP = Text(
    "训练标签窗口与检验日期重叠：{names}",
    "Answers of training rows were known only after the date that is judged: {names}",
)
_SPLIT = Text(
    "随机划分的 AUC 为 {random}，按时间为 {time}：差距过大，可能有信息泄漏或规律随时间改变。只有按时间的数字可信。",
    "AUC is {random} on a random split but {time} in order of time: something knows the future, or the world has "
    "changed. Only the figure in order of time can be believed.",
)
_FILLED = Text(
    "“{name}”似乎在结果发生之后才填写：有值者中 {rate_with} 为正例，无值者中 {rate_without}。请排除该列。",
    "{name!r} seems to be filled only after the outcome: {rate_with} positives among those with a value, "
    "{rate_without} among those without. Exclude the column.",
)
_TOO_GOOD = Text(
    "单看“{name}”一列 AUC 就有 {auc}（其他列最高 {next}），好得可疑：它是否在预测时就已知？若不是，请排除。",
    "{name!r} alone reaches an AUC of {auc} (the best of the others {next}): too good to be true. Is it known at the "
    "time of the prediction? If not, exclude it.",
)
