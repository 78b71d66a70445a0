"""What a policy is: it looks at the company's book and says who gets which message, and with what probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aimwell.core.errors import BadQuestion
from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Integers
from aimwell.simulation.loop.book import Book
from aimwell.simulation.regimes.messages import Messages


@dataclass(frozen=True, slots=True)
class Chosen:
    """Messages of a decision day, each with the probability that its customer was given it, above 0 and up to 1."""

    messages: Messages
    probability: FloatArray

    def __post_init__(self) -> None:
        if len(self.probability) != len(self.messages):
            seen = f"{len(self.probability)} for {len(self.messages)}"
            raise BadQuestion("Each message needs the probability that it was sent with", seen=seen)
        if len(self.probability) and not (self.probability.min() > 0 and self.probability.max() <= 1):
            seen = f"{self.probability.min():g} to {self.probability.max():g}"
            raise BadQuestion(
                "A message was sent with an impossible probability", expected="above 0, up to 1", seen=seen
            )

    @classmethod
    def surely(cls, messages: Messages) -> Chosen:
        """Messages that were sent without any lot."""
        return cls(messages, np.ones(len(messages)))

    @classmethod
    def nothing(cls) -> Chosen:
        """Nothing to anybody."""
        return cls.surely(Messages.none())


class Policy(Protocol):
    """Decides once on each decision day. A policy gets the book and nothing else: neither truth nor regime."""

    @property
    def name(self) -> str:
        """How it is called in results."""
        ...

    def choose(self, book: Book) -> Chosen:
        """What to send on the morning of the book's day."""
        ...


def bestsellers(book: Book) -> Integers:
    """[lines]: of what may be offered to everybody, the product of each line that sold best; ties to the first."""
    sold, found = book.company.catalogue, []
    may = sold.on_sale(book.day) & (sold.risk == 1)
    for line in range(len(book.company.lines)):
        products = np.flatnonzero(may & (sold.line == line))
        found.append(products[np.argmax(book.sold[products])])
    return np.asarray(found, dtype=np.int64)
