"""BG/NBD and MBG/NBD: published numbers, planted truth, closed forms, and no book of customers on which they fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import hyp2f1

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.btyd import bg_nbd, mbg_nbd
from aimwell.science.btyd.bg_nbd import BgNbd, fit_bg_nbd
from aimwell.science.btyd.expectation import beta_nodes
from aimwell.science.btyd.histories import group
from aimwell.science.btyd.mbg_nbd import MbgNbd, fit_mbg_nbd
from aimwell.science.btyd.posterior import Prior, most_plausible

Columns = tuple[np.ndarray, ...]
Live = Callable[..., Columns]
FITS = pytest.mark.parametrize("fit", [fit_bg_nbd, fit_mbg_nbd])
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def test_bg_nbd_reproduces_the_published_cdnow_parameters(cdnow: Columns) -> None:
    histories = group(*cdnow)
    model = fit_bg_nbd(histories, prior=0.0)
    assert tuple(round(value, 3) for value in astuple(model)) == (0.243, 4.414, 0.793, 2.426)
    assert round(model.log_likelihood(histories), 2) == -9582.43


def test_the_weak_prior_moves_the_parameters_of_a_real_book_by_less_than_half_a_percent(cdnow: Columns) -> None:
    histories = group(*cdnow)
    with_prior, without = fit_bg_nbd(histories), fit_bg_nbd(histories, prior=0.0)
    assert np.abs(np.log(np.array(astuple(with_prior)) / np.array(astuple(without)))).max() < 0.005
    assert without.log_likelihood(histories) - with_prior.log_likelihood(histories) < 0.001


def test_mbg_nbd_reproduces_an_independent_fit_of_cdnow(cdnow: Columns) -> None:
    # lifetimes 0.11.3, ModifiedBetaGeoFitter, penalizer 0, on the same file.
    model = fit_mbg_nbd(group(*cdnow), prior=0.0)
    assert astuple(model) == pytest.approx((0.5248, 6.183, 0.891, 1.614), abs=6e-4)


def test_the_published_expectation_of_one_customer_is_reproduced() -> None:
    # Fader, Hardie and Lee (2005), spreadsheet beside the paper: x = 2, t_x = 30.43, T = 38.86, 39 weeks ahead: 1.226.
    assert PUBLISHED.expected_purchases(39, [2], [30.43], [38.86])[0] == pytest.approx(1.226, abs=5e-4)


def test_the_published_likelihoods_of_customers_are_reproduced() -> None:
    # ln L of equation 6 by hand at r = α = a = b = 1: x = 0: -ln(1+T); x = 1: B(1,2)/B(1,1) · ((1+T)^-2 + (1+t)^-2).
    unit = BgNbd(1.0, 1.0, 1.0, 1.0)
    assert unit.log_likelihood(group([0], [0], [3])) == pytest.approx(np.log(1 / 4))
    assert unit.log_likelihood(group([1], [1], [3])) == pytest.approx(np.log(0.5 * (1 / 16 + 1 / 4)))
    # MBG/NBD, x = 0: α^r (B(1,2) (1+T)^-1 + B(2,1) 1^-1).
    assert MbgNbd(1.0, 1.0, 1.0, 1.0).log_likelihood(group([0], [0], [3])) == pytest.approx(np.log(0.5 / 4 + 0.5))


def test_expectations_equal_the_closed_form_where_that_works() -> None:
    model = PUBLISHED
    for horizon, x, t_x, age in [(39, 2, 30.43, 38.86), (1, 0, 0, 30), (400, 20, 30, 38), (39, 29, 38, 39)]:
        shape, rate = model.r + x, model.alpha + age
        growth = (rate / (rate + horizon)) ** shape
        series = hyp2f1(shape, model.b + x, model.a + model.b + x - 1, horizon / (rate + horizon))
        alive = model.probability_alive([x], [t_x], [age])[0]
        closed = (model.a + model.b + x - 1) / (model.a - 1) * (1 - growth * series) * alive
        assert model.expected_purchases(horizon, [x], [t_x], [age])[0] == pytest.approx(closed, rel=1e-9)


def test_expectations_have_no_hole_at_a_equal_to_one_and_survive_long_histories() -> None:
    below, at, above = (BgNbd(0.5, 5.0, a, 2.0).expected_purchases(20, [3], [8], [10])[0] for a in (0.999, 1.0, 1.001))
    assert at == pytest.approx((below + above) / 2, rel=1e-5)
    many = BgNbd(0.5, 5.0, 0.5, 2.0).expected_purchases(52, [3000], [999], [1000])[0]
    assert many == pytest.approx(3000.5 / 1005 * 52, rel=0.03)


def test_nodes_average_polynomials_over_a_beta_exactly() -> None:
    for a, b in [(0.05, 0.3), (1.0, 1.0), (0.8, 250.0), (40.0, 2.0), (1.0, 2.0)]:
        nodes, weights = beta_nodes(a, b)
        moment = 1.0
        for power in range(1, 6):
            moment *= (a + power - 1) / (a + b + power - 1)
            assert weights @ nodes**power == pytest.approx(moment, rel=1e-8)


@pytest.mark.parametrize("module", [bg_nbd, mbg_nbd])
def test_the_slopes_are_those_of_the_likelihood(module: object, live: Live) -> None:
    x, t_x, age, _ = live(200, (0.7, 4.0, 0.8, 2.0), 40, 1)
    histories = group(x, t_x, age)
    log_likelihood = module.log_likelihood  # type: ignore[attr-defined]
    for theta in (np.zeros(4), np.array([-1.0, 2.0, 0.5, 1.5])):
        slope = log_likelihood(theta, histories)[1] @ histories.people
        numeric = approx_fprime(theta, lambda at: float(log_likelihood(at, histories)[0] @ histories.people), 1e-7)
        assert slope == pytest.approx(numeric, rel=1e-4, abs=1e-2)


@pytest.mark.parametrize(("fit", "early"), [(fit_bg_nbd, False), (fit_mbg_nbd, True)])
def test_planted_parameters_are_recovered_and_the_future_is_foretold(
    fit: Callable[..., BgNbd | MbgNbd], early: bool, live: Live
) -> None:
    truth = (0.6, 6.0, 0.9, 2.5)
    x, t_x, age, later = live(20_000, truth, 50, 3, early=early)
    model = fit(group(x, t_x, age))
    assert np.log(np.array(astuple(model)) / truth) == pytest.approx(np.zeros(4), abs=0.12)
    expected = model.expected_purchases(50, x, t_x, age)
    assert expected.sum() == pytest.approx(later.sum(), rel=0.03)
    for low, high in [(0, 0), (1, 1), (2, 4), (5, 999)]:
        some = (x >= low) & (x <= high)
        assert expected[some].mean() == pytest.approx(later[some].mean(), rel=0.12)
    # Whoever is called alive with chance p buys again at least as often as he would be seen to.
    alive = model.probability_alive(x, t_x, age)
    assert np.all((alive >= 0) & (alive <= 1))
    assert later[alive < 0.2].mean() < 0.3 * later[alive > 0.8].mean()


@FITS
def test_no_book_of_customers_is_without_an_answer(fit: Callable[..., BgNbd | MbgNbd], live: Live) -> None:
    generator = np.random.default_rng(5)
    for seed in range(20):
        people = int(generator.choice([2, 3, 5, 20, 200]))
        r, alpha, a, b = np.exp(generator.normal(0, 1.5, 4))
        weeks = 10 ** generator.uniform(-1, 3)
        x, t_x, age, _ = live(people, (min(r, 5.0), alpha * weeks / 3, a, b), weeks, seed)
        if not x.any():
            continue
        model = fit(group(x, t_x, age))
        assert all(0 < value < np.inf for value in astuple(model))
        expected = model.expected_purchases(weeks, x, t_x, age)
        assert np.isfinite(expected).all()
        assert (expected >= 0).all()


@FITS
def test_the_unit_of_time_does_not_matter(fit: Callable[..., BgNbd | MbgNbd], cdnow: Columns) -> None:
    x, t_x, age = cdnow
    weeks, days = fit(group(x, t_x, age)), fit(group(x, t_x * 7, age * 7))
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-4)
    assert (days.r, days.a, days.b) == pytest.approx((weeks.r, weeks.a, weeks.b), rel=1e-4)


@FITS
def test_longer_silence_after_equal_purchases_means_less_alive(
    fit: Callable[..., BgNbd | MbgNbd], cdnow: Columns
) -> None:
    model = fit(group(*cdnow))
    alive = model.probability_alive(np.full(5, 4), [36, 30, 20, 10, 5], np.full(5, 38))
    assert np.all(np.diff(alive) < 0)
    soon, late = model.expected_purchases(10, [4], [30], [38]), model.expected_purchases(40, [4], [30], [38])
    assert 0 < soon[0] < late[0] < 4 * soon[0]


def test_a_customer_without_repeats_is_surely_alive_only_where_he_cannot_have_left() -> None:
    assert BgNbd(0.5, 5, 1, 2).probability_alive([0], [0], [50])[0] == 1.0
    assert MbgNbd(0.5, 5, 1, 2).probability_alive([0], [0], [50])[0] < 0.5
    assert BgNbd(0.5, 5, 1, 2).expected_of_new(10) > MbgNbd(0.5, 5, 1, 2).expected_of_new(10) > 0


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="Nobody has bought twice"):
        fit_bg_nbd(group([0, 0], [0, 0], [5, 6]))
    with pytest.raises(NotEnoughData, match="Nobody has bought twice"):
        fit_mbg_nbd(group([0, 0], [0, 0], [5, 6]))
    with pytest.raises(BadQuestion, match="frequency 1, recency 9, age 5"):
        PUBLISHED.expected_purchases(39, [1], [9], [5])
    with pytest.raises(BadQuestion, match="weight of a prior"):
        fit_bg_nbd(group([1], [1], [5]), prior=-1.0)


def test_runaway_parameters_are_held_in_reach() -> None:
    held = most_plausible(lambda theta: (float(theta.sum()), np.ones(2)), Prior((0.0, 0.0), weight=0.0), 1.0)
    assert held == pytest.approx([12.0, 12.0])
