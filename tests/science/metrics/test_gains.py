from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.metrics.gains import (
    gains,
    gains_band,
    reached_at_estimate,
    share_for_difference,
    share_for_estimate,
    top_table,
)

SCORES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
BOUGHT = [1, 1, 0, 1, 0, 0, 0, 1, 0, 0]


def test_the_curve_of_ten_customers_is_the_one_counted_by_hand() -> None:
    curve = gains(SCORES, BOUGHT)
    assert curve.contacted.tolist() == pytest.approx(np.arange(11) / 10)
    assert curve.reached.tolist() == [0, 0.25, 0.5, 0.5, 0.75, 0.75, 0.75, 0.75, 1, 1, 1]
    assert (curve.people, curve.buyers) == (10, 4)
    assert curve.reached_at(0.2) == 0.5
    assert curve.reached_at(0.15) == 0.375
    assert curve.share_for(0.5) == 0.2
    assert curve.share_for(0.51) == 0.4
    assert curve.share_for(0.8) == 0.8
    assert curve.share_for(0) == 0
    assert curve.share_for(1) == 0.8
    assert curve.lift_at(0.2) == 2.5


def test_amounts_give_the_curve_of_the_money() -> None:
    curve = gains([3, 2, 1], [10, 0, 30])
    assert curve.reached.tolist() == [0, 0.25, 0.25, 1]
    assert curve.buyers == 40


def test_ties_are_broken_by_the_seed_and_not_by_the_file() -> None:
    bought = np.arange(1000) < 500
    curves = [gains(np.zeros(1000), bought, seed=seed).reached for seed in (1, 1, 2)]
    assert np.array_equal(curves[0], curves[1])
    assert not np.array_equal(curves[0], curves[2])
    assert np.abs(curves[0] - np.linspace(0, 1, 1001)).max() < 0.08


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60), st.floats(0, 1))
def test_the_share_for_and_the_reach_at_agree(people: list[tuple[int, bool]], wanted: float) -> None:
    scores, bought = zip(*people, strict=True)
    if not any(bought):
        with pytest.raises(NotEnoughData, match="Nobody bought"):
            gains(scores, bought)
        return
    curve = gains(scores, bought)
    assert curve.reached[0] == curve.contacted[0] == 0
    assert curve.reached[-1] == curve.contacted[-1] == 1
    assert np.all(np.diff(curve.reached) >= 0)
    assert curve.reached_at(curve.share_for(wanted)) >= wanted - 1e-6


def test_a_thinned_curve_keeps_its_shape() -> None:
    curve = gains(SCORES, BOUGHT).thinned(21)
    assert curve.contacted.size == 21
    assert curve.reached_at(0.2) == pytest.approx(0.5)
    assert curve.reached_at(0.25) == pytest.approx(0.5)


def test_the_top_table_counts_people_and_cuts_sizes_at_the_list() -> None:
    rows = top_table(SCORES, BOUGHT, [4, 2, 50, 99])
    assert [row.people for row in rows] == [2, 4, 10]
    assert [row.buyers for row in rows] == [2, 3, 4]
    assert [row.reached for row in rows] == [0.5, 0.75, 1.0]
    assert [row.lift for row in rows] == pytest.approx([2.5, 1.875, 1.0])
    assert rows[1].rate.value == 0.75
    assert rows[1].rate.low < 0.75 < rows[1].rate.high


def test_the_share_that_holds_the_buyers_comes_with_an_interval_that_covers_the_truth() -> None:
    # Buyers have scores uniform on the better half: 80 % of them lie in the best 40 % of all, whatever the sample.
    covered = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        scores, bought = generator.random(600), np.zeros(600, dtype=bool)
        bought[np.flatnonzero(scores > 0.5)[generator.random(int((scores > 0.5).sum())) < 0.4]] = True
        seen = share_for_estimate(scores, bought, 0.8, resamples=100, seed=seed)
        covered += seen.low <= 0.4 <= seen.high
    assert covered >= 17


def test_a_better_score_needs_provably_fewer_contacts_on_the_same_people() -> None:
    generator = np.random.default_rng(8)
    truth = generator.normal(size=1500)
    bought = generator.random(1500) < 1 / (1 + np.exp(2 - 2 * truth))
    pair = share_for_difference(truth, truth + generator.normal(0, 2, 1500), bought, 0.8, resamples=200, seed=1)
    assert pair.difference.value == pytest.approx(pair.first.value - pair.second.value)
    assert pair.difference.high < 0
    assert pair.better == 0.0


def test_resampling_by_weights_equals_resampling_by_rows() -> None:
    generator = np.random.default_rng(2)
    scores, bought = generator.random(200), generator.random(200) < 0.3
    by_weight = reached_at_estimate(scores, bought, 0.3, resamples=40, seed=6)
    draws = []
    plan = np.random.default_rng(6)
    for _ in range(40):
        rows = plan.integers(200, size=200)
        draws.append(gains(scores[rows], bought[rows]).reached_at(0.3))
    assert by_weight.value == gains(scores, bought).reached_at(0.3)
    assert by_weight.low == pytest.approx(np.quantile(draws, 0.025), abs=0.01)
    assert by_weight.high == pytest.approx(np.quantile(draws, 0.975), abs=0.01)


def test_the_band_surrounds_the_curve() -> None:
    generator = np.random.default_rng(2)
    scores = generator.random(500)
    band = gains_band(scores, generator.random(500) < scores, points=51, resamples=100)
    assert band.contacted.size == band.low.size == 51
    assert np.all(band.low <= band.reached + 1e-9)
    assert np.all(band.reached <= band.high + 1e-9)
    assert band.reached[0] == 0
    assert band.reached[-1] == 1
    assert (band.high - band.low)[25] > 0.02


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="Nobody bought"):
        gains([1, 2], [0, 0])
    with pytest.raises(NotEnoughData, match="nobody to look at"):
        gains([], [])
    with pytest.raises(BadQuestion, match="scores hold missing or infinite numbers"):
        gains([1, np.nan], [0, 1])
    with pytest.raises(BadQuestion, match="scores 2, bought 1"):
        gains([1, 2], [1])
    with pytest.raises(BadQuestion, match="count backwards"):
        gains([1, 2], [1, -1])
    with pytest.raises(BadQuestion, match="must be numbers"):
        gains(["high", "low"], [1, 0])
    with pytest.raises(BadQuestion, match="one list of numbers"):
        gains([[1, 2]], [1, 0])
    with pytest.raises(BadQuestion, match="must be a share"):
        gains([1, 2], [1, 0]).reached_at(80)
    with pytest.raises(BadQuestion, match="somebody on it"):
        gains([1, 2], [1, 0]).lift_at(0)
    with pytest.raises(BadQuestion, match="needs sizes"):
        top_table([1, 2], [1, 0], [])
    with pytest.raises(BadQuestion, match="yes or no"):
        top_table([1, 2], [1, 5], [1])
    with pytest.raises(NotEnoughData, match=r"half of the resamples"):
        gains_band(np.arange(3), [0, 0, 1], groups=["a", "a", "a"], resamples=0)
