"""Right and wrong choices of one list: who was chosen and bought, who was missed, who was contacted in vain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import BoolArray, numbers, same_length, truths
from aimwell.science.metrics.order import best_first


@dataclass(frozen=True, slots=True)
class Confusion:
    """The four counts of a choice.

    hits: chosen and bought.   misfires: chosen, did not buy.   missed: not chosen, bought.   spared: neither.
    (In the literature: true positives, false positives, false negatives, true negatives.)
    """

    hits: int
    misfires: int
    missed: int
    spared: int

    @property
    def chosen(self) -> int:
        return self.hits + self.misfires

    @property
    def buyers(self) -> int:
        return self.hits + self.missed

    @property
    def people(self) -> int:
        return self.chosen + self.missed + self.spared

    @property
    def precision(self) -> float | None:
        """Share of the chosen who bought; None when nobody was chosen."""
        return self.hits / self.chosen if self.chosen else None

    @property
    def recall(self) -> float | None:
        """Share of the buyers who were chosen; None when nobody bought."""
        return self.hits / self.buyers if self.buyers else None

    @property
    def accuracy(self) -> float:
        """Share of right choices; misleading when buyers are few (choosing nobody is then almost always right)."""
        return (self.hits + self.spared) / self.people

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None when nobody was chosen and nobody bought."""
        total = self.chosen + self.buyers
        return 2 * self.hits / total if total else None

    @property
    def lift(self) -> float | None:
        """Buyers among the chosen against buyers among everybody; None when there are no chosen or no buyers."""
        precision = self.precision
        return precision * self.people / self.buyers if precision is not None and self.buyers else None


def confusion_at_top(scores: ArrayLike, bought: ArrayLike, size: int, *, seed: int = 0) -> Confusion:
    """What happens when the best `size` customers are contacted; ties in the seeded order of the gains curve.

    >>> confusion_at_top([0.9, 0.8, 0.1], [1, 0, 1], 2)
    Confusion(hits=1, misfires=1, missed=1, spared=0)
    """
    ranks, buys = numbers(scores, "scores"), truths(bought, "bought")
    same_length(scores=ranks, bought=buys)
    if not 0 <= size <= buys.size:
        raise BadQuestion("The list cannot have this size", expected=f"0 to {buys.size} people", seen=f"{size}")
    chosen = np.zeros(buys.size, dtype=bool)
    chosen[best_first(ranks, seed)[:size]] = True
    return _count(chosen, buys)


def confusion_at_threshold(scores: ArrayLike, bought: ArrayLike, threshold: float) -> Confusion:
    """What happens when everybody with at least this score is contacted.

    >>> confusion_at_threshold([0.9, 0.8, 0.1], [1, 0, 1], 0.8).precision
    0.5
    """
    ranks, buys = numbers(scores, "scores"), truths(bought, "bought")
    same_length(scores=ranks, bought=buys)
    return _count(ranks >= threshold, buys)


def _count(chosen: BoolArray, bought: BoolArray) -> Confusion:
    hits, picked, buyers = int((chosen & bought).sum()), int(chosen.sum()), int(bought.sum())
    return Confusion(hits, picked - hits, buyers - hits, bought.size - picked - buyers + hits)
