"""Graph: items foretold from facts: the catalogue, words in names, and triples of the company's own (`relation`)."""

from __future__ import annotations

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import BoolArray, FloatArray, IntArray
from aimwell.science.recommend.graph import foretold_by_facts, said_of
from aimwell.science.recommend.sparse import Sparse
from aimwell.strategy.recommenders.generator import Fitted, Generator, Linked, Scene

Edge = tuple[int, int, float]
MOST_KNOWN = 3000
"""The regression takes the cube of the number of items that speak: the most widely bought do."""


class Graph(Generator):
    """What customers buy, foretold from the facts of items."""

    name = "graph"
    label = Text("知识图谱", "Knowledge graph")
    meaning = Text(
        "由商品目录、名称用词和关系表里的事实推断，没有人买过的新品也能推断",
        "foretold from the facts of catalogue, names and the table `relation`, also for items that nobody bought yet",
    )

    def ready(self, scene: Scene) -> bool:
        told = bool(scene.relations) or any(scene.shelf.facts) or scene.shelf.content.nnz > 0
        return told and bool(np.diff(_said(scene).indptr)[known_items(scene)].any())

    def fit(self, scene: Scene) -> Fitted:
        links = foretold_by_facts(_said(scene), known_items(scene))
        return Linked(
            scene.shelf, scene.past.taste, links, Text("与买过的“{item}”相关", "related to {item}, bought before")
        )


def known_items(scene: Scene) -> BoolArray:
    """The items with buyers enough to speak for others: those that are not cold, else all that were ever bought."""
    buyers = scene.past.by_item(np.ones(scene.past.person.size))
    enough = buyers >= (scene.cold_buyers if (buyers >= scene.cold_buyers).any() else 1)
    found = np.zeros(buyers.size, dtype=np.bool_)
    found[np.lexsort((np.arange(buyers.size), -buyers))[:MOST_KNOWN]] = True
    return found & enough


def _said(scene: Scene) -> Sparse:
    heads, tails, weights, nodes = edges(scene)
    return said_of(heads, tails, weights, nodes=nodes, items=scene.shelf.items.size)


def edges(scene: Scene) -> tuple[IntArray, IntArray, FloatArray, int]:
    """The facts as edges between numbered nodes, the items first; and the number of nodes."""
    shelf = scene.shelf
    places: dict[str, int] = {str(item): place for place, item in enumerate(shelf.items)}
    found: list[Edge] = []

    def node(name: str) -> int:
        return places.setdefault(name, len(places))

    for item, (said, facts) in enumerate(zip(shelf.said, shelf.facts, strict=True)):
        found += [(item, node(f"word\t{word}"), 0.5) for word in said]
        found += [(item, node(f"{kind}\t{value}"), 1.0) for kind, value in facts]
    found += [(node(head), node(tail), weight) for head, _, tail, weight in scene.relations if head != tail]
    if not found:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, np.empty(0), len(places)
    heads, tails, weights = (np.array(column) for column in zip(*found, strict=True))
    return heads.astype(np.int64), tails.astype(np.int64), weights.astype(np.float64), len(places)


GRAPH = Graph()
