"""Whom to treat when the money does not reach for everybody: the most effect for the money first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import IntArray, numbers
from aimwell.science.metrics.gains import ROUNDING


@dataclass(frozen=True, slots=True, eq=False)
class Shortlist:
    """Whom to treat, the best first.

    chosen: row numbers [m].   cost: what treating them costs.   gain: what it is expected to bring, cost deducted.
    """

    chosen: IntArray
    cost: float
    gain: float


def shortlist(effect: ArrayLike, *, budget: float, cost: ArrayLike, worth: float = 1.0) -> Shortlist:
    """The customers whose expected effect is worth more than the treatment costs, the best return first, within a
    budget.

    effect: expected [n].   cost: of treating each customer, above 0 [n] or one number.   worth: money of a unit of
    effect.   Ties are kept in the order given: order by id first.   The first who does not fit ends the list.
    Raises BadQuestion for a budget of 0 or less, or costs of 0 or less.

    >>> shortlist([0.5, 0.1, 0.3], budget=2.0, cost=1.0, worth=5.0).chosen.tolist()
    [0, 2]
    """
    gains = numbers(effect, "effects") * worth
    costs = np.broadcast_to(np.asarray(cost, dtype=np.float64), gains.shape)
    if not budget > 0:
        raise BadQuestion(
            "Nobody can be treated within this budget",
            expected="a budget above 0",
            seen=f"{budget:g}",
            remedy="Give a budget; to see what a budget would bring, look at the Qini curve.",
        )
    if costs.size and not costs.min() > 0:
        raise BadQuestion("Treating somebody costs something", expected="costs above 0", seen=f"{costs.min():g}")
    order = np.argsort(-(gains / costs), kind="stable")
    paying = order[gains[order] > costs[order]]
    reach = int(np.searchsorted(np.cumsum(costs[paying]), budget + ROUNDING, side="right"))
    chosen = paying[:reach].astype(np.int64)
    return Shortlist(chosen, float(costs[chosen].sum()), float((gains - costs)[chosen].sum()))
