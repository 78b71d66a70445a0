"""Popular: what most customers buy now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.recommend.sparse import Sparse, sparse
from aimwell.strategy.recommenders.generator import Fitted, Generator, Scene

MOST = 300
"""So many of the most popular items are proposed to everybody, those that they hold included."""


@dataclass(frozen=True)
class _Popular(Fitted):
    places: IntArray
    shares: FloatArray
    buyers: IntArray

    def scores(self, people: IntArray) -> Sparse:
        rows = np.repeat(np.arange(people.size), self.places.size)
        columns = np.tile(self.places, people.size)
        return sparse(rows, columns, np.tile(self.shares, people.size), (people.size, self.buyers.size))

    def reason(self, person: int, item: int) -> Text | None:
        count = int(self.buyers[item])
        return (
            Text(f"近28天有 {count:,} 人购买", f"bought by {count:,} customers in the last 28 days") if count else None
        )


class Popular(Generator):
    """Popularity with decay."""

    name = "popular"
    label = Text("当下热门", "Popular now")
    meaning = Text("买的人多的，越近越重", "what most customers buy, the recent counting most")

    def fit(self, scene: Scene) -> Fitted:
        past = scene.past
        loved = np.where(scene.shelf.on_sale, past.by_item(np.minimum(past.measures["fading"], 1.0)), 0.0)
        best = np.lexsort((np.arange(past.width), -loved))[:MOST]
        best = np.sort(best[loved[best] > 0])
        buyers = past.by_item((past.measures["orders_28"] > 0).astype(np.float64)).astype(np.int64)
        return _Popular(best, loved[best] / max(past.people, 1), buyers)


POPULAR = Popular()
