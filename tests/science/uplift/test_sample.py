"""What an experiment must say before anything is learnt from it."""

from __future__ import annotations

import numpy as np
import pytest
from tests.science.uplift.truths import SMALL, market, same

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.uplift.choice import choose
from aimwell.science.uplift.sample import fold_numbers, sample_of, uneven_arms

N = 100
X = np.zeros((N, 1))
ARM = np.arange(N) % 2
OUTCOME = np.zeros(N)
NAMES = ["none", "offer"]


def test_a_treatment_that_nobody_got_is_named() -> None:
    with pytest.raises(NotEnoughData, match="Nobody got the arm 'offer'.*Leave this arm out"):
        sample_of(X, np.zeros(N), OUTCOME, [0.5, 0.5], names=NAMES)


def test_an_empty_control_group_is_named() -> None:
    with pytest.raises(NotEnoughData, match="Nobody got the arm 'none'"):
        sample_of(X, np.ones(N), OUTCOME, [0.5, 0.5], names=NAMES)


def test_an_arm_of_a_few_people_is_too_small() -> None:
    with pytest.raises(NotEnoughData, match="Hardly anybody got the arm 'offer'"):
        sample_of(X, np.arange(N) < 5, OUTCOME, [0.5, 0.5], names=NAMES)


@pytest.mark.parametrize("pair", [(1.0, 0.0), (0.0, 1.0)])
def test_logged_probabilities_of_zero_or_one_are_refused_with_a_remedy(pair: tuple[float, float]) -> None:
    probability = np.tile([0.5, 0.5], (N, 1))
    probability[7] = pair
    with pytest.raises(BadQuestion, match="certain or impossible.*random share"):
        sample_of(X, ARM, OUTCOME, probability, names=NAMES)


def test_probabilities_must_be_given_for_every_arm_and_sum_to_one() -> None:
    with pytest.raises(BadQuestion, match="never estimated"):
        sample_of(X, ARM, OUTCOME, [0.5], names=NAMES)
    with pytest.raises(BadQuestion, match="sum to 1"):
        sample_of(X, ARM, OUTCOME, [0.5, 0.4], names=NAMES)


def test_arms_that_do_not_exist_and_experiments_of_one_arm_are_refused() -> None:
    with pytest.raises(BadQuestion, match="'?gift'?"):
        sample_of(X, ["gift"] * N, OUTCOME, [0.5, 0.5], names=NAMES)
    with pytest.raises(BadQuestion, match="does not exist"):
        sample_of(X, np.full(N, 2), OUTCOME, [0.5, 0.5], names=NAMES)
    with pytest.raises(BadQuestion, match="control group and at least one"):
        sample_of(X, ARM, OUTCOME, [1.0], names=["none"])


def test_arms_by_name_and_by_place_are_the_same() -> None:
    named = sample_of(X, np.where(ARM == 1, "offer", "none"), OUTCOME, [0.4, 0.6], names=NAMES)
    assert named.arm.tolist() == ARM.tolist()
    assert named.received[:2].tolist() == [0.4, 0.6]


def test_arms_of_another_size_than_promised_are_warned_of() -> None:
    fair = market(2000, 1, same).sample
    assert uneven_arms(fair) == ()
    crooked = sample_of(fair.X, fair.arm, fair.outcome, [0.4, 0.6], names=fair.names)
    assert "check how people were assigned" in uneven_arms(crooked)[0].en
    assert len(uneven_arms(crooked)) == 2


def test_rows_of_one_customer_stay_in_one_part_and_arms_are_spread() -> None:
    sample = sample_of(X, ARM, OUTCOME, [0.5, 0.5], names=NAMES, groups=np.arange(N) // 4)
    parts = fold_numbers(sample, 5, 0)
    assert all(len(set(parts[sample.groups == customer].tolist())) == 1 for customer in range(N // 4))
    spread = fold_numbers(sample_of(X, ARM, OUTCOME, [0.5, 0.5], names=NAMES), 5, 0)
    assert {int(((spread == part) & (arm == ARM)).sum()) for part in range(5) for arm in (0, 1)} == {10}


def test_an_outcome_that_is_the_same_for_all_gives_no_effect_and_no_error() -> None:
    sample = sample_of(np.random.default_rng(0).normal(size=(N, 2)), ARM, OUTCOME, [0.5, 0.5], names=NAMES)
    choice = choose(sample, growth=SMALL, parts=3)
    assert choice.effects(sample.X).tolist() == [[0.0]] * N
    assert not choice.evidence[0].differs
