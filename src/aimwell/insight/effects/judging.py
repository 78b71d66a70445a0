"""What a ranking by effect is worth on people whom it did not learn from, beside the response ranking and chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.core.text import Text
from aimwell.insight.predictions.evaluation import Curve, Metric
from aimwell.insight.predictions.judging import resamples_for
from aimwell.insight.predictions.plain import Result
from aimwell.science.arrays import BoolArray, FloatArray
from aimwell.science.metrics.interval import Estimate, mean_estimate
from aimwell.science.metrics.uplift import qini_curve
from aimwell.science.metrics.uplift_chance import (
    AUUC,
    NORMALISED_QINI,
    QINI,
    Measure,
    qini_band,
    uplift_difference,
    uplift_in_best,
)
from aimwell.science.uplift.levels import effect_scores
from aimwell.science.uplift.sample import Sample

MOST = 1000
POINTS = 101
RESPONSE = Text("响应率排序", "ranking by response")
_LABELS = {
    "normalised_qini": Text("标准化 Qini 系数（随机为 0）", "Normalised Qini coefficient (random: 0)"),
    "qini": Text("Qini 系数（随机为 0）", "Qini coefficient (random: 0)"),
    "auuc": Text("增益曲线下面积 AUUC", "Area under the uplift curve (AUUC)"),
    "uplift_at_0.1": Text("前 10% 名单的效果", "Effect in the best 10 % of the list"),
    "uplift_at_0.3": Text("前 30% 名单的效果", "Effect in the best 30 % of the list"),
}


@dataclass(frozen=True, slots=True)
class Judgement(Result):
    """One treatment on held-out people.

    treated, untreated: how many of each.   effect: on everybody held out.   metrics: the ranking beside that by
    response, paired.   curve: Qini curves of both; a random list is the straight line to the effect.
    """

    treatment: str
    treated: int
    untreated: int
    effect: Estimate
    metrics: tuple[Metric, ...]
    curve: Curve
    notes: tuple[Text, ...] = ()

    @property
    def qini(self) -> Metric | None:
        """The figure that decides: the (normalised) Qini coefficient."""
        return self.metrics[0] if self.metrics else None


def judge_effect(
    sample: Sample, treatment: int, order: FloatArray, response: FloatArray, levels: FloatArray, seed: int
) -> Judgement:
    """Judge one treatment (1 … K) on held-out rows.

    order, response: the two rankings [n].   levels: expected outcomes by models that did not see these rows [n, K+1].
    """
    rows = sample.versus(treatment)
    part, chance = sample.take(rows), sample.chance(treatment)[rows]
    treated = part.arm == treatment
    received = np.where(treated, chance, 1 - chance)
    ours, theirs = order[rows], response[rows]
    resamples = resamples_for(len(part), MOST)
    metrics: list[Metric] = []
    notes: list[Text] = []
    for measure in _measures(part):
        try:
            found = uplift_difference(
                measure,
                ours,
                theirs,
                part.outcome,
                treated,
                probability=received,
                groups=part.groups,
                resamples=resamples,
                seed=seed,
            )
        except NotEnoughData as error:
            notes.append(Text(f"{_LABELS[measure.name].zh}：数据不足", f"{_LABELS[measure.name].en}: {error}"))
            continue
        label = _LABELS[measure.name]
        metrics.append(Metric(measure.name, label, "higher", found.first, RESPONSE, found.second, found.difference))
    scores = effect_scores(sample, levels)[:, treatment - 1]
    return Judgement(
        sample.names[treatment],
        int(treated.sum()),
        int((~treated).sum()),
        mean_estimate(scores, groups=sample.groups),
        tuple(metrics),
        _curve(part, ours, theirs, treated, received, seed),
        tuple(notes),
    )


def _measures(sample: Sample) -> tuple[Measure, ...]:
    first = NORMALISED_QINI if sample.binary and 0 < sample.outcome.mean() < 1 else QINI
    return (first, AUUC, uplift_in_best(0.1), uplift_in_best(0.3))


def _curve(
    sample: Sample, ours: FloatArray, theirs: FloatArray, treated: BoolArray, received: FloatArray, seed: int
) -> Curve:
    band = qini_band(
        ours, sample.outcome, treated, probability=received, groups=sample.groups, points=POINTS, seed=seed
    )
    other = qini_curve(theirs, sample.outcome, treated, probability=received).thinned(POINTS)
    columns = (band.contacted, band.reached, band.low, band.high, other.gained)
    return Curve(*(tuple(column.tolist()) for column in columns))
