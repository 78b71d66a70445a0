from __future__ import annotations

import numpy as np
import pytest

from aimwell.science.uplift.learner import learners
from aimwell.science.uplift.sample import Sample, sample_of
from aimwell.science.uplift.trees import Growth

QUICK = Growth(rounds=20, min_rows=30, effect_rounds=20, effect_min_rows=60)


def experiment(*, money: bool) -> Sample:
    """Two treatments; only the first column decides whom the first one moves."""
    chance = np.random.default_rng(7)
    X, arm = chance.normal(size=(1500, 3)), chance.integers(0, 3, 1500)
    level = 0.3 + 0.4 * ((arm == 1) & (X[:, 0] > 0))
    outcome = 10 * level + chance.normal(size=1500) if money else (chance.random(1500) < level).astype(float)
    return sample_of(X, arm, outcome, [1 / 3] * 3, names=["none", "one", "two"])


@pytest.mark.parametrize("money", [False, True])
@pytest.mark.parametrize("name", sorted(learners()))
def test_what_the_columns_add_sums_to_the_effect_and_names_the_column_that_decides(name: str, money: bool) -> None:
    sample = experiment(money=money)
    model = learners()[name].learn(sample, growth=QUICK)
    parts = model.contributions(sample.X)
    assert parts.shape == (1500, 2, 4)
    np.testing.assert_allclose(parts.sum(axis=2), model.effects(sample.X), atol=1e-6)
    weight = np.abs(parts[:, 0, :3]).mean(axis=0)
    assert weight[0] > 2 * weight[1:].max()
