"""Each learner recovers a known effect, from whatever experiment it is given; a new file is covered at once."""

from __future__ import annotations

import numpy as np
import pytest
from tests.science.uplift.truths import SMALL, Truth, market, same, step

from aimwell.core.errors import BadQuestion
from aimwell.core.registry import instances
from aimwell.science.uplift.learner import Learner, kept, learner, learners, restored
from aimwell.science.uplift.levels import effect_scores

EVERY = [pytest.param(each, id=name) for name, each in learners().items()]
HONEST = [pytest.param(each, id=name) for name, each in learners().items() if not each.baseline]


def agreement(truth: Truth, foretold: np.ndarray, treatment: int = 0) -> float:
    return float(np.corrcoef(foretold[:, treatment], truth.effects[:, treatment])[0, 1])


def test_the_five_learners_and_the_baseline_are_there() -> None:
    assert set(learners()) >= {"s", "t", "x", "r", "dr", "response"}
    assert [name for name, each in learners().items() if each.baseline] == ["response"]


@pytest.mark.parametrize("each", HONEST)
def test_a_known_effect_is_recovered_on_people_never_seen(each: Learner) -> None:
    truth, later = market(4000, 1, step), market(4000, 2, step)
    foretold = each.learn(truth.sample, growth=SMALL, seed=1).effects(later.sample.X)
    assert foretold.shape == (4000, 1)
    assert agreement(later, foretold) > 0.8
    helped = later.effects[:, 0] > 0
    assert foretold[helped, 0].mean() > 0.15
    assert foretold[~helped, 0].mean() < 0.05


@pytest.mark.parametrize("each", HONEST)
def test_effects_on_money_are_in_its_unit(each: Learner) -> None:
    truth, later = market(3000, 3, step, money=True), market(3000, 4, step)
    foretold = each.learn(truth.sample, growth=SMALL, seed=1).effects(later.sample.X)[:, 0]
    helped = later.effects[:, 0] > 0
    assert 1.5 < foretold[helped].mean() - foretold[~helped].mean() < 4.5  # the truth is 4


@pytest.mark.parametrize("each", HONEST)
def test_several_arms_have_each_their_own_effect(each: Learner) -> None:
    truth, later = market(6000, 5, step, same, chance=2 / 3), market(2000, 6, step, same)
    foretold = each.learn(truth.sample, growth=SMALL, seed=1).effects(later.sample.X)
    assert foretold.shape == (2000, 2)
    assert agreement(later, foretold) > 0.75
    assert foretold[:, 1].mean() == pytest.approx(0.15, abs=0.06)
    assert foretold[:, 1].std() < foretold[:, 0].std()


@pytest.mark.parametrize("each", HONEST)
def test_known_unequal_probabilities_do_not_mislead(each: Learner) -> None:
    truth = market(6000, 7, same, chance=None, spread=0.25)
    bought, treated = truth.sample.outcome, truth.sample.arm == 1
    assert bought[treated].mean() - bought[~treated].mean() > 0.2  # good customers were treated more
    foretold = each.learn(truth.sample, growth=SMALL, seed=1).effects(truth.sample.X)
    assert foretold.mean() == pytest.approx(0.15, abs=0.05)


@pytest.mark.parametrize("each", EVERY)
def test_a_model_survives_being_kept_as_text_and_equal_seeds_give_equal_models(each: Learner) -> None:
    truth = market(800, 8, step, same)
    model = each.learn(truth.sample, growth=SMALL, seed=3)
    again = each.learn(truth.sample, growth=SMALL, seed=3)
    back = restored(kept(each.name, model), 2)
    expected = model.effects(truth.sample.X)
    np.testing.assert_array_equal(again.effects(truth.sample.X), expected)
    np.testing.assert_allclose(back.effects(truth.sample.X), expected, atol=1e-12)


def test_doubly_robust_scores_average_to_the_effect_even_with_absurd_levels() -> None:
    truth = market(40_000, 9, same, chance=None)
    absurd = np.column_stack([np.full(40_000, 0.9), truth.sample.X[:, 3]])
    assert effect_scores(truth.sample, absurd).mean() == pytest.approx(0.15, abs=0.03)


def test_scores_of_a_person_worked_out_by_hand() -> None:
    sample = market(100, 1, same).sample.take(np.array([0]))
    levels = np.array([[0.2, 0.5]])
    gap = sample.outcome[0] - levels[0, sample.arm[0]]
    sign = 1 if sample.arm[0] == 1 else -1
    assert effect_scores(sample, levels)[0, 0] == pytest.approx(0.3 + sign * gap / 0.5)


def test_a_learner_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(BadQuestion, match="dr, r, response, s, t, x"):
        learner("z")


def test_every_learner_names_its_paper() -> None:
    assert all(each.source and each.meaning.zh and each.meaning.en for each in learners().values())
    assert instances(__import__("aimwell.science.uplift.learners.s", fromlist=["s"]), Learner)
