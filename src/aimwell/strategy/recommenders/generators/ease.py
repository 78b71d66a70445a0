"""EASE: each item foretold from everything else that a customer bought, by one regression."""

from __future__ import annotations

import numpy as np

from aimwell.core.text import Text
from aimwell.science.recommend.ease import ease, pruned
from aimwell.science.recommend.sparse import Sparse, sparse
from aimwell.strategy.recommenders.generator import Fitted, Generator, Linked, Scene

MOST_ITEMS = 3000
"""The regression takes the cube of the number of items: the most widely bought take part."""
KEPT = 200
"""Weights kept of each item: beyond some hundred they change no list, and they would fill the memory."""


class Ease(Generator):
    """Embarrassingly shallow autoencoder."""

    name = "ease"
    label = Text("组合回归", "Regression on all purchases")
    meaning = Text("由客户买过的一切推断", "foretold from everything that the customer bought")

    def ready(self, scene: Scene) -> bool:
        return scene.past.bought.nnz > 0 and scene.past.width > 1

    def fit(self, scene: Scene) -> Fitted:
        past = scene.past
        buyers = past.by_item(np.ones(past.person.size))
        chosen = np.sort(np.lexsort((np.arange(past.width), -buyers))[:MOST_ITEMS])
        chosen = chosen[buyers[chosen] > 0]
        weights = pruned(ease(past.bought[:, chosen], penalty=max(50.0, past.people / 10)), KEPT)
        return Linked(
            scene.shelf,
            past.bought,
            _widened(weights, chosen, past.width),
            Text("与买过的“{item}”等搭配", "goes with what the customer buys, such as {item}"),
        )


def _widened(weights: Sparse, chosen: np.ndarray, width: int) -> Sparse:
    rows = np.repeat(np.arange(chosen.size), np.diff(weights.indptr))
    return sparse(chosen[rows], chosen[weights.indices], weights.data, (width, width))


EASE = Ease()
