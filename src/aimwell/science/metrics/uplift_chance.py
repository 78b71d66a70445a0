"""How sure are we of a ranking by effect: intervals, and two rankings compared on the same people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.metrics.gains import GainsBand
from aimwell.science.metrics.interval import (
    LEVEL,
    Difference,
    Estimate,
    Statistic,
    bootstrap,
    bootstrap_difference,
    require_draws,
    resample,
)
from aimwell.science.metrics.uplift import (
    Lots,
    Walk,
    auuc_area,
    best_share,
    checked_scores,
    effect_in_best,
    hindsight,
    lots_of,
    normalised,
    qini_area,
    qini_points,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One of the figures of a ranking by effect.

    statistic: from scores and experiment to a number that can be computed on any resample.
    """

    name: str
    statistic: Callable[[FloatArray, Lots], Statistic]


def _qini(scores: FloatArray, lots: Lots) -> Statistic:
    walk = Walk(scores, lots)
    return lambda rows: qini_area(walk.walked(rows))


def _normalised_qini(scores: FloatArray, lots: Lots) -> Statistic:
    walk, best = Walk(scores, lots), Walk(hindsight(lots), lots)
    return lambda rows: normalised(qini_area(walk.walked(rows)), qini_area(best.walked(rows)))


def _auuc(scores: FloatArray, lots: Lots) -> Statistic:
    walk = Walk(scores, lots)
    return lambda rows: auuc_area(walk.walked(rows))


QINI = Measure("qini", _qini)
NORMALISED_QINI = Measure("normalised_qini", _normalised_qini)
AUUC = Measure("auuc", _auuc)


def uplift_in_best(contacted: float) -> Measure:
    """The effect among the best share of the list, as a measure; raises BadQuestion for a share of 0."""
    best_share(contacted, 1)

    def effect(scores: FloatArray, lots: Lots) -> Statistic:
        walk, part = Walk(scores, lots), best_share(contacted, scores.size)
        return lambda rows: effect_in_best(walk.walked(rows), part)

    return Measure(f"uplift_at_{contacted:g}", effect)


def uplift_estimate(
    measure: Measure,
    scores: ArrayLike,
    outcome: ArrayLike,
    treated: ArrayLike,
    *,
    probability: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """A figure of a ranking by effect with its interval (bootstrap over customers).

    measure: QINI, NORMALISED_QINI, AUUC or `uplift_in_best(share)`.   groups: customer of each row, when one stands in
    several.   The ranking is fixed: the interval tells how the figure moves with other customers of the same kind, not
    with a model learnt anew.   Cost: O(n) for each of the resamples.

    >>> found = uplift_estimate(QINI, [4, 3, 2, 1] * 20, [1, 0, 0, 0] * 20, [1, 0, 1, 0] * 20)
    >>> found.value, found.excludes_zero
    (0.1875, True)
    """
    lots = lots_of(outcome, treated, probability)
    statistic = measure.statistic(checked_scores(scores, lots), lots)
    return bootstrap(statistic, lots.outcome.size, groups=groups, resamples=resamples, seed=seed)


def uplift_difference(
    measure: Measure,
    first: ArrayLike,
    second: ArrayLike,
    outcome: ArrayLike,
    treated: ArrayLike,
    *,
    probability: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """Two rankings by effect compared on the same people: first minus second, with a paired interval.

    An interval that holds 0 means that no winner can be named.
    """
    lots = lots_of(outcome, treated, probability)
    return bootstrap_difference(
        measure.statistic(checked_scores(first, lots), lots),
        measure.statistic(checked_scores(second, lots), lots),
        lots.outcome.size,
        groups=groups,
        resamples=resamples,
        seed=seed,
    )


def qini_band(
    scores: ArrayLike,
    outcome: ArrayLike,
    treated: ArrayLike,
    *,
    probability: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    points: int = 101,
    resamples: int = 200,
    seed: int = 0,
) -> GainsBand:
    """The Qini curve with the band in which it would move with other customers of the same kind (95 %, by point).

    `reached` holds what is gained per customer of the list.   Cost: O(n) for each of the resamples.
    """
    lots = lots_of(outcome, treated, probability)
    walk, contacted = Walk(checked_scores(scores, lots), lots), np.linspace(0.0, 1.0, points)

    def curve(rows: IntArray | None) -> FloatArray:
        walked = walk.walked(rows)
        return np.interp(contacted, walked.contacted, qini_points(walked))

    curves: list[FloatArray] = []
    for rows in resample(lots.outcome.size, groups=groups, resamples=resamples, seed=seed):
        try:
            curves.append(curve(rows))
        except NotEnoughData:
            continue
    require_draws(len(curves), resamples)
    low, high = np.quantile(np.array(curves), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return GainsBand(contacted, curve(None), low, high, LEVEL)
