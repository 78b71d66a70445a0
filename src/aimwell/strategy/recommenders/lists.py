"""From scores to lists: the business's say, a cap on each line, and the places in which items are shown."""

from __future__ import annotations

from datetime import date

import numpy as np

from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.recommend.sparse import places_within
from aimwell.strategy.recommenders.definition import Recommender
from aimwell.strategy.recommenders.sayings import BURIED, never_shown, pins, shifts
from aimwell.strategy.recommenders.shelf import Shelf

LEFT_OUT = np.iinfo(np.int64).max
"""The place of what is not shown."""


def arrange(
    definition: Recommender, shelf: Shelf, today: date, person: IntArray, item: IntArray, score: FloatArray
) -> IntArray:
    """The place of each pair in its customer's list, from 0; `LEFT_OUT` for what the business never shows [n].

    Best score first; then what a full line has too much of, then what is buried; pinned items stand where they are
    held, also in front of better ones.   Equal scores: lower item first.
    """
    moved = score + shifts(definition, shelf, today)[item]
    cap = definition.diversity.most_of_a_line
    if cap is not None:
        moved = moved + np.where(_crowded(shelf, person, item, moved, cap), BURIED / 10, 0.0)
    shown = ~never_shown(definition, shelf, today)[item]
    held = pins(definition, shelf, today)
    free = shown & ~np.isin(item, list(held))
    place = np.full(person.size, LEFT_OUT, dtype=np.int64)
    place[free] = places_within(person[free], moved[free], item[free])
    for pinned, wanted in sorted(held.items(), key=lambda each: each[1]):
        rows = np.flatnonzero(shown & (item == pinned))
        behind = np.isin(person, person[rows]) & (place >= wanted) & (place != LEFT_OUT)
        place[behind] += 1
        place[rows] = wanted
    return place


def _crowded(shelf: Shelf, person: IntArray, item: IntArray, score: FloatArray, cap: int) -> BoolArray:
    """Whether so many better items of the same line stand before the pair; items without a line are never too many."""
    line = shelf.line[item]
    groups = person * (shelf.lines.size + 1) + line
    crowded: BoolArray = (places_within(groups, score, item) >= cap) & (line >= 0)
    return crowded
