"""Folds inside the training part: earlier cut-offs foretell later ones; by customer where there is no time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.insight.predictions.rows import Rows
from aimwell.science.arrays import BoolArray, IntArray, codes


@dataclass(frozen=True)
class Fold:
    """Rows to learn from, and later rows (or other customers) to judge by; `cut` is the judged cut-off, if one."""

    learn: IntArray
    judge: IntArray
    cut: int | None = None


def make_folds(rows: Rows, happened: BoolArray, most: int, seed: int) -> list[Fold]:
    """Up to `most` folds, latest first: the last cut-offs, each foretold from those whose answers were known by then.

    Where no two cut-offs stand in order (a single date, a flat file without order), customers are parted at random.
    A fold without both answers on either side is left out, so the list may be empty.
    """
    ordered = [fold for cut in reversed(range(len(rows.cuts))) if (fold := _time_fold(rows, cut))]
    usable = [fold for fold in ordered if _usable(fold, happened)][:most]
    if usable:
        return usable
    return [fold for fold in customer_folds(rows, max(most, 3), seed) if _usable(fold, happened)]


def customer_folds(rows: Rows, count: int, seed: int) -> list[Fold]:
    """Customers parted at random into `count` groups, each foretold from the others."""
    if not len(rows):
        return []
    customers = codes(rows.customers, "customers")
    group = np.random.default_rng(seed).permutation(int(customers.max()) + 1)[customers] % count
    return [Fold(np.flatnonzero(group != each), np.flatnonzero(group == each)) for each in range(count)]


def _time_fold(rows: Rows, cut: int) -> Fold | None:
    learn = np.flatnonzero(rows.learnable_for(cut))
    return Fold(learn, np.flatnonzero(rows.cut == cut), cut) if learn.size else None


def _usable(fold: Fold, happened: BoolArray) -> bool:
    for part, fewest in ((fold.learn, 5), (fold.judge, 1)):
        yes = int(happened[part].sum())
        if yes < fewest or part.size - yes < fewest:
            return False
    return True
