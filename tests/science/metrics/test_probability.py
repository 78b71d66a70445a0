from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as independent_log_loss

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.metrics.probability import (
    brier,
    brier_estimate,
    brier_skill,
    calibration_error,
    calibration_line,
    calibration_table,
    log_loss,
    log_loss_estimate,
)


def _believable(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    guess = generator.beta(1, 5, n)
    return guess, generator.random(n) < guess


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0.001, 0.999), st.booleans()), min_size=1, max_size=30))
def test_losses_agree_with_an_independent_implementation(people: list[tuple[float, bool]]) -> None:
    guess, bought = zip(*people, strict=True)
    assert log_loss(guess, bought) == pytest.approx(independent_log_loss(bought, guess, labels=[False, True]))
    assert brier(guess, bought) == pytest.approx(brier_score_loss(bought, guess, pos_label=True))


def test_a_sure_promise_that_fails_is_dear_but_finite() -> None:
    assert log_loss([0.0], [1]) == pytest.approx(27.631, abs=1e-3)
    assert log_loss([1.0], [1]) == 0.0


def test_skill_is_measured_against_the_base_rate() -> None:
    assert brier_skill([0.25] * 4, [1, 0, 0, 0]) == pytest.approx(0.0)
    assert brier_skill([0.9, 0.1, 0.1, 0.1], [1, 0, 0, 0]) > 0.9
    assert brier_skill([0.0, 1.0, 1.0, 1.0], [1, 0, 0, 0]) < 0


def test_losses_come_with_intervals_around_them() -> None:
    guess, bought = _believable(500, 1)
    for seen, value in [
        (log_loss_estimate(guess, bought), log_loss(guess, bought)),
        (brier_estimate(guess, bought), brier(guess, bought)),
    ]:
        assert seen.value == pytest.approx(value)
        assert seen.low < value < seen.high


def test_the_table_counts_people_and_buyers_by_hand() -> None:
    rows = calibration_table([0.1, 0.2, 0.3, 0.6, 0.7, 0.8], [0, 0, 1, 1, 0, 1], bins=2)
    assert [(row.people, row.buyers) for row in rows] == [(3, 1), (3, 2)]
    assert [row.predicted for row in rows] == pytest.approx([0.2, 0.7])
    assert [row.seen.value for row in rows] == pytest.approx([1 / 3, 2 / 3])
    assert calibration_error([0.1, 0.2, 0.3, 0.6, 0.7, 0.8], [0, 0, 1, 1, 0, 1], bins=2) == pytest.approx(
        (1 / 3 - 0.2) / 2 + (0.7 - 2 / 3) / 2
    )


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0.0, 0.05, 0.3, 0.5, 1.0]), min_size=1, max_size=50), st.integers(1, 12))
def test_equal_probabilities_share_a_bin_and_nobody_is_lost(guess: list[float], bins: int) -> None:
    bought = [value > 0.2 for value in guess]
    rows = calibration_table(guess, bought, bins=bins)
    assert sum(row.people for row in rows) == len(guess)
    assert sum(row.buyers for row in rows) == sum(bought)
    assert 1 <= len(rows) <= min(bins, len(set(guess)))
    assert [row.predicted for row in rows] == sorted(row.predicted for row in rows)


def test_bins_of_equal_width_cut_at_round_probabilities() -> None:
    rows = calibration_table([0.05, 0.49, 0.5, 1.0], [0, 1, 1, 1], bins=2, by="width")
    assert [(row.people, row.buyers) for row in rows] == [(2, 1), (2, 2)]


def test_believable_probabilities_hold_in_nearly_all_bins_and_lie_on_the_line() -> None:
    guess, bought = _believable(20_000, 4)
    rows = calibration_table(guess, bought, bins=20)
    assert sum(row.holds for row in rows) >= 17
    line = calibration_line(guess, bought)
    assert line.slope.low < 1 < line.slope.high
    assert line.intercept.low < 0 < line.intercept.high
    assert line.shift.low < 0 < line.shift.high
    assert calibration_error(guess, bought) < 0.015


def test_overstated_extremes_show_as_a_slope_below_one_and_optimism_as_a_shift() -> None:
    guess, bought = _believable(20_000, 5)
    odds = np.log(guess / (1 - guess))
    overstated = calibration_line(1 / (1 + np.exp(-2 * odds)), bought)
    assert overstated.slope.value == pytest.approx(0.5, abs=0.03)
    optimistic = calibration_line(1 / (1 + np.exp(-(odds + 1))), bought)
    assert optimistic.slope.value == pytest.approx(1, abs=0.05)
    assert optimistic.shift.value == pytest.approx(-1, abs=0.06)
    assert optimistic.shift.high < 0


def test_the_line_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(100):
        line = calibration_line(*_believable(800, 1000 + seed))
        covered += line.slope.low <= 1 <= line.slope.high
    assert 88 <= covered <= 100


def test_bad_input_is_named() -> None:
    with pytest.raises(BadQuestion, match="must be probabilities"):
        log_loss([2.0], [1])
    with pytest.raises(BadQuestion, match="probabilities 2, bought 1"):
        brier([0.1, 0.2], [1])
    with pytest.raises(NotEnoughData, match="nobody"):
        log_loss([], [])
    with pytest.raises(NotEnoughData, match="everybody is alike"):
        brier_skill([0.1, 0.2], [1, 1])
    with pytest.raises(NotEnoughData, match="everybody is alike"):
        calibration_line([0.1, 0.2], [0, 0])
    with pytest.raises(NotEnoughData, match="same probability"):
        calibration_line([0.3, 0.3], [0, 1])
    with pytest.raises(NotEnoughData, match="perfect separation"):
        calibration_line([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    with pytest.raises(BadQuestion, match="needs bins"):
        calibration_table([0.1], [0], bins=0)
