"""Top k by propensity: whoever is likeliest to buy gets a message, whether or not it would change anything."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.trees import GROWTH, Grown, grow
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.features import customer_features
from aimwell.simulation.loop.policies.plain import EVENING, cheapest_channels
from aimwell.simulation.loop.policy import Chosen, bestsellers
from aimwell.simulation.regimes.messages import Messages

_EVERY = 28


@dataclass(slots=True)
class Propensity:
    """A booster foretells who buys within a week; the likeliest fifth get the best seller of the line they like most.

    The line is that which they looked at most, else the best seller of all. Learnt anew every four weeks from how
    everybody was a week before and what they bought since; before the first week is over nothing is sent.
    """

    part: float = 0.2
    seed: int = 0
    name: str = "propensity"
    _model: Grown | None = None
    _learnt: int = -_EVERY
    _before: tuple[FloatArray, FloatArray] | None = field(default=None, repr=False)

    def choose(self, book: Book) -> Chosen:
        """The likeliest fifth."""
        features = customer_features(book)
        if self._before is not None and book.day - self._learnt >= _EVERY:
            told, orders = self._before
            bought = (book.orders[: len(orders)] > orders).astype(np.float64)
            self._model, self._learnt = grow(told, bought, GROWTH, self.seed, binary=True), book.day
        self._before = features, book.orders[: book.present].astype(np.float64)
        if self._model is None:
            return Chosen.nothing()
        channel, there = cheapest_channels(book)
        likely = np.where(there, self._model.mean(features), -1.0)
        most = np.argsort(-likely, kind="stable")[: round(self.part * book.present)]
        who = np.sort(most[there[most]])
        best = bestsellers(book)
        views = book.views[who]
        line = np.where(views.max(axis=1, initial=0.0) > 0, np.argmax(views, axis=1), np.argmax(book.sold[best]))
        return Chosen.surely(Messages.of(who, best[line], channel[who], EVENING))
