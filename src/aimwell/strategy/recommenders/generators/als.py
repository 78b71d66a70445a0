"""ALS: customers and items as points, near where something is bought (needs the optional package `implicit`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.recommend.als import available, factors
from aimwell.science.recommend.sparse import Sparse, sparse
from aimwell.strategy.recommenders.generator import Fitted, Generator, Scene

KEPT = 300
"""The best so many items of each customer; a product of factors is never 0, so the rest is cut."""


@dataclass(frozen=True)
class _Factors(Fitted):
    customers: FloatArray
    items: FloatArray

    def scores(self, people: IntArray) -> Sparse:
        close = self.customers[people] @ self.items.T
        kept = min(KEPT, close.shape[1])
        places = np.sort(np.argpartition(-close, kept - 1, axis=1)[:, :kept], axis=1)
        rows = np.repeat(np.arange(people.size), kept)
        values = close[rows, places.ravel()]
        positive = values > 0
        return sparse(rows[positive], places.ravel()[positive], values[positive], close.shape)

    def reason(self, person: int, item: int) -> Text | None:
        return Text("口味相近的客户喜欢", "liked by customers of a similar taste")


class Als(Generator):
    """Alternating least squares on implicit feedback."""

    name = "als"
    label = Text("口味相近", "Similar taste")
    meaning = Text(
        "口味相近的客户买什么（需安装 implicit）", "what customers of a similar taste buy (needs `implicit`)"
    )

    def ready(self, scene: Scene) -> bool:
        return available() and scene.past.bought.nnz > 0

    def fit(self, scene: Scene) -> Fitted:
        size = min(32, max(2, scene.past.width // 4))
        return _Factors(*factors(scene.past.taste, size=size, seed=scene.seed))


ALS = Als()
