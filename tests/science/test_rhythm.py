from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.special import digamma
from scipy.stats import gamma

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.rhythm import Gaps, Tempo, _log_likelihood, fit_tempo, gaps, rhythm, shape_from_spread, stays_away

TEMPO = Tempo(shape=2.0, a=3.0, b=15.0, weight=10.0)


def _summed(customers: list[list[float]]) -> Gaps:
    return gaps(
        [len(own) for own in customers],
        [sum(own) for own in customers],
        [float(np.log(own).sum()) for own in customers],
    )


def _planted(people: int, seed: int, shapes: tuple[float, ...] = (2.0,)) -> tuple[Gaps, np.ndarray, np.ndarray]:
    """Customers with gamma gaps around means of their own; also their true shapes and one more gap each."""
    generator = np.random.default_rng(seed)
    shape = generator.choice(shapes, people)
    mean = 10 * 3.0 / generator.gamma(4.0, 1.0, people)
    count = generator.integers(0, 25, people)
    sums = [generator.gamma(k, m / k, n) for k, m, n in zip(shape, mean, count, strict=True)]
    return _summed([list(own) for own in sums]), shape, generator.gamma(shape, mean / shape)


def test_the_planted_tempo_is_recovered() -> None:
    found, _, _ = _planted(8000, 1)
    tempo = fit_tempo(found)
    assert tempo.shape == pytest.approx(2.0, rel=0.04)
    assert tempo.a == pytest.approx(4.0, rel=0.08)
    assert tempo.shape * tempo.b / (tempo.a - 1) == pytest.approx(10.0, rel=0.04)
    assert tempo.weight > 50


def test_regularity_counts_sooner_where_customers_differ_in_it() -> None:
    alike, _, _ = _planted(3000, 2)
    mixed, shapes, _ = _planted(3000, 2, shapes=(0.7, 8.0))
    assert fit_tempo(mixed).weight < 10 < fit_tempo(alike).weight
    seen = rhythm(mixed, np.ones(3000), fit_tempo(mixed)).regularity
    many = mixed.count >= 10
    assert np.median(seen[many & (shapes == 0.7)]) < 0.5 < 0.75 < np.median(seen[many & (shapes == 8.0)])


def test_the_chance_to_stay_away_this_long_is_what_happens_as_often() -> None:
    found, _, following = _planted(8000, 3)
    tempo = fit_tempo(found)
    # If the rhythm holds, the chance of the gap that came next is uniform: for few gaps as for many.
    for some in (found.count == 0, (found.count > 0) & (found.count < 4), found.count >= 15):
        chances = rhythm(found, following, tempo).holds[some]
        assert np.quantile(chances, [0.05, 0.25, 0.5, 0.75, 0.95]) == pytest.approx(
            [0.05, 0.25, 0.5, 0.75, 0.95], abs=0.05
        )


def test_half_of_the_next_gaps_are_longer_than_the_cadence() -> None:
    found, _, following = _planted(8000, 4)
    seen = rhythm(found, following, fit_tempo(found))
    assert (following > seen.cadence).mean() == pytest.approx(0.5, abs=0.02)
    assert seen.overdue == pytest.approx(following / seen.cadence)


def test_few_gaps_are_drawn_towards_everybody_and_many_speak_for_themselves() -> None:
    one, many, nobody = (rhythm(_summed([own]), [1.0], TEMPO).cadence[0] for own in ([100.0], [100.0] * 60, []))
    assert nobody < one < many
    assert many == pytest.approx(100.0, rel=0.05)
    usual = rhythm(_summed([[]]), [rhythm(_summed([[]]), [0.0], TEMPO).cadence[0]], TEMPO)
    assert usual.holds[0] == pytest.approx(0.5)
    assert usual.overdue[0] == pytest.approx(1.0)
    assert usual.regularity[0] == pytest.approx(2 / 3)


def test_the_predictive_chance_is_the_average_over_what_is_unknown() -> None:
    found = _summed([[5.0, 9.0, 7.0]])
    shape = 1 / (1 / rhythm(found, [0.0], TEMPO).regularity[0] - 1)
    a, b = TEMPO.a + 3 * shape, TEMPO.b * TEMPO.shape / shape + 21
    average = quad(lambda rate: gamma.sf(20.0, shape, scale=1 / rate) * gamma.pdf(rate, a, scale=1 / b), 0, np.inf)[0]
    assert rhythm(found, [20.0], TEMPO).holds[0] == pytest.approx(average, rel=1e-6)
    later = quad(lambda rate: gamma.sf(30.0, shape, scale=1 / rate) * gamma.pdf(rate, a, scale=1 / b), 0, np.inf)[0]
    assert stays_away(found, [20.0], TEMPO, 10.0)[0] == pytest.approx(later / average, rel=1e-6)


def test_a_broken_rhythm_shows_sooner_in_regular_customers() -> None:
    clock, chance = [7.0] * 20, [0.5, 20.0, 1.0, 12.0, 2.0, 7.0, 0.7, 25.0, 3.0, 0.8] * 2
    seen = rhythm(_summed([clock, chance]), [21.0, 21.0], TEMPO)
    assert seen.regularity[0] > seen.regularity[1]
    assert seen.holds[0] < 0.02 < seen.holds[1]
    waits = [rhythm(_summed([clock]), [wait], TEMPO).holds[0] for wait in (0.0, 3.0, 7.0, 14.0, 60.0)]
    assert waits[0] == 1.0
    assert waits == sorted(waits, reverse=True)


def test_rare_visitors_stay_away_longer_though_they_are_not_late() -> None:
    rare, often = [90.0, 80.0, 100.0], [4.0] * 30
    found = _summed([rare, often])
    assert rhythm(found, [30.0, 8.0], TEMPO).overdue[0] < rhythm(found, [30.0, 8.0], TEMPO).overdue[1]
    away = stays_away(found, [30.0, 8.0], TEMPO, 28.0)
    assert away[0] > 0.5 > 0.05 > away[1]
    assert stays_away(found, [30.0, 8.0], TEMPO, 0.0).tolist() == [1.0, 1.0]


def test_a_silence_beyond_all_floating_point_still_has_a_chance() -> None:
    always = _summed([[1.0] * 400])
    assert rhythm(always, [1e6], TEMPO).holds[0] == 0.0
    assert 0.5 < stays_away(always, [1e6], TEMPO, 10.0)[0] < 1


def test_the_unit_of_time_does_not_matter() -> None:
    found, _, following = _planted(500, 5)
    hours = Gaps(found.count, found.total * 24, found.log_total + found.count * np.log(24))
    one, two = rhythm(found, following, fit_tempo(found)), rhythm(hours, following * 24, fit_tempo(hours))
    assert two.cadence == pytest.approx(24 * one.cadence, rel=1e-4)
    assert two.holds == pytest.approx(one.holds, abs=1e-5)


def test_the_slope_is_that_of_the_likelihood() -> None:
    found = _summed([[5.0, 9.0], [1.0], [3.0, 2.0, 2.0]])
    for theta in (np.zeros(3), np.array([0.7, 1.1, 2.5])):
        numeric = approx_fprime(theta, lambda at: _log_likelihood(at, found)[0], 1e-7)
        assert _log_likelihood(theta, found)[1] == pytest.approx(numeric, rel=1e-4, abs=1e-5)


@settings(max_examples=40)
@given(st.floats(0.02, 500))
def test_the_shape_is_found_from_its_spread(shape: float) -> None:
    spread = np.array([np.log(shape) - digamma(shape)])
    assert shape_from_spread(spread)[0] == pytest.approx(shape, rel=1e-6)


@settings(max_examples=40)
@given(st.lists(st.lists(st.floats(0.01, 1000), max_size=6), min_size=1, max_size=8).filter(any), st.floats(0, 5000))
def test_any_customers_have_a_rhythm(customers: list[list[float]], wait: float) -> None:
    found = _summed(customers)
    tempo = fit_tempo(found)
    assert all(0 < value < np.inf for value in astuple(tempo))
    seen = rhythm(found, np.full(len(customers), wait), tempo)
    for values in (seen.cadence, seen.regularity, seen.overdue, seen.holds):
        assert np.isfinite(values).all()
    assert np.all((seen.holds >= 0) & (seen.holds <= 1))
    assert np.all((seen.regularity > 0) & (seen.regularity < 1))
    away = stays_away(found, np.full(len(customers), wait), tempo, 10.0)
    assert np.all((away >= 0) & (away <= 1))


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="Nobody has come twice"):
        fit_tempo(gaps([0], [0], [0]))
    with pytest.raises(BadQuestion, match=r"customer number 2 do not belong.*count 1, sum 0"):
        gaps([0, 1], [0, 0], [0, 0])
    with pytest.raises(BadQuestion, match="count 0, sum 5"):
        gaps([0], [5], [0])
    with pytest.raises(BadQuestion, match="Count visits of one day once"):
        gaps([2], [10], [4])
    with pytest.raises(BadQuestion, match="counted from 0"):
        gaps([1.5], [10], [2])
    with pytest.raises(BadQuestion, match="cannot lie ahead"):
        rhythm(gaps([1], [5], [1]), [-1], TEMPO)
    with pytest.raises(BadQuestion, match="count 1, since_last 2"):
        rhythm(gaps([1], [5], [1]), [1, 2], TEMPO)
    with pytest.raises(BadQuestion, match="horizon lies ahead"):
        stays_away(gaps([1], [5], [1]), [1], TEMPO, -1.0)
