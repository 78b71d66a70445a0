"""Boosted trees for effects: small, slow-learning LightGBM models, since effects are weak beside the noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import lightgbm
import numpy as np

from aimwell.science.arrays import FloatArray

MANY_CELLS = 20_000_000
"""Rows × columns from which two threads are worth it; below, they wait for each other."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees grow; the defaults were settled on simulated markets.

    rounds: trees of a model.   leaves: of a tree.   min_rows: fewest people of a leaf (lowered for small data).
    folds: parts in which expected outcomes are cross-fitted.   effect_…: the same for trees that learn effects
    themselves, whose targets are mostly noise.
    """

    rounds: int = 80
    learning_rate: float = 0.05
    leaves: int = 4
    min_rows: int = 200
    l2: float = 10.0
    bins: int = 63
    folds: int = 3
    effect_rounds: int = 40
    effect_leaves: int = 3
    effect_min_rows: int = 500

    def for_effects(self) -> Growth:
        """How trees grow that learn effects themselves."""
        return replace(self, rounds=self.effect_rounds, leaves=self.effect_leaves, min_rows=self.effect_min_rows)


GROWTH = Growth()


@dataclass(frozen=True, eq=False)
class Grown:
    """A fitted model of a mean: trees, or a constant where there was nothing to tell apart."""

    booster: lightgbm.Booster | None
    constant: float

    def mean(self, X: FloatArray) -> FloatArray:
        """The expected value for every row [n]."""
        if self.booster is None:
            return np.full(len(X), self.constant)
        return np.asarray(self.booster.predict(X, num_threads=_threads(X)), dtype=np.float64)

    def contributions(self, X: FloatArray) -> FloatArray:
        """What each column adds to the raw score, the last being the start value [n, d+1]; exact (TreeSHAP)."""
        if self.booster is None:
            return np.column_stack([np.zeros_like(X), np.full(len(X), self.constant)])
        return np.asarray(self.booster.predict(X, pred_contrib=True, num_threads=_threads(X)), dtype=np.float64)

    def gains(self, columns: int) -> FloatArray:
        """How much each column lowered the loss, summed over the trees [columns]."""
        if self.booster is None:
            return np.zeros(columns)
        return np.asarray(self.booster.feature_importance("gain"), dtype=np.float64)

    def text(self) -> str:
        """The model as text."""
        return f"constant {self.constant!r}" if self.booster is None else self.booster.model_to_string()

    @staticmethod
    def from_text(text: str) -> Grown:
        """The model behind `text`."""
        if text.startswith("constant "):
            return Grown(None, float(text.removeprefix("constant ")))
        return Grown(lightgbm.Booster(model_str=text), 0.0)


def grow(
    X: FloatArray,
    target: FloatArray,
    growth: Growth,
    seed: int,
    *,
    binary: bool = False,
    weights: FloatArray | None = None,
    words: Sequence[int] = (),
) -> Grown:
    """A model of the mean of `target` given X; equal seeds give equal models.

    binary: the target is 0 or 1 and the model gives probabilities.   weights: [n], or None for equal ones.
    """
    mean = float(np.average(target, weights=weights))
    if float(target.min()) == float(target.max()) or len(target) < 4:
        return Grown(None, mean)
    data = lightgbm.Dataset(
        X,
        target,
        weight=weights,
        categorical_feature=list(words),
        params={"max_bin": growth.bins, "min_data_in_bin": 3, "verbosity": -1, "feature_pre_filter": False},
    )
    chosen = {
        "objective": "binary" if binary else "regression",
        "learning_rate": growth.learning_rate,
        "num_leaves": growth.leaves,
        "min_data_in_leaf": max(2, min(growth.min_rows, len(target) // 20)),
        "min_sum_hessian_in_leaf": 1e-3,
        "lambda_l2": growth.l2,
        "max_bin": growth.bins,
        "cat_smooth": 20,
        "cat_l2": 20,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": _threads(X),
        "feature_pre_filter": False,
        "verbosity": -1,
    }
    return Grown(lightgbm.train(chosen, data, growth.rounds), mean)


def _threads(X: FloatArray) -> int:
    return 2 if X.size >= MANY_CELLS else 1
