from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.btyd.gamma_gamma import GammaGamma, _total, fit_gamma_gamma

Columns = tuple[np.ndarray, ...]


def test_the_published_cdnow_parameters_are_reproduced(cdnow_values: Columns) -> None:
    # Fader and Hardie (2013), section 5: p = 6.25, q = 3.74, v = 15.44 on 946 customers.
    x, z = cdnow_values
    assert x.size == 946
    model = fit_gamma_gamma(x, z, prior=0.0)
    assert tuple(round(value, 2) for value in astuple(model)) == (6.25, 3.74, 15.44)
    assert model.mean == pytest.approx(35.17, abs=0.01)
    with_prior = fit_gamma_gamma(x, z)
    assert model.log_likelihood(x, z) - with_prior.log_likelihood(x, z) < 0.01
    assert with_prior.expected_value(x, z) == pytest.approx(model.expected_value(x, z), rel=0.01)


def test_expectations_are_those_computed_by_hand() -> None:
    model = GammaGamma(6.25, 3.74, 15.44)
    by_hand = 6.25 * (15.44 + 2 * 22.35) / (6.25 * 2 + 3.74 - 1)
    assert model.expected_value([2], [22.35])[0] == pytest.approx(by_hand)
    assert model.expected_value([0], [np.nan])[0] == pytest.approx(6.25 * 15.44 / 2.74)
    assert model.expected_value([1000], [80.0])[0] == pytest.approx(80.0, rel=0.002)


def test_planted_parameters_are_recovered() -> None:
    generator = np.random.default_rng(2)
    p, q, v = 4.0, 5.0, 60.0
    x = generator.integers(1, 8, 20_000)
    z = generator.gamma(p * x, 1 / generator.gamma(q, 1 / v, 20_000)) / x
    model = fit_gamma_gamma(x, z)
    assert np.log(np.array(astuple(model)) / (p, q, v)) == pytest.approx(np.zeros(3), abs=0.08)
    assert model.mean == pytest.approx(p * v / (q - 1), rel=0.02)


def test_a_customers_own_mean_is_drawn_towards_all_the_less_the_more_he_bought() -> None:
    model = GammaGamma(4.0, 5.0, 60.0)
    values = model.expected_value([1, 3, 10, 100], [200.0] * 4)
    assert model.mean < values[0] < values[1] < values[2] < values[3] < 200


def test_the_slope_is_that_of_the_likelihood() -> None:
    x, z = np.array([1.0, 2, 2, 7]), np.array([10.0, 30, 5, 20])
    for theta in (np.zeros(3), np.array([1.5, 0.5, 3.0])):
        numeric = approx_fprime(theta, lambda at: _total(at, x, z)[0], 1e-7)
        assert _total(theta, x, z)[1] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_the_currency_does_not_matter_and_few_customers_suffice() -> None:
    x, z = [1, 2, 5], [10.0, 20.0, 12.0]
    euro, cents = fit_gamma_gamma(x, z), fit_gamma_gamma(x, np.array(z) * 100)
    assert cents.mean == pytest.approx(100 * euro.mean, rel=1e-4)
    one = fit_gamma_gamma([1], [50.0])
    assert 0 < one.mean < np.inf
    assert all(np.isfinite(astuple(fit_gamma_gamma([3, 3], [20.0, 20.0]))))


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="Nobody has a purchase of known value"):
        fit_gamma_gamma([0, 0], [0.0, np.nan])
    with pytest.raises(BadQuestion, match="not negative; expected amounts from 0; saw -3"):
        fit_gamma_gamma([1, 1], [5.0, -3.0])
    with pytest.raises(BadQuestion, match="saw nan"):
        GammaGamma(4, 5, 60).expected_value([1], [np.nan])
    with pytest.raises(BadQuestion, match="counted from 0"):
        GammaGamma(4, 5, 60).expected_value([-1], [3.0])
    with pytest.raises(BadQuestion, match="frequency 2, mean_value 1"):
        GammaGamma(4, 5, 60).expected_value([1, 1], [3.0])
