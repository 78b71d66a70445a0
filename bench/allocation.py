"""Allocation of a million customers: seconds, distance from the optimum, and exactness on small cases.

    python bench/allocation.py [--customers 1000000]

1. Under a budget alone: the whole gain-versus-spend path of n customers × 5 treatments and the choice at one budget.
2. Under a budget, two channel capacities and a minimum: the same customers. 3. The baseline of the same run: the best
treatment for each customer by gain, given in order of gain until the money is gone (what a list sorted by score does).
4. Small markets: the path and the priced allocation beside `scipy.optimize` (HiGHS), relaxed and whole.

Seconds are of the processor (`time.process_time`), and of the clock in brackets. Seeded; gains are heavy-tailed, one in
three below zero, dearer treatments gain more on average.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from aimwell.science.allocation.allocate import allocate
from aimwell.science.allocation.choices import Choices, choices
from aimwell.science.allocation.limits import Limit
from aimwell.science.allocation.path import gain_path

COSTS = np.array([0.1, 0.5, 1.0, 3.0, 5.0])
SMALL = 40

T = TypeVar("T")


def market(customers: int, seed: int) -> Choices:
    """Customers whose gains are partly luck, and grow with the root of the cost."""
    chance = np.random.default_rng(seed)
    gains = chance.normal(size=(customers, COSTS.size)) + np.sqrt(COSTS) * chance.gamma(1, 1, (customers, 1))
    return choices(gains, COSTS)


def limits(customers: int) -> list[Limit]:
    """Calls for 2 % of the customers, messages for 20 %, and a treatment that one in eight must get."""
    return [
        Limit("calls", (3, 4), at_most=customers // 50),
        Limit("messages", (0, 1), at_most=customers // 5),
        Limit("new", (2,), at_least=customers // 8),
    ]


def timed(what: Callable[[], T]) -> tuple[T, str]:
    """A result, and how long it took."""
    processor, wall = time.process_time(), time.perf_counter()
    found = what()
    return found, f"{time.process_time() - processor:.2f} s ({time.perf_counter() - wall:.2f} s)"


def sorted_list(given: Choices, money: float) -> float:
    """What is gained by each customer's largest gain, largest first, until the money is gone."""
    best = given.gains.argmax(axis=0)
    rows = np.arange(given.people)
    gain, cost = given.gains[best, rows], given.costs[best, rows]
    order = np.argsort(-gain, kind="stable")
    taken = order[(np.cumsum(cost[order]) <= money) & (gain[order] > 0)]
    return float(gain[taken].sum())


def large(customers: int) -> None:
    """Seconds and gaps for many customers."""
    given, seconds = timed(lambda: market(customers, 0))
    money = 0.3 * customers
    print(f"{customers:,} customers × {COSTS.size} treatments, budget {money:,.0f} (made in {seconds})")
    path, seconds = timed(lambda: gain_path(given))
    found = path.at(money)
    print(
        f"  budget alone: {seconds}; {path.upgrades.slope.size:,} upgrades, gain {found.gain:,.0f}, gap {found.gap:.2g}"
    )
    simple = sorted_list(given, money)
    print(f"  a list sorted by gain for the same money: {simple:,.0f}, {simple / found.gain:.1%} of it")
    limited, seconds = timed(lambda: allocate(given, money, limits(customers)))
    print(f"  with three limits: {seconds}; gain {limited.gain:,.0f}, gap {limited.gap:.2g} of {limited.bound:,.0f}")


def small() -> None:
    """The largest difference from exact solvers over markets of 400 customers (path) and of 40 (whole)."""
    apart, bound_apart, whole_apart = [], [], []
    for seed in range(SMALL):
        given = market(400, seed)
        money = float(np.random.default_rng(seed).uniform(10, 400))
        exact = solved(given, money, [], whole=False)
        apart.append(abs(gain_path(given).gain_at(money) - exact) / exact)
        exact = solved(given, money, limits(400), whole=False)
        if np.isfinite(exact):
            bound_apart.append(abs(allocate(given, money, limits(400)).bound - exact) / exact)
        few = market(40, seed)
        exact = solved(few, 20.0, limits(40), whole=True)
        whole_apart.append((exact - allocate(few, 20.0, limits(40)).gain) / exact)
    print(f"{SMALL} small markets beside exact solvers, largest relative difference:")
    print(f"  relaxed, budget alone (400 customers): {max(apart):.1e}")
    print(f"  relaxed, with limits (400 customers, {len(bound_apart)} that can be met): {max(bound_apart):.1e}")
    print(f"  whole, with limits (40 customers): largest {max(whole_apart):.1e}, mean {np.mean(whole_apart):.1e}")


def solved(given: Choices, money: float, some: list[Limit], *, whole: bool) -> float:
    """The optimum by a general solver; not a number when nothing meets the limits."""
    people, treatments = given.people, given.treatments
    rows, most = [given.costs.T.ravel()], [money]
    for limit in some:
        member = np.tile(np.isin(np.arange(treatments), limit.treatments).astype(float), people)
        if limit.at_most is not None:
            rows.append(member)
            most.append(limit.at_most)
        if limit.at_least:
            rows.append(-member)
            most.append(-limit.at_least)
    each = sparse.kron(sparse.eye_array(people), np.ones((1, treatments)))
    matrix = sparse.vstack([each, np.array(rows)], format="csr")
    upper = np.concatenate([np.ones(people), most])
    gains = -given.gains.T.ravel()
    if whole:
        found = milp(
            gains,
            constraints=LinearConstraint(matrix, ub=upper),
            integrality=np.ones(gains.size),
            bounds=Bounds(0, 1),
            options={"mip_rel_gap": 1e-9},
        )
    else:
        found = linprog(gains, A_ub=matrix, b_ub=upper, method="highs")
    return float("nan") if found.x is None else float(-found.fun)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    large(parser.parse_args().customers)
    small()
