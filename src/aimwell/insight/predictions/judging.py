"""Judges scores on rows that they were not learnt from, beside a baseline, with customers as the unit of chance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.predictions.evaluation import Curve, Evaluation, Metric, Tenth
from aimwell.insight.predictions.rows import Names, Rows
from aimwell.insight.predictions.scores import Baseline, Scores
from aimwell.science.arrays import FloatArray
from aimwell.science.metrics.amount import spearman, zeros
from aimwell.science.metrics.gains import (
    gains,
    gains_band,
    reached_at_estimate,
    share_for_difference,
    top_table,
)
from aimwell.science.metrics.interval import Estimate, difference, estimate, mean_estimate
from aimwell.science.metrics.order import best_first
from aimwell.science.metrics.probability import (
    CalibrationLine,
    calibration_line,
    calibration_table,
    log_loss_estimate,
)
from aimwell.science.metrics.ranking import auc_difference, average_precision_estimate

POINTS = 101
MOST = 1000
WORK = 4_000_000
"""Rows × resamples that an interval may cost; large samples need few resamples, their intervals are narrow anyway."""

_ALIKE = Text(
    "{people} 人中 {positives} 人有结果，无法区分，不给出指标",
    "{positives} of {people} have the outcome: nothing can be told apart, so no figure is given",
)
_LABELS = {
    "auc": Text("排序准确度 AUC", "AUC (order of the list)"),
    "share_for_80": Text("覆盖 80% 目标客户需联系的比例", "Share of the list that holds 80 % of them"),
    "reached_10": Text("前 10% 名单覆盖的目标客户", "Reached by the best 10 % of the list"),
    "reached_20": Text("前 20% 名单覆盖的目标客户", "Reached by the best 20 % of the list"),
    "average_precision": Text("平均精确率", "Average precision"),
    "log_loss": Text("对数损失", "Log loss"),
    "brier": Text("Brier 分", "Brier score"),
    "mae": Text("平均绝对误差(典型值)", "Mean absolute error (typical amount)"),
    "spearman": Text("排序相关(Spearman)", "Rank correlation (Spearman)"),
    "bias": Text("平均偏差(期望值)", "Mean bias (expected amount)"),
    "money_10": Text("前 10% 名单的金额占比", "Share of the money in the best 10 %"),
}
_EVERYBODY = Text("人人同一概率", "the same probability for everybody")


def judge_happens(
    rows: Rows, scores: Scores, baseline: Baseline, *, sizes: tuple[int, ...], seed: int, resamples: int = MOST
) -> Evaluation:
    """What a list by these scores is worth, and whether the probabilities can be believed.

    Rows of one customer at several dates count as one for chance.   When everybody answered alike nothing is computed,
    and a note says so.
    """
    happened = (rows.truth > 0).astype(np.float64)
    start = _start(rows, happened, baseline)
    if start.notes:
        return start
    chance = _Chance(_groups(rows), resamples_for(len(rows), resamples), seed)
    return replace(
        start,
        metrics=_happens_metrics(happened, scores, baseline, chance),
        curve=_curve(scores, baseline, happened, chance),
        tenths=_tenths(scores, happened, seed),
        top=top_table(scores.raw, happened, sizes, seed=seed),
        calibration=calibration_table(scores.value, happened),
        calibration_line=_line(scores.value, happened),
    )


def judge_how_much(
    rows: Rows, scores: Scores, baseline: Baseline, *, sizes: tuple[int, ...], seed: int, resamples: int = MOST
) -> Evaluation:
    """How close the amounts are, whether their order is right, and whether as many spend nothing as promised.

    Amounts below zero count as nothing.   The baseline's raw values are amounts.
    """
    seen = np.maximum(rows.truth, 0.0)
    start = _start(rows, seen, baseline)
    if start.notes:
        return start
    chance = _Chance(_groups(rows), resamples_for(len(rows), resamples), seed)
    bought = (seen > 0).astype(np.float64)
    return replace(
        start,
        metrics=_amount_metrics(seen, scores, baseline, chance),
        curve=_curve(scores, baseline, seen, chance),
        tenths=_tenths(scores, seen, seed),
        top=top_table(scores.raw, bought, sizes, seed=seed),
        calibration=calibration_table(1.0 - scores.nothing, bought),
        calibration_line=_line(1.0 - scores.nothing, bought),
        zeros=zeros(scores.nothing, seen),
    )


@dataclass(frozen=True, slots=True)
class _Chance:
    """How intervals are drawn: whose rows belong together (None: each is a customer), how often, with which seed."""

    groups: Names | None
    times: int
    seed: int


def resamples_for(people: int, most: int = MOST) -> int:
    """How many resamples an interval gets: `most` for few people, at least 100 for many.

    >>> resamples_for(2_000), resamples_for(1_000_000)
    (1000, 100)
    """
    return int(min(most, max(WORK // max(people, 1), 100)))


def _start(rows: Rows, seen: FloatArray, baseline: Baseline) -> Evaluation:
    people, positives = len(rows), rows.positives
    mean = float(seen.mean()) if people else 0.0
    alike = people == 0 or bool(np.ptp(seen) == 0)
    notes = (_ALIKE.format(people=people, positives=positives),) if alike else ()
    return Evaluation(people, positives, mean, baseline.label, notes=notes)


def _groups(rows: Rows) -> Names | None:
    """The customers, where any of them stands in several rows."""
    return rows.customers if np.unique(rows.customers).size < len(rows) else None


def _happens_metrics(happened: FloatArray, scores: Scores, baseline: Baseline, chance: _Chance) -> tuple[Metric, ...]:
    raw, rule, groups, times, seed = scores.raw, baseline.raw, chance.groups, chance.times, chance.seed
    order = auc_difference(raw, rule, happened, groups=groups)
    needed = share_for_difference(raw, rule, happened, groups=groups, resamples=times, seed=seed)
    return (
        Metric("auc", _LABELS["auc"], "higher", order.first, baseline.label, order.second, order.difference),
        Metric(
            "share_for_80",
            _LABELS["share_for_80"],
            "lower",
            needed.first,
            baseline.label,
            needed.second,
            needed.difference,
        ),
        _reached("reached_10", 0.1, scores, baseline, happened, chance),
        _reached("reached_20", 0.2, scores, baseline, happened, chance),
        Metric(
            "average_precision",
            _LABELS["average_precision"],
            "higher",
            average_precision_estimate(raw, happened, groups=groups, resamples=min(times, 200), seed=seed),
            baseline.label,
            average_precision_estimate(rule, happened, groups=groups, resamples=min(times, 200), seed=seed),
        ),
        *_probability_metrics(happened, scores.value, chance.groups),
    )


def _probability_metrics(happened: FloatArray, value: FloatArray, groups: Names | None) -> tuple[Metric, ...]:
    """How believable the probabilities are, against giving everybody the share that was seen."""
    rate = np.full(happened.size, happened.mean())
    found = [("log_loss", _surprises(value, happened), _surprises(rate, happened))]
    found.append(("brier", np.square(value - happened), np.square(rate - happened)))
    return tuple(
        Metric(
            name,
            _LABELS[name],
            "lower",
            log_loss_estimate(value, happened, groups=groups)
            if name == "log_loss"
            else mean_estimate(mine, groups=groups),
            _EVERYBODY,
            mean_estimate(theirs, groups=groups),
            mean_estimate(mine - theirs, groups=groups),
        )
        for name, mine, theirs in found
    )


def _surprises(value: FloatArray, happened: FloatArray) -> FloatArray:
    found: FloatArray = -np.log(np.maximum(np.where(happened > 0, value, 1 - value), 1e-12))
    return found


def _amount_metrics(seen: FloatArray, scores: Scores, baseline: Baseline, chance: _Chance) -> tuple[Metric, ...]:
    groups = chance.groups
    typical = scores.value if scores.typical is None else scores.typical
    mine, theirs = np.abs(typical - seen), np.abs(baseline.raw - seen)
    bought = (seen > 0).astype(np.float64)
    found = [
        Metric(
            "mae",
            _LABELS["mae"],
            "lower",
            mean_estimate(mine, groups=groups),
            baseline.label,
            mean_estimate(theirs, groups=groups),
            mean_estimate(mine - theirs, groups=groups),
        ),
        _spearman(seen, scores, baseline, chance),
        Metric(
            "bias",
            _LABELS["bias"],
            "zero",
            mean_estimate(scores.value - seen, groups=groups),
            baseline.label,
            mean_estimate(baseline.raw - seen, groups=groups),
        ),
        _reached("money_10", 0.1, scores, baseline, seen, chance),
    ]
    if 0 < bought.sum() < bought.size:
        order = auc_difference(1.0 - scores.nothing, baseline.raw, bought, groups=groups)
        found.append(
            Metric("auc", _LABELS["auc"], "higher", order.first, baseline.label, order.second, order.difference)
        )
    return tuple(found)


def _spearman(seen: FloatArray, scores: Scores, baseline: Baseline, chance: _Chance) -> Metric:
    label, groups, times, seed = _LABELS["spearman"], chance.groups, min(chance.times, 400), chance.seed
    if np.ptp(baseline.raw) == 0:
        alone = estimate(spearman, scores.raw, seen, groups=groups, resamples=times, seed=seed)
        return Metric("spearman", label, "higher", alone)
    order = difference(spearman, scores.raw, baseline.raw, seen, groups=groups, resamples=times, seed=seed)
    return Metric("spearman", label, "higher", order.first, baseline.label, order.second, order.difference)


def _reached(
    name: str,
    contacted: float,
    scores: Scores,
    baseline: Baseline,
    gained: FloatArray,
    chance: _Chance,
) -> Metric:
    times = min(chance.times, 400)

    def reached(raw: FloatArray) -> Estimate:
        return reached_at_estimate(raw, gained, contacted, groups=chance.groups, resamples=times, seed=chance.seed)

    return Metric(name, _LABELS[name], "higher", reached(scores.raw), baseline.label, reached(baseline.raw))


def _curve(scores: Scores, baseline: Baseline, gained: FloatArray, chance: _Chance) -> Curve:
    times = min(chance.times, 200)
    band = gains_band(scores.raw, gained, groups=chance.groups, points=POINTS, resamples=times, seed=chance.seed)
    other = gains(baseline.raw, gained, seed=chance.seed).thinned(POINTS)
    return Curve(
        tuple(band.contacted.tolist()),
        tuple(band.reached.tolist()),
        tuple(band.low.tolist()),
        tuple(band.high.tolist()),
        tuple(other.reached.tolist()),
    )


def _tenths(scores: Scores, seen: FloatArray, seed: int) -> tuple[Tenth, ...]:
    parts = np.array_split(best_first(scores.raw, seed), min(10, seen.size))
    mean, total = float(seen.mean()), float(seen.sum())
    return tuple(
        Tenth(
            place,
            part.size,
            float(scores.value[part].mean()),
            float(seen[part].mean()),
            float(seen[part].mean()) / mean,
            float(seen[part].sum()) / total,
        )
        for place, part in enumerate(parts, start=1)
    )


def _line(value: FloatArray, happened: FloatArray) -> CalibrationLine | None:
    """Slope and intercept of calibration; none where the data part perfectly or everybody got one probability."""
    try:
        return calibration_line(value, happened)
    except NotEnoughData:
        return None
