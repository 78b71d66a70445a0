from __future__ import annotations

import numpy as np

from aimwell.science.policy.expected import expected_outcomes
from aimwell.science.policy.logged import logged


def test_lines_find_levels_and_slopes_and_take_off_most_of_the_noise() -> None:
    chance = np.random.default_rng(1)
    known = chance.normal(size=(3000, 2))
    option = chance.integers(0, 3, 3000)
    truth = known @ [2.0, -1.0] + 5
    outcome = truth + np.array([0.0, 1.0, 4.0])[option] + chance.normal(0, 0.1, 3000)
    expected = expected_outcomes(logged(option, np.full(3000, 1 / 3), outcome, options=3), known)
    assert np.allclose(expected, truth[:, None] + [0.0, 1.0, 4.0], atol=0.1)


def test_nobody_is_foretold_by_a_model_that_has_seen_him() -> None:
    chance = np.random.default_rng(2)
    outcome, known = chance.normal(size=60), chance.normal(size=(60, 1))
    option, groups = chance.integers(0, 2, 60), np.repeat(np.arange(20), 3)
    log = logged(option, np.full(60, 0.5), outcome, options=2, groups=groups)
    mine = groups == 7
    other = logged(option, np.full(60, 0.5), np.where(mine, 1e6, outcome), options=2, groups=groups)
    assert np.allclose(expected_outcomes(log, known)[mine], expected_outcomes(other, known)[mine])


def test_columns_that_say_nothing_and_options_that_never_came_do_no_harm() -> None:
    log = logged([0] * 40, [1.0] * 40, [2.0] * 40, options=3)
    assert np.allclose(expected_outcomes(log, np.ones((40, 2))), 2.0)
    assert not expected_outcomes(logged([0], [1.0], [2.0], options=2), [[1.0]]).any()
