"""Has the world moved since the model learnt: population stability, distances of distributions, base rates.

Everything works on counts per bin, so the histograms may come from one pass of SQL over any number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import kolmogorov, xlogy
from scipy.stats import chi2, norm

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray, numbers, same_length
from aimwell.science.metrics.interval import LEVEL, Estimate, quantile_of_normal, wilson

MEDIUM_PSI, LARGE_PSI = 0.10, 0.25
"""The usual bounds of the population stability index: below .10 nothing, from .25 on a different population."""
MEDIUM_SHIFT, LARGE_SHIFT = 0.10, 0.25
"""Relative change of a base rate from which it is called medium or large, if it is proven at all."""


class Verdict(StrEnum):
    """How much has moved; `NONE` also when what is seen is no more than chance."""

    NONE = "none"
    MEDIUM = "medium"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one column (or score) has moved between two dates.

    psi: population stability index.   noise: the PSI that two samples of this size from one population exceed in only
    5 of 100 cases; a psi below it is no drift.   jensen_shannon: 0 same … 1 nothing in common (base 2).
    largest_gap: largest distance between the two shares "up to this bin" (Kolmogorov-Smirnov), with its bound on
    chance; None for bins without an order.
    """

    psi: float
    noise: float
    jensen_shannon: float
    largest_gap: float | None
    gap_chance: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class BaseRateShift:
    """The share of buyers then and now: difference (now minus then) with Newcombe's interval, and relative change."""

    before: Estimate
    now: Estimate
    difference: Estimate
    relative: float | None
    chance: float
    verdict: Verdict


def psi(before: ArrayLike, now: ArrayLike) -> float:
    """Population stability index of two histograms over the same bins; 0 when the shares are equal.

    before, now: counts [bins]; half a customer is added to each bin so that empty ones do not give infinity.

    >>> psi([50, 50], [50, 50])
    0.0
    """
    then, seen = _counts(before, now)
    p, q = _smoothed(then), _smoothed(seen)
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(before: ArrayLike, now: ArrayLike) -> float:
    """Distance of two histograms that is symmetric and never infinite: 0 the same, 1 nothing in common.

    The square root of the divergence in base 2, a true distance.   Source: Endres and Schindelin, IEEE Transactions on
    Information Theory 49 (2003).

    >>> jensen_shannon([9, 0], [0, 5])
    1.0
    """
    then, seen = _counts(before, now)
    p, q = then / then.sum(), seen / seen.sum()
    middle = (p + q) / 2
    divergence = (xlogy(p, p) + xlogy(q, q)).sum() / 2 - xlogy(middle, middle).sum()
    return float(np.sqrt(max(divergence / np.log(2), 0.0)))


def kolmogorov_smirnov(before: ArrayLike, now: ArrayLike) -> tuple[float, float]:
    """Largest gap between the two cumulated shares over ordered bins, and the chance of such a gap without drift.

    From bins the gap is a lower bound and the chance an upper one, so a drift that it proves is proven.

    >>> kolmogorov_smirnov([10, 0], [0, 10])[0]
    1.0
    """
    then, seen = _counts(before, now)
    gap = float(np.abs(np.cumsum(then) / then.sum() - np.cumsum(seen) / seen.sum()).max())
    size = np.sqrt(then.sum() * seen.sum() / (then.sum() + seen.sum()))
    return gap, float(kolmogorov(size * gap))


def drift(before: ArrayLike, now: ArrayLike, *, ordered: bool = True) -> Drift:
    """How far a column has moved between two dates, and whether that matters.

    before, now: counts over the same bins [bins]; give the missing values a bin of their own, first or last.
    ordered: False for categories.   Verdict: none below PSI .10 or within chance, large from .25 on, else medium.
    Raises NotEnoughData when either side is empty.   Source of the noise: Yurdakul and Naranjo, Journal of Risk Model
    Validation 14 (2020).

    >>> drift([100, 100], [20, 180]).verdict
    <Verdict.LARGE: 'large'>
    """
    then, seen = _counts(before, now)
    index = psi(then, seen)
    bins = int(((then + seen) > 0).sum())
    noise = float(chi2.ppf(LEVEL, max(bins - 1, 1)) * (1 / then.sum() + 1 / seen.sum()))
    verdict = _graded(index, MEDIUM_PSI, LARGE_PSI) if index > noise else Verdict.NONE
    gap, chance = kolmogorov_smirnov(then, seen) if ordered else (None, None)
    return Drift(index, noise, jensen_shannon(then, seen), gap, chance, verdict)


def base_rate_shift(
    buyers_before: int, people_before: int, buyers_now: int, people_now: int, *, level: float = LEVEL
) -> BaseRateShift:
    """Whether the share of buyers itself has moved, which shifts every probability.

    Verdict: none unless zero lies outside the interval of the difference; then by the relative change: medium from
    10 %, large from 25 % (or when there were no buyers before).
    Source of the interval: Newcombe, Statistics in Medicine 17 (1998), method 10.

    >>> base_rate_shift(50, 1000, 52, 1000).verdict
    <Verdict.NONE: 'none'>
    """
    before, now = wilson(buyers_before, people_before, level), wilson(buyers_now, people_now, level)
    gap = now.value - before.value
    low = gap - np.hypot(now.value - now.low, before.high - before.value)
    high = gap + np.hypot(now.high - now.value, before.value - before.low)
    difference = Estimate(gap, float(low), float(high), level)
    relative = gap / before.value if before.value > 0 else None
    pooled = (buyers_before + buyers_now) / (people_before + people_now)
    error = np.sqrt(pooled * (1 - pooled) * (1 / people_before + 1 / people_now))
    chance = float(2 * norm.sf(abs(gap) / error)) if error > 0 else 1.0
    size = abs(relative) if relative is not None else LARGE_SHIFT
    verdict = _graded(size, MEDIUM_SHIFT, LARGE_SHIFT) if difference.excludes_zero else Verdict.NONE
    return BaseRateShift(before, now, difference, relative, chance, verdict)


def quantile_edges(values: ArrayLike, bins: int = 10) -> FloatArray:
    """Inner borders that cut the reference into bins of about equal size, [≤ bins-1]; equal values are never parted.

    >>> quantile_edges([1, 2, 3, 4], 2)
    array([2.5])
    """
    if bins < 2:
        raise BadQuestion("A histogram needs bins", expected="two or more", seen=f"{bins}")
    array = numbers(values, "values")
    return np.unique(np.quantile(array, np.arange(1, bins) / bins))


def histogram(values: ArrayLike, edges: ArrayLike) -> IntArray:
    """Counts per bin [edges+1]: below the first border, …, from the last border on (a border belongs to the upper bin).

    >>> histogram([1, 2.5, 9], [2.5])
    array([1, 2])
    """
    borders = numbers(edges, "edges")
    if np.any(np.diff(borders) <= 0):
        raise BadQuestion("The borders of a histogram must rise", expected="a < b < c", seen=f"{borders.tolist()}")
    places = np.searchsorted(borders, numbers(values, "values"), side="right")
    return np.bincount(places, minlength=borders.size + 1).astype(np.int64, copy=False)


def smallest_provable_shift(people_before: int, people_now: int, rate: float, level: float = LEVEL) -> float:
    """The change of a base rate that so many customers could just prove, in share points."""
    if min(people_before, people_now) < 1:
        raise NotEnoughData("Nobody to compare", expected="customers at both dates", seen="none")
    return quantile_of_normal(level) * float(np.sqrt(rate * (1 - rate) * (1 / people_before + 1 / people_now)))


def _counts(before: ArrayLike, now: ArrayLike) -> tuple[FloatArray, FloatArray]:
    then, seen = numbers(before, "counts before"), numbers(now, "counts now")
    same_length(before=then, now=seen)
    for counts, what in [(then, "before"), (seen, "now")]:
        if counts.min() < 0:
            raise BadQuestion(f"Counts {what} must not be negative", expected="0 or more", seen=f"{counts.min():g}")
        if counts.sum() == 0:
            raise NotEnoughData(f"There is nobody in the histogram {what}", expected="at least one customer", seen="0")
    return then, seen


def _smoothed(counts: FloatArray) -> FloatArray:
    raised: FloatArray = (counts + 0.5) / (counts.sum() + counts.size / 2)
    return raised


def _graded(size: float, medium: float, large: float) -> Verdict:
    if size >= large:
        return Verdict.LARGE
    return Verdict.MEDIUM if size >= medium else Verdict.NONE
