from __future__ import annotations

import numpy as np

from aimwell.science.experiment.adjustment import adjusted


def test_the_past_takes_off_noise_and_leaves_the_effect() -> None:
    chance = np.random.default_rng(3)
    before, treated = chance.normal(10, 5, 4000), chance.random(4000) < 0.5
    outcome = before + 2.0 * treated + chance.normal(0, 0.5, 4000)
    found = adjusted(outcome, before)
    assert abs(found[treated].mean() - found[~treated].mean() - 2) < 0.1
    assert found[treated].std() < 0.2 * outcome[treated].std()
    assert np.isclose(found.mean(), outcome.mean())


def test_a_past_that_is_the_same_for_everybody_changes_nothing() -> None:
    assert adjusted([1.0, 2.0], [7.0, 7.0]).tolist() == [1.0, 2.0]
