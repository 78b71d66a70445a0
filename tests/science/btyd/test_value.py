from __future__ import annotations

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion
from aimwell.science.btyd.bg_nbd import BgNbd
from aimwell.science.btyd.value import Horizon, discounted_purchases, lifetime_value, per_unit

MODEL = BgNbd(0.243, 4.414, 0.793, 2.426)
PEOPLE = ([0, 2, 8, 2], [0.0, 30.0, 35.0, 30.0], [38.0, 38.0, 38.0, 38.0])


def test_without_a_discount_the_parts_add_up_to_the_whole() -> None:
    whole = MODEL.expected_purchases(52, *PEOPLE)
    assert discounted_purchases(MODEL, *PEOPLE, Horizon(52, steps=13)) == pytest.approx(whole)


def test_a_discount_counts_later_purchases_less() -> None:
    weekly = per_unit(0.15, 52)
    plain = discounted_purchases(MODEL, *PEOPLE, Horizon(52))
    cheap = discounted_purchases(MODEL, *PEOPLE, Horizon(52, discount=weekly))
    assert np.all(cheap < plain)
    assert np.all(cheap > plain / 1.15)
    finer = discounted_purchases(MODEL, *PEOPLE, Horizon(52, steps=200, discount=weekly))
    assert cheap == pytest.approx(finer, rel=1e-4)


def test_value_is_purchases_times_worth_times_margin_and_equal_customers_get_the_same() -> None:
    values = lifetime_value(MODEL, [10.0, 20.0, 30.0, 20.0], PEOPLE, Horizon(39), margin=0.25)
    purchases = MODEL.expected_purchases(39, *PEOPLE)
    assert values == pytest.approx(purchases * np.array([10, 20, 30, 20]) * 0.25)
    assert values[1] == values[3]


def test_bad_input_is_named() -> None:
    for length, steps, discount in [(0, 1, 0.0), (5, 0, 0.0), (5, 1, -0.1)]:
        with pytest.raises(BadQuestion, match="no way to look ahead"):
            Horizon(length, steps, discount)
    with pytest.raises(BadQuestion, match="value 1, histories 4"):
        lifetime_value(MODEL, [10.0], PEOPLE, Horizon(5))
