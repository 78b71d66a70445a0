"""The one order in which a list is worked through: best score first, ties in seeded random order."""

from __future__ import annotations

import numpy as np

from aimwell.science.arrays import FloatArray, IntArray


def best_first(scores: FloatArray, seed: int = 0) -> IntArray:
    """Row numbers from the highest score to the lowest, [n].

    Equal scores come in a random order fixed by the seed: neither the file's order nor luck with the id may decide
    who is contacted, and the same seed always gives the same list.

    >>> best_first(np.array([0.1, 0.9, 0.5])).tolist()
    [1, 2, 0]
    """
    chance = np.random.default_rng(seed).random(scores.size)
    return np.lexsort((chance, -scores)).astype(np.int64, copy=False)
