"""How sure are we of a number: estimates with intervals, and differences between two scores on the same people.

One customer may stand in the data several times (once per cut-off). Then give the customer's id as `groups`:
customers, not rows, are resampled, and the interval is as wide as the number of customers allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray, codes, numbers, same_length, totals

Metric = Callable[[FloatArray, FloatArray], float]
Statistic = Callable[[IntArray], float]

RESAMPLES = 1000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the interval in which it plausibly lies.

    value: seen on all the data.   low, high: bounds at `level` (both equal to value when nothing could vary).
    """

    value: float
    low: float
    high: float
    level: float = LEVEL

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside: for a difference, whether anything was proven."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Two scores compared on the same people: each by itself, and first minus second.

    better: share of the resamples in which the first was larger (half of the ties counted).
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    better: float


def resample(
    n: int, *, groups: ArrayLike | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> Iterator[IntArray]:
    """Index arrays of repeated draws, with replacement, of n rows, or of whole groups of rows.

    groups: id of each row's customer [n]; all rows of a drawn customer come together, so lengths vary.
    Equal seeds give equal draws.   Cost: O(n) each.

    >>> [draw.tolist() for draw in resample(3, resamples=2, seed=1)]
    [[1, 1, 2], [2, 0, 0]]
    """
    if n < 1:
        raise NotEnoughData("There is nobody to resample", expected="at least one customer", seen=f"{n}")
    generator = np.random.default_rng(seed)
    if groups is None:
        for _ in range(resamples):
            yield generator.integers(n, size=n)
        return
    members, starts, sizes = _members(groups, n)
    for _ in range(resamples):
        drawn = generator.integers(sizes.size, size=sizes.size)
        lengths = sizes[drawn]
        offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        yield members[np.repeat(starts[drawn], lengths) + offsets]


def bootstrap(
    statistic: Statistic,
    n: int,
    *,
    groups: ArrayLike | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Estimate:
    """Interval of any number that can be computed from a list of rows (percentile bootstrap).

    statistic: takes an index array (rows may repeat), returns a number; a draw for which it raises NotEnoughData
    (say, no buyer in it) is left out.   Raises NotEnoughData when that happens to more than half of the draws.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    value = statistic(np.arange(n))
    draws = _draws(statistic, resample(n, groups=groups, resamples=resamples, seed=seed))
    return _percentiles(value, draws[:, 0], level)


def bootstrap_difference(
    first: Statistic,
    second: Statistic,
    n: int,
    *,
    groups: ArrayLike | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Difference:
    """Interval of the difference of two numbers, both computed from the same people in every draw (paired).

    Much narrower than comparing two separate intervals, since lucky customers are lucky for both.
    """
    rows = np.arange(n)
    whole = (first(rows), second(rows))
    draws = _draws(first, resample(n, groups=groups, resamples=resamples, seed=seed), second)
    gaps = draws[:, 0] - draws[:, 1]
    return Difference(
        _percentiles(whole[0], draws[:, 0], level),
        _percentiles(whole[1], draws[:, 1], level),
        _percentiles(whole[0] - whole[1], gaps, level),
        float(np.mean(gaps > 0) + np.mean(gaps == 0) / 2),
    )


def estimate(
    metric: Metric,
    predicted: ArrayLike,
    seen: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """A metric of predicted against seen, with its bootstrap interval.

    metric: any of ours that takes (predicted, seen) and returns a number, such as `amount.spearman`.

    >>> error = lambda predicted, seen: float(abs(predicted - seen).mean())
    >>> estimate(error, [1, 2, 3], [1, 3, 5], seed=1).value
    1.0
    """
    guess, truth = _pair(predicted, seen)
    return bootstrap(
        lambda rows: metric(guess[rows], truth[rows]), truth.size, groups=groups, resamples=resamples, seed=seed
    )


def difference(
    metric: Metric,
    first: ArrayLike,
    second: ArrayLike,
    seen: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """A metric of two predictions of the same truth, and the interval of their difference (first minus second)."""
    one, truth = _pair(first, seen)
    two, _ = _pair(second, seen)
    return bootstrap_difference(
        lambda rows: metric(one[rows], truth[rows]),
        lambda rows: metric(two[rows], truth[rows]),
        truth.size,
        groups=groups,
        resamples=resamples,
        seed=seed,
    )


def mean_estimate(values: ArrayLike, *, groups: ArrayLike | None = None, level: float = LEVEL) -> Estimate:
    """The mean of one number per customer with its normal interval; exact, fast and free of chance at any size.

    groups: customer of each row, for cluster-robust bounds.   One row alone has no interval: NotEnoughData.

    >>> print(mean_estimate([1.0, 2.0, 3.0]))
    2 (0.8684 to 3.132)
    """
    array = numbers(values, "values")
    mean = float(array.mean())
    return normal_interval(mean, standard_error((array - mean) / array.size, groups), level)


def standard_error(influence: FloatArray, groups: ArrayLike | None = None) -> float:
    """The standard error of a number from what each row adds to it (influences that sum to about zero) [n].

    groups: rows of one customer are summed first, so that they do not count as independent.
    """
    parts = influence
    if groups is not None:
        members = codes(groups, "groups")
        same_length(values=influence, groups=members)
        parts = totals(members, influence, int(members.max()) + 1)
    if parts.size < 2:
        raise NotEnoughData("No interval can be given", expected="at least two customers", seen=f"{parts.size}")
    return float(np.sqrt(np.square(parts).sum() * parts.size / (parts.size - 1)))


def normal_interval(value: float, error: float, level: float = LEVEL) -> Estimate:
    """value ± z · error."""
    reach = quantile_of_normal(level) * error
    return Estimate(value, value - reach, value + reach, level)


def wilson(successes: int, trials: int, level: float = LEVEL) -> Estimate:
    """A share with its interval, honest for few people and for 0 % or 100 % (Wilson score interval).

    Source: Wilson, Journal of the American Statistical Association 22 (1927).

    >>> print(wilson(0, 10))
    0 (0 to 0.2775)
    """
    if trials < 1:
        raise NotEnoughData("A share needs somebody to look at", expected="at least one customer", seen=f"{trials}")
    if not 0 <= successes <= trials:
        raise BadQuestion("More successes than people", expected=f"0 to {trials}", seen=f"{successes}")
    low, high = wilson_bounds(np.array([successes], dtype=float), np.array([trials], dtype=float), level)
    return Estimate(successes / trials, float(low[0]), float(high[0]), level)


def wilson_bounds(successes: FloatArray, trials: FloatArray, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Wilson bounds of many shares at once; every count of trials must be positive."""
    z = quantile_of_normal(level)
    rate = successes / trials
    middle = (rate + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z / (1 + z**2 / trials) * np.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    low, high = np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)
    return np.where(successes == 0, 0.0, low), np.where(successes == trials, 1.0, high)


def quantile_of_normal(level: float) -> float:
    """How many standard errors a two-sided interval of this level reaches (1.96 for 95 %)."""
    if not 0 < level < 1:
        raise BadQuestion(
            "The level of an interval is a share", expected="between 0 and 1, such as 0.95", seen=f"{level:g}"
        )
    return float(norm.ppf(0.5 + level / 2))


def percentile_interval(value: float, draws: ArrayLike, level: float = LEVEL) -> Estimate:
    """The bounds that hold the middle `level` of the draws; raises NotEnoughData for fewer than 20 of them."""
    kept = numbers(draws, "draws")
    require_draws(kept.size, kept.size)
    return _percentiles(value, kept, level)


def _percentiles(value: float, draws: FloatArray, level: float) -> Estimate:
    quantile_of_normal(level)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(low), float(high), level)


def _draws(first: Statistic, plan: Iterator[IntArray], second: Statistic | None = None) -> FloatArray:
    kept: list[tuple[float, ...]] = []
    tried = 0
    for rows in plan:
        tried += 1
        try:
            kept.append((first(rows),) if second is None else (first(rows), second(rows)))
        except NotEnoughData:
            continue
    require_draws(len(kept), tried)
    return np.array(kept, dtype=np.float64)


def require_draws(kept: int, tried: int) -> None:
    """Raises unless a number could be computed in at least 20 resamples and in half of them."""
    if kept < max(20, tried / 2):
        raise NotEnoughData(
            "The data are too few for an interval",
            expected="a number in at least half of the resamples, and 20",
            seen=f"{kept} of {tried}",
            remedy="Take more customers, a longer horizon or more resamples.",
        )


def _members(groups: ArrayLike, n: int) -> tuple[IntArray, IntArray, IntArray]:
    ids = codes(groups, "groups")
    same_length(groups=ids, rows=np.empty(n))
    sizes = np.bincount(ids).astype(np.int64)
    return np.argsort(ids, kind="stable"), np.cumsum(sizes) - sizes, sizes


def _pair(predicted: ArrayLike, seen: ArrayLike) -> tuple[FloatArray, FloatArray]:
    guess, truth = numbers(predicted, "predicted"), numbers(seen, "seen")
    same_length(predicted=guess, seen=truth)
    return guess, truth
