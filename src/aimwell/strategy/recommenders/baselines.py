"""What a shop would do without a model: popularity, the customer's own frequency, the best sellers of his segment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aimwell.core.text import Text
from aimwell.strategy.recommenders.days import Day
from aimwell.strategy.recommenders.judging import Way


def popularity(day: Day) -> Way:
    """Buyers of the last 28 days; the same order for everybody."""
    return Way(
        "popularity", Text("热门（近28天）", "popularity of 28 days"), day.sight.items["buyers_28"][day.pairs.item]
    )


def frequency(day: Day) -> Way:
    """How often the customer bought the item himself; popularity where that ties."""
    orders = np.nan_to_num(day.stand.past.of("orders", day.pairs.person, day.pairs.item))
    return Way(
        "frequency", Text("本人频次", "own frequency"), orders + day.sight.items["buyers_28"][day.pairs.item] / 2
    )


def expert(day: Day) -> Way:
    """The best sellers of the customer's segment over the last 84 days; popularity where that ties."""
    share = day.sight.segment_share[day.stand.people.segment[day.pairs.person], day.pairs.item]
    return Way(
        "expert",
        Text("专家规则：所在客群热销", "expert rule: best sellers of the segment"),
        share + day.sight.items["buyers_28"][day.pairs.item] * 1e-6,
    )


WAYS: tuple[Callable[[Day], Way], ...] = (popularity, frequency, expert)
"""What stands beside every figure of a recommender."""
