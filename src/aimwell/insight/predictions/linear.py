"""A shrunken logistic regression on ranks: steadier than trees on few rows, and a second opinion to blend with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from aimwell.insight.predictions.sheet import Sheet
from aimwell.science.arrays import FloatArray, IntArray

KNOTS = 101
REACH = 2.5
MOST_CELLS = 2_000_000
"""Rows × columns above which only the columns that the trees found most useful are taken, so that it stays quick."""


@dataclass(frozen=True)
class Linear:
    """Weights on columns that were turned into normal scores, words into yes/no columns.

    places: which columns of the matrix it reads [d].   knots: quantiles of each of them [d, KNOTS] (zeros for words).
    words: number of codes of each column, 0 for numbers [d].   marked: whether "unknown" is a column of its own [d].
    weights, centre: one per made column; the mean of each made column in training.   start: intercept.
    """

    places: IntArray
    knots: FloatArray
    words: tuple[int, ...]
    marked: tuple[bool, ...]
    weights: FloatArray
    centre: FloatArray
    start: float

    def raw(self, matrix: FloatArray) -> FloatArray:
        """Log-odds of every row [n]."""
        found: FloatArray = self._design(matrix) @ self.weights + self.start
        return found

    def contributions(self, matrix: FloatArray) -> FloatArray:
        """What each column of the matrix adds to each row's log-odds, against the average row; last the average."""
        parts = (self._design(matrix) - self.centre) * self.weights
        found = np.zeros((matrix.shape[0], matrix.shape[1] + 1))
        at = 0
        for place, codes, marked in zip(self.places, self.words, self.marked, strict=True):
            width = codes + 1 if codes else 1 + marked
            found[:, place] = parts[:, at : at + width].sum(axis=1)
            at += width
        found[:, -1] = self.start + float(self.centre @ self.weights)
        return found

    def _design(self, matrix: FloatArray) -> FloatArray:
        return _design(matrix[:, self.places], self.knots, self.words, self.marked)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "places": self.places.tolist(),
            "knots": self.knots.tolist(),
            "words": list(self.words),
            "marked": list(self.marked),
            "weights": self.weights.tolist(),
            "centre": self.centre.tolist(),
            "start": self.start,
        }

    @staticmethod
    def from_dict(values: Mapping[str, object]) -> Linear:
        """The regression that `to_dict` wrote down."""
        return Linear(
            np.array(values["places"], dtype=np.int64),
            np.array(values["knots"], dtype=np.float64).reshape(-1, KNOTS),
            tuple(np.array(values["words"], dtype=np.int64).tolist()),
            tuple(np.array(values["marked"], dtype=np.bool_).tolist()),
            np.array(values["weights"], dtype=np.float64),
            np.array(values["centre"], dtype=np.float64),
            float(np.float64(str(values["start"]))),
        )


def fit_linear(sheet: Sheet, usefulness: FloatArray, penalty: float) -> Linear:
    """Logistic regression with a ridge penalty on normal scores.

    sheet: its truth is 0 or 1.   usefulness: by which columns are preferred when there are too many cells [d].
    penalty: strength of the shrinkage for every 1,000 rows.
    """
    most = max(MOST_CELLS // max(len(sheet.truth), 1) // 2, 20)
    places = np.sort(np.argsort(-usefulness, kind="stable")[:most]).astype(np.int64)
    chosen = sheet.matrix[:, places]
    codes = tuple(sheet.words[place] for place in places)
    marked = tuple(bool(np.isnan(chosen[:, column]).any()) for column in range(chosen.shape[1]))
    knots = _learn_knots(chosen, codes)
    design = _design(chosen, knots, codes, marked)
    # In proportion to the rows, so that fewer rows are not shrunk more: the calibration learnt on folds fits the whole.
    strength = penalty * len(sheet.truth) / 1000.0
    # Normal scores make a round problem: some 60 cheap steps, where Newton's method pays for columns².
    regression = LogisticRegression(C=1.0 / strength, solver="lbfgs", max_iter=300, tol=1e-5)
    # One thread: the steps are too small to share, and on a busy machine sharing them costs ten times the work.
    with threadpool_limits(limits=1, user_api="blas"):
        fitted = regression.fit(design, sheet.truth, sample_weight=sheet.weights)
    weights = np.asarray(fitted.coef_[0], dtype=np.float64)
    return Linear(places, knots, codes, marked, weights, design.mean(axis=0), float(fitted.intercept_[0]))


def _learn_knots(matrix: FloatArray, words: tuple[int, ...]) -> FloatArray:
    # A column of which these rows know nothing keeps knots of zero; being constant in training it will weigh nothing.
    knots = np.zeros((matrix.shape[1], KNOTS))
    for column, codes in enumerate(words):
        seen = matrix[~np.isnan(matrix[:, column]), column]
        if codes == 0 and seen.size:
            knots[column] = np.quantile(seen, np.linspace(0, 1, KNOTS))
    return knots


def _design(matrix: FloatArray, knots: FloatArray, words: tuple[int, ...], marked: tuple[bool, ...]) -> FloatArray:
    """Normal scores, a mark for the unknown where there were any in training, and a mark per word."""
    parts: list[FloatArray] = []
    for column, codes in enumerate(words):
        values = matrix[:, column]
        unknown = np.isnan(values)
        if codes:
            parts.append((values[:, None] == np.arange(codes + 1)[None, :]).astype(np.float64))
            continue
        scores = np.where(unknown, 0.0, _normal_scores(np.where(unknown, 0.0, values), knots[column]))
        parts.append(np.column_stack([scores, unknown]) if marked[column] else scores[:, None])
    return np.hstack(parts)


def _normal_scores(values: FloatArray, knots: FloatArray) -> FloatArray:
    """Where a value stands among the training values, as a normal score within ±2.5; ties get their middle rank."""
    grid = np.linspace(0, 1, KNOTS)
    # np.interp answers a tie with the upper end of its ranks; read from the other side, with the lower one.
    upper = np.interp(values, knots, grid)
    lower = 1.0 - np.interp(-values, -knots[::-1], grid)
    share = np.clip((lower + upper) / 2, 1e-6, 1 - 1e-6)
    scores: FloatArray = np.clip(ndtri(share), -REACH, REACH)
    return scores
