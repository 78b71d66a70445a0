"""The best treatment for each customer, or nothing, within a budget and limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aimwell.science.allocation.allocation import BUDGET, Allocation
from aimwell.science.allocation.choices import Choices
from aimwell.science.allocation.feasibility import refuse_contradictions
from aimwell.science.allocation.limits import Limit, check_limits, inequalities
from aimwell.science.allocation.optimum import optimum
from aimwell.science.allocation.path import budget, gain_path
from aimwell.science.allocation.prices import Shortage
from aimwell.science.arrays import FloatArray


def allocate(given: Choices, money: float | None = None, limits: Sequence[Limit] = (), *, seed: int = 0) -> Allocation:
    """Everyone's treatment, or nothing, so that the gain is largest within the budget and the limits.

    money: the budget; None is without end.   limits: capacities and quotas.   seed: of the sample of which the first
    prices are taken, when there are limits and very many customers.
    Without limits it is a point of the gain-versus-spend path (the customer at whom the money runs out is left out);
    with limits the relaxed problem is solved by prices, and the few customers whose choice is a toss-up at these are
    settled by branch and bound. All limits hold for whole customers; `Allocation.gap` says what whole customers cost.
    A treatment of negative gain is given only where a minimum demands it.
    Raises ContradictoryLimits, which names them, when nothing meets all limits; BadQuestion for a budget below 0 and
    for a minimum that more must get than may.

    >>> from aimwell.science.allocation.choices import choices
    >>> given = choices([[5.0, 4.0], [4.0, 1.0]], [1.0, 1.0])
    >>> allocate(given, 2, [Limit("calls", (0,), at_most=1)]).chosen.tolist()
    [1, 0]
    """
    amount = math.inf if money is None else budget(money)
    check_limits(limits, given.treatments)
    rows = inequalities(limits, given.treatments)
    if not rows.names:
        return gain_path(given).at(amount)
    refuse_contradictions(given, amount, limits)
    shortage = Shortage(amount, rows)
    found = optimum(given, shortage, seed)
    return Allocation(
        found.chosen,
        gain=given.gain(found.chosen),
        spend=given.spend(found.chosen),
        bound=found.bound,
        prices=_named(shortage, found.prices),
    )


def _named(shortage: Shortage, prices: FloatArray) -> dict[str, float]:
    """The prices by name; a minimum counts backwards, and one name may stand for both ends."""
    named = {BUDGET: float(prices[0])}
    for name, usage, price in zip(shortage.rows.names, shortage.rows.usage, prices[1:], strict=True):
        sign = -1.0 if float(usage.min()) < 0 else 1.0
        named[name] = named.get(name, 0.0) + sign * float(price)
    return named
