"""What each customer would choose if money and places had prices, and the bound that prices prove.

With prices on everything that is short, customers no longer compete: each takes what is worth most after paying. The
sum of what they keep, plus the limits at their prices, is never less than what any allocation can gain (Lagrangian
duality); at the right prices it is the relaxed optimum. Source: M. L. Fisher, Management Science 27 (1981) 1-18.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aimwell.science.allocation.choices import NOTHING, Choices
from aimwell.science.allocation.limits import Rows
from aimwell.science.arrays import FloatArray, IntArray, totals


@dataclass(frozen=True, slots=True, eq=False)
class Shortage:
    """Everything that is short: money (infinite if it is not), and the places of the limits.

    Vectors of prices and usage hold the money first, then the limits in their order [1 + limits].
    """

    money: float
    rows: Rows

    @property
    def bounds(self) -> FloatArray:
        """The budget and the bounds; a budget without end counts as 0 here, and its price is always 0."""
        return np.concatenate([[self.money if self.paid else 0.0], self.rows.bounds])

    @property
    def paid(self) -> bool:
        """Whether money is short at all."""
        return math.isfinite(self.money)

    def used(self, given: Choices, chosen: IntArray) -> FloatArray:
        """Money and places that a choice for everyone uses."""
        some = chosen[chosen != NOTHING]
        counts = totals(some, np.ones(some.size), given.treatments)
        return np.concatenate([[given.spend(chosen) if self.paid else 0.0], self.rows.usage @ counts])

    def less(self, used: FloatArray) -> Shortage:
        """What is left of everything when some of it is used."""
        left = self.rows.bounds - used[1:]
        return Shortage(self.money - float(used[0]), Rows(self.rows.names, self.rows.usage, left))


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What everyone takes at given prices.

    chosen: treatment or `NOTHING`, at equal worth the earlier one, and nothing before all [customers].   worth: what it
    leaves after paying [customers].   margin: how much better it is than the second best [customers].
    bound: no allocation within the limits gains more.   slope: how the bound moves with each price [1 + limits].
    """

    chosen: IntArray
    worth: FloatArray
    margin: FloatArray
    bound: float
    slope: FloatArray


def respond(given: Choices, shortage: Shortage, prices: FloatArray) -> Response:
    """Everyone's best choice at these prices.

    prices: from 0, of money and of the limits [1 + limits].   Cost: O(customers · treatments).
    """
    chosen = np.full(given.people, NOTHING, dtype=np.int64)
    worth, second = np.zeros(given.people), np.full(given.people, -np.inf)
    tolls = prices[1:] @ shortage.rows.usage
    for treatment in range(given.treatments):
        value = given.gains[treatment] - prices[0] * given.costs[treatment]
        value -= tolls[treatment]
        better = value > worth
        np.copyto(second, np.where(better, worth, np.maximum(second, value)))
        np.copyto(worth, value, where=better)
        np.copyto(chosen, treatment, where=better)
    bounds = shortage.bounds
    return Response(
        chosen,
        worth,
        worth - second,
        float(worth.sum() + prices @ bounds),
        bounds - shortage.used(given, chosen),
    )
