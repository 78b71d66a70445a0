"""Exploration by lot in fixed numbers, so that capacities and budgets hold for certain and chances are still exact.

Among customers who may get the same options, a fixed number is drawn by lot, and every option goes to as many of these
as any other. Nobody can tell who will be drawn, yet how much exploring uses is known before: it is set aside first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, share


@dataclass(frozen=True, slots=True, eq=False)
class Lots:
    """How exploring is dealt out.

    kind: of each row, rows with the same options [rows].   people: of each kind [kinds].   counts: how many of a kind
    get each option by lot [kinds, options].
    """

    kind: IntArray
    people: IntArray
    counts: IntArray

    @property
    def used(self) -> IntArray:
        """How many rows get each option by lot, in all [options]."""
        total: IntArray = self.counts.sum(axis=0)
        return total

    def chances(self, best: IntArray) -> FloatArray:
        """The probability of each option for each row, whose best option is known beforehand [rows, options]."""
        by_lot = self.counts / self.people[:, None]
        chances: FloatArray = by_lot[self.kind]
        chances[np.arange(best.size), best] += 1.0 - by_lot.sum(axis=1)[self.kind]
        return chances


def lots(allowed: ArrayLike, part: float) -> Lots:
    """Deal the share of exploration out among kinds of rows and their options, in whole numbers, rounded down.

    allowed: [rows, options].   part: share of the rows that explores, in [0, 1].   A kind of so few rows that not one
    of each option can be dealt does not explore.

    >>> lots([[True, True]] * 10, 0.5).used.tolist()
    [2, 2]
    """
    may = np.asarray(allowed, dtype=bool)
    if may.ndim != 2 or not may.any(axis=1).all():
        raise BadQuestion("Every row needs an option", expected="[rows, options], one allowed in each row or more")
    kinds, kind = _kinds(may)
    people = np.bincount(kind, minlength=kinds.shape[0]).astype(np.int64)
    options = kinds.sum(axis=1)
    each = np.floor(share(part, "the share that explores") * people / options + 1e-9).astype(np.int64)
    return Lots(kind, people, each[:, None] * kinds.astype(np.int64))


def _kinds(may: BoolArray) -> tuple[BoolArray, IntArray]:
    """The different rows in order, and which of them each row is; packed into bytes first, which sorts quickly."""
    packed = np.ascontiguousarray(np.packbits(may, axis=1))
    width = packed.shape[1]
    whole = packed[:, 0] if width == 1 else packed.view(np.dtype((np.void, width)))[:, 0]
    _, first, kind = np.unique(whole, return_index=True, return_inverse=True)
    return may[first], kind.ravel().astype(np.int64)


def dealt(plan: Lots, best: ArrayLike, seed: int) -> tuple[IntArray, BoolArray]:
    """Each row's option [rows], and whether it was dealt by lot [rows]; the rest get their best option."""
    option = np.asarray(best, dtype=np.int64).copy()
    by_lot = np.zeros(option.size, dtype=bool)
    generator = np.random.default_rng(seed)
    order = np.lexsort((generator.random(option.size), plan.kind))
    starts = np.cumsum(plan.people) - plan.people
    for kind, counts in enumerate(plan.counts):
        given = np.repeat(np.arange(counts.size), counts)
        rows = order[starts[kind] : starts[kind] + given.size]
        option[rows] = given
        by_lot[rows] = True
    return option, by_lot
