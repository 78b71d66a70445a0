"""How good ranked lists are: for each customer, whether and how early what was bought stands in the list."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.errors import BadQuestion, NotEnoughData
from aimwell.science.arrays import BoolArray, FloatArray, IntArray, totals
from aimwell.science.metrics.confusion import Confusion
from aimwell.science.recommend.sparse import places_within


@dataclass(frozen=True, slots=True)
class ListFigures:
    """Figures of each customer's list [people]; NaN for those who bought nothing.

    precision, recall: share of the first k that was bought, and of what was bought that stands in the first k.
    ndcg: gain 1 / log2(place + 1) for each bought item within the first k, over the best possible.
    average_precision: mean over all bought items of the precision at their place, 0 for those beyond k; divided by
    the number of bought items, also where that is more than k.
    reciprocal_rank: 1 / place of the first bought item, wherever it stands; 0 where no list holds one.
    """

    precision: FloatArray
    recall: FloatArray
    ndcg: FloatArray
    average_precision: FloatArray
    reciprocal_rank: FloatArray

    @property
    def counted(self) -> BoolArray:
        """Who bought something, and so is counted."""
        known: BoolArray = ~np.isnan(self.recall)
        return known


def judge_lists(
    person: IntArray, item: IntArray, score: FloatArray, bought: BoolArray, wanted: FloatArray, *, k: int
) -> ListFigures:
    """Judge lists of scored pairs against what was bought.

    person, item, score, bought: one entry per scored pair [n]; best score first, lower item first among equals.
    wanted: how many items each customer bought, those that no pair holds included [people].
    Raises BadQuestion for k below 1, NotEnoughData when nobody bought anything.   Cost: O(n log n).
    Source: Järvelin and Kekäläinen, ACM TOIS 20 (2002) for the discounted gain.

    >>> judge_lists(
    ...     np.array([0, 0]), np.array([0, 1]), np.array([1.0, 2.0]), np.array([True, False]), np.array([1.0]), k=2
    ... ).reciprocal_rank.tolist()
    [0.5]
    """
    if k < 1:
        raise BadQuestion("A list has at least one place", expected="1 or more", seen=f"{k}")
    if not (wanted > 0).any():
        raise NotEnoughData("Nobody bought anything, so no list can be judged", expected="at least one purchase")
    place = places_within(person, score, item)
    size = wanted.size
    hit = bought & (place < k)
    who, where = person[hit], place[hit].astype(np.float64)
    hits = totals(who, np.ones(who.size), size)
    gains = totals(who, 1 / np.log2(where + 2), size)
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(k) + 2.0))])
    best = ideal[np.minimum(wanted, k).astype(np.int64)]
    nth = places_within(who, -where, where.astype(np.int64)) + 1.0
    precisions = totals(who, nth / (where + 1), size)
    first = np.full(size, np.inf)
    np.minimum.at(first, person[bought], place[bought] + 1.0)
    buys = wanted > 0

    def known(above: FloatArray, below: FloatArray) -> FloatArray:
        shares: FloatArray = np.divide(above, below, out=np.full(size, np.nan), where=buys)
        return shares

    return ListFigures(
        np.where(buys, hits / k, np.nan),
        known(hits, wanted),
        known(gains, best),
        known(precisions, wanted),
        np.where(buys, 1 / first, np.nan),
    )


def top_confusion(
    person: IntArray,
    item: IntArray,
    score: FloatArray,
    bought: BoolArray,
    *,
    n: int,
    wanted: float,
    choices: float,
) -> Confusion:
    """Right and wrong choices when everybody is shown the first n of the list.

    wanted: items bought in all; choices: all pairs of customer and item among which was chosen.
    """
    shown = places_within(person, score, item) < n
    hits = int((shown & bought).sum())
    misfires = int(shown.sum()) - hits
    missed = round(wanted) - hits
    return Confusion(hits, misfires, missed, max(round(choices) - hits - misfires - missed, 0))
