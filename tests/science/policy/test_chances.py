from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.policy.chances import best_likely, drawn, explored, softmax, uniform
from aimwell.science.policy.lots import dealt, lots


def test_worth_becomes_chances_in_proportion_to_its_exponential() -> None:
    chances = softmax([[0.0, np.log(2), 9.0]], 1.0, [[True, True, False]])
    assert chances[0] == pytest.approx([1 / 3, 2 / 3, 0])
    assert softmax([[0.0, 1000.0]], 1.0)[0] == pytest.approx([0, 1])
    with pytest.raises(BadQuestion, match="temperature"):
        softmax([[0.0]], 0.0)


def test_two_options_are_best_as_often_as_the_normal_law_says() -> None:
    chances = best_likely([[1.0, 0.0]], [[1.0, 0.5]])
    assert chances[0, 0] == pytest.approx(norm.cdf(1 / np.hypot(1, 0.5)), abs=1e-6)
    equal = best_likely([[2.0, 2.0, 2.0, 5.0]], [[1.0, 1.0, 1.0, 1.0]], [[True, True, True, False]])
    assert equal[0] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0], abs=1e-9)


def test_three_options_are_best_as_often_as_in_draws() -> None:
    mean, error = np.array([1.0, 0.5, 0.0]), np.array([0.5, 1.0, 1.5])
    draws = np.random.default_rng(0).normal(mean, error, (200_000, 3)).argmax(axis=1)
    assert best_likely([mean], [error])[0] == pytest.approx(np.bincount(draws) / 200_000, abs=0.004)


def test_a_worth_that_is_known_and_larger_is_always_chosen() -> None:
    assert best_likely([[1.0, 0.0]], [[0.0, 0.0]])[0] == pytest.approx([1, 0])
    with pytest.raises(BadQuestion, match="Standard errors"):
        best_likely([[1.0, 0.0]], [[-1.0, 0.0]])


def test_a_share_explores_and_the_rest_get_the_best() -> None:
    chances = explored([1, 0], uniform([[True, True, False], [True, True, True]]), 0.3)
    assert chances[0] == pytest.approx([0.15, 0.85, 0])
    assert chances[1] == pytest.approx([0.8, 0.1, 0.1])
    with pytest.raises(BadQuestion, match="share"):
        explored([0], uniform([[True]]), 1.5)


def test_draws_come_as_often_as_their_logged_probability() -> None:
    chances = np.tile([0.1, 0.0, 0.6, 0.3], (20_000, 1))
    found = drawn(chances, seed=1)
    assert np.bincount(found.option, minlength=4) / 20_000 == pytest.approx([0.1, 0, 0.6, 0.3], abs=0.015)
    assert (found.probability == chances[0][found.option]).all()
    assert (drawn(chances, seed=1).option == found.option).all()
    with pytest.raises(BadQuestion, match="sum to 1"):
        drawn(np.array([[0.5, 0.4]]), seed=1)


def test_rows_without_an_option_and_worth_that_is_missing_are_refused() -> None:
    with pytest.raises(BadQuestion, match="1 rows have no option"):
        uniform([[True], [False]])
    with pytest.raises(BadQuestion, match="missing or infinite"):
        softmax([[np.nan, 1.0]], 1.0)
    assert softmax([[np.nan, 1.0]], 1.0, [[False, True]])[0].tolist() == [0, 1]
    with pytest.raises(NotEnoughData):
        uniform(np.empty((0, 2)))


def test_lots_deal_fixed_numbers_with_exact_chances() -> None:
    may = np.array([[True, True, True]] * 30 + [[True, False, True]] * 10)
    plan = lots(may, 0.3)
    assert plan.used.tolist() == [3 + 1, 3, 3 + 1]
    best = np.full(40, 2)
    chances = plan.chances(best)
    assert chances[0] == pytest.approx([0.1, 0.1, 0.8])
    assert chances[39] == pytest.approx([0.1, 0, 0.9])
    counts = np.zeros((40, 3))
    for seed in range(600):
        option, by_lot = dealt(plan, best, seed)
        counts[np.arange(40), option] += 1
        assert np.bincount(option[by_lot], minlength=3).tolist() == plan.used.tolist()
        assert may[np.arange(40), option].all()
    assert counts / 600 == pytest.approx(chances, abs=0.07)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1))
def test_lots_never_deal_what_is_not_allowed_nor_more_than_the_share(seed: int, part: float) -> None:
    may = np.random.default_rng(seed).random((25, 3)) < 0.6
    may[:, 0] = True
    plan = lots(may, part)
    option, by_lot = dealt(plan, np.zeros(25, dtype=np.int64), seed)
    assert may[np.arange(25), option].all()
    assert by_lot.sum() == plan.used.sum() <= part * 25 + 1e-6
    assert plan.chances(np.zeros(25, dtype=np.int64)).sum(axis=1) == pytest.approx(np.ones(25))
