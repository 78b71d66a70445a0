from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.metrics.amount import (
    amount_errors,
    bias,
    capture,
    decile_table,
    mae,
    mae_estimate,
    normalised_gini,
    rmse,
    spearman,
    zeros,
)
from aimwell.science.metrics.interval import estimate

FORECAST = [10.0, 0.0, 30.0, 20.0]
SPENT = [0.0, 10.0, 60.0, 30.0]


def test_the_plain_errors_are_those_counted_by_hand() -> None:
    assert mae(FORECAST, SPENT) == 15.0
    assert rmse(FORECAST, SPENT) == pytest.approx(np.sqrt(300))
    assert bias(FORECAST, SPENT) == -10.0
    seen = amount_errors(FORECAST, SPENT)
    assert (seen.people, seen.mean_seen, seen.mean_predicted) == (4, 25.0, 15.0)
    assert (seen.mae, seen.bias) == (15.0, -10.0)
    assert seen.total_ratio == 0.6
    assert seen.capture == 0.6
    assert seen.oracle == 0.6
    assert seen.spearman == pytest.approx(0.8)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=40))
def test_rank_correlation_agrees_with_an_independent_implementation(people: list[tuple[int, int]]) -> None:
    guess, truth = zip(*people, strict=True)
    if len(set(guess)) == 1 or len(set(truth)) == 1:
        with pytest.raises(NotEnoughData, match="equal"):
            spearman(guess, truth)
        return
    assert spearman(guess, truth) == pytest.approx(spearmanr(guess, truth).statistic)


def test_gini_is_one_for_the_true_order_minus_one_reversed_and_zero_by_chance() -> None:
    generator = np.random.default_rng(1)
    spent = generator.gamma(0.3, 100, 4000) * (generator.random(4000) < 0.5)
    assert normalised_gini(spent, spent) == pytest.approx(1.0)
    assert normalised_gini(-spent, spent) == pytest.approx(-1.0)
    assert normalised_gini(np.ones(4000), spent) == pytest.approx(0.0, abs=1e-9)
    assert normalised_gini(generator.random(4000), spent) == pytest.approx(0.0, abs=0.06)


def test_gini_is_the_area_between_the_captured_money_and_the_diagonal() -> None:
    forecast, spent = np.array([4.0, 3.0, 2.0, 1.0]), np.array([5.0, 1.0, 4.0, 0.0])

    def area(order: np.ndarray) -> float:
        curve = np.concatenate([[0], np.cumsum(spent[order]) / spent.sum()])
        return float(np.trapezoid(curve, np.arange(5) / 4)) - 0.5

    expected = area(np.argsort(-forecast)) / area(np.argsort(-spent))
    assert normalised_gini(forecast, spent) == pytest.approx(expected)


def test_capture_counts_the_money_of_the_best_part() -> None:
    assert capture(FORECAST, SPENT, 0.5) == 0.9
    assert capture(FORECAST, SPENT, 1.0) == 1.0
    assert capture(FORECAST, SPENT, 0.0) == 0.0
    assert capture([1] * 10, [1] * 10, 0.3) == pytest.approx(0.3)


def test_deciles_go_from_the_highest_forecast_down_and_hold_everybody() -> None:
    forecast = np.arange(25.0)
    rows = decile_table(forecast, forecast * 2)
    assert [row.decile for row in rows] == list(range(1, 11))
    assert sum(row.people for row in rows) == 25
    assert rows[0].predicted == 23.0
    assert rows[0].seen == 46.0
    assert sum(row.share_of_seen for row in rows) == pytest.approx(1.0)
    assert len(decile_table([1, 2, 3], [0, 0, 0])) == 3
    assert decile_table([1, 2, 3], [0, 0, 0])[0].share_of_seen == 0.0


def test_the_share_of_zeros_is_held_against_what_was_seen() -> None:
    spent = [0.0] * 17 + [5.0] * 83
    assert zeros([0.2] * 100, spent).holds
    wrong = zeros([0.5] * 100, spent)
    assert wrong.predicted == 0.5
    assert wrong.seen.value == 0.17
    assert not wrong.holds


def test_numbers_that_mean_nothing_are_none() -> None:
    nobody_spent = amount_errors([1, 2], [0, 0])
    assert nobody_spent.total_ratio is None
    assert nobody_spent.spearman is None
    assert nobody_spent.gini is None
    assert nobody_spent.capture is None
    refunds = amount_errors([1, 2], [-1, 3])
    assert refunds.gini is None
    assert refunds.total_ratio == 1.5
    assert amount_errors([1, 1], [0, 3]).spearman is None


def test_intervals_of_amounts_surround_them() -> None:
    generator = np.random.default_rng(2)
    spent = generator.gamma(1, 50, 400)
    forecast = spent + generator.normal(0, 30, 400)
    order = estimate(spearman, forecast, spent, resamples=200, seed=1)
    assert order.low < order.value < order.high
    error = mae_estimate(forecast, spent)
    assert error.low < mae(forecast, spent) < error.high


def test_bad_input_is_named() -> None:
    with pytest.raises(BadQuestion, match="predicted 1, seen 2"):
        mae([1], [1, 2])
    with pytest.raises(BadQuestion, match="amounts from 0"):
        normalised_gini([1, 2], [-1, 2])
    with pytest.raises(BadQuestion, match="amounts from 0"):
        capture([1, 2], [-1, 2])
    with pytest.raises(NotEnoughData, match="Nobody spent"):
        capture([1, 2], [0, 0])
    with pytest.raises(NotEnoughData, match="amounts seen are equal"):
        normalised_gini([1, 2], [3, 3])
    with pytest.raises(BadQuestion, match="must be probabilities"):
        zeros([2.0], [0])
    with pytest.raises(BadQuestion, match="nothing 1, seen 2"):
        zeros([0.5], [0, 1])
    with pytest.raises(NotEnoughData, match="nobody"):
        amount_errors([], [])
