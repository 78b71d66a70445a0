"""Outcomes as foretold from what was known before, each customer by a model that has not seen them (cross-fitting).

A model that is wrong makes doubly robust scores noisier, never biased; so it is the simplest that takes off most of the
noise: straight lines in what was known before, with a level of its own for each option.
Source for cross-fitting: V. Chernozhukov et al., The Econometrics Journal 21 (2018) C1-C68.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from aimwell.science.arrays import FloatArray, IntArray, matrix
from aimwell.science.policy.logged import Logged

FOLDS = 5
_RIDGE = 1e-3
"""Rows' worth of pull towards no slope: keeps columns that say the same from cancelling each other."""


def expected_outcomes(log: Logged, known: ArrayLike, *, folds: int = FOLDS, seed: int = 0) -> FloatArray:
    """What each option is expected to bring in each row, by lines learnt from other customers [n, options].

    known: what was known before the choice [n, columns].   All rows of a customer (`log.groups`) are in one fold.   An
    option that was never chosen among the others is expected to bring the mean.
    With fewer rows than folds everything is expected to be zero.

    >>> from aimwell.science.policy.logged import logged
    >>> log = logged([0, 1] * 50, [0.5] * 100, [1.0, 3.0] * 50, options=2)
    >>> expected_outcomes(log, [[0.0]] * 100).round(1)[0].tolist()
    [1.0, 3.0]
    """
    features = _scaled(matrix(known, "what was known before"))
    fold = _folds(log, folds, seed)
    expected = np.zeros((len(log), log.options))
    if len(log) < folds:
        return expected
    given = np.eye(log.options)[log.option]
    for part in range(folds):
        others, here = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
        if not here.size or not others.size:
            continue
        mean = float(log.outcome[others].mean())
        lines = _fitted(np.column_stack([features[others], given[others]]), log.outcome[others] - mean)
        expected[here] = mean + (features[here] @ lines[: features.shape[1]])[:, None] + lines[features.shape[1] :]
    return expected


def _fitted(table: FloatArray, outcome: FloatArray) -> FloatArray:
    """Ridge lines through an outcome whose mean is taken off."""
    squares = table.T @ table + _RIDGE * np.eye(table.shape[1])
    return np.asarray(np.linalg.solve(squares, table.T @ outcome), dtype=np.float64)


def _scaled(known: FloatArray) -> FloatArray:
    spread = known.std(axis=0)
    scaled: FloatArray = (known - known.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled


def _folds(log: Logged, folds: int, seed: int) -> IntArray:
    chance = np.random.default_rng(seed)
    if log.groups is None:
        return chance.integers(0, folds, len(log))
    members: IntArray = chance.integers(0, folds, int(log.groups.max()) + 1)[log.groups]
    return members
