"""What kind of recommendation a pair is: again, upsell, more of a line, cross-sell; and which slices it is in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import BoolArray, IntArray
from aimwell.strategy.recommenders.features import Sight

KINDS: Mapping[str, Text] = {
    "again": Text("复购", "again"),
    "upsell": Text("向上销售", "upsell"),
    "same_line": Text("同类补充", "more of a line"),
    "cross_sell": Text("交叉销售", "cross-sell"),
}
"""Every pair is of one kind: bought before; dearer than everything bought from its line; from a line bought from, but
not dearer; from a line never bought from (or without a line)."""

SLICES: Mapping[str, Text] = {
    "all": Text("全部", "all pairs"),
    "repeat": Text("买过的", "repeat: bought before"),
    "novel": Text("没买过的", "novel: never bought before"),
    "upsell": Text("向上销售", "upsell: dearer, from a line bought from"),
    "new_line": Text("新客（从未买过该产品线）", "new: never bought from this line"),
    "cold": Text("冷门或新品", "cold items: few buyers so far"),
    "newcomers": Text("从未购买的客户", "newcomers: customers who never bought"),
}


def kinds(sight: Sight, person: IntArray, item: IntArray) -> IntArray:
    """The place in `KINDS` of each pair [n]."""
    held = sight.stand.past.holds(person, item)
    dearest = sight.line_of("dearest", person, item)
    known = ~np.isnan(dearest)
    above = known & (sight.price[item] > dearest)
    return np.where(held, 0, np.where(above, 1, np.where(known, 2, 3))).astype(np.int64)


def slices(sight: Sight, person: IntArray, item: IntArray) -> Mapping[str, BoolArray]:
    """Which pairs belong to which slice, by name; an item of -1 is one that nobody knew [n]."""
    stand = sight.stand
    unknown = item < 0
    place = np.where(unknown, 0, item)
    kind = np.where(unknown, -1, kinds(sight, person, place))
    held = kind == 0
    lined = (stand.shelf.line[place] >= 0) & ~unknown
    never = np.isnan(stand.past.visits["visits"])[person]
    return {
        "all": np.ones(person.size, dtype=np.bool_),
        "repeat": held,
        "novel": ~held,
        "upsell": kind == 1,
        "new_line": (kind == 3) & lined & ~never,
        "cold": stand.cold[place] | unknown,
        "newcomers": never,
    }
