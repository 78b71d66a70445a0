"""The automatic choice finds a difference that is there, and says "no difference" where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from tests.science.uplift.truths import SMALL, market, none, same, step

from aimwell.core.errors import NotEnoughData
from aimwell.science.metrics.uplift import qini
from aimwell.science.uplift.choice import BLEND, NO_DIFFERENCE, choose, ranking_value
from aimwell.science.uplift.sample import sample_of
from aimwell.science.uplift.trees import Growth

QUICK = Growth(rounds=12, leaves=4, min_rows=40, folds=2, effect_rounds=12, effect_min_rows=60)
REPEATS = 24


def test_a_real_difference_is_found_and_calibrated() -> None:
    truth, later = market(5000, 11, step), market(3000, 12, step)
    choice = choose(truth.sample, growth=SMALL, seed=1)
    found = choice.evidence[0]
    assert found.differs
    assert found.chance < 0.01
    assert found.average.low < truth.effects.mean() < found.average.high
    effects = choice.effects(later.sample.X)[:, 0]
    assert np.corrcoef(effects, later.effects[:, 0])[0, 1] > 0.85
    slope = np.polyfit(effects, later.effects[:, 0], 1)[0]
    assert 0.8 < slope < 1.4  # differences are neither exaggerated nor played down
    assert np.corrcoef(choice.without(later.sample.X), later.level)[0, 1] > 0.8


def test_where_all_are_changed_alike_the_effect_is_the_average_and_the_sentence_says_so() -> None:
    truth = market(2000, 14, same)
    choice = choose(truth.sample, growth=SMALL, seed=1)
    assert not choice.evidence[0].differs
    assert choice.evidence[0].said == NO_DIFFERENCE
    assert "No difference found" in choice.evidence[0].said.en
    effects = choice.effects(truth.sample.X)[:, 0]
    assert set(effects.tolist()) == {choice.evidence[0].average.value}
    assert effects[0] == pytest.approx(0.15, abs=0.06)
    assert choice.order(truth.sample.X).std() > 0  # a best guess of the order stays available


def test_false_alarms_are_as_rare_as_promised() -> None:
    alarms = 0
    for seed in range(REPEATS):
        truth = market(400, 1000 + seed, none if seed % 2 else same)
        alarms += choose(truth.sample, candidates=("dr",), growth=QUICK, parts=3, seed=seed).evidence[0].differs
    # 5 % is promised: one of 24 expected, 6 or more has chance .001.
    assert alarms <= 5


def test_of_several_arms_only_those_whose_effects_differ_are_said_to() -> None:
    truth = market(6000, 15, step, same, chance=2 / 3)
    choice = choose(truth.sample, candidates=("x", "dr"), growth=SMALL, seed=2)
    assert [each.differs for each in choice.evidence] == [True, False]
    assert [each.treatment for each in choice.evidence] == ["offer 1", "offer 2"]
    assert choice.effects(truth.sample.X)[:, 1].std() < 1e-9


def test_the_mean_of_several_is_kept_unless_a_learner_is_proven_ahead() -> None:
    choice = choose(market(1500, 16, same).sample, growth=QUICK, parts=3, seed=1)
    ahead = [trial for trial in choice.trials if trial.ahead.low > 0]
    assert choice.learner == (max(ahead, key=lambda trial: trial.ahead.value).name if ahead else BLEND)
    assert {trial.name for trial in choice.trials} == {"s", "t", "x", "r", "dr", "response", BLEND}
    blend = next(trial for trial in choice.trials if trial.name == BLEND)
    assert (blend.ahead.value, blend.ahead.low) == (0.0, 0.0)


def test_equal_seeds_give_equal_choices_and_the_order_of_customers_in_a_row_does_not_leak() -> None:
    truth = market(900, 17, step)
    first, second = (choose(truth.sample, growth=QUICK, parts=3, seed=5) for _ in range(2))
    assert first.trials == second.trials
    assert first.evidence == second.evidence


def test_the_doubly_robust_qini_is_that_of_the_curve() -> None:
    generator = np.random.default_rng(18)
    n = 20_000
    treated, score = generator.random(n) < 0.5, generator.random(n)
    bought = (generator.random(n) < 0.2 + 0.4 * score * treated).astype(float)
    weighed = np.where(treated, bought / 0.5, -bought / 0.5)  # levels of 0
    value, _ = ranking_value(score, weighed, np.zeros(n, dtype=np.int64))
    # The area between g(φ) = .4φ(1 − φ/2) and the line .2φ is .0333.
    assert value == pytest.approx(0.4 / 12, abs=0.006)
    assert qini(score, bought, treated) == pytest.approx(value, abs=0.004)


def test_an_arm_that_is_too_small_to_be_cut_is_named() -> None:
    generator = np.random.default_rng(0)
    arm = np.arange(400) < 21
    groups = np.where(arm, 0, np.arange(400))  # all treated rows are one customer
    sample = sample_of(
        generator.normal(size=(400, 2)), arm, np.zeros(400), [0.9, 0.1], names=["none", "offer"], groups=groups
    )
    with pytest.raises(NotEnoughData, match="Arm 'offer' is too small"):
        choose(sample, growth=QUICK)
