"""Whether limits can be met at all, and if not, which of them contradict each other.

Customers who may get the same treatments are alike for this question, so it is a small transport problem. Whatever is
short is found by leaving out one limit after the other: those without which the rest can be met stay (an irreducible
infeasible set; J. W. Chinneck, E. W. Dravnieks, ORSA Journal on Computing 3 (1991) 157-168).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from aimwell.core.errors import BadQuestion
from aimwell.science.allocation.allocation import BUDGET
from aimwell.science.allocation.choices import Choices
from aimwell.science.allocation.limits import ContradictoryLimits, Kinds, Limit, Rows, inequalities, kinds_of_customers
from aimwell.science.allocation.optimum import optimum
from aimwell.science.allocation.prices import Shortage
from aimwell.science.arrays import FloatArray

Possible = Callable[[Rows], bool]

_SLACK = 1e-9


def refuse_contradictions(given: Choices, money: float, limits: Sequence[Limit]) -> None:
    """Raises ContradictoryLimits, naming them (`budget` for the money), when no allocation meets all of them.

    A minimum for treatments that too few may get, or nobody, is a BadQuestion that says so.
    """
    kinds = kinds_of_customers(given)
    for limit in limits:
        able = float(kinds.people[kinds.allowed[:, list(limit.treatments)].any(axis=1)].sum())
        if able < limit.at_least:
            raise BadQuestion(
                f"Limit {limit.name!r} asks for more customers than may get it",
                expected=f"{limit.at_least} customers or more who may",
                seen=f"{able:.0f}",
                remedy="Lower the minimum, or let more customers have it.",
            )
    rows = inequalities(limits, given.treatments)
    if not any(limit.at_least for limit in limits):
        return
    _refuse(rows, lambda kept: _met(kinds, kept), given)
    if math.isfinite(money):
        _refuse_for_money(given, money, rows, kinds)


def _refuse_for_money(given: Choices, money: float, rows: Rows, kinds: Kinds) -> None:
    """Raises when the minima cost more than there is. Costs that differ between customers are bounded first."""
    allowed = given.allowed
    dear = np.where(allowed, given.costs, 0.0).max(axis=1)
    if _met(kinds, _with_money(rows, dear, money)):
        return
    cheap = np.where(allowed, given.costs, np.inf).min(axis=1)
    cheap = np.where(np.isfinite(cheap), cheap, 0.0)
    whole = _with_money(rows, cheap, money)
    _refuse(whole, lambda kept: _met(kinds, kept), given)
    least = Choices(np.where(allowed, -given.costs, -np.inf), given.costs)

    def affordable(kept: Rows) -> bool:
        if BUDGET not in kept.names:
            return _met(kinds, kept)
        places = [place for place, name in enumerate(kept.names) if name != BUDGET]
        return -optimum(least, Shortage(math.inf, kept.take(places))).bound <= money * (1 + _SLACK)

    _refuse(whole, affordable, given)


def _with_money(rows: Rows, costs: FloatArray, money: float) -> Rows:
    """The inequalities with the budget last, each treatment at one cost."""
    return Rows((*rows.names, BUDGET), np.vstack([rows.usage, costs]), np.append(rows.bounds, money * (1 + _SLACK)))


def _refuse(rows: Rows, possible: Possible, given: Choices) -> None:
    if not possible(rows):
        raise ContradictoryLimits(irreducible(rows, possible), seen=f"{given.people} customers")


def irreducible(rows: Rows, possible: Possible) -> tuple[str, ...]:
    """The names of limits that cannot be met together, none of which is needless for that; in the order given."""
    kept = list(range(len(rows.names)))
    for place in range(len(rows.names)):
        fewer = [each for each in kept if each != place]
        if not possible(rows.take(fewer)):
            kept = fewer
    return tuple(dict.fromkeys(rows.names[place] for place in kept))


def _met(kinds: Kinds, rows: Rows) -> bool:
    """Whether some numbers of each kind and treatment meet the inequalities."""
    if not rows.names or bool((rows.bounds >= 0).all()):
        return True
    group, treatment = np.nonzero(kinds.allowed)
    if not group.size:
        return False
    pairs = np.arange(group.size)
    each = sparse.csr_array((np.ones(group.size), (group, pairs)), shape=(kinds.people.size, group.size))
    usage = sparse.csr_array(rows.usage[:, treatment])
    solved = linprog(
        np.zeros(group.size),
        A_ub=sparse.vstack([each, usage]),
        b_ub=np.concatenate([kinds.people, rows.bounds]),
        method="highs",
    )
    return bool(solved.status == 0)
