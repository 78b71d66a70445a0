"""Depths of discounts: personal ones from lots alone, others by group with their warning."""

from __future__ import annotations

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.uplift.depth import best_depths, group_depths


def test_the_best_depth_is_the_one_with_the_highest_profit_by_hand() -> None:
    # Profit at price 10 and margin .4: a sure buyer 4.0 / 2.85; a persuadable .4 / 1.5; one whom nothing moves 0 / 0.
    found = best_depths([[1.0, 0.95], [0.1, 0.5], [0.0, 0.0]], [0.0, 0.1], price=[10, 10, 10], margin=0.4)
    assert found.best.tolist() == [0, 1, 0]
    assert found.profit[1].tolist() == pytest.approx([0.4, 1.5])
    assert found.gain.tolist() == pytest.approx([0.0, 1.1, 0.0])


def test_what_the_offer_itself_costs_is_paid_for_every_offer() -> None:
    found = best_depths([[0.1, 0.5]], [0.0, 0.1], price=[10], margin=0.4, contact=1.2)
    assert found.best.tolist() == [0]


def test_ties_go_to_the_smaller_depth_in_whatever_order_the_arms_stand() -> None:
    assert best_depths([[0.0, 0.0, 0.0]], [0.0, 0.2, 0.1], price=[10], margin=0.4).best.tolist() == [0]
    found = best_depths([[0.0, 0.5, 0.25]], [0.0, 0.5, 0.25], price=[8], margin=0.75)
    assert found.profit.tolist() == [[0.0, 1.0, 1.0]]
    assert found.best.tolist() == [2]


@pytest.mark.parametrize("depths", [[0.1, 0.2], [0.0, 1.0], [0.0, -0.1], [0.0]])
def test_depths_that_are_no_shares_off_a_price_are_refused(depths: list[float]) -> None:
    with pytest.raises(BadQuestion, match="shares taken off the price"):
        best_depths([[0.1, 0.2]], depths, price=[10], margin=0.4)


def test_history_speaks_of_groups_only_and_with_a_warning() -> None:
    groups = ["new × coffee"] * 80 + ["old × tea"] * 10
    depth = [0.0] * 40 + [0.1] * 40 + [0.1] * 10
    found = group_depths(groups, depth, np.tile([1.0, 3.0], 45))
    assert [(row.group, row.depth, row.people) for row in found.rows] == [
        ("new × coffee", 0.0, 40),
        ("new × coffee", 0.1, 40),
    ]
    assert found.rows[0].profit.value == 2.0
    assert found.left_out == 1
    assert "not from an experiment" in found.warning.en
    assert not hasattr(found, "best")


def test_history_that_is_too_thin_says_so() -> None:
    with pytest.raises(NotEnoughData, match="larger segments"):
        group_depths(["a", "b"], [0.0, 0.1], [1.0, 2.0])
