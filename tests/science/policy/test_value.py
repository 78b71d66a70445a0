from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.policy.logged import Logged, logged, option_scores
from aimwell.science.policy.value import Way, policy_value

Floats = NDArray[np.float64]
WAYS: tuple[Way, ...] = ("ips", "snips", "dr", "switch-dr")


def known_world(n: int, seed: int, lean: float = 0.4) -> tuple[Logged, Floats, Floats]:
    """A log whose truth is known: the log, the chances of a policy to judge, and the true mean of every option."""
    chance = np.random.default_rng(seed)
    x = chance.random(n)
    means = np.column_stack([1 + 0 * x, 2 * x, 3 * x**2])
    weights = np.exp(lean * np.column_stack([-x, 0 * x, x]) * 3)
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    option = (chance.random(n)[:, None] > np.cumsum(probabilities, axis=1)).sum(axis=1)
    rows = np.arange(n)
    outcome = means[rows, option] + chance.normal(0, 0.5, n)
    policy = np.zeros((n, 3))
    policy[rows, (x > 0.5).astype(int) * 2] = 0.9
    policy[:, 1] += 0.1
    return logged(option, probabilities[rows, option], outcome, options=3), policy, means


@pytest.mark.parametrize("way", WAYS)
def test_every_estimator_finds_the_true_value_and_its_interval_covers_it_as_often_as_it_says(way: Way) -> None:
    misses, errors = 0, []
    for seed in range(120):
        log, policy, means = known_world(600, seed)
        truth = float((policy * means).sum(axis=1).mean())
        found = policy_value(log, policy, way=way, expected=means + 0.3).value
        misses += not found.low <= truth <= found.high
        errors.append(found.value - truth)
    assert abs(np.mean(errors)) < 0.03
    assert misses <= 18  # 6 expected of 120


def test_doubly_robust_with_a_good_model_is_the_least_noisy() -> None:
    log, policy, means = known_world(2000, 1)
    widths = {
        way: np.ptp([(v := policy_value(log, policy, way=way, expected=means).value).low, v.high]) for way in WAYS
    }
    assert widths["dr"] < widths["snips"] < widths["ips"]
    assert widths["dr"] < 0.7 * widths["ips"]


def test_three_rows_are_weighed_as_by_hand() -> None:
    log = logged([0, 1, 1], [0.5, 0.5, 0.25], [2.0, 1.0, 3.0], options=2)
    policy = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    # weights 2, 2 and 2
    assert policy_value(log, policy, way="ips").value.value == pytest.approx((4 + 2 + 6) / 3)
    assert policy_value(log, policy, way="snips").value.value == pytest.approx(2)
    expected = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]])
    # direct 1, 1, 1.5; corrections 2 (2 - 1), 0 and 2 (3 - 2)
    found = policy_value(log, policy, way="dr", expected=expected)
    assert found.value.value == pytest.approx((3 + 1 + 3.5) / 3)
    assert found.seen.value == pytest.approx(2)
    assert found.ahead.value == pytest.approx(0.5)
    assert found.effective == pytest.approx(3)


def test_a_policy_that_chooses_as_was_chosen_is_worth_what_was_seen() -> None:
    log = logged([0, 1, 0, 1], [0.5] * 4, [1.0, 2.0, 3.0, 4.0], options=2)
    found = policy_value(log, np.full((4, 2), 0.5), way="ips")
    assert found.value.value == found.seen.value == 2.5
    assert found.ahead.value == found.ahead.low == found.ahead.high == 0


def test_few_effective_rows_are_warned_of_in_both_languages() -> None:
    chance = np.random.default_rng(0)
    n = 3000
    rare = chance.random(n) < 0.01
    log = logged(rare, np.where(rare, 0.01, 0.99), chance.random(n), options=2)
    found = policy_value(log, np.tile([0.0, 1.0], (n, 1)), way="snips")
    assert found.effective == pytest.approx(rare.sum())
    assert "not to be trusted" in found.warnings[0].en
    assert "区间不可信" in found.warnings[0].zh
    log, policy, _ = known_world(3000, 2)
    assert policy_value(log, policy).warnings == ()


def test_a_clip_bounds_the_weights_says_so_and_is_chosen_where_it_lessens_the_error() -> None:
    chance = np.random.default_rng(3)
    n = 4000
    probability = np.where(chance.random(n) < 0.003, 0.0005, 0.5)
    log = logged(np.zeros(n), probability, chance.normal(1, 1, n), options=2)
    policy = np.tile([0.5, 0.5], (n, 1))
    free, cut = (policy_value(log, policy, expected=np.ones((n, 2)), clip=clip) for clip in (None, "chosen"))
    assert free.heaviest == cut.heaviest == 1000
    assert free.clip == np.inf
    assert cut.clip < 1000
    assert cut.value.high - cut.value.low < 0.2 * (free.value.high - free.value.low)
    assert "were cut" in cut.warnings[-1].en
    assert policy_value(log, policy, way="snips", clip=3.0).clip == 3.0
    with pytest.raises(BadQuestion, match="clip"):
        policy_value(log, policy, way="ips", clip=0.0)


def test_switching_leaves_heavy_rows_to_the_model() -> None:
    log = logged([0, 0], [0.5, 0.001], [1.0, 500.0], options=2)
    policy = np.tile([1.0, 0.0], (2, 1))
    found = policy_value(log, policy, way="switch-dr", expected=np.ones((2, 2)), clip=10.0)
    assert found.value.value == pytest.approx(1)


def test_rows_of_one_customer_do_not_count_as_independent() -> None:
    log, policy, _ = known_world(500, 4)
    twice = logged(
        np.tile(log.option, 2),
        np.tile(log.probability, 2),
        np.tile(log.outcome, 2),
        options=3,
        groups=[*range(500)] * 2,
    )
    once, double = policy_value(log, policy).value, policy_value(twice, np.tile(policy, (2, 1))).value
    assert double.value == pytest.approx(once.value)
    assert double.high - double.low == pytest.approx(once.high - once.low, rel=1e-6)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.5, float("nan")])
def test_a_logged_probability_that_cannot_be_is_refused(probability: float) -> None:
    with pytest.raises(BadQuestion, match="logged probabilities"):
        logged([0, 1], [0.5, probability], [1.0, 1.0], options=2)


def test_a_logged_probability_of_one_judges_only_a_policy_that_agrees() -> None:
    log = logged([0, 1], [1.0, 0.5], [1.0, 2.0], options=2)
    assert policy_value(log, [[1.0, 0.0], [0.5, 0.5]], way="ips").value.value == 1.5
    with pytest.raises(BadQuestion, match="1 rows were not chosen by chance"):
        policy_value(log, [[0.5, 0.5], [0.5, 0.5]], way="ips")


def test_policies_and_logs_that_do_not_fit_are_refused() -> None:
    log = logged([0, 1], [0.5, 0.5], [1.0, 2.0], options=2)
    with pytest.raises(BadQuestion, match="do not fit the log"):
        policy_value(log, [[1.0, 0.0]])
    with pytest.raises(BadQuestion, match="sum to 1"):
        policy_value(log, [[1.0, 1.0], [1.0, 0.0]])
    with pytest.raises(NotEnoughData, match="never"):
        policy_value(log, [[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(BadQuestion, match="Expected outcomes"):
        policy_value(log, [[0.5, 0.5], [0.5, 0.5]], expected=[[1.0], [1.0]])
    with pytest.raises(BadQuestion, match="does not exist"):
        logged([0, 2], [0.5, 0.5], [1.0, 2.0], options=2)


def test_scores_of_options_average_to_their_true_means_whatever_the_model_says() -> None:
    log, _, means = known_world(40_000, 5)
    scores = option_scores(log, expected=np.zeros_like(means) + 3)
    assert scores.mean(axis=0) == pytest.approx(means.mean(axis=0), abs=0.1)
    good = option_scores(log, expected=means)
    assert good.std(axis=0).sum() < 0.5 * scores.std(axis=0).sum()
