"""Can a probability be believed: log loss, Brier score, and what happened to the people who were given 30 %."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, both_kinds, same_length, shares, totals, truths
from aimwell.science.logistic import fit_logistic
from aimwell.science.metrics.interval import LEVEL, Estimate, mean_estimate, normal_interval, wilson_bounds

SMALLEST = 1e-12
"""A probability of exactly 0 or 1 that turned out wrong would cost infinitely much; it is moved in by this."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """People who were given about the same probability, and how many of them did it.

    predicted: their mean probability.   seen: the share that did it, with Wilson bounds.
    """

    people: int
    buyers: int
    predicted: float
    seen: Estimate

    @property
    def holds(self) -> bool:
        """Whether the promise lies within what was seen."""
        return self.seen.low <= self.predicted <= self.seen.high


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """The straight line, in log-odds, from promised to seen: slope 1 and intercept 0 are perfect.

    slope below 1: extremes are overstated (over-fitted); above 1: understated.
    shift: log-odds by which everything is too low (positive) or too high (negative), at slope 1.
    """

    slope: Estimate
    intercept: Estimate
    shift: Estimate


def log_loss(probabilities: ArrayLike, bought: ArrayLike) -> float:
    """Mean surprise at what happened, in natural logarithms; lower is better.

    A constant guess at the base rate q costs -q·ln q - (1-q)·ln(1-q).   Probabilities of exactly 0 and 1 are moved
    in by 1e-12.   Raises NotEnoughData when empty.

    >>> round(log_loss([0.5, 0.5], [0, 1]), 4)
    0.6931
    """
    return float(_surprise(*_checked(probabilities, bought)).mean())


def log_loss_estimate(probabilities: ArrayLike, bought: ArrayLike, *, groups: ArrayLike | None = None) -> Estimate:
    """Log loss with its normal interval."""
    return mean_estimate(_surprise(*_checked(probabilities, bought)), groups=groups)


def brier(probabilities: ArrayLike, bought: ArrayLike) -> float:
    """Mean squared distance between the probability and what happened; 0 is perfect.

    >>> brier([1.0, 0.5], [1, 0])
    0.125
    """
    guess, buys = _checked(probabilities, bought)
    return float(np.square(guess - buys).mean())


def brier_estimate(probabilities: ArrayLike, bought: ArrayLike, *, groups: ArrayLike | None = None) -> Estimate:
    """Brier score with its normal interval."""
    guess, buys = _checked(probabilities, bought)
    return mean_estimate(np.square(guess - buys), groups=groups)


def brier_skill(probabilities: ArrayLike, bought: ArrayLike) -> float:
    """How much of the guesser's error is gone, against giving everybody the base rate: 1 perfect, 0 no use, < 0 harm.

    >>> brier_skill([1, 0, 1, 0], [1, 0, 1, 0])
    1.0
    """
    guess, _ = _checked(probabilities, bought)
    buys = both_kinds(bought, "bought")
    return 1 - brier(guess, buys) / float(buys.mean() * (1 - buys.mean()))


def calibration_table(
    probabilities: ArrayLike,
    bought: ArrayLike,
    *,
    bins: int = 10,
    by: Literal["people", "width"] = "people",
    level: float = LEVEL,
) -> tuple[CalibrationBin, ...]:
    """What happened to the people who were given about the same probability (reliability table).

    by: "people" makes bins of about equal size (equal probabilities never part), "width" of equal width in
    probability.   Empty bins are left out; at most `bins` rows, from the lowest probability up.

    >>> [row.seen.value for row in calibration_table([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 1], bins=2)]
    [0.0, 1.0]
    """
    guess, buys = _checked(probabilities, bought)
    if bins < 1:
        raise BadQuestion("A calibration table needs bins", expected="at least one", seen=f"{bins}")
    places = _places(guess, bins) if by == "people" else np.minimum((guess * bins).astype(np.int64), bins - 1)
    people = np.bincount(places, minlength=bins)
    filled = people > 0
    buyers = totals(places, buys, bins)[filled]
    predicted = totals(places, guess, bins)[filled] / people[filled]
    low, high = wilson_bounds(buyers, people[filled].astype(np.float64), level)
    return tuple(
        CalibrationBin(int(n), int(k), float(mean), Estimate(float(k / n), float(least), float(most), level))
        for n, k, mean, least, most in zip(people[filled], buyers, predicted, low, high, strict=True)
    )


def calibration_error(probabilities: ArrayLike, bought: ArrayLike, *, bins: int = 10) -> float:
    """Mean distance between promised and seen shares over bins of equal size (expected calibration error).

    Never exactly 0 on real people: with n people per bin chance alone gives about 0.8·√(q(1-q)/n).
    """
    rows = calibration_table(probabilities, bought, bins=bins)
    people = sum(row.people for row in rows)
    return sum(row.people * abs(row.predicted - row.seen.value) for row in rows) / people


def calibration_line(probabilities: ArrayLike, bought: ArrayLike) -> CalibrationLine:
    """Slope and intercept of what was seen on what was promised, in log-odds (Cox recalibration), with intervals.

    Raises NotEnoughData when everybody is alike, or when the probabilities part buyers from the others perfectly
    (the slope is then infinite).   Source: Cox, Biometrika 45 (1958).
    """
    guess, _ = _checked(probabilities, bought)
    buys = both_kinds(bought, "bought")
    odds = logit(np.clip(guess, SMALLEST, 1 - SMALLEST))
    if np.ptp(odds) == 0:
        raise NotEnoughData("Everybody was given the same probability", expected="at least two values", seen="one")
    ones, happened = np.ones((odds.size, 1)), buys.astype(np.float64)
    line = fit_logistic(np.column_stack([ones, odds]), happened)
    level = fit_logistic(ones, happened, odds)
    return CalibrationLine(
        normal_interval(float(line.coefficients[1]), float(line.errors[1])),
        normal_interval(float(line.coefficients[0]), float(line.errors[0])),
        normal_interval(float(level.coefficients[0]), float(level.errors[0])),
    )


def _checked(probabilities: ArrayLike, bought: ArrayLike) -> tuple[FloatArray, BoolArray]:
    guess, buys = shares(probabilities, "probabilities"), truths(bought, "bought")
    same_length(probabilities=guess, bought=buys)
    return guess, buys


def _surprise(guess: FloatArray, bought: BoolArray) -> FloatArray:
    surprise: FloatArray = -np.log(np.maximum(np.where(bought, guess, 1 - guess), SMALLEST))
    return surprise


def _places(guess: FloatArray, bins: int) -> IntArray:
    """The bin of each person: by the middle rank of his probability, so that equal probabilities share a bin."""
    _, value, count = np.unique(guess, return_inverse=True, return_counts=True)
    middle = (np.cumsum(count) - count / 2) / guess.size
    places: IntArray = np.minimum((middle * bins).astype(np.int64), bins - 1)[value]
    return places
