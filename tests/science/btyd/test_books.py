"""No book of customers is without an answer, and all agree with the package `lifetimes` where that has one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import astuple
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from aimwell.science.btyd.bg_nbd import fit_bg_nbd
from aimwell.science.btyd.gamma_gamma import fit_gamma_gamma
from aimwell.science.btyd.histories import Histories, group
from aimwell.science.btyd.intervals import FittedModel
from aimwell.science.btyd.mbg_nbd import fit_mbg_nbd
from aimwell.science.btyd.pareto_nbd import fit_pareto_nbd
from aimwell.science.btyd.posterior import Prior

Columns = tuple[np.ndarray, ...]
Fit = Callable[[Histories], FittedModel]
WEEKS = ([0, 1, 2, 8], [0.0, 5.0, 30.0, 35.0], [20.0, 38.0, 38.0, 38.0])


@pytest.fixture(scope="module")
def peers() -> Any:
    """The package, which warns of its age while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module("lifetimes")


@pytest.mark.parametrize(
    ("name", "fit"),
    [("BetaGeoFitter", fit_bg_nbd), ("ModifiedBetaGeoFitter", fit_mbg_nbd), ("ParetoNBDFitter", fit_pareto_nbd)],
)
def test_models_agree_with_lifetimes(name: str, fit: Callable[..., FittedModel], peers: Any, cdnow: Columns) -> None:
    ours = fit(group(*cdnow), prior=0.0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        peer = getattr(peers, name)()
        peer.fit(*cdnow)
        expected = peer.conditional_expected_number_of_purchases_up_to_time(39, *map(np.array, WEEKS))
        alive = peer.conditional_probability_alive(*map(np.array, WEEKS))
    assert astuple(ours) == pytest.approx(tuple(peer.params_), rel=2e-3)
    assert ours.expected_purchases(39, *WEEKS) == pytest.approx(np.asarray(expected), rel=2e-3)
    assert ours.probability_alive(*WEEKS) == pytest.approx(np.ravel(alive), rel=2e-3)


def test_gamma_gamma_agrees_with_lifetimes(peers: Any, cdnow_values: Columns) -> None:
    x, z = cdnow_values
    ours = fit_gamma_gamma(x, z, prior=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = peers.GammaGammaFitter()
        peer.fit(x, z)
    assert astuple(ours) == pytest.approx(tuple(peer.params_), rel=2e-3)
    expected = peer.conditional_expected_average_profit(x[:5], z[:5])
    assert ours.expected_value(x[:5], z[:5]) == pytest.approx(np.asarray(expected), rel=2e-3)


@pytest.mark.parametrize("fit", [fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd])
def test_on_odd_books_the_fit_ends_where_the_posterior_is_flat(fit: Fit) -> None:
    """Histories that no such customers would have: the fit has to stop at a stationary point all the same."""
    generator = np.random.default_rng(11)
    for _ in range(25):
        histories = _odd_book(generator)
        model = fit(histories)
        unit = float(histories.people @ histories.age / histories.customers)
        times = {"BgNbd": [1], "MbgNbd": [1], "ParetoNbd": [1, 3]}[type(model).__name__]
        theta = np.log(np.array(astuple(model), dtype=float))
        theta[times] -= np.log(unit)
        centre = (0.0, 0.0, 0.0, 0.0 if len(times) == 2 else 1.0)
        slope = model.slopes(histories) + Prior(centre).log_density(theta)[1]
        assert np.abs(slope).max() / histories.customers < 1e-4
        expected = model.expected_purchases(unit, histories.frequency, histories.recency, histories.age)
        assert np.isfinite(expected).all()
        assert (expected >= 0).all()


def _odd_book(generator: np.random.Generator) -> Histories:
    people = int(generator.choice([1, 2, 3, 10, 100, 1000]))
    top = float(generator.choice([1, 2, 10, 300]))
    age = generator.integers(1, int(generator.choice([2, 30, 1000])) + 1, people).astype(float)
    x = np.floor(generator.random(people) ** generator.choice([1, 6]) * (top + 1))
    x[0] = max(x[0], 1)
    t_x = np.where(x > 0, np.maximum(np.ceil(age * generator.random(people) ** generator.choice([0.01, 1, 9])), 1), 0)
    return group(x, t_x, age)
