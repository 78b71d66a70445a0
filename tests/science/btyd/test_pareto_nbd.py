"""Pareto/NBD: published numbers, the sum over departures against adaptive integration, planted truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.btyd.departure import sum_departures
from aimwell.science.btyd.histories import group
from aimwell.science.btyd.pareto_nbd import ParetoNbd, fit_pareto_nbd, log_likelihood

Columns = tuple[np.ndarray, ...]
PUBLISHED = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669)


def test_the_published_cdnow_parameters_are_reproduced_to_their_printed_digits(cdnow: Columns) -> None:
    # Fader, Hardie and Lee (2005), table 2.
    histories = group(*cdnow)
    model = fit_pareto_nbd(histories, prior=0.0)
    assert tuple(round(value, 3) for value in astuple(model)) == (0.553, 10.578, 0.606, 11.669)
    assert round(model.log_likelihood(histories), 1) == -9595.0


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(st.floats(-6, 6), st.floats(-6, 6)),
    st.floats(-4, 6),
    st.floats(-5, 3),
    st.floats(0, 2),
    st.floats(0.01, 2),
)
def test_the_sum_over_departures_is_the_integral(
    logs: tuple[float, float], log_p: float, log_s: float, since: float, more: float
) -> None:
    alpha, beta = np.exp(logs)
    p, q, until = np.exp(log_p), 1 + np.exp(log_s), since + more

    def height(t: float) -> float:
        return float(-p * np.log((alpha + t) / (alpha + since)) - q * np.log((beta + t) / (beta + since)))

    # In pieces that grow with the distance from the start, where the integrand is steepest.
    edges = since + more * np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 60)])
    whole = sum(quad(lambda t: np.exp(height(t)), a, b, epsabs=0, epsrel=1e-11)[0] for a, b in pairwise(edges))
    expected = np.log(whole) - p * np.log(alpha + since) - q * np.log(beta + since)
    found = sum_departures(np.array([since]), np.array([until]), alpha, beta, np.array([p]), q)
    assert found.log[0] == pytest.approx(expected, abs=1e-8)


def test_likelihoods_of_customers_by_hand() -> None:
    # r = alpha = s = beta = 1, x = 0, T = 3: alive 1/4 · 1/4, gone the integral of (1 + t)^-3 over 0 … 3, 15/32.
    unit = ParetoNbd(1.0, 1.0, 1.0, 1.0)
    assert unit.log_likelihood(group([0], [0], [3])) == pytest.approx(np.log(1 / 16 + 15 / 32))
    assert unit.probability_alive([0], [0], [3])[0] == pytest.approx((1 / 16) / (1 / 16 + 15 / 32))
    # x = 1, t = 1: alive (1/4)² · 1/4, gone the integral of (1 + t)^-4 over 1 … 3, (1/8 - 1/64) / 3.
    assert unit.log_likelihood(group([1], [1], [3])) == pytest.approx(np.log(1 / 64 + (1 / 8 - 1 / 64) / 3))
    assert unit.probability_alive([0], [0], [0])[0] == 1.0


def test_the_slopes_are_those_of_the_likelihood(live: Callable[..., Columns]) -> None:
    x, t_x, age, _ = live(200, (0.7, 4.0, 0.8, 2.0), 40, 1)
    histories = group(x, t_x, age)
    for theta in (np.zeros(4), np.array([-1.0, 2.0, 0.5, 3.5]), np.array([0.5, 3.0, -2.0, -1.0])):
        numeric = approx_fprime(theta, lambda at: float(log_likelihood(at, histories)[0] @ histories.people), 1e-7)
        assert log_likelihood(theta, histories)[1] @ histories.people == pytest.approx(numeric, rel=1e-4, abs=1e-2)
        assert ParetoNbd(*np.exp(theta)).slopes(histories) == pytest.approx(numeric, rel=1e-4, abs=1e-2)


def test_planted_parameters_are_recovered_and_the_future_is_foretold() -> None:
    truth = (0.6, 6.0, 0.8, 20.0)
    generator = np.random.default_rng(4)
    people, now = 8_000, 50.0
    rate, stay = (
        generator.gamma(0.6, 1 / 6.0, people),
        generator.exponential(1 / generator.gamma(0.8, 1 / 20.0, people)),
    )
    counts = generator.poisson(rate * np.minimum(stay, now))
    # Given their number, the moments of purchases are uniform; the last one is the largest.
    last = np.where(counts > 0, generator.random(people) ** (1 / np.maximum(counts, 1)), 0) * np.minimum(stay, now)
    later = generator.poisson(rate * np.clip(stay - now, 0, 40.0))
    histories = (counts, last, np.full(people, now))
    model = fit_pareto_nbd(group(*histories))
    assert np.log(np.array(astuple(model)) / truth) == pytest.approx(np.zeros(4), abs=0.25)
    expected = model.expected_purchases(40, *histories)
    assert expected.sum() == pytest.approx(later.sum(), rel=0.04)
    for low, high in [(0, 0), (1, 1), (2, 4), (5, 999)]:
        some = (counts >= low) & (counts <= high)
        assert expected[some].mean() == pytest.approx(later[some].mean(), rel=0.15)
    alive = model.probability_alive(*histories)
    assert alive.mean() == pytest.approx((stay > now).mean(), abs=0.02)


def test_expectations_have_no_hole_at_s_equal_to_one() -> None:
    below, at, above = (ParetoNbd(0.5, 5, s, 9).expected_purchases(20, [3], [8], [10])[0] for s in (0.999, 1.0, 1.001))
    assert at == pytest.approx((below + above) / 2, rel=1e-5)
    assert PUBLISHED.expected_of_new(10) > 0


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="Nobody has bought twice"):
        fit_pareto_nbd(group([0, 0], [0, 0], [5, 6]))
    with pytest.raises(NotEnoughData, match="Nobody has bought twice"):
        fit_pareto_nbd(group([0, 0], [0, 0], [0, 0]))
    with pytest.raises(BadQuestion, match="frequency 1, recency 9, age 5"):
        PUBLISHED.probability_alive([1], [9], [5])
