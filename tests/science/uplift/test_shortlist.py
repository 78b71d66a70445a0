"""Whom to treat within a budget: the best return first, nobody at a loss, and no list without money."""

from __future__ import annotations

import pytest

from aimwell.core.errors import BadQuestion
from aimwell.science.uplift.shortlist import shortlist


def test_the_best_return_comes_first_until_the_money_is_spent() -> None:
    found = shortlist([0.4, 0.9, 0.5], budget=3.0, cost=[1.0, 3.0, 1.0], worth=10.0)
    # Returns per unit of cost: 4, 3, 5. The two cheap ones go first; then 3.0 no longer fits.
    assert found.chosen.tolist() == [2, 0]
    assert (found.cost, found.gain) == (2.0, 7.0)


def test_nobody_is_treated_at_a_loss_and_ties_keep_their_order() -> None:
    assert shortlist([0.1, -0.5], budget=9.0, cost=1.0, worth=5.0).chosen.tolist() == []
    assert shortlist([0.5, 0.5, 0.5], budget=2.0, cost=1.0, worth=5.0).chosen.tolist() == [0, 1]


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan")])
def test_a_budget_of_nothing_is_refused_with_a_remedy(budget: float) -> None:
    with pytest.raises(BadQuestion, match="budget above 0.*Qini curve"):
        shortlist([0.5], budget=budget, cost=1.0)


def test_a_treatment_that_costs_nothing_needs_no_budget() -> None:
    with pytest.raises(BadQuestion, match="costs above 0"):
        shortlist([0.5], budget=1.0, cost=0.0)
