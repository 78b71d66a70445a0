"""What a policy keeps of its own messages until it is known what came of them, and what it learns from them then."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.book import Sent
from aimwell.simulation.loop.changes import Tries

_MOST_SIGHTS, _MOST_TRIES = 20_000, 10_000
"""Of the messages of one day, at most so many are learnt from, by lot."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was known of messages on the morning on which they were chosen; one entry per message.

    sight, recent: for whether it is seen.   own, other: the customer with the message's line, and with one of the other
    lines, drawn by lot.   chances: [messages, 2], how likely a message about each of these two was.   foretold: how
    likely whoever sees it buys in its line.   lines: of the company.
    """

    day: int
    sight: FloatArray
    recent: FloatArray
    own: FloatArray
    other: FloatArray
    line: Integers
    other_line: Integers
    chances: FloatArray
    foretold: FloatArray
    lines: int

    def tries(self, sent: Sent, chance: np.random.Generator) -> Tries:
        """What those messages teach that were seen: two rows each."""
        seen = np.flatnonzero(sent.seen)
        if len(seen) > _MOST_TRIES:
            seen = np.sort(chance.choice(seen, _MOST_TRIES, replace=False))
        likely = self.chances[seen]
        kept = likely / (likely + (1 - likely) / (self.lines - 1))
        bought = np.r_[sent.bought_lines[seen, self.line[seen]], sent.bought_lines[seen, self.other_line[seen]]]
        return Tries(
            np.concatenate([self.own[seen], self.other[seen]]),
            np.arange(2 * len(seen)) < len(seen),
            np.r_[kept[:, 0], kept[:, 1]],
            bought,
            np.tile(sent.messages.customer[seen], 2),
            np.tile(sent.messages.channel[seen], 2),
        )


@dataclass(slots=True)
class Memory:
    """All that was learnt from so far, by decision day; `forget` drops what is older than a day."""

    days: list[int] = field(default_factory=list)
    tries: list[Tries] = field(default_factory=list)
    sights: list[tuple[FloatArray, FloatArray, Booleans, Booleans]] = field(default_factory=list)
    surprises: list[tuple[float, float]] = field(default_factory=list)

    def add(self, asked: Asked, sent: Sent, chance: np.random.Generator) -> None:
        """Add a day whose messages have been answered."""
        there = np.flatnonzero(sent.delivered)
        if len(there) > _MOST_SIGHTS:
            there = np.sort(chance.choice(there, _MOST_SIGHTS, replace=False))
        bought = sent.bought_lines[np.arange(len(asked.line)), asked.line]
        self.days.append(asked.day)
        self.tries.append(asked.tries(sent, chance))
        self.sights.append((asked.sight[there], asked.recent[there], sent.seen[there], sent.unsubscribed[there]))
        self.surprises.append((float(bought[sent.seen].sum()), float(asked.foretold[sent.seen].sum())))

    @property
    def count(self) -> int:
        """Rows to learn changes from."""
        return sum(len(each) for each in self.tries)

    def all_sights(self) -> tuple[FloatArray, FloatArray, Booleans, Booleans]:
        """What was known of delivered messages and of those before, whether they were seen, who unsubscribed."""
        told, recent, seen, unsubscribed = zip(*self.sights, strict=True)
        return np.concatenate(told), np.concatenate(recent), np.concatenate(seen), np.concatenate(unsubscribed)

    def disappointed(self, last: int) -> float:
        """By how many standard errors the last days brought fewer purchases than foretold; 0 if nothing was."""
        seen = sum(each for each, _ in self.surprises[-last:])
        foretold = sum(each for _, each in self.surprises[-last:])
        return (foretold - seen) / foretold**0.5 if foretold > 0 else 0.0

    def forget(self, last: int) -> None:
        """Keep only the last so many days."""
        self.days, self.tries = self.days[-last:], self.tries[-last:]
        self.sights, self.surprises = self.sights[-last:], self.surprises[-last:]
