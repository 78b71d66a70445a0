"""Policies that need no model: nothing at all, everyone the same, and the rule that an expert would write down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.policy import Chosen, bestsellers
from aimwell.simulation.regimes.messages import Messages

EVENING = 20.0


def cheapest_channels(book: Book) -> tuple[Integers, Booleans]:
    """[present]: the cheapest channel by which each can be reached, and who can be reached at all."""
    sendable = book.sendable()
    order = np.argsort(book.company.cost, kind="stable")
    return order[np.argmax(sendable[:, order], axis=1)], np.asarray(sendable.any(axis=1))


@dataclass(frozen=True, slots=True)
class Nothing:
    """Sends nothing; what everybody else is measured from."""

    name: str = "nothing"

    def choose(self, book: Book) -> Chosen:
        """Nothing."""
        return Chosen.nothing()


@dataclass(frozen=True, slots=True)
class Everyone:
    """The product that sells best, to everyone who can be reached, on the cheapest channel, in the evening."""

    name: str = "everyone"

    def choose(self, book: Book) -> Chosen:
        """The same to all."""
        best = bestsellers(book)
        product = best[np.argmax(book.sold[best])]
        channel, there = cheapest_channels(book)
        who = np.flatnonzero(there)
        return Chosen.surely(Messages.of(who, product, channel[who], EVENING))


@dataclass(frozen=True, slots=True)
class Expert:
    """Whoever looks at a line, and has not bought of late, gets its best seller, a tenth off, at most twice a month.

    The line looked at most (views of the last weeks, at least about one); the channel whose messages the customer saw
    before, else the cheapest; the customer's own hour. A telephone call, where there are any, only for the third with
    the highest income who look at one of the two lines that earn most.
    """

    name: str = "expert"
    depth: float = 0.1
    looks: float = 0.75
    sales: float = 0.5
    dear: int = 100

    def choose(self, book: Book) -> Chosen:
        """By the rule."""
        company, present = book.company, book.present
        line = np.argmax(book.views[:present], axis=1)
        everyone = np.arange(present)
        interested = book.views[everyone, line] >= self.looks
        rested = (book.recent(14) == 0) & (book.bought[:present].sum(axis=1) < self.sales)
        channel, there = self._channels(book, line)
        who = np.flatnonzero(interested & rested & there)
        hour = np.where(np.isnan(book.hour()), EVENING, book.hour())
        product = bestsellers(book)[line[who]]
        depth = min(company.depths, key=lambda each: abs(each - self.depth))
        return Chosen.surely(Messages.of(who, product, channel[who], hour[who], depth))

    def _channels(self, book: Book, line: Integers) -> tuple[Integers, Booleans]:
        company, present = book.company, book.present
        sendable = book.sendable()
        dear = company.cost >= self.dear
        income = company.traits[:present, 2]
        rich = income >= np.quantile(income, 2 / 3) if present else np.zeros(0, dtype=bool)
        top = np.isin(line, np.argsort(-company.margins(), kind="stable")[:2])
        allowed = sendable & ~(dear[None, :] & ~(rich & top)[:, None])
        score = book.saw[:present] - 1e-6 * company.cost + 10.0 * dear
        channel = np.argmax(np.where(allowed, score, -np.inf), axis=1)
        return channel, np.asarray(allowed.any(axis=1))
