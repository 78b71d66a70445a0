"""The allocation written out as a linear programme, for as few customers as a solver likes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from aimwell.core.errors import Unavailable
from aimwell.science.allocation.choices import NOTHING, Choices
from aimwell.science.allocation.prices import Shortage
from aimwell.science.arrays import FloatArray, IntArray

_NODES = 5_000
_IMPOSSIBLE = 2
_STOPPED = 1
_SILENT = Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """Maximise gain @ x so that each customer gets one treatment at most and limits @ x stays at most bounds.

    One variable for each pair that is allowed: treatment, customer, gain [pairs]; each [customers, pairs], limits
    [1 + limits, pairs]. Gains and money are in units of their largest, so that a solver's tolerances mean the same.
    """

    treatment: IntArray
    customer: IntArray
    gain: FloatArray
    each: sparse.csr_array
    limits: sparse.csr_array
    bounds: FloatArray
    gain_unit: float
    money_unit: float


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """The relaxed optimum: shares of customers [treatments, customers], and prices of what is short [1 + limits]."""

    shares: FloatArray
    prices: FloatArray


def programme(given: Choices, shortage: Shortage, weights: FloatArray | None = None) -> Programme:
    """The programme of these choices; weights: how many alike each customer stands for [customers]."""
    treatment, customer = np.nonzero(given.allowed)
    weight = np.ones(customer.size) if weights is None else weights[customer]
    gain, cost = given.gains[treatment, customer], given.costs[treatment, customer]
    gain_unit = float(np.abs(gain).max(initial=0.0)) or 1.0
    money_unit = float(cost.max(initial=0.0)) or 1.0
    spent = cost / money_unit if shortage.paid else np.zeros(cost.size)
    bounds = shortage.bounds
    bounds[0] /= money_unit
    pairs = np.arange(customer.size)
    return Programme(
        treatment,
        customer,
        gain * weight / gain_unit,
        sparse.csr_array((np.ones(pairs.size), (customer, pairs)), shape=(given.people, pairs.size)),
        sparse.csr_array(np.vstack([spent, shortage.rows.usage[:, treatment]]) * weight),
        bounds,
        gain_unit,
        money_unit,
    )


def relaxed(given: Choices, shortage: Shortage, weights: FloatArray | None = None) -> Relaxed | None:
    """The relaxed optimum by the simplex method; None if nothing meets the limits."""
    made = programme(given, shortage, weights)
    shares = np.zeros((given.treatments, given.people))
    if not made.gain.size:
        return Relaxed(shares, np.zeros(made.bounds.size)) if (made.bounds >= 0).all() else None
    solved = linprog(
        -made.gain,
        A_ub=sparse.vstack([made.each, made.limits], format="csr"),
        b_ub=np.concatenate([np.ones(given.people), made.bounds]),
        method="highs",
    )
    if solved.status == _IMPOSSIBLE:
        return None
    if solved.status != 0:
        raise Unavailable("The solver gave up on an allocation", seen=str(solved.message))
    shares[made.treatment, made.customer] = np.clip(solved.x, 0.0, 1.0)
    prices = np.maximum(-solved.ineqlin.marginals[given.people :], 0.0) * made.gain_unit
    prices[0] /= made.money_unit
    return Relaxed(shares, prices)


def settled(given: Choices, shortage: Shortage) -> IntArray | None:
    """The best whole choice for a few customers by branch and bound; None if nothing meets the limits.

    The search ends after a fixed number of nodes, never by the clock: equal data give equal choices.
    """
    made = programme(given, shortage)
    chosen = np.full(given.people, NOTHING, dtype=np.int64)
    if not made.gain.size:
        return chosen if (made.bounds >= 0).all() else None
    with _silence():
        solved = milp(
            -made.gain,
            constraints=[LinearConstraint(made.each, ub=1.0), LinearConstraint(made.limits, ub=made.bounds)],
            integrality=np.ones(made.gain.size),
            bounds=Bounds(0, 1),
            options={"node_limit": _NODES, "mip_rel_gap": 1e-9, "presolve": False},
        )
    if solved.x is None:
        if solved.status in (_IMPOSSIBLE, _STOPPED):
            return None
        raise Unavailable("The solver gave up on an allocation", seen=str(solved.message))
    taken = solved.x > 0.5
    chosen[made.customer[taken]] = made.treatment[taken]
    return chosen


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what the solver prints by itself off the process's standard output, where programs read our JSON.

    The HiGHS of SciPy 1.17 prints a line of its own whenever it repairs a solution, past every option. One at a time,
    for the standard output belongs to the whole process.
    """
    with _SILENT:
        sys.stdout.flush()
        kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 1)
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            os.close(nowhere)
