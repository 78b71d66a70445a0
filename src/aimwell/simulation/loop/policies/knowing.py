"""The oracle as a policy: it alone holds the market, and decides by the truth; to compare with, never to learn."""

from __future__ import annotations

from dataclasses import dataclass

from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.policy import Chosen
from aimwell.simulation.regimes.marketplace import Marketplace
from aimwell.simulation.regimes.oracle import Oracle


@dataclass(frozen=True, slots=True)
class Knowing:
    """Decides by the truth of the market that is being played."""

    market: Marketplace
    oracle: Oracle
    name: str = "oracle"

    @classmethod
    def of(cls, market: Marketplace, every: int) -> Knowing:
        """The oracle of this market, which must be on its first day."""
        return cls(market, Oracle.plan(market, every=every))

    def choose(self, book: Book) -> Chosen:
        """The best that can be done; the book is not opened."""
        return Chosen.surely(self.oracle.choose(self.market))
