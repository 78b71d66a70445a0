"""The optimum under limits: exact prices, the relaxed choice rounded to whole ones, the last few customers settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.errors import Unavailable
from aimwell.science.allocation.choices import NOTHING, Choices
from aimwell.science.allocation.cuts import Mixture, search
from aimwell.science.allocation.prices import Response, Shortage, respond
from aimwell.science.allocation.programme import Relaxed, relaxed, settled
from aimwell.science.allocation.sampling import first_prices
from aimwell.science.arrays import FloatArray, IntArray

FEW = 4_000
"""Up to so many customers the relaxed optimum is one linear programme; beyond, prices are searched."""
LAST = 24
"""So many customers, whose choice is a toss-up at the prices, are settled together by branch and bound."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Everyone's whole choice [customers], the bound that nothing exceeds, and the prices [1 + limits]."""

    chosen: IntArray
    bound: float
    prices: FloatArray


def optimum(given: Choices, shortage: Shortage, seed: int = 0) -> Optimum:
    """The best allocation within a budget and limits that do not contradict each other.

    The bound is that of the relaxed problem; the whole choice lacks of it what whole customers cost, at most about one
    upgrade for each limit that binds. seed: of the sample that gives the first prices; it hardly shows in the result.
    """
    if given.people <= FEW:
        exact = relaxed(given, shortage)
        if exact is None:
            raise Unavailable("No allocation meets the limits", seen=", ".join(shortage.rows.names))
        prices, chosen = exact.prices, _likeliest(exact)
    else:
        mixture = search(given, shortage, first_prices(given, shortage, FEW, seed))
        prices, chosen = mixture.prices, _rounded(mixture)
    final = respond(given, shortage, prices)
    return Optimum(_settle(given, shortage, chosen, final), final.bound, prices)


def _likeliest(exact: Relaxed) -> IntArray:
    """The treatment, or nothing, of which each customer gets the largest share."""
    shares = np.vstack([1.0 - exact.shares.sum(axis=0), exact.shares])
    likeliest: IntArray = shares.argmax(axis=0).astype(np.int64) - 1
    return likeliest


def _rounded(mixture: Mixture) -> IntArray:
    """Whole choices in the proportions of the mixture: among customers who mix the same choices, in order of rows."""
    chosen = mixture.chosen.copy()
    if not mixture.band.size:
        return chosen
    pattern = np.unique(mixture.mixed.T, axis=0, return_inverse=True)[1].ravel()
    counts = np.bincount(pattern)
    order = np.argsort(pattern, kind="stable")
    place = np.empty(pattern.size)
    place[order] = np.arange(pattern.size) - np.repeat(np.cumsum(counts) - counts, counts)
    turn = (place + 0.5) / counts[pattern]
    which = np.searchsorted(np.cumsum(mixture.weights)[:-1], turn, side="right")
    chosen[mixture.band] = mixture.mixed[which, np.arange(pattern.size)]
    return chosen


def _settle(given: Choices, shortage: Shortage, chosen: IntArray, final: Response) -> IntArray:
    """Choose anew, exactly and within all limits, for those whose choice matters least; for more if need be."""
    size = min(LAST, given.people)
    while True:
        few = _closest(final.margin, size)
        others = chosen.copy()
        others[few] = NOTHING
        left = shortage.less(shortage.used(given, others))
        best = settled(given.take(few), left)
        if best is not None:
            others[few] = best
            return others
        if size == given.people:
            raise Unavailable("No whole allocation was found within the limits", seen=", ".join(shortage.rows.names))
        size = min(size * 4, given.people)


def _closest(margin: FloatArray, size: int) -> IntArray:
    """The rows of the smallest margins, in order of rows; of equal margins the earlier rows."""
    if size >= margin.size:
        return np.arange(margin.size)
    border = np.partition(margin, size - 1)[size - 1]
    closer, tied = np.flatnonzero(margin < border), np.flatnonzero(margin == border)
    return np.sort(np.concatenate([closer, tied[: size - closer.size]])).astype(np.int64)
