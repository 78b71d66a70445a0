from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest

from aimwell.core.errors import BadQuestion
from aimwell.science.btyd.bg_nbd import BgNbd, fit_bg_nbd
from aimwell.science.btyd.gamma_gamma import GammaGamma
from aimwell.science.btyd.histories import group
from aimwell.science.btyd.intervals import FittedModel, Spending, foresee, parameter_spread
from aimwell.science.btyd.mbg_nbd import MbgNbd, fit_mbg_nbd
from aimwell.science.btyd.pareto_nbd import ParetoNbd, fit_pareto_nbd

Columns = tuple[np.ndarray, ...]
Live = Callable[..., Columns]
TRUTH = (0.6, 6.0, 0.9, 2.5)
MODELS = pytest.mark.parametrize("model", [BgNbd(*TRUTH), MbgNbd(*TRUTH), ParetoNbd(0.6, 6.0, 0.8, 20.0)])


@MODELS
def test_drawn_futures_average_to_the_expectation(model: FittedModel) -> None:
    people = tuple(np.array(column, dtype=float) for column in ([0, 2, 8], [0, 30, 35], [38, 38, 38]))
    drawn = model.draw_purchases(20.0, people, 60_000, np.random.default_rng(1))  # type: ignore[arg-type]
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert np.all(np.abs(drawn.mean(axis=0) - model.expected_purchases(20, *people)) < 4 * error)


def test_drawn_amounts_average_to_the_expected_value() -> None:
    model, known = GammaGamma(6.25, 3.74, 15.44), (np.array([0.0, 5.0]), np.array([np.nan, 60.0]))
    drawn = model.draw_spend(np.full((60_000, 2), 3.0), known, np.random.default_rng(2))
    assert drawn.mean(axis=0) == pytest.approx(3 * model.expected_value(*known), rel=0.02)
    assert model.draw_spend(np.zeros((5, 2)), known, np.random.default_rng(2)).max() == 0


@pytest.mark.parametrize(("fit", "early"), [(fit_bg_nbd, False), (fit_mbg_nbd, True)])
def test_ranges_hold_as_many_futures_as_they_say(fit: Callable[..., BgNbd], early: bool, live: Live) -> None:
    covered, held = [], []
    for seed in range(4):
        x, t_x, age, later = live(1000, TRUTH, 50, seed, early=early)
        histories = group(x, t_x, age)
        model = fit(histories)
        seen = foresee(model, (x, t_x, age), 50, parameter_spread(model, histories), draws=100, seed=seed)
        covered.append(np.mean((later >= seen.low) & (later <= seen.high)))
        held.append(seen.total_low <= later.sum() <= seen.total_high)
    assert 0.8 <= np.mean(covered) <= 0.97  # counts: the ends are whole numbers, so a little more than 80 %
    assert 2 <= sum(held) <= 4


def test_parameters_stray_as_far_from_the_truth_as_their_spread_says(live: Live) -> None:
    away = []
    for seed in range(8):
        x, t_x, age, _ = live(2000, TRUTH, 50, 100 + seed)
        histories = group(x, t_x, age)
        model = fit_bg_nbd(histories)
        off = np.log(np.array(astuple(model)) / TRUTH)
        away.append(float(off @ np.linalg.solve(parameter_spread(model, histories), off)))
    assert 2.0 < np.mean(away) < 7.0  # chi-square with four degrees of freedom


def test_more_customers_are_surer_in_total_and_few_have_wide_ranges(live: Live) -> None:
    few, many = (live(people, TRUTH, 50, 7) for people in (30, 3000))
    width = []
    for x, t_x, age, _ in (few, many):
        model = fit_pareto_nbd(group(x, t_x, age))
        seen = foresee(model, (x, t_x, age), 20, parameter_spread(model, group(x, t_x, age)), draws=40)
        assert np.all(seen.low <= seen.high)
        width.append(np.log(seen.total_high / seen.total_low))
        assert seen.total == pytest.approx(seen.expected.sum())
    assert width[0] > 4 * width[1]


def test_money_has_ranges_too_equal_customers_equal_ones_and_equal_seeds_give_equal_ranges() -> None:
    model, spread = BgNbd(*TRUTH), np.eye(4) * 0.001
    people = ([0, 2, 8, 2], [0.0, 30.0, 35.0, 30.0], [38.0] * 4)
    spending = Spending(GammaGamma(6.25, 3.74, 15.44), np.array([1.0, 3, 9, 3]), np.array([10.0, 20, 30, 20]))
    one, two = (foresee(model, people, 39, spread, spending=spending, seed=4) for _ in range(2))
    assert one.low[1] == one.low[3]
    assert one.high[1] == one.high[3]
    assert np.array_equal(one.high, two.high)
    assert one.expected == pytest.approx(
        model.expected_purchases(39, *people) * spending.model.expected_value(spending.frequency, spending.mean_value)
    )
    assert np.all(one.high > one.expected)


def test_without_a_prior_unknown_directions_stay_wide_and_finite() -> None:
    histories = group([1, 0], [2.0, 0], [5.0, 5.0])
    spread = parameter_spread(fit_bg_nbd(histories), histories, prior=0.0)
    assert np.isfinite(spread).all()
    assert np.linalg.eigvalsh(spread).min() > 0


def test_bad_input_is_named() -> None:
    people = ([0], [0.0], [3.0])
    with pytest.raises(BadQuestion, match="level of a range must be a share"):
        foresee(BgNbd(*TRUTH), people, 5, np.eye(4), level=1.5)
    with pytest.raises(BadQuestion, match="at least 20 draws; saw 3"):
        foresee(BgNbd(*TRUTH), people, 5, np.eye(4), draws=3)
