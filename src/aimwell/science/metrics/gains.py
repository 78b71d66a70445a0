"""What a scored list is worth: how many buyers are reached by contacting how many customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import FloatArray, IntArray, numbers, same_length, share, truths
from aimwell.science.metrics.interval import (
    LEVEL,
    Difference,
    Estimate,
    Statistic,
    bootstrap,
    bootstrap_difference,
    require_draws,
    resample,
    wilson,
)
from aimwell.science.metrics.order import best_first

ROUNDING = 1e-9
"""Slack against floating point when a share is turned into a count of people."""


@dataclass(frozen=True, slots=True, eq=False)
class Gains:
    """The gains curve: shares of the customers contacted, best first, and of the buyers reached by then.

    contacted, reached: [n+1], from (0, 0) to (1, 1).   people, buyers: how many there are in all
    (`buyers` is the total amount when amounts were given instead of yes and no).
    """

    contacted: FloatArray
    reached: FloatArray
    people: int
    buyers: float

    def reached_at(self, contacted: float) -> float:
        """Share of the buyers reached when this share of the list, best first, is contacted."""
        return float(np.interp(share(contacted, "the share contacted"), self.contacted, self.reached))

    def share_for(self, reached: float) -> float:
        """Smallest share of the list that must be contacted to reach at least this share of the buyers."""
        wanted = share(reached, "the share reached")
        return float(self.contacted[np.searchsorted(self.reached, wanted - ROUNDING)])

    def lift_at(self, contacted: float) -> float:
        """How many times more buyers than in a random list of the same size; 1 means no better than chance."""
        if contacted <= 0:
            raise BadQuestion(
                "Lift needs a list with somebody on it", expected="a share above 0", seen=f"{contacted:g}"
            )
        return self.reached_at(contacted) / contacted

    def thinned(self, points: int = 201) -> Gains:
        """The same curve at evenly spaced shares, for drawing; end points are kept."""
        contacted = np.linspace(0.0, 1.0, points)
        return Gains(contacted, np.interp(contacted, self.contacted, self.reached), self.people, self.buyers)


@dataclass(frozen=True, slots=True)
class TopRow:
    """One line of a top-N table: what the best `people` of the list contain."""

    people: int
    contacted: float
    buyers: int
    reached: float
    rate: Estimate
    lift: float


@dataclass(frozen=True, slots=True, eq=False)
class GainsBand:
    """A gains curve at given shares with a point-wise interval, for the shaded area of a chart; all [points]."""

    contacted: FloatArray
    reached: FloatArray
    low: FloatArray
    high: FloatArray
    level: float


def gains(scores: ArrayLike, bought: ArrayLike, *, seed: int = 0) -> Gains:
    """Share of buyers reached when the best-scored part of the list is contacted (gains curve).

    Customers are ranked by score, ties in seeded random order; the curve starts at (0, 0) and ends at (1, 1).

    scores: [customers], any scale, higher is likelier.   bought: [customers], yes or no, or amounts ≥ 0 (then the
    curve tells the share of the money).   Raises NotEnoughData if nobody bought.   Cost: O(n log n).

    >>> gains([0.9, 0.2, 0.1], [True, False, False]).reached_at(1 / 3)
    1.0
    """
    ranks, gained = _checked(scores, bought)
    cumulative = np.cumsum(gained[best_first(ranks, seed)])
    reached = np.concatenate([[0.0], cumulative / cumulative[-1]])
    contacted = np.arange(gained.size + 1) / gained.size
    return Gains(contacted, reached, gained.size, float(cumulative[-1]))


def top_table(scores: ArrayLike, bought: ArrayLike, sizes: Sequence[int], *, seed: int = 0) -> tuple[TopRow, ...]:
    """What the best 100, 500, 1000 … customers of a list contain: buyers, rate with Wilson interval, lift.

    sizes: numbers of people; a size beyond the list is cut to the list (and then named once).

    >>> top_table([0.9, 0.8, 0.1, 0.0], [1, 0, 1, 0], [1])[0].lift
    2.0
    """
    ranks, gained = _checked(scores, bought)
    buys = truths(gained, "bought")
    if not sizes or min(sizes) < 1:
        raise BadQuestion("A top-N table needs sizes", expected="whole numbers of people from 1", seen=f"{list(sizes)}")
    cumulative: IntArray = np.cumsum(buys[best_first(ranks, seed)], dtype=np.int64)
    return tuple(_top_row(size, cumulative) for size in sorted({min(size, buys.size) for size in sizes}))


def share_for_estimate(
    scores: ArrayLike,
    bought: ArrayLike,
    reached: float = 0.8,
    *,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Share of the list that must be contacted to reach 80 % (or another share) of the buyers, with its interval."""
    ranks, gained = _checked(scores, bought)
    statistic = _share_statistic(ranks, gained, share(reached, "the share reached"), seed)
    return bootstrap(statistic, gained.size, groups=groups, resamples=resamples, seed=seed)


def share_for_difference(
    first: ArrayLike,
    second: ArrayLike,
    bought: ArrayLike,
    reached: float = 0.8,
    *,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """How much less of the list one score needs than another to reach the same share of buyers (paired bootstrap).

    The difference is first minus second: negative when the first score needs fewer contacts.
    """
    one, gained = _checked(first, bought)
    two, _ = _checked(second, bought)
    wanted = share(reached, "the share reached")
    return bootstrap_difference(
        _share_statistic(one, gained, wanted, seed),
        _share_statistic(two, gained, wanted, seed),
        gained.size,
        groups=groups,
        resamples=resamples,
        seed=seed,
    )


def reached_at_estimate(
    scores: ArrayLike,
    bought: ArrayLike,
    contacted: float,
    *,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Share of the buyers in the best part of the list, with its interval."""
    ranks, gained = _checked(scores, bought)
    part = share(contacted, "the share contacted")
    order = best_first(ranks, seed)
    return bootstrap(
        lambda rows: float(np.interp(part, *_weighted_curve(order, gained, rows))),
        gained.size,
        groups=groups,
        resamples=resamples,
        seed=seed,
    )


def gains_band(
    scores: ArrayLike,
    bought: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    points: int = 101,
    resamples: int = 200,
    seed: int = 0,
) -> GainsBand:
    """The gains curve with the band in which it would move with other customers of the same kind (95 %, by point).

    Cost: O(n) for each of the resamples.
    """
    ranks, gained = _checked(scores, bought)
    order, contacted = best_first(ranks, seed), np.linspace(0.0, 1.0, points)
    whole = np.interp(contacted, *_weighted_curve(order, gained, np.arange(gained.size)))
    curves = [
        np.interp(contacted, *_weighted_curve(order, gained, rows))
        for rows in resample(gained.size, groups=groups, resamples=resamples, seed=seed)
        if gained[rows].any()
    ]
    require_draws(len(curves), resamples)
    low, high = np.quantile(np.array(curves), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return GainsBand(contacted, whole, low, high, LEVEL)


def _checked(scores: ArrayLike, bought: ArrayLike) -> tuple[FloatArray, FloatArray]:
    ranks, gained = numbers(scores, "scores"), numbers(bought, "bought")
    same_length(scores=ranks, bought=gained)
    if gained.min() < 0:
        raise BadQuestion("Gains cannot count backwards", expected="yes/no or amounts from 0", seen=f"{gained.min():g}")
    if not gained.any():
        raise NotEnoughData(
            "Nobody bought, so no list can be judged",
            expected="at least one buyer",
            seen=f"0 of {gained.size}",
            remedy="Take a longer horizon, more customers or another label.",
        )
    return ranks, gained


def _top_row(size: int, cumulative: IntArray) -> TopRow:
    people, total, buyers = cumulative.size, int(cumulative[-1]), int(cumulative[size - 1])
    contacted, reached = size / people, buyers / total
    return TopRow(size, contacted, buyers, reached, wilson(buyers, size), reached / contacted)


def _share_statistic(scores: FloatArray, gained: FloatArray, reached: float, seed: int) -> Statistic:
    order = best_first(scores, seed)

    def needed(rows: IntArray) -> float:
        contacted, curve = _weighted_curve(order, gained, rows)
        return float(contacted[np.searchsorted(curve, reached - ROUNDING)])

    return needed


def _weighted_curve(order: IntArray, gained: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """The curve of a resample without sorting again: how often each row was drawn, walked in the original order."""
    drawn = np.bincount(rows, minlength=gained.size)[order].astype(np.float64)
    cumulative = np.cumsum(drawn * gained[order])
    if cumulative[-1] <= 0:
        raise NotEnoughData("A resample holds no buyer", expected="at least one", seen="none")
    contacted = np.cumsum(drawn) / rows.size
    return np.concatenate([[0.0], contacted]), np.concatenate([[0.0], cumulative / cumulative[-1]])
