"""Fresh: items that are new or hardly bought yet, by what is said of them and of what the customer buys."""

from __future__ import annotations

import numpy as np

from aimwell.core.text import Text
from aimwell.science.recommend.neighbours import similar_rows
from aimwell.strategy.recommenders.generator import Fitted, Generator, Linked, Scene, limited

NEW_DAYS = 56


class Fresh(Generator):
    """New products by content and by words in their names."""

    name = "fresh"
    label = Text("新品", "New items")
    meaning = Text(
        "新上架或很少人买过的商品，按名称用词和类别与客户所买相近",
        "new or hardly bought items whose words and groups are like what the customer buys",
    )

    def ready(self, scene: Scene) -> bool:
        return bool(scene.shelf.content.nnz)

    def fit(self, scene: Scene) -> Fitted:
        past, shelf = scene.past, scene.shelf
        known = np.zeros(past.width)
        np.maximum.at(known, past.item, past.measures["first_days"])
        buyers = past.by_item(np.ones(past.person.size))
        young = (known <= NEW_DAYS) & ~(shelf.listed_days > NEW_DAYS)
        links = limited(similar_rows(shelf.content, count=50), young | (buyers < scene.cold_buyers))
        return Linked(
            shelf, past.taste, links, Text("新品，与买过的“{item}”相似", "new, and like {item}, bought before")
        )


FRESH = Fresh()
