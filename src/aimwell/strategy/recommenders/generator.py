"""Generators of candidates: one file each; what they propose for a customer, with a score and a reason in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from aimwell.core.registry import discover
from aimwell.core.text import Text
from aimwell.science.arrays import IntArray
from aimwell.science.recommend.sparse import Sparse
from aimwell.strategy.recommenders.past import Past
from aimwell.strategy.recommenders.shelf import Shelf

Triple = tuple[str, str, str, float]


@dataclass(frozen=True)
class Scene:
    """What a generator sees: purchases until an instant, the items then, and facts as triples with a weight."""

    past: Past
    shelf: Shelf
    relations: Sequence[Triple] = ()
    cold_buyers: int = 10
    seed: int = 0


class Fitted(ABC):
    """A generator that has learnt from a scene."""

    @abstractmethod
    def scores(self, people: IntArray) -> Sparse:
        """Scores of items for these customers, sparse [people, items]; what is not stored is not proposed.

        Called with some hundred customers at a time; values are finite, and above 0 for what is proposed.
        """

    @abstractmethod
    def reason(self, person: int, item: int) -> Text | None:
        """Why this item for this customer, in words; None where the generator has nothing to say."""


class Generator(ABC):
    """One way to find candidates; one instance per file in `generators/`, entry-point group `aimwell.generators`."""

    name: ClassVar[str]
    label: ClassVar[Text]
    meaning: ClassVar[Text]

    def ready(self, scene: Scene) -> bool:
        """Whether the data can carry it; where not, it is left out."""
        return True

    @abstractmethod
    def fit(self, scene: Scene) -> Fitted:
        """Learn from the scene; equal scenes give equal results, whatever the order of customers."""


@dataclass(frozen=True)
class Linked(Fitted):
    """Scores by links between items: what a customer bought speaks for the items linked to it.

    held: sparse [customers, items].   links: sparse [items, items], from what is held to what is scored.
    words: the reason, with `{item}` for the thing bought that speaks loudest.
    """

    shelf: Shelf
    held: Sparse
    links: Sparse
    words: Text

    def scores(self, people: IntArray) -> Sparse:
        return (self.held[people] @ self.links).tocsr()

    def reason(self, person: int, item: int) -> Text | None:
        begin, end = self.held.indptr[person : person + 2]
        owned = self.held.indices[begin:end]
        if not owned.size:
            return None
        voices = self.held.data[begin:end] * self.links[owned][:, [item]].toarray().ravel()
        voices[owned == item] = 0.0
        loudest = int(np.argmax(voices))
        return self.words.format(item=self.shelf.name(int(owned[loudest]))) if voices[loudest] > 0 else None


def limited(links: Sparse, wanted: np.ndarray) -> Sparse:
    """The links that lead to wanted items alone."""
    kept = links.tocsr().copy()
    kept.data = np.where(wanted[kept.indices], kept.data, 0.0)
    kept.eliminate_zeros()
    return kept


@cache
def generators() -> dict[str, Generator]:
    """Every generator there is, by name: ours and those of third parties."""
    found = discover(
        Generator,  # type: ignore[type-abstract]
        "aimwell.strategy.recommenders.generators",
        named=lambda each: each.name,
        group="aimwell.generators",
    )
    return {name: each.value for name, each in found.items()}
