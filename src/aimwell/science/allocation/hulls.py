"""The treatments worth considering for each customer: the upper convex hull of gain over cost.

Sources: P. Sinha, A. A. Zoltners, Operations Research 27 (1979) 503-515 (what is dominated never enters the relaxed
optimum); the walk along the hull is R. A. Jarvis, Information Processing Letters 2 (1973) 18-21, done for all customers
at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.science.allocation.choices import NOTHING, Choices
from aimwell.science.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Upgrades:
    """Steps from a cheaper choice to a dearer one that gains more, in order of customer, then cost; all [steps].

    customer: row.   before, after: treatment or `NOTHING`.   spend, gain: what the step adds, both positive.
    slope: gain for each unit of money; falls strictly along the steps of one customer.
    """

    customer: IntArray
    before: IntArray
    after: IntArray
    spend: FloatArray
    gain: FloatArray
    slope: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Hulls:
    """Everyone's hull: what they get when no money is spent [customers], and the upgrades from there on."""

    start: IntArray
    upgrades: Upgrades


def hulls(given: Choices) -> Hulls:
    """For each customer, the treatments that are best at some price of money, from the cheapest to the dearest.

    Left out are treatments that gain no more than a cheaper one, and those beaten by a mixture of a cheaper and a
    dearer one; points on a straight line count once, by the dearest. Free treatments of positive gain are where a
    customer starts; equal gains at equal cost go to the earlier treatment.   Cost: O(customers · treatments · hull).
    """
    start, at_gain = _free(given)
    rows = np.arange(given.people)
    at, at_cost = start, np.zeros(given.people)
    costs, gains = given.costs, given.gains
    walked: list[tuple[IntArray, ...]] = []
    measured: list[tuple[FloatArray, ...]] = []
    slope = np.full(given.people, np.inf)
    while True:
        after, steepest = _steepest(costs, gains, at_cost, at_gain)
        moving = np.flatnonzero(after != NOTHING)
        if not moving.size:
            return Hulls(start, _in_order(walked, measured))
        rows, after = rows[moving], after[moving]
        costs, gains = costs[:, moving], gains[:, moving]
        here = np.arange(moving.size)
        cost, gain = costs[after, here], gains[after, here]
        slope = np.minimum(steepest[moving], slope[moving])  # rounding may not turn a hull inwards
        walked.append((rows, at[moving], after))
        measured.append((cost - at_cost[moving], gain - at_gain[moving], slope))
        at, at_cost, at_gain = after, cost, gain


def _free(given: Choices) -> tuple[IntArray, FloatArray]:
    """The best choice that costs nothing, and its gain."""
    at = np.full(given.people, NOTHING, dtype=np.int64)
    gain = np.zeros(given.people)
    for treatment in range(given.treatments):
        better = (given.costs[treatment] == 0) & (given.gains[treatment] > gain)
        if better.any():
            at[better] = treatment
            gain[better] = given.gains[treatment][better]
    return at, gain


def _steepest(
    costs: FloatArray, gains: FloatArray, at_cost: FloatArray, at_gain: FloatArray
) -> tuple[IntArray, FloatArray]:
    """The dearer treatment with the steepest rise from where each customer stands, and the rise; NOTHING if none."""
    best = np.full(at_cost.size, NOTHING, dtype=np.int64)
    steepest, reach = np.zeros(at_cost.size), np.zeros(at_cost.size)
    for treatment in range(costs.shape[0]):
        more = costs[treatment] - at_cost
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slope = (gains[treatment] - at_gain) / more
        better: BoolArray = (more > 0) & ((slope > steepest) | ((slope == steepest) & (slope > 0) & (more > reach)))
        np.copyto(best, treatment, where=better)
        np.copyto(steepest, slope, where=better)
        np.copyto(reach, more, where=better)
    return best, steepest


def _in_order(walked: list[tuple[IntArray, ...]], measured: list[tuple[FloatArray, ...]]) -> Upgrades:
    if not walked:
        nobody, nothing = np.empty(0, dtype=np.int64), np.empty(0)
        return Upgrades(nobody, nobody, nobody, nothing, nothing, nothing)
    customer, before, after = (np.concatenate(parts) for parts in zip(*walked, strict=True))
    spend, gain, slope = (np.concatenate(parts) for parts in zip(*measured, strict=True))
    order = np.argsort(customer, kind="stable")
    return Upgrades(customer[order], before[order], after[order], spend[order], gain[order], slope[order])
