"""How two groups of customers differ in one feature: an effect on one scale for every kind, its chance, and figures.

The effect is robust: numbers are replaced by their ranks, so that a few very large ones do not matter. It is the
correlation of value (or rank) and membership as it would be in two groups of equal size, so it does not depend on how
large the groups are: 0 none, 1 or -1 when they do not touch; about .10 is small, .24 medium, .37 large (Cohen, 1988).
The figures beside it are in the feature's own unit. Everything depends on sorted values alone, never on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit
from scipy.stats import hypergeom

from aimwell.core.errors import NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.metrics.interval import LEVEL, Estimate, quantile_of_normal, wilson_bounds

Aspect = Literal["mean", "median", "positive", "share", "known"]
Size = Literal["slight", "small", "medium", "large"]

RESAMPLES = 1000
NORMAL_REACH = quantile_of_normal(LEVEL)
_EXACT_BELOW = 10
"""Smallest expected count of a two-by-two table from which the normal approximation of its chance is used."""
_SIZES: tuple[tuple[float, Size], ...] = ((0.37, "large"), (0.24, "medium"), (0.10, "small"))


@dataclass(frozen=True, slots=True)
class Contrast:
    """One feature, members against others.

    aspect: what `inside` and `outside` are: means, medians, shares of the people who are above zero, shares of those
    who have a value, or shares of those for whom any value is known.
    gap: inside minus outside (shares as fractions, dates in days).   ratio: inside over outside, None where that means
    nothing.   effect: -1 to 1, see the module.   All three with 95 % intervals, each for itself.
    chance: how often groups that do not differ would differ at least so much (two-sided p-value).
    people_inside, people_outside: how many people the figures are about.
    """

    aspect: Aspect
    inside: float
    outside: float
    gap: Estimate
    ratio: Estimate | None
    effect: Estimate
    chance: float
    people_inside: int
    people_outside: int

    @property
    def strength(self) -> float:
        """The effect of which we can be sure: the end of its interval nearest to zero, 0 if it crosses zero."""
        return max(0.0, self.effect.low, -self.effect.high)

    @property
    def certain(self) -> bool:
        """Whether the effect and the gap that is told both surely point in the same direction."""
        return self.strength > 0 and self.gap.excludes_zero and self.gap.value * self.effect.value > 0

    @property
    def size(self) -> Size:
        """How large the effect is."""
        return next((size for bound, size in _SIZES if abs(self.effect.value) >= bound), "slight")


class Figures(NamedTuple):
    """What is told of a number: the level of each group, their gap and ratio."""

    aspect: Aspect
    inside: float
    outside: float
    gap: Estimate
    ratio: Estimate | None


def _require(least: int, members: int, others: int) -> None:
    if min(members, others) < least:
        raise NotEnoughData(
            "The groups are too small to be compared",
            expected=f"at least {least} in each",
            seen=f"{members} members and {others} others",
        )


# --- numbers ---------------------------------------------------------------------------------------------------------


def compare_numbers(
    inside: FloatArray, outside: FloatArray, *, ratios: bool = True, by_median: bool = False, seed: int = 0
) -> Contrast:
    """Compare a number between members and others: finite values in any order [n], [m].

    Means are told. Where a few very large values make the means say something else than the ranks do, medians are,
    or, where most people have nothing, the shares of those above zero.   by_median: medians whatever the means say.
    ratios: whether the number has a true zero, so that "twice as much" means something.
    Effect and chance are of ranks: the more cautious of the tests of Mann and Whitney (1947, ties corrected) and of
    Brunner and Munzel (2000), since each is too sure of itself where nearly everybody in one group is alike.
    Raises NotEnoughData for fewer than two values in either group.   Cost: O((n + m) log(n + m)), that of sorting.

    >>> found = compare_numbers(np.array([9.0, 10, 11, 12]), np.array([2.0, 3, 4, 3]))
    >>> found.aspect, found.inside, found.outside
    ('mean', 10.5, 3.0)
    """
    _require(2, inside.size, outside.size)
    members, others = np.sort(inside), np.sort(outside)
    effect, chance = _rank_effect(members, others)
    figures = _medians(members, others, seed) if by_median else _telling(members, others, effect, seed)
    # "Twice as much" means something only for what cannot be below zero.
    ratio = figures.ratio if ratios and min(members[0], others[0]) >= 0 else None
    sizes = (members.size, others.size)
    return Contrast(figures.aspect, figures.inside, figures.outside, figures.gap, ratio, effect, chance, *sizes)


def _telling(members: FloatArray, others: FloatArray, effect: Estimate, seed: int) -> Figures:
    """The first figures that surely point where the ranks do; means if none does."""
    means = _means(members, others)
    if _points_along(means, effect):
        return means
    medians = _medians(members, others, seed)
    if _points_along(medians, effect):
        return medians
    above = _positive(members, others)
    return above if _points_along(above, effect) else means


def _points_along(figures: Figures, effect: Estimate) -> bool:
    return figures.gap.excludes_zero and figures.gap.value * effect.value > 0


def _positive(members: FloatArray, others: FloatArray) -> Figures:
    """Shares of those above zero."""
    counts = [np.array([np.count_nonzero(values > 0)]) for values in (members, others)]
    _, found, _ = compare_shares(counts[0], members.size, counts[1], others.size)
    return Figures("positive", found.inside, found.outside, found.gap, found.ratio)


def _rank_effect(members: FloatArray, others: FloatArray) -> tuple[Estimate, float]:
    """The effect of ranks with its interval, and the chance of it; both groups sorted."""
    n, m = members.size, others.size
    grid = np.unique(np.concatenate([members, others]))
    below_n, here_n = _counts(members, grid)
    below_m, here_m = _counts(others, grid)
    beaten = (below_m + here_m / 2) / m
    beating = (below_n + here_n / 2) / n
    # Pairs won less pairs lost: whole numbers, so that groups that are alike differ by nothing at all.
    delta = float(here_n @ (2 * below_m + here_m) - n * m) / (n * m)
    parts = (_mean_error(beaten, here_n), _mean_error(beating, here_m))
    ranks = (below_n + below_m + (here_n + here_m) / 2) / (n + m)
    spread = float((here_n + here_m) @ (ranks - 0.5) ** 2) / (n + m)
    plain_error = np.sqrt(spread * (n + m) ** 2 / (n * m * (n + m - 1)))
    error, freedom = np.sqrt(sum(parts)), _freedom(parts, (n, m))
    chance = max(_normal_chance(delta / 2, plain_error), _student_chance(delta / 2, error, freedom))
    reach = max(NORMAL_REACH * plain_error, _student_reach(freedom) * error)
    low, high = max(-1.0, delta - 2 * reach), min(1.0, delta + 2 * reach)
    variances = [(size * _variance(ranks, counts) + spread) / (size + 1) for counts, size in ((here_n, n), (here_m, m))]
    effects = _effect(np.array([delta, low, high]), np.mean(variances))
    return Estimate(*map(float, effects)), chance


def _counts(ordered: FloatArray, grid: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How many values lie below, and at, each point of the grid."""
    upto = np.searchsorted(ordered, grid, side="right").astype(np.float64)
    below = np.concatenate([[0.0], upto[:-1]])
    return below, upto - below


def _mean_error(values: FloatArray, counts: FloatArray) -> float:
    """The squared standard error of the mean of values that occur so often."""
    return _variance(values, counts) / (float(counts.sum()) - 1)


def _variance(values: FloatArray, counts: FloatArray) -> float:
    total = counts.sum()
    return float(counts @ (values - counts @ values / total) ** 2 / total)


def _effect(delta: FloatArray, variance: FloatArray | np.floating) -> FloatArray:
    """Correlation with membership in two groups of equal size.

    delta: Cliff's delta, or a difference of shares.   variance: mean of the groups' variances of ranks, as shares of
    all people; a quarter of the variance for yes and no, whose two ranks lie half of the people apart.
    """
    scale = np.sqrt(16 * variance + delta**2)
    return np.divide(delta, scale, out=np.zeros_like(delta), where=scale > 0)


def _means(members: FloatArray, others: FloatArray) -> Figures:
    """Means, with Welch's interval of the gap and the delta method's of the logarithm of the ratio."""
    inside, outside = float(members.mean()), float(others.mean())
    parts = (float(members.var(ddof=1)) / members.size, float(others.var(ddof=1)) / others.size)
    reach = _student_reach(_freedom(parts, (members.size, others.size))) * np.array([-1.0, 1.0])
    gap = _estimate(inside - outside, inside - outside + reach * np.sqrt(sum(parts)))
    ratio = None
    if inside > 0 and outside > 0:
        error = np.sqrt(parts[0] / inside**2 + parts[1] / outside**2)
        ratio = _estimate(inside / outside, inside / outside * np.exp(np.clip(reach * error, -700, 700)))
    return Figures("mean", inside, outside, gap, ratio)


def _medians(members: FloatArray, others: FloatArray, seed: int) -> Figures:
    """Medians, with bootstrap intervals.

    The median of a resample is an order statistic of the values, whose place is Beta distributed: drawing the place
    costs nothing, however many people there are.
    """
    chance = np.random.default_rng(seed)
    draws = [_median_draws(values, chance) for values in (members, others)]
    inside, outside = float(np.median(members)), float(np.median(others))
    gap = _estimate(inside - outside, _middle(draws[0] - draws[1]))
    ratio = None
    if outside > 0 and draws[1].min() > 0:
        ratio = _estimate(inside / outside, _middle(draws[0] / draws[1]))
    return Figures("median", inside, outside, gap, ratio)


def _median_draws(ordered: FloatArray, chance: np.random.Generator) -> FloatArray:
    half = (ordered.size + 1) / 2
    places = np.floor(chance.beta(half, half, RESAMPLES) * ordered.size).astype(np.int64)
    found: FloatArray = ordered[np.clip(places, 0, ordered.size - 1)]
    return found


def _middle(draws: FloatArray) -> FloatArray:
    found: FloatArray = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return found


def _estimate(value: float, bounds: FloatArray) -> Estimate:
    return Estimate(float(value), float(bounds[0]), float(bounds[1]))


def _freedom(parts: tuple[float, float], sizes: tuple[int, int]) -> float:
    """Degrees of freedom of a difference of two means with unlike variances (Satterthwaite)."""
    down = sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    return float(sum(parts) ** 2 / down) if down > 0 else float(min(sizes) - 1)


def _student_reach(freedom: float) -> float:
    return float(stdtrit(freedom, 0.5 + LEVEL / 2))


def _student_chance(distance: float, error: float, freedom: float) -> float:
    return float(2 * stdtr(freedom, -abs(distance) / error)) if error > 0 else 0.0


def _normal_chance(distance: float, error: float) -> float:
    return float(2 * ndtr(-abs(distance) / error)) if error > 0 else 1.0


# --- shares ----------------------------------------------------------------------------------------------------------


class _Shares(NamedTuple):
    """Of one group, for each value [v]: how many have it, which share that is, and its Wilson interval."""

    having: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    people: int


def compare_shares(inside: IntArray, members: int, outside: IntArray, others: int) -> tuple[int, Contrast, FloatArray]:
    """Compare how many of the members and of the others have each of several values.

    inside, outside: people who have the value [v].   members, others: people for whom it is known.
    Returns the place of the value that sets the groups apart most surely (of equals the one that members have more
    often, then the first), how they differ in it, and the chance of each value's difference [v].
    Gaps by Newcombe's hybrid of Wilson intervals (Statistics in Medicine 17, 1998, method 10), ratios by the same idea
    (Donner and Zou, Statistical Methods in Medical Research 21, 2012), chances exact (Fisher) where people are few.
    Raises NotEnoughData if there is nobody in either group.

    >>> place, found, _ = compare_shares(np.array([9, 1]), 10, np.array([3, 7]), 10)
    >>> place, round(found.gap.value, 2), round(found.gap.low, 4), round(found.gap.high, 4)
    (0, 0.6, 0.1705, 0.809)
    """
    _require(1, members, others)
    one, two = _shares(inside, members), _shares(outside, others)
    gaps = _share_gaps(one, two)
    effects = _share_effects(one, two, gaps)
    strength = np.maximum(0, np.maximum(effects[1], -effects[2])).round(12)
    place = int(np.lexsort((np.arange(strength.size), gaps[0] <= 0, -strength))[0])
    chances = _share_chances(one, two)
    found = Contrast(
        "share",
        float(one.share[place]),
        float(two.share[place]),
        Estimate(*map(float, gaps[:, place])),
        _share_ratio(one, two, place),
        Estimate(*map(float, effects[:, place])),
        float(chances[place]),
        members,
        others,
    )
    return place, found, chances


def _shares(counts: IntArray, people: int) -> _Shares:
    having = counts.astype(np.float64)
    low, high = wilson_bounds(having, np.full_like(having, people))
    return _Shares(having, having / people, low, high, people)


def _share_gaps(one: _Shares, two: _Shares) -> FloatArray:
    """Differences of shares with their bounds [3, v]."""
    gap = one.share - two.share
    down = np.hypot(one.share - one.low, two.high - two.share)
    up = np.hypot(one.high - one.share, two.share - two.low)
    return np.stack([gap, gap - down, gap + up])


def _share_effects(one: _Shares, two: _Shares, gaps: FloatArray) -> FloatArray:
    together = (one.having + two.having) / (one.people + two.people)
    spread = together * (1 - together)
    variances = [(each.people * each.share * (1 - each.share) + spread) / (each.people + 1) for each in (one, two)]
    # Yes and no are two ranks that lie half of the people apart.
    return np.stack([_effect(delta, (variances[0] + variances[1]) / 8) for delta in gaps])


def _share_ratio(one: _Shares, two: _Shares, place: int) -> Estimate | None:
    """How many times as large the first share is; None where the second is zero."""
    p, low, high = (float(each[place]) for each in one[1:4])
    q, below, above = (float(each[place]) for each in two[1:4])
    if q == 0:
        return None
    down = (p * q) ** 2 - low * above * (2 * p - low) * (2 * q - above)
    up = (p * q) ** 2 - high * below * (2 * p - high) * (2 * q - below)
    bottom = (p * q - np.sqrt(max(0.0, down))) / (above * (2 * q - above))
    top = (p * q + np.sqrt(max(0.0, up))) / (below * (2 * q - below))
    return Estimate(p / q, float(bottom), float(top))


def _share_chances(one: _Shares, two: _Shares) -> FloatArray:
    """Two-sided chances that the value has nothing to do with membership [v]."""
    people = one.people + two.people
    having = one.having + two.having
    share = having / people
    error = np.sqrt(share * (1 - share) * (1 / one.people + 1 / two.people))
    apart = np.divide(np.abs(one.share - two.share), error, out=np.zeros_like(error), where=error > 0)
    chances: FloatArray = 2 * ndtr(-apart)
    smaller = one if one.people <= two.people else two
    rare = np.minimum(having, people - having)
    few = (smaller.people * rare / people < _EXACT_BELOW) & (error > 0)
    if few.any():
        seen = np.where(having <= people - having, smaller.having, smaller.people - smaller.having)[few]
        chances[few] = _exact_chances(seen, rare[few], smaller.people, people)
    return chances


def _exact_chances(seen: FloatArray, rare: FloatArray, drawn: int, people: int) -> FloatArray:
    """Twice the smaller tail of drawing so many rare ones among so many people; the sums run over the shorter side."""
    more = hypergeom.sf(seen - 1, people, np.maximum(rare, drawn), np.minimum(rare, drawn))
    fewer = 1 - hypergeom.sf(seen, people, np.maximum(rare, drawn), np.minimum(rare, drawn))
    found: FloatArray = np.clip(2 * np.minimum(more, fewer), 0, 1)
    return found
