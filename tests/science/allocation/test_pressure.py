from __future__ import annotations

import pytest

from aimwell.core.errors import BadQuestion
from aimwell.science.allocation.pressure import fatigue, within_caps


def test_each_message_costs_the_price_for_every_one_before_it() -> None:
    assert fatigue([0, 1, 9], [1, 3], 2.0).tolist() == [[0, 6], [2, 12], [18, 60]]
    assert fatigue([5], [0], 2.0).tolist() == [[0]]


def test_treatments_that_lead_over_the_cap_are_not_allowed() -> None:
    assert within_caps([0, 2, 3], [1, 2, 0], 3).tolist() == [
        [True, True, True],
        [True, False, True],
        [False, False, True],
    ]
    assert within_caps([1, 1], [1], [1, 2]).tolist() == [[False], [True]]


def test_negative_counts_and_prices_are_refused() -> None:
    with pytest.raises(BadQuestion, match="recent messages"):
        fatigue([-1], [1], 1.0)
    with pytest.raises(BadQuestion, match="price of fatigue"):
        fatigue([1], [1], float("nan"))
    with pytest.raises(BadQuestion, match="differ in length"):
        within_caps([1, 1], [1], [1, 2, 3])
