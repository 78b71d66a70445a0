from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.optimize import linprog

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.allocation.allocation import BUDGET
from aimwell.science.allocation.choices import NOTHING, choices
from aimwell.science.allocation.hulls import hulls
from aimwell.science.allocation.path import gain_path

Floats = NDArray[np.float64]


def relaxed_optimum(gains: Floats, costs: Floats, money: float) -> float:
    """The relaxed knapsack, written out for a general solver."""
    people, treatments = gains.shape
    each = np.kron(np.eye(people), np.ones(treatments))
    solved = linprog(
        -gains.ravel(), A_ub=np.vstack([each, costs.ravel()]), b_ub=np.append(np.ones(people), money), method="highs"
    )
    return float(-solved.fun)


def test_the_path_of_two_customers_is_the_one_walked_by_hand() -> None:
    # Anna: the letter gains 3 for 1, the call 4 for 2, so the call adds 1 for 1. Bo: the letter gains 2 for 1, the call
    # 5 for 2, which is steeper: the letter is not on his hull.
    path = gain_path(choices([[3.0, 4.0], [2.0, 5.0]], [1.0, 2.0]))
    assert path.upgrades.customer.tolist() == [0, 1, 0]
    assert path.upgrades.before.tolist() == [NOTHING, NOTHING, 0]
    assert path.upgrades.after.tolist() == [0, 1, 1]
    assert path.spent.tolist() == [0, 1, 3, 4]
    assert path.gained.tolist() == [0, 3, 8, 9]
    assert path.at(3).chosen.tolist() == [0, 1]
    assert path.at(4).chosen.tolist() == [1, 1]
    assert path.gain_at(2) == 5.5
    assert path.spend_for(5.5) == 2
    with pytest.raises(BadQuestion, match="out of reach"):
        path.spend_for(10)


def test_the_customer_at_whom_the_money_runs_out_is_left_out_and_the_gap_says_what_that_costs() -> None:
    found = gain_path(choices([[3.0, 4.0], [2.0, 5.0]], [1.0, 2.0])).at(2)
    assert found.chosen.tolist() == [0, NOTHING]
    assert (found.gain, found.spend, found.bound, found.gap) == (3, 1, 5.5, 2.5)
    assert found.last_share == 0.5
    assert found.prices == {BUDGET: 2.5}


def test_the_customer_at_whom_the_money_runs_out_is_drawn_with_the_share_that_is_left() -> None:
    path = gain_path(choices([[4.0]], [4.0]))
    drawn = [path.at(1, last="drawn", seed=seed) for seed in range(400)]
    assert {found.spend for found in drawn} == {0.0, 4.0}
    assert np.mean([found.spend for found in drawn]) == pytest.approx(1, abs=0.35)
    again = path.at(1, last="drawn", seed=7)
    assert again.spend == drawn[7].spend


def test_a_budget_of_nothing_gives_only_what_is_free() -> None:
    given_ = choices([[1.0, 5.0], [-1.0, 5.0], [2.0, 5.0]], [0.0, 1.0])
    found = gain_path(given_).at(0)
    assert found.chosen.tolist() == [0, NOTHING, 0]
    assert (found.spend, found.gain) == (0, 3)


def test_money_without_end_gives_everyone_the_treatment_of_largest_gain() -> None:
    gains = np.array([[1.0, 5.0, 2.0], [-1.0, -5.0, -2.0], [3.0, 3.0, 1.0]])
    found = gain_path(choices(gains, [1.0, 2.0, 3.0])).at(math.inf)
    assert found.chosen.tolist() == [1, NOTHING, 0]
    assert found.gap == 0
    assert found.prices == {BUDGET: 0}


def test_nobody_gets_what_they_may_not_get_or_what_does_harm() -> None:
    may = [[True, False], [False, False], [True, True]]
    found = gain_path(choices([[-1.0, 9.0], [9.0, np.nan], [-2.0, -0.5]], [1.0, 1.0], may)).at(100)
    assert found.chosen.tolist() == [NOTHING, NOTHING, NOTHING]


def test_equal_gains_go_to_the_earlier_customer_and_the_earlier_treatment() -> None:
    found = gain_path(choices(np.ones((5, 2)), [1.0, 1.0])).at(3)
    assert found.chosen.tolist() == [0, 0, 0, NOTHING, NOTHING]


def test_missing_gains_negative_costs_and_empty_tables_are_refused_in_words() -> None:
    with pytest.raises(BadQuestion, match="1 of 4"):
        choices([[1.0, np.nan], [1.0, 1.0]], [1.0, 1.0])
    with pytest.raises(BadQuestion, match="missing or infinite"):
        choices([[1.0, np.inf]], [1.0, 1.0])
    with pytest.raises(BadQuestion, match="negative"):
        choices([[1.0, 1.0]], [1.0, -1.0])
    with pytest.raises(BadQuestion, match="do not fit"):
        choices([[1.0, 1.0]], [1.0])
    with pytest.raises(BadQuestion, match="table"):
        choices([1.0, 1.0], [1.0])
    with pytest.raises(BadQuestion, match="must be numbers"):
        choices([["a"]], [1.0])
    with pytest.raises(NotEnoughData):
        choices(np.empty((0, 2)), [1.0, 1.0])
    for money in (-1.0, math.nan):
        with pytest.raises(BadQuestion, match="budget"):
            gain_path(choices([[1.0]], [1.0])).at(money)


tables = st.integers(1, 8).flatmap(
    lambda people: st.integers(1, 4).flatmap(
        lambda treatments: st.tuples(
            arrays(np.float64, (people, treatments), elements=st.integers(-4, 9).map(float)),
            arrays(np.float64, (people, treatments), elements=st.integers(0, 5).map(float)),
        )
    )
)


@settings(max_examples=60, deadline=None)
@given(tables, st.floats(0, 20))
def test_every_point_of_the_path_is_the_relaxed_optimum_that_an_exact_solver_finds(
    table: tuple[Floats, Floats], money: float
) -> None:
    gains, costs = table
    path = gain_path(choices(gains, costs))
    exact = relaxed_optimum(gains, costs, money)
    assert path.gain_at(money) == pytest.approx(exact, rel=1e-6, abs=1e-6)
    found = path.at(money)
    assert found.spend <= money * (1 + 1e-9)
    assert found.bound == pytest.approx(exact, rel=1e-6, abs=1e-6)
    assert path.given.gain(found.chosen) == pytest.approx(found.gain)
    assert path.given.spend(found.chosen) == pytest.approx(found.spend)
    largest = max(path.upgrades.gain, default=0.0)
    assert found.gap <= largest


@settings(max_examples=60, deadline=None)
@given(tables)
def test_the_upgrades_of_a_customer_rise_ever_less_steeply_and_every_treatment_lies_below_them(
    table: tuple[Floats, Floats],
) -> None:
    gains, costs = table
    found = hulls(choices(gains, costs))
    for row in range(gains.shape[0]):
        mine = found.upgrades.customer == row
        first = found.start[row]
        cost = np.cumsum(np.append(0.0, found.upgrades.spend[mine]))
        gain = np.cumsum(np.append(0.0 if first == NOTHING else gains[row, first], found.upgrades.gain[mine]))
        assert (np.diff(found.upgrades.slope[mine]) < 0).all()
        assert (found.upgrades.gain[mine] > 0).all()
        assert (gains[row] <= np.interp(costs[row], cost, gain) + 1e-9).all()
