"""An allocation: everyone's choice, what it gains and spends, and how far it can be from the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aimwell.science.allocation.choices import NOTHING
from aimwell.science.arrays import IntArray

BUDGET = "budget"
"""The name of the budget among the prices."""


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """Who gets what, with its account.

    chosen: treatment of each customer, or `NOTHING` [customers].   gain, spend: in all.
    bound: no allocation within the limits gains more (the optimum when customers could be treated in part).
    prices: what one unit more of each limit that binds would gain: of money under `BUDGET`, of places under the name of
    the limit; negative for a minimum, whose last place costs gain.
    last_share: share of the last customer's upgrade that the budget would still have paid.
    """

    chosen: IntArray
    gain: float
    spend: float
    bound: float
    prices: Mapping[str, float]
    last_share: float = 0.0

    @property
    def gap(self) -> float:
        """How much more could be gained at the very most; never negative."""
        return max(0.0, self.bound - self.gain)

    def counts(self, treatments: int) -> IntArray:
        """How many customers get each treatment [treatments]."""
        given = self.chosen[self.chosen != NOTHING]
        return np.bincount(given, minlength=treatments).astype(np.int64)
