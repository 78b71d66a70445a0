"""What models are fitted on: a matrix of numbers with its truth and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np

from aimwell.insight.predictions.encoding import Encoding
from aimwell.insight.predictions.rows import Rows
from aimwell.insight.predictions.settings import ModelSettings
from aimwell.science.arrays import FloatArray, IntArray

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """The matrix [n, d] (NaN unknown), the truth [n], weights [n] or None for equal ones.

    words: for each column the number of codes of words it can hold, 0 for numbers [d].   monotone: 1, -1 or 0 [d].
    """

    matrix: FloatArray
    truth: FloatArray
    weights: FloatArray | None
    words: tuple[int, ...]
    monotone: tuple[int, ...]

    @property
    def categorical(self) -> tuple[int, ...]:
        """Places of the columns that hold codes of words."""
        return tuple(place for place, words in enumerate(self.words) if words)

    def take(self, rows: IntArray) -> Sheet:
        """Only some rows."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, matrix=self.matrix[rows], truth=self.truth[rows], weights=weights)


def make_sheet(rows: Rows, matrix: FloatArray, encoding: Encoding, settings: ModelSettings, truth: FloatArray) -> Sheet:
    """The sheet of these rows: weights by the age of their cut-off, columns that may only raise or lower the score."""
    words = tuple(len(coded.words) if coded.words is not None else 0 for coded in encoding.coded)
    return Sheet(matrix, truth, _weights(rows, settings), words, _monotone(encoding, settings.trees.monotone))


def _monotone(encoding: Encoding, patterns: Mapping[str, str]) -> tuple[int, ...]:
    """1, -1 or 0 for each column, from the first pattern that fits its name."""
    found: list[int] = []
    for coded in encoding.coded:
        ways = [way for pattern, way in patterns.items() if fnmatchcase(coded.name, pattern)]
        found.append(0 if not ways or coded.words is not None else (1 if ways[0] == "up" else -1))
    return tuple(found)


def _weights(rows: Rows, settings: ModelSettings) -> FloatArray | None:
    if settings.half_life_days is None:
        return None
    opens = np.array([cut.opens for cut in rows.cuts])
    age = (opens.max() - opens) / _DAY
    found: FloatArray = np.power(0.5, age / settings.half_life_days)[rows.cut]
    return found
