"""Item to item: what is bought by the people who buy what the customer buys."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.science.recommend.neighbours import cosine_neighbours
from aimwell.strategy.recommenders.generator import Fitted, Generator, Linked, Scene

COUNT, SHRINKAGE = 50, 10.0


class ItemItem(Generator):
    """Cosine neighbours of the items that a customer bought."""

    name = "item_item"
    label = Text("同好商品", "Bought by the same people")
    meaning = Text("买过相同商品的人还买了什么", "what people buy who buy the same things")

    def ready(self, scene: Scene) -> bool:
        return bool(scene.past.bought.nnz)

    def fit(self, scene: Scene) -> Fitted:
        links = cosine_neighbours(scene.past.taste, count=COUNT, shrinkage=SHRINKAGE)
        return Linked(
            scene.shelf,
            scene.past.taste,
            links,
            Text("买过“{item}”的人也常买", "often bought by people who buy {item}"),
        )


ITEM_ITEM = ItemItem()
