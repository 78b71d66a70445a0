"""Candidates: what the generators propose for each customer, joined, refused pairs left out, the best kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from aimwell.science.arrays import BoolArray, FloatArray, IntArray, totals
from aimwell.science.recommend.sparse import Sparse, entries, lookup, places_within, rows_of, top
from aimwell.strategy.recommenders.stand import Stand

BLOCK = 500
"""Customers proposed for at a time, so that scores never fill the memory, however many customers there are."""
_SOFT = 20.0
"""Places are joined as 1 / (place + this): the first places of any generator count, far ones hardly."""


@dataclass(frozen=True)
class Pairs:
    """Candidates as pairs, in order of customer and item [n].

    person, item: places in the past and on the shelf.   held: whether the customer ever bought the item.
    scores: each generator's score of every pair, 0 where it says nothing.   places: its place in the generator's list
    of the customer, from 0; NaN where it is not proposed by it.
    """

    person: IntArray
    item: IntArray
    held: BoolArray
    scores: dict[str, FloatArray]
    places: dict[str, FloatArray]

    def __len__(self) -> int:
        return self.person.size


def candidates(stand: Stand, people: IntArray, also: IntArray | None = None) -> Iterator[Pairs]:
    """The candidates of these customers, block by block.

    Each generator proposes its best among what a customer bought before, and as many among what he did not.
    also: items that are proposed to everybody to whom they may be recommended.
    """
    forced = np.empty(0, dtype=np.int64) if also is None else also
    for begin in range(0, people.size, BLOCK):
        yield _block(stand, people[begin : begin + BLOCK], forced)


def _block(stand: Stand, people: IntArray, forced: IntArray) -> Pairs:
    width = stand.past.width
    each = stand.definition.candidates.each
    scored: dict[str, Sparse] = {name: fitted.scores(people) for name, fitted in stand.fitted.items()}
    ranked = {name: _ranked(stand, people, scores, each) for name, scores in scored.items()}
    keys = np.concatenate([key for key, _ in ranked.values()]) if ranked else np.empty(0, dtype=np.int64)
    votes = np.concatenate([1 / (place + _SOFT) for _, place in ranked.values()]) if ranked else np.empty(0)
    added = _forced(stand, people, forced)
    keys, votes = np.concatenate([keys, added]), np.concatenate([votes, np.ones(added.size)]).astype(np.float64)
    unique, which = np.unique(keys, return_inverse=True)
    total = totals(which.astype(np.int64), votes, unique.size)
    row, item = unique // width, unique % width
    kept = places_within(row, total, item) < stand.definition.candidates.most
    row, item, unique = row[kept], item[kept], unique[kept]
    person = people[row]
    places: dict[str, FloatArray] = {}
    for name, (key, place) in ranked.items():
        order = np.argsort(key)
        places[name] = lookup(key[order], place[order], unique)[0]
    held = stand.past.holds(person, item)
    return Pairs(person, item, held, {name: entries(each, row, item) for name, each in scored.items()}, places)


def _forced(stand: Stand, people: IntArray, items: IntArray) -> IntArray:
    rows, chosen = np.repeat(np.arange(people.size), items.size), np.tile(items, people.size)
    allowed = stand.eligibility.allows(people[rows], chosen)
    return rows[allowed] * stand.past.width + chosen[allowed]


def _ranked(stand: Stand, people: IntArray, scores: Sparse, each: int) -> tuple[IntArray, FloatArray]:
    """The proposals of one generator: keys (row × items + item), and places among bought or not bought items."""
    rows, items = rows_of(scores), scores.indices.astype(np.int64)
    likely = np.where(stand.eligibility.allows(people[rows], items), scores.data, 0.0)
    held = stand.past.holds(people[rows], items)
    found = [_best(scores, np.where(side, likely, 0.0), each) for side in (held, ~held)]
    keys, places = (np.concatenate(column) for column in zip(*found, strict=True))
    return keys, places


def _best(scores: Sparse, values: FloatArray, each: int) -> tuple[IntArray, FloatArray]:
    best = top(csr_array((values, scores.indices, scores.indptr), shape=scores.shape), each)
    rows, items = rows_of(best), best.indices.astype(np.int64)
    return rows * scores.shape[1] + items, places_within(rows, best.data, items).astype(np.float64)
