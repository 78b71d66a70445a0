from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.calibrate import Method, Platt, calibrate, rebase, record, restore
from aimwell.science.metrics.probability import calibration_error, log_loss
from aimwell.science.metrics.ranking import auc

METHODS: tuple[Method, ...] = ("platt", "beta", "isotonic")


def _overconfident(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Raw log-odds that are twice too extreme, what happened, and the true probability."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(-2, 1, n)
    truth = 1 / (1 + np.exp(-odds))
    return 2 * odds, generator.random(n) < truth, truth


@pytest.mark.parametrize("method", METHODS)
def test_an_overconfident_score_becomes_believable(method: Method) -> None:
    raw, bought, _ = _overconfident(20_000, 1)
    fresh, later, truth = _overconfident(20_000, 2)
    before = 1 / (1 + np.exp(-fresh))
    after = calibrate(raw, bought, method=method).probability(fresh)
    assert calibration_error(before, later) > 0.05
    assert calibration_error(after, later) < 0.012
    assert log_loss(after, later) < log_loss(before, later) - 0.02
    assert np.abs(after - truth).mean() < 0.02


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=2, max_size=60), st.sampled_from(METHODS))
def test_a_higher_score_never_gets_a_lower_probability(people: list[tuple[float, bool]], method: Method) -> None:
    raw, bought = zip(*people, strict=True)
    if all(bought) or not any(bought):
        return
    seen = calibrate(raw, bought, method=method).probability(np.linspace(-10, 10, 101))
    assert np.all(np.diff(seen) >= -1e-12)
    assert np.all((seen > 0) & (seen < 1))


def test_isotonic_ties_destroy_ranking_while_the_smooth_maps_keep_it() -> None:
    raw, bought, _ = _overconfident(20_000, 3)
    values = {method: np.unique(calibrate(raw, bought, method=method).probability(raw)).size for method in METHODS}
    assert values["isotonic"] < 2000
    assert values["platt"] == values["beta"] == 20_000
    assert auc(calibrate(raw, bought, method="platt").probability(raw), bought) == auc(raw, bought)


def test_the_mean_probability_is_the_base_rate_whatever_the_map() -> None:
    raw, bought, _ = _overconfident(5_000, 4)
    for method in METHODS:
        seen = calibrate(raw, bought, method=method).probability(raw)
        assert seen.mean() == pytest.approx(bought.mean(), abs=0.001)


def test_few_buyers_get_platt_and_a_bent_truth_gets_a_freer_map() -> None:
    generator = np.random.default_rng(5)
    few = generator.random(2000) < 0.03
    assert calibrate(generator.normal(size=2000) + few, few).method == "platt"
    raw, bought, _ = _overconfident(20_000, 6)
    assert calibrate(raw, bought).method == "platt"
    stepped = np.where(raw > -4, 0.4, 0.02)
    assert calibrate(raw, generator.random(20_000) < stepped).method == "isotonic"
    bent = np.where(raw > -4, 1 / (1 + np.exp(-(raw + 4))), 1 / (1 + np.exp(-(raw + 4) / 20)))
    assert calibrate(raw, generator.random(20_000) < bent).method in {"beta", "isotonic"}


def test_the_choice_keeps_a_customer_in_one_fold_and_repeats_by_seed() -> None:
    raw, bought, _ = _overconfident(4_000, 7)
    customers = np.repeat([f"c{i}" for i in range(1000)], 4)
    assert calibrate(raw, bought, groups=customers, seed=1) == calibrate(raw, bought, groups=customers, seed=1)
    with pytest.raises(BadQuestion, match="groups 10"):
        calibrate(raw, bought, groups=customers[:10])


def test_a_backward_score_gets_the_base_rate_and_not_a_reversed_map() -> None:
    raw, bought, _ = _overconfident(3_000, 8)
    for method in ("platt", "beta"):
        seen = calibrate(-raw, bought, method=method).probability([-3.0, 0.0, 3.0])
        assert np.ptp(seen) < 0.02
        assert seen[0] == pytest.approx(bought.mean(), abs=0.02)


def test_a_constant_score_gets_the_base_rate() -> None:
    bought = np.arange(400) % 4 == 0
    for method in METHODS:
        seen = calibrate(np.zeros(400), bought, method=method).probability([0.0, 5.0])
        assert seen == pytest.approx([0.25, 0.25], abs=0.005)


def test_a_map_survives_being_written_down() -> None:
    raw, bought, _ = _overconfident(2_000, 9)
    for method in METHODS:
        curve = calibrate(raw, bought, method=method)
        again = restore(json.loads(json.dumps(record(curve))))
        assert again == curve
        assert np.array_equal(again.probability(raw), curve.probability(raw))


def test_a_moved_base_rate_moves_the_probabilities_and_not_the_order() -> None:
    guess = np.array([0.05, 0.2, 0.6])
    moved = rebase(guess, learnt=0.2, expected=0.1)
    assert moved == pytest.approx([guess_ / (guess_ + (1 - guess_) * 2.25) for guess_ in guess])
    assert rebase(moved, learnt=0.1, expected=0.2) == pytest.approx(guess)
    # Bayes on a simulated population of which half of the buyers vanish at random.
    _, bought, truth = _overconfident(200_000, 10)
    kept = ~bought | (np.random.default_rng(0).random(200_000) < 0.5)
    seen = rebase(truth[kept], learnt=bought.mean(), expected=bought[kept].mean())
    assert calibration_error(seen, bought[kept]) < 0.004


def test_bad_input_is_named() -> None:
    with pytest.raises(NotEnoughData, match="everybody is alike"):
        calibrate([1.0, 2.0], [0, 0])
    with pytest.raises(BadQuestion, match="raw 3, bought 2"):
        calibrate([1.0, 2.0, 3.0], [0, 1])
    with pytest.raises(BadQuestion, match="expected platt, beta, isotonic; saw spline"):
        calibrate([1.0, 2.0], [0, 1], method="spline")  # type: ignore[arg-type]
    with pytest.raises(BadQuestion, match="missing or infinite"):
        Platt(1.0, 0.0).probability([np.nan])
    with pytest.raises(BadQuestion, match="everybody is alike"):
        rebase([0.5], learnt=0.0, expected=0.5)
    with pytest.raises(BadQuestion, match="lacks 'slope'"):
        restore({"method": "platt", "intercept": 1.0})
    with pytest.raises(BadQuestion, match="lacks 'raw'"):
        restore({"method": "isotonic", "raw": 1.0, "probabilities": [0.1]})
    with pytest.raises(BadQuestion, match="No such calibration"):
        restore({"method": "spline"})
