"""Graph: items near in a knowledge graph made of the catalogue, words in names, and given facts (`relation`)."""

from __future__ import annotations

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.recommend.graph import walk_neighbours
from aimwell.strategy.recommenders.generator import Fitted, Generator, Linked, Scene

Edge = tuple[int, int, float]


class Graph(Generator):
    """A walk along facts from the items that a customer bought."""

    name = "graph"
    label = Text("知识图谱", "Knowledge graph")
    meaning = Text(
        "沿商品目录、名称用词和关系表从买过的商品走到相关商品",
        "near in the graph of catalogue, words in names and the table `relation`",
    )

    def ready(self, scene: Scene) -> bool:
        return bool(scene.relations) or any(scene.shelf.facts) or scene.shelf.content.nnz > 0

    def fit(self, scene: Scene) -> Fitted:
        heads, tails, weights, nodes = edges(scene)
        links = walk_neighbours(heads, tails, weights, nodes=nodes, items=scene.shelf.items.size, count=50)
        return Linked(
            scene.shelf, scene.past.taste, links, Text("与买过的“{item}”相关", "related to {item}, bought before")
        )


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
