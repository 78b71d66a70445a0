"""Boosted trees: LightGBM with a seed, few threads, several bags averaged, and text as its only stored form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import lightgbm
import numpy as np

from aimwell.core.abreast import abreast, cores
from aimwell.insight.predictions.settings import TreeSettings
from aimwell.insight.predictions.sheet import Sheet
from aimwell.science.arrays import FloatArray

Objective = Literal["binary", "regression", "regression_l1", "gamma", "tweedie"]
MOST_ROUNDS = 600
PATIENCE = 40
MANY_CELLS = 20_000_000
"""Rows × columns from which two threads are worth it: below, they wait for each other, and on a busy machine the
waiting costs more than the work (measured: 2 s with one thread, 17 s with two, for 20,000 × 9)."""


@dataclass(frozen=True)
class Trees:
    """Grown bags; their mean is the answer, in the unit of the objective's link (log-odds, or log of an amount)."""

    bags: tuple[lightgbm.Booster, ...]

    def raw(self, matrix: FloatArray) -> FloatArray:
        """Mean raw score of every row [n]."""
        total = np.zeros(matrix.shape[0])
        for bag in self.bags:
            total += np.asarray(bag.predict(matrix, raw_score=True, num_threads=_threads(matrix)), dtype=np.float64)
        return total / len(self.bags)

    def contributions(self, matrix: FloatArray) -> FloatArray:
        """What each column adds to the raw score of each row, the last column being the start value [n, d+1].

        Exact (TreeSHAP, Lundberg and others, Nature Machine Intelligence 2, 2020), and dear: for delivered lists only.
        """
        total = np.zeros((matrix.shape[0], matrix.shape[1] + 1))
        for bag in self.bags:
            total += np.asarray(bag.predict(matrix, pred_contrib=True, num_threads=cores()), dtype=np.float64)
        return total / len(self.bags)

    def gains(self) -> FloatArray:
        """How much each column lowered the loss, summed over the trees [d]."""
        total: FloatArray = np.sum([bag.feature_importance("gain") for bag in self.bags], axis=0, dtype=np.float64)
        return total

    def weights(self) -> FloatArray:
        """The gains as shares; all zero when no tree ever split [d]."""
        gains = self.gains()
        return gains / (float(gains.sum()) or 1.0)

    def texts(self) -> list[str]:
        """Each bag as LightGBM's own text."""
        return [bag.model_to_string() for bag in self.bags]

    @staticmethod
    def from_texts(texts: Sequence[str]) -> Trees:
        """The trees behind `texts`."""
        return Trees(tuple(lightgbm.Booster(model_str=text) for text in texts))


def grow(sheet: Sheet, settings: TreeSettings, objective: Objective, rounds: int, seed: int) -> Trees:
    """Trees on all rows of the sheet, in as many bags as the settings say; equal seeds give equal trees."""
    data = _dataset(sheet, settings.bins).construct()  # shared by the bags, which only read it
    threads = _threads(sheet.matrix) if settings.bags == 1 else 1

    def bag(number: int) -> lightgbm.Booster:
        return lightgbm.train(_parameters(sheet, settings, objective, seed + 1000 * number, threads), data, rounds)

    return Trees(tuple(abreast(bag, range(settings.bags))))


def grow_until(
    sheet: Sheet, later: Sheet, settings: TreeSettings, objective: Objective, seed: int
) -> tuple[Trees, int]:
    """One bag and its number of rounds: what the settings say, or as long as it foretells the later rows better."""
    data, parameters = _dataset(sheet, settings.bins), _parameters(sheet, settings, objective, seed)
    if settings.rounds != "auto":
        return Trees((lightgbm.train(parameters, data, settings.rounds),)), settings.rounds
    valid = _dataset(later, settings.bins, data)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    booster = lightgbm.train(parameters, data, MOST_ROUNDS, valid_sets=[valid], callbacks=[stop])
    return Trees((booster,)), booster.best_iteration or MOST_ROUNDS


def _dataset(sheet: Sheet, bins: int, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        sheet.matrix,
        sheet.truth,
        weight=sheet.weights,
        categorical_feature=list(sheet.categorical),
        params={"max_bin": bins, "min_data_in_bin": 3, "verbosity": -1, "feature_pre_filter": False},
        reference=reference,
    )


def _parameters(
    sheet: Sheet, settings: TreeSettings, objective: Objective, seed: int, threads: int = 1
) -> dict[str, Any]:
    chosen: dict[str, Any] = {
        "objective": objective,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "max_depth": settings.depth,
        "min_data_in_leaf": fewest_rows(settings.min_rows, len(sheet.truth)),
        "feature_fraction": settings.columns_share,
        "bagging_fraction": settings.rows_share,
        "bagging_freq": 1 if settings.rows_share < 1 else 0,
        "lambda_l2": settings.l2,
        "max_bin": settings.bins,
        "cat_smooth": 20,
        "cat_l2": 20,
        "min_data_per_group": 20,
        "max_cat_threshold": 16,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "feature_pre_filter": False,
        "verbosity": -1,
    }
    if any(sheet.monotone):
        chosen["monotone_constraints"] = list(sheet.monotone)
    return chosen


def _threads(matrix: FloatArray) -> int:
    return 2 if matrix.size >= MANY_CELLS else 1


def fewest_rows(wanted: int, rows: int) -> int:
    """The fewest rows of a leaf, lowered when there are few rows at all, so that trees can still split.

    >>> fewest_rows(100, 48_000), fewest_rows(100, 200)
    (100, 5)
    """
    return max(2, min(wanted, rows // 40))
