from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from aimwell.core.errors import BadQuestion
from aimwell.science.allocation import optimum
from aimwell.science.allocation.allocate import allocate
from aimwell.science.allocation.allocation import BUDGET, Allocation
from aimwell.science.allocation.choices import NOTHING, choices
from aimwell.science.allocation.limits import ContradictoryLimits, Limit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LIMITS = (
    Limit("calls", (3,), at_most=3),
    Limit("messages", (0, 1), at_most=10),
    Limit("new card", (2,), at_least=3),
)


def market(people: int, seed: int) -> tuple[Floats, Floats, Bools]:
    chance = np.random.default_rng(seed)
    costs = chance.uniform(0.5, 1.5, (people, 4)) * [0.5, 1.0, 2.0, 4.0]
    gains = chance.normal(0.3, 1, (people, 4)) + np.sqrt(costs) * chance.gamma(1, 1, (people, 1))
    return gains, costs, chance.random((people, 4)) < 0.8


def written_out(
    market: tuple[Floats, Floats, Bools], money: float, limits: Sequence[Limit]
) -> tuple[Floats, sparse.csr_array, Floats, Floats]:
    """The same problem for general solvers: minimise, matrix, bounds, upper bounds of the variables."""
    gains, costs, may = market
    people, treatments = gains.shape
    rows, bounds = [costs.ravel()], [money]
    for limit in limits:
        member = np.isin(np.arange(treatments), limit.treatments).astype(float)
        if limit.at_most is not None:
            rows.append(np.tile(member, people))
            bounds.append(limit.at_most)
        rows.append(-np.tile(member, people))
        bounds.append(-limit.at_least)
    each = sparse.kron(sparse.eye_array(people), np.ones((1, treatments)))
    matrix = sparse.vstack([each, np.array(rows)], format="csr")
    most = np.concatenate([np.ones(people), bounds])
    return -gains.ravel(), matrix, most, may.ravel().astype(float)


def relaxed_optimum(market: tuple[Floats, Floats, Bools], money: float, limits: Sequence[Limit]) -> float:
    c, matrix, most, upper = written_out(market, money, limits)
    solved = linprog(c, A_ub=matrix, b_ub=most, bounds=np.column_stack([np.zeros(c.size), upper]), method="highs")
    return float(-solved.fun)


def whole_optimum(market: tuple[Floats, Floats, Bools], money: float, limits: Sequence[Limit]) -> float:
    c, matrix, most, upper = written_out(market, money, limits)
    solved = milp(
        c,
        constraints=LinearConstraint(matrix, ub=most),
        integrality=np.ones(c.size),
        bounds=Bounds(0, upper),
        options={"mip_rel_gap": 1e-9},
    )
    return float(-solved.fun)


def hold(found: Allocation, market: tuple[Floats, Floats, Bools], money: float, limits: Sequence[Limit]) -> None:
    gains, costs, may = market
    some = np.flatnonzero(found.chosen != NOTHING)
    assert may[some, found.chosen[some]].all()
    assert costs[some, found.chosen[some]].sum() == pytest.approx(found.spend)
    assert gains[some, found.chosen[some]].sum() == pytest.approx(found.gain)
    assert found.spend <= money * (1 + 1e-7)
    for limit in limits:
        count = int(np.isin(found.chosen, limit.treatments).sum())
        assert limit.at_least <= count <= (len(found.chosen) if limit.at_most is None else limit.at_most)


@pytest.mark.parametrize("seed", range(4))
def test_few_customers_get_the_best_whole_allocation_that_an_exact_solver_finds(seed: int) -> None:
    people = market(24, seed)
    found = allocate(choices(*people), 16, LIMITS)
    hold(found, people, 16, LIMITS)
    assert found.gain == pytest.approx(whole_optimum(people, 16, LIMITS), rel=1e-6)
    assert found.bound == pytest.approx(relaxed_optimum(people, 16, LIMITS), rel=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_more_customers_lack_at_most_an_upgrade_for_each_limit_of_the_relaxed_optimum(seed: int) -> None:
    people = market(400, seed)
    limits = (
        Limit("calls", (3,), at_most=40),
        Limit("messages", (0, 1), at_most=150),
        Limit("card", (2,), at_least=60),
    )
    found = allocate(choices(*people), 250, limits)
    hold(found, people, 250, limits)
    assert found.bound == pytest.approx(relaxed_optimum(people, 250, limits), rel=1e-6)
    assert found.gap <= 0.001 * found.bound
    assert found.gap <= 4 * np.ptp(people[0])


@pytest.mark.parametrize("seed", range(2))
def test_prices_searched_for_very_many_customers_prove_the_same_bound(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = market(900, seed)
    limits = (
        Limit("calls", (3,), at_most=90),
        Limit("messages", (0, 1), at_most=350, at_least=350),
        Limit("card", (2,), at_least=130),
    )
    monkeypatch.setattr(optimum, "FEW", 150)
    found = allocate(choices(*people), 600, limits)
    hold(found, people, 600, limits)
    assert found.bound == pytest.approx(relaxed_optimum(people, 600, limits), rel=1e-6)
    assert found.gap <= 0.001 * found.bound


def test_very_many_customers_who_are_all_alike_are_divided_within_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimum, "FEW", 100)
    people = (
        np.ones((1000, 4)) * [1.0, 2.0, 3.0, 4.0],
        np.ones((1000, 4)) * [1.0, 2.0, 3.0, 4.0],
        np.ones((1000, 4)) > 0,
    )
    limits = (Limit("calls", (3,), at_most=50), Limit("card", (2,), at_least=100))
    found = allocate(choices(*people), 900, limits)
    hold(found, people, 900, limits)
    assert found.gain == pytest.approx(900)


def test_a_rare_treatment_with_a_minimum_reaches_nearly_all_who_may_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimum, "FEW", 150)
    gains, costs, may = market(1000, 5)
    may[:, 2] = np.arange(1000) % 50 == 0
    gains[:, 2] -= 50
    limits = (Limit("rare", (2,), at_least=18), Limit("calls", (3,), at_most=20))
    found = allocate(choices(gains, costs, may), 500, limits)
    hold(found, (gains, costs, may), 500, limits)
    assert (found.chosen == 2).sum() == 18
    assert found.prices["rare"] < -45
    assert found.bound == pytest.approx(relaxed_optimum((gains, costs, may), 500, limits), rel=1e-6)


def test_the_solver_prints_nothing_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    limits = (Limit("a", (3,), at_most=20), Limit("b", (0, 1), at_most=40), Limit("c", (2,), at_least=15))
    for seed in (3, 4, 6):
        allocate(choices(*market(120, seed)), 70, limits)
    assert capfd.readouterr().out == ""


def test_without_a_budget_only_the_limits_have_prices() -> None:
    people = market(24, 1)
    found = allocate(choices(*people), None, LIMITS)
    hold(found, people, 1e9, LIMITS)
    assert found.prices[BUDGET] == 0
    assert found.prices["calls"] > 0
    assert found.gain == pytest.approx(whole_optimum(people, 1e9, LIMITS), rel=1e-6)


def test_a_price_says_what_one_more_place_gains() -> None:
    people = market(100, 2)
    before, after = (allocate(choices(*people), 50, [Limit("calls", (3,), at_most=most)]) for most in (3, 4))
    assert after.bound - before.bound <= before.prices["calls"] + 1e-9
    assert after.bound - before.bound >= after.prices["calls"] - 1e-9
    assert set(before.prices) == {BUDGET, "calls"}


def test_a_budget_of_nothing_with_capacities_gives_nothing_that_costs() -> None:
    people = market(50, 3)
    found = allocate(choices(*people), 0, [Limit("calls", (3,), at_most=10)])
    assert (found.spend, found.gain) == (0, 0)
    assert (found.chosen == NOTHING).all()


def test_a_minimum_that_the_budget_cannot_pay_is_named_with_the_budget_and_nothing_else() -> None:
    people = market(50, 3)
    with pytest.raises(ContradictoryLimits, match="new card, budget") as refused:
        allocate(choices(*people), 0, LIMITS)
    assert refused.value.names == ("new card", "budget")


def test_minima_that_cost_just_more_than_the_budget_are_told_from_those_that_cost_just_less() -> None:
    gains, costs, may = market(80, 8)
    may[:, 2] = True
    least = float(np.sort(costs[:, 2])[:10].sum())
    limits = [Limit("card", (2,), at_least=10), Limit("calls", (3,), at_most=5)]
    found = allocate(choices(gains, costs, may), least * 1.000001, limits)
    assert found.counts(4)[2] == 10
    with pytest.raises(ContradictoryLimits) as refused:
        allocate(choices(gains, costs, may), least * 0.999, limits)
    assert refused.value.names == ("card", "budget")


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ([Limit("few calls", (0,), at_most=3), Limit("many calls", (0,), at_least=4)], ("few calls", "many calls")),
        (
            [
                Limit("phone", (0, 1), at_most=5),
                Limit("a", (0,), at_least=3),
                Limit("b", (1,), at_least=3),
                Limit("c", (2,), at_most=9),
            ],
            ("phone", "a", "b"),
        ),
        ([Limit("a", (0,), at_least=6), Limit("b", (1,), at_least=6), Limit("c", (2,), at_least=1)], ("a", "b")),
        ([Limit("both", (0, 1), at_most=2, at_least=3)], ("both",)),
    ],
)
def test_limits_that_contradict_each_other_are_named_and_no_others(limits: list[Limit], names: tuple[str, ...]) -> None:
    with pytest.raises(ContradictoryLimits) as refused:
        allocate(choices(np.ones((10, 3)), [1.0, 1.0, 1.0]), 100, limits)
    assert refused.value.names == names
    assert all(name in str(refused.value) for name in names)


def test_a_minimum_for_a_treatment_that_nobody_may_get_says_so() -> None:
    may = np.ones((10, 2), dtype=bool)
    may[:, 1] = False
    with pytest.raises(BadQuestion, match="'card' asks for more customers than may get it.*saw 0"):
        allocate(choices(np.ones((10, 2)), [1.0, 1.0], may), 5, [Limit("card", (1,), at_least=1)])
    assert allocate(choices(np.ones((10, 2)), [1.0, 1.0], may), 5).counts(2).tolist() == [5, 0]


def test_limits_that_make_no_sense_are_refused() -> None:
    pair = choices(np.ones((10, 2)), [1.0, 1.0])
    with pytest.raises(BadQuestion, match="unknown treatments"):
        allocate(pair, 5, [Limit("card", (2,), at_least=1)])
    with pytest.raises(BadQuestion, match="unknown treatments"):
        allocate(pair, 5, [Limit("card", (), at_least=1)])
    with pytest.raises(BadQuestion, match="negative"):
        allocate(pair, 5, [Limit("card", (1,), at_most=-1)])
    with pytest.raises(BadQuestion, match="same name: card"):
        allocate(pair, 5, [Limit("card", (1,), at_most=1), Limit("card", (0,), at_most=1)])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 25), st.floats(0, 30), st.integers(0, 4), st.integers(0, 12))
def test_any_market_is_allocated_within_all_limits_or_refused_where_an_exact_solver_finds_nothing(
    seed: int, size: int, money: float, least: int, most: int
) -> None:
    people = market(size, seed)
    limits = (Limit("card", (2,), at_least=least), Limit("letters", (1, 2, 3), at_most=most))
    c, matrix, bounds, upper = written_out(people, money, limits)
    solved = milp(
        c, constraints=LinearConstraint(matrix, ub=bounds), integrality=np.ones(c.size), bounds=Bounds(0, upper)
    )
    if solved.x is None:
        with pytest.raises(BadQuestion):
            allocate(choices(*people), money, limits)
        return
    found = allocate(choices(*people), money, limits)
    hold(found, people, money, limits)
    assert found.gain == pytest.approx(-solved.fun, rel=1e-4, abs=1e-6)
