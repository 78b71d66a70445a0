"""Siblings: the best sellers of the lines that a customer buys from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from aimwell.core.text import Text
from aimwell.science.arrays import IntArray
from aimwell.science.recommend.sparse import Sparse, sparse, top
from aimwell.strategy.recommenders.generator import Fitted, Generator, Scene
from aimwell.strategy.recommenders.shelf import Shelf

OF_A_LINE = 40


@dataclass(frozen=True)
class _Siblings(Fitted):
    shelf: Shelf
    tastes: Sparse
    sellers: Sparse

    def scores(self, people: IntArray) -> Sparse:
        return (self.tastes[people] @ self.sellers).tocsr()

    def reason(self, person: int, item: int) -> Text | None:
        line = int(self.shelf.line[item])
        if line < 0 or not self.tastes[person, line]:
            return None
        name = str(self.shelf.lines[line])
        return Text(f"“{name}”是常买的类别", f"from {name}, of which the customer buys")


class Siblings(Generator):
    """Best sellers of the customer's own lines."""

    name = "siblings"
    label = Text("同类热销", "Best sellers of own lines")
    meaning = Text("客户常买类别中的热销商品", "the best sellers of the lines that the customer buys from")

    def ready(self, scene: Scene) -> bool:
        return scene.shelf.lines.size > 0

    def fit(self, scene: Scene) -> Fitted:
        past, shelf = scene.past, scene.shelf
        inside = np.flatnonzero(shelf.line >= 0)
        shape = (shelf.items.size, shelf.lines.size)
        belongs = sparse(inside, shelf.line[inside], np.ones(inside.size), shape)
        sold = past.by_item(np.minimum(past.measures["fading"], 1.0)) * shelf.on_sale
        sellers = top(csr_array(belongs.multiply(sold[:, None])).T.tocsr(), OF_A_LINE)
        per_line = np.asarray(sellers.sum(axis=1), dtype=np.float64).ravel()
        sellers.data /= np.repeat(per_line, np.diff(sellers.indptr))
        tastes = (past.taste @ belongs).tocsr()
        return _Siblings(shelf, tastes, sellers)


SIBLINGS = Siblings()
