"""What the money really brings: the gain-versus-spend curve, measured by an experiment, with its band.

The path says who would be treated at every budget, from gains that were foretold. What these treatments gain is
measured on people who were not learnt from, by scores of an experiment: with known probabilities, inverse weighting or
doubly robust scores are right on average, whatever was foretold. Beside it stands the curve of the same treatments for
the same money without knowing anyone: to people drawn by lot.
Source: E. Sverdrup, H. Wu, S. Athey, S. Wager, "Qini curves for multi-armed treatment rules" (2023, arXiv:2306.11979),
whose curve this is, with their bootstrap of the fixed path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion
from aimwell.science.allocation.choices import NOTHING, Choices
from aimwell.science.allocation.hulls import hulls
from aimwell.science.allocation.path import GainPath
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.metrics.interval import LEVEL, Estimate, resample


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A curve with the interval at each point; all [points]."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SpendCurve:
    """Measured gain by spend, both per customer.

    spend: [points], from 0 to all that the path can spend.   gain: of the path.   by_lot: of the same treatments given
    to people drawn by lot.   ahead: the first less the second, from the same people.   level: of the bands, by point.
    """

    spend: FloatArray
    gain: Band
    by_lot: Band
    ahead: Band
    level: float

    def gain_at(self, spend: float) -> Estimate:
        """The gain per customer at this spend per customer, between the points by straight lines."""
        return self._at(self.gain, spend)

    def ahead_at(self, spend: float) -> Estimate:
        """How much more the path gains than lots do at this spend per customer."""
        return self._at(self.ahead, spend)

    def _at(self, band: Band, spend: float) -> Estimate:
        value, low, high = (float(np.interp(spend, self.spend, each)) for each in (band.value, band.low, band.high))
        return Estimate(value, low, high, self.level)


def spend_curve(
    path: GainPath,
    scores: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    points: int = 41,
    resamples: int = 200,
    level: float = LEVEL,
    seed: int = 0,
) -> SpendCurve:
    """The measured gain at every budget, with the band in which it would move with other people of the same kind.

    path: of the people of an experiment, from gains foretold by a model that has not seen them, and known costs.
    scores: what each treatment did to each of them, noisy but right on average [customers, treatments] (for instance
    `policy.logged.option_scores` less that of nothing); NaN where it is not allowed.   groups: customer of each row.
    level: of the bands.
    Raises BadQuestion for scores that do not fit or are missing.   Cost: O(upgrades) for each of the resamples.
    """
    given = path.given
    effects = _fitting(scores, given)
    steps = _measured(path, effects)
    spend = np.linspace(0.0, float(path.spent[-1]) / given.people, points)
    flat = _flat(given, effects)
    rows = np.arange(given.people)
    whole = _curves(steps, flat, rows, spend)
    draws = np.array(
        [
            _curves(steps, flat, drawn, spend)
            for drawn in resample(given.people, groups=groups, resamples=resamples, seed=seed)
        ]
    )
    ours, lots = draws[:, 0], draws[:, 1]
    ahead = _band(whole[0] - whole[1], ours - lots, level)
    return SpendCurve(spend, _band(whole[0], ours, level), _band(whole[1], lots, level), ahead, level)


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Upgrades of the path as measured: whose, what they spend and gain; what everyone gains before the first."""

    customer: IntArray
    spend: FloatArray
    gain: FloatArray
    start: FloatArray


def _measured(path: GainPath, effects: FloatArray) -> _Steps:
    taken = path.upgrades
    gain = effects[taken.after, taken.customer]
    before = np.flatnonzero(taken.before != NOTHING)
    gain[before] -= effects[taken.before[before], taken.customer[before]]
    start = np.zeros(path.given.people)
    free = np.flatnonzero(path.start != NOTHING)
    start[free] = effects[path.start[free], free]
    return _Steps(taken.customer, taken.spend, gain, start)


def _flat(given: Choices, effects: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Spend and measured gain of each customer under the treatments that would be given to all, cheapest first.

    Both [corners, customers]; the corners are those of the hull of the mean gains foretold, nothing first.
    """
    gains = np.where(given.allowed, given.gains, 0.0).mean(axis=1)
    mean = Choices(gains[:, None], given.costs.mean(axis=1)[:, None])
    found = hulls(mean)
    corners = [each for each in (*found.start.tolist(), *found.upgrades.after.tolist()) if each != NOTHING]
    nobody = np.zeros((1, given.people))
    if not corners:
        return nobody, nobody
    free = found.start[0] != NOTHING
    spend, gain = given.costs[corners], effects[corners]
    return (spend, gain) if free else (np.vstack([nobody, spend]), np.vstack([nobody, gain]))


def _curves(steps: _Steps, flat: tuple[FloatArray, FloatArray], drawn: IntArray, spend: FloatArray) -> FloatArray:
    """Both curves of a resample, without walking again: how often each customer was drawn, in the order of the path."""
    weight = np.bincount(drawn, minlength=steps.start.size) / drawn.size
    mine = weight[steps.customer]
    spent = np.concatenate([[0.0], np.cumsum(mine * steps.spend)])
    gained = weight @ steps.start + np.concatenate([[0.0], np.cumsum(mine * steps.gain)])
    return np.array([np.interp(spend, spent, gained), np.interp(spend, flat[0] @ weight, flat[1] @ weight)])


def _band(value: FloatArray, draws: FloatArray, level: float) -> Band:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Band(value, low, high)


def _fitting(scores: ArrayLike, given: Choices) -> FloatArray:
    effects = np.asarray(scores, dtype=np.float64)
    if effects.shape != (given.people, given.treatments):
        expected = f"{given.people} customers × {given.treatments} treatments"
        raise BadQuestion("Scores do not fit the path", expected=expected, seen=f"shape {effects.shape}")
    found = np.ascontiguousarray(np.where(given.allowed, effects.T, 0.0))
    if not np.isfinite(found).all():
        raise BadQuestion(
            "Scores are missing",
            expected="a number for each treatment that a customer may get",
            seen=f"{int((~np.isfinite(found)).sum())} missing or infinite",
        )
    return found
