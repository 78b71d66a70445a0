"""From a raw score to a probability that can be believed: Platt, beta and isotonic calibration.

The map is fitted on scores of customers that the model did not learn from (out of fold). Keep the raw score for
ranking: isotonic calibration makes hundreds of thousands of scores into some hundred values, and the ties destroy the
order of a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, logit
from sklearn.isotonic import IsotonicRegression

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    both_kinds,
    codes,
    numbers,
    same_length,
    share,
    shares,
)
from aimwell.science.logistic import fit_logistic
from aimwell.science.metrics.probability import SMALLEST

Method = Literal["platt", "beta", "isotonic"]
Record = Mapping[str, str | float | list[float]]

FEW = 100
"""With fewer buyers (or fewer others) than this, only Platt's two numbers can be learnt."""
MANY = 1000
"""From this many on, the free form of isotonic calibration is tried too."""


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic curve over the raw score: two numbers, for few buyers.

    slope ≥ 0, so that a higher score never means a lower probability.
    Source: Platt, Advances in Large Margin Classifiers (1999), with his smoothed targets.
    """

    method: ClassVar[Method] = "platt"
    slope: float
    intercept: float

    def probability(self, raw: ArrayLike) -> FloatArray:
        """Calibrated probabilities of raw scores, [n]."""
        curve: FloatArray = expit(self.slope * numbers(raw, "raw scores") + self.intercept)
        return curve


@dataclass(frozen=True, slots=True)
class Beta:
    """A curve that may bend differently for low and for high scores: three numbers.

    log-odds = lower · ln p - upper · ln(1 - p) + intercept, where p is the raw log-odds' own probability; both ≥ 0.
    Source: Kull, Silva Filho and Flach, Electronic Journal of Statistics 11 (2017).
    """

    method: ClassVar[Method] = "beta"
    lower: float
    upper: float
    intercept: float

    def probability(self, raw: ArrayLike) -> FloatArray:
        """Calibrated probabilities of raw scores (log-odds), [n]."""
        odds = numbers(raw, "raw scores")
        curve: FloatArray = expit(self.lower * log_expit(odds) - self.upper * log_expit(-odds) + self.intercept)
        return curve


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A staircase of any rising form, straight between its knots: for many buyers.

    raw, probabilities: the knots, both rising.   Never exactly 0 or 1: the ends are moved in by half a customer.
    Source: Zadrozny and Elkan, KDD (2002).
    """

    method: ClassVar[Method] = "isotonic"
    raw: tuple[float, ...]
    probabilities: tuple[float, ...]

    def probability(self, raw: ArrayLike) -> FloatArray:
        """Calibrated probabilities of raw scores, [n]; beyond the outer knots, those of the knots."""
        return np.interp(numbers(raw, "raw scores"), self.raw, self.probabilities)


Calibration = Platt | Beta | Isotonic


def calibrate(
    raw: ArrayLike,
    bought: ArrayLike,
    *,
    method: Method | None = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> Calibration:
    """A rising map from raw scores to believable probabilities, learnt from scores that the model gave out of fold.

    raw: [n], in log-odds (a booster's raw score).   bought: [n] yes or no.   groups: customer of each row, when one
    stands there several times.   method: None lets the data choose: Platt below 100 buyers (or others); otherwise the
    simplest whose cross-validated log loss lies within one standard error of the best, isotonic only from 1000 on.
    A score that ranks backwards gets a flat map at the base rate.
    Raises NotEnoughData when everybody is alike.   Cost: six fits, O(n log n) each.

    >>> curve = calibrate([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])
    >>> curve.method, curve.probability([-2.0, 2.0]).round(2)
    ('platt', array([0.21, 0.79]))
    """
    scores, buys = numbers(raw, "raw scores"), both_kinds(bought, "bought")
    customers = np.arange(buys.size) if groups is None else codes(groups, "groups")
    same_length(raw=scores, bought=buys, groups=customers)
    if method is not None and method not in get_args(Method):
        raise BadQuestion("No such calibration", expected=", ".join(get_args(Method)), seen=method)
    return _fit(method or _choose(scores, buys, customers, seed), scores, buys)


def record(calibration: Calibration) -> dict[str, str | float | list[float]]:
    """The map as plain values, ready for JSON.

    >>> record(Platt(1.0, -2.0))
    {'method': 'platt', 'slope': 1.0, 'intercept': -2.0}
    """
    values: dict[str, str | float | list[float]] = {"method": calibration.method}
    for name in calibration.__slots__:
        value = getattr(calibration, name)
        values[name] = list(value) if isinstance(value, tuple) else value
    return values


def restore(values: Record) -> Calibration:
    """The map that `record` wrote down.

    >>> restore({"method": "platt", "slope": 1.0, "intercept": -2.0})
    Platt(slope=1.0, intercept=-2.0)
    """
    match values.get("method"):
        case "platt":
            return Platt(_number(values, "slope"), _number(values, "intercept"))
        case "beta":
            return Beta(_number(values, "lower"), _number(values, "upper"), _number(values, "intercept"))
        case "isotonic":
            return Isotonic(_knots(values, "raw"), _knots(values, "probabilities"))
    raise BadQuestion("No such calibration", expected=", ".join(get_args(Method)), seen=f"{values.get('method')}")


def rebase(probabilities: ArrayLike, *, learnt: float, expected: float) -> FloatArray:
    """The same probabilities when the base rate has moved from `learnt` to `expected` and nothing else has.

    Multiplies the odds by a constant, so the order stays.   Source: Saerens, Latinne and Decaestecker, Neural
    Computation 14 (2002).

    >>> rebase([0.5], learnt=0.5, expected=0.1).round(3)
    array([0.1])
    """
    guess = shares(probabilities, "probabilities")
    for rate, what in [(learnt, "the base rate learnt"), (expected, "the base rate expected")]:
        if share(rate, what) in (0.0, 1.0):
            raise BadQuestion(f"{what} says that everybody is alike", expected="between 0 and 1", seen=f"{rate:g}")
    moved: FloatArray = expit(logit(np.clip(guess, SMALLEST, 1 - SMALLEST)) + logit(expected) - logit(learnt))
    return moved


def _number(values: Record, name: str) -> float:
    value = values.get(name)
    if not isinstance(value, int | float):
        raise BadQuestion(f"A recorded calibration lacks {name!r}", expected="a number", seen=f"{value!r}")
    return float(value)


def _knots(values: Record, name: str) -> tuple[float, ...]:
    value = values.get(name)
    if not isinstance(value, list):
        raise BadQuestion(f"A recorded calibration lacks {name!r}", expected="a list of numbers", seen=f"{value!r}")
    return tuple(value)


def _choose(raw: FloatArray, bought: BoolArray, customers: IntArray, seed: int) -> Method:
    smaller = int(min(bought.sum(), (~bought).sum()))
    if smaller < FEW:
        return "platt"
    candidates: list[Method] = ["platt", "beta", "isotonic"] if smaller >= MANY else ["platt", "beta"]
    folds = np.random.default_rng(seed).integers(5, size=int(customers.max()) + 1)[customers]
    losses = {method: _losses(method, raw, bought, folds) for method in candidates}
    best = min(candidates, key=lambda method: float(losses[method].mean()))
    for method in candidates:
        worse = losses[method] - losses[best]
        if worse.mean() <= worse.std() / np.sqrt(worse.size):
            return method
    return best


def _losses(method: Method, raw: FloatArray, bought: BoolArray, folds: IntArray) -> FloatArray:
    losses = np.empty(raw.size)
    for fold in range(5):
        held = folds == fold
        if not held.any():
            continue
        try:
            guess = _fit(method, raw[~held], bought[~held]).probability(raw[held])
        except NotEnoughData:
            guess = np.full(int(held.sum()), bought.mean())
        losses[held] = -np.log(np.maximum(np.where(bought[held], guess, 1 - guess), SMALLEST))
    return losses


def _fit(method: Method, raw: FloatArray, bought: BoolArray) -> Calibration:
    fits = {"platt": _fit_platt, "beta": _fit_beta, "isotonic": _fit_isotonic}
    return fits[method](raw, bought)


def _fit_platt(raw: FloatArray, bought: BoolArray) -> Calibration:
    target, middle, spread = _smoothed(bought), float(raw.mean()), float(raw.std())
    if spread > 0:
        ones = np.ones_like(raw)
        level, slope = fit_logistic(np.column_stack([ones, (raw - middle) / spread]), target).coefficients
        if slope > 0:
            return Platt(float(slope / spread), float(level - slope * middle / spread))
    return Platt(0.0, float(logit(target.mean())))


def _fit_beta(raw: FloatArray, bought: BoolArray) -> Calibration:
    target, ones = _smoothed(bought), np.ones_like(raw)
    low, high = log_expit(raw), -log_expit(-raw)
    # A coefficient below zero would turn the order around: its column is left out and the rest fitted again.
    for columns in (("lower", "upper"), ("lower",), ("upper",)):
        sides = [low if name == "lower" else high for name in columns]
        if any(np.ptp(side) == 0 for side in sides):
            continue
        try:
            found = fit_logistic(np.column_stack([ones, *sides]), target).coefficients
        except NotEnoughData:
            continue
        if (found[1:] > 0).all():
            slopes = dict(zip(columns, found[1:].tolist(), strict=True))
            return Beta(slopes.get("lower", 0.0), slopes.get("upper", 0.0), float(found[0]))
    return Beta(0.0, 0.0, float(logit(target.mean())))


def _fit_isotonic(raw: FloatArray, bought: BoolArray) -> Calibration:
    stairs = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, bought.astype(np.float64))
    knots, heights = stairs.X_thresholds_, stairs.y_thresholds_
    fitted = stairs.predict(raw)
    lowest, highest = int((fitted == fitted.min()).sum()), int((fitted == fitted.max()).sum())
    heights = np.clip(heights, 0.5 / (lowest + 1), 1 - 0.5 / (highest + 1))
    return Isotonic(tuple(knots.tolist()), tuple(heights.tolist()))


def _smoothed(bought: BoolArray) -> FloatArray:
    buyers = int(bought.sum())
    return np.where(bought, (buyers + 1) / (buyers + 2), 1 / (bought.size - buyers + 2))
