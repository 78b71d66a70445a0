"""The gain-versus-spend path: the best choice for everyone at every budget, in one walk.

Without limits beside the budget, the relaxed multiple-choice knapsack is solved by taking the upgrades of all customers
in order of what they gain for each unit of money: at every point of the walk the choice is the best for what has been
spent. Sources: E. Sverdrup, H. Wu, S. Athey, S. Wager, "Qini curves for multi-armed treatment rules" (2023,
arXiv:2306.11979); P. Sinha, A. A. Zoltners (1979); E. Zemel, Operations Research 28 (1980) 1412-1423.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.science.allocation.allocation import BUDGET, Allocation
from aimwell.science.allocation.choices import Choices
from aimwell.science.allocation.hulls import Upgrades, hulls
from aimwell.science.arrays import FloatArray, IntArray

Last = Literal["left out", "drawn"]
_SLACK = 1e-12
"""Share of the budget by which rounding may seem to overspend it."""


@dataclass(frozen=True, slots=True, eq=False)
class GainPath:
    """Everyone's best choice at every budget: where it starts, and the upgrades in the order in which they are taken.

    start: choice of each customer before money is spent [customers].   spent, gained: in all, before the first of the
    upgrades and after each [steps+1].   Made by `gain_path`.
    """

    given: Choices
    start: IntArray
    upgrades: Upgrades
    spent: FloatArray
    gained: FloatArray

    def gain_at(self, spend: float) -> float:
        """What can be gained at most for this money, the last customer treated in part (the relaxed optimum)."""
        return float(np.interp(budget(spend), self.spent, self.gained))

    def spend_for(self, gain: float) -> float:
        """The least money for at least this gain, the last customer treated in part.

        Raises BadQuestion for more than can be gained at all.
        """
        if gain > self.gained[-1]:
            raise BadQuestion(f"A gain of {gain:g} is out of reach", expected=f"at most {self.gained[-1]:g}")
        return float(np.interp(gain, self.gained, self.spent))

    def at(self, money: float, *, last: Last = "left out", seed: int = 0) -> Allocation:
        """Everyone's choice for this budget.

        The budget seldom ends where an upgrade ends. The customer at whom it runs out is
        "left out": keeps the cheaper choice, so that the budget holds; the gain then lacks less than that one upgrade
        of the relaxed optimum, which the allocation reports as its gap; or
        "drawn": gets the dearer choice with the probability that spends the budget exactly in expectation; by the luck
        of the draw the spend may exceed it by less than that one upgrade.
        """
        limit = budget(money)
        steps = int(np.searchsorted(self.spent[1:], limit * (1 + _SLACK), side="right"))
        bound, share = self.gain_at(limit), 0.0
        short = steps < self.upgrades.slope.size
        if short:
            share = max(0.0, float((limit - self.spent[steps]) / self.upgrades.spend[steps]))
        price = float(self.upgrades.slope[steps]) if short else 0.0
        if short and last == "drawn" and np.random.default_rng(seed).random() < share:
            steps += 1
        chosen = self.start.copy()
        chosen[self.upgrades.customer[:steps]] = self.upgrades.after[:steps]  # of one customer's, the last counts
        return Allocation(
            chosen,
            gain=float(self.gained[steps]),
            spend=float(self.spent[steps]),
            bound=bound,
            prices={BUDGET: price},
            last_share=share,
        )


def gain_path(given: Choices) -> GainPath:
    """The best choice for each customer at every budget at once; equal gains for money go to the earlier customer.

    Cost: O(customers · treatments · hull) and one sort of the upgrades.

    >>> from aimwell.science.allocation.choices import choices
    >>> path = gain_path(choices([[3.0, 4.0], [2.0, 2.0]], [1.0, 2.0]))
    >>> path.spent.tolist(), path.gained.tolist()
    ([0.0, 1.0, 2.0, 3.0], [0.0, 3.0, 5.0, 6.0])
    >>> path.at(2).chosen.tolist()
    [0, 0]
    """
    found = hulls(given)
    steps = found.upgrades
    order = np.argsort(-steps.slope, kind="stable")
    taken = Upgrades(
        steps.customer[order],
        steps.before[order],
        steps.after[order],
        steps.spend[order],
        steps.gain[order],
        steps.slope[order],
    )
    spent = np.concatenate([[0.0], np.cumsum(taken.spend)])
    gained = given.gain(found.start) + np.concatenate([[0.0], np.cumsum(taken.gain)])
    return GainPath(given, found.start, taken, spent, gained)


def budget(money: float) -> float:
    """A budget, checked: any amount from 0, infinity included; raises BadQuestion otherwise."""
    if math.isnan(money) or money < 0:
        raise BadQuestion("A budget is an amount of money", expected="0 or more", seen=f"{money:g}")
    return float(money)
