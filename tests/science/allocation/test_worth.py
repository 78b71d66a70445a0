from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from aimwell.core.errors import BadQuestion
from aimwell.science.allocation.choices import choices
from aimwell.science.allocation.path import GainPath, gain_path
from aimwell.science.allocation.worth import spend_curve
from aimwell.science.policy.logged import logged, option_scores

Floats = NDArray[np.float64]
COSTS = [1.0, 2.0]


def people(n: int, seed: int) -> tuple[Floats, Floats]:
    """True effects of two treatments [n, 2], and what a middling model foretells of them."""
    chance = np.random.default_rng(seed)
    x = chance.normal(size=n)
    effects = np.column_stack([0.3 + x, 0.5 + 1.5 * x])
    return effects, effects + chance.normal(0, 1, effects.shape)


def experiment(n: int, seed: int) -> tuple[GainPath, Floats]:
    effects, foretold = people(n, seed)
    chance = np.random.default_rng(seed + 10_000)
    arm = chance.integers(0, 3, n)
    outcome = chance.normal(2, 1, n) + np.column_stack([np.zeros(n), effects])[np.arange(n), arm]
    scores = option_scores(logged(arm, np.full(n, 1 / 3), outcome, options=3), np.full((n, 3), 2.0))
    return gain_path(choices(foretold, COSTS)), scores[:, 1:] - scores[:, :1]


def test_the_curve_of_three_customers_is_the_one_counted_by_hand() -> None:
    # Foretold gains 3, 2, 1 at a cost of 1 each; measured 6, -3 and 0.
    curve = spend_curve(
        gain_path(choices([[3.0], [2.0], [1.0]], [1.0])), [[6.0], [-3.0], [0.0]], points=4, resamples=30
    )
    assert curve.spend.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert curve.gain.value.tolist() == pytest.approx([0, 2, 1, 1])
    assert curve.by_lot.value.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert curve.ahead_at(1 / 3).value == pytest.approx(5 / 3)
    assert curve.gain_at(0.5).value == pytest.approx(1.5)


def test_free_treatments_count_before_money_is_spent() -> None:
    curve = spend_curve(gain_path(choices([[1.0, 3.0], [-1.0, 3.0]], [0.0, 2.0])), [[4.0, 6.0], [9.0, 2.0]], points=3)
    assert curve.gain.value.tolist() == pytest.approx([2, 3, 4])


def test_the_band_holds_the_truth_about_as_often_as_it_says() -> None:
    effects, foretold = people(50_000, 1)
    truth = spend_curve(gain_path(choices(foretold, COSTS)), effects, resamples=20)
    inside = ahead = 0
    for seed in range(40):
        curve = spend_curve(*experiment(500, seed), points=11, resamples=80, seed=seed)
        found = curve.gain_at(0.4)
        inside += found.low <= truth.gain_at(0.4).value <= found.high
        better = curve.ahead_at(0.4)
        ahead += better.low <= truth.ahead_at(0.4).value <= better.high
    assert inside >= 34
    assert ahead >= 34


def test_knowing_people_is_ahead_of_lots_where_there_is_something_to_know_and_not_where_there_is_nothing() -> None:
    path, scores = experiment(4000, 1)
    assert spend_curve(path, scores).ahead_at(0.3).low > 0
    blind = gain_path(choices(np.random.default_rng(2).normal(0.5, 1, (4000, 2)), COSTS))
    assert not spend_curve(blind, scores).ahead_at(0.3).excludes_zero


def test_rows_of_one_customer_are_drawn_together() -> None:
    path, scores = experiment(300, 3)
    twice = gain_path(choices(np.repeat(path.given.gains.T, 4, axis=0), COSTS))
    alone, grouped = (
        spend_curve(twice, np.repeat(scores, 4, axis=0), groups=groups, seed=1).gain_at(0.4)
        for groups in (None, np.repeat(np.arange(300), 4))
    )
    assert grouped.high - grouped.low > 1.6 * (alone.high - alone.low)


def test_scores_that_do_not_fit_or_are_missing_are_refused() -> None:
    path = gain_path(choices([[3.0, 1.0]], [1.0, 1.0], [[True, False]]))
    with pytest.raises(BadQuestion, match="do not fit"):
        spend_curve(path, [[1.0]])
    with pytest.raises(BadQuestion, match="1 missing"):
        spend_curve(path, [[np.nan, 1.0]])
    assert spend_curve(path, [[2.0, np.nan]]).gain_at(1).value == 2
