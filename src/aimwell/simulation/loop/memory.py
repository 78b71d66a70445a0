"""What a policy keeps of its own messages until it is known what came of them, and what it learns from them then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.book import Sent
from aimwell.simulation.loop.changes import Tries

_MOST_SIGHTS, _MOST_TRIES = 8_000, 10_000
"""Of the messages of one day, at most so many of a channel are learnt from, by lot, and so many tries in all."""

_ENOUGH = 10.0
"""Foretold purchases from which on it is known how forecasts come true."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was known of messages on the morning on which they were chosen; one entry per message.

    sight, burden: for whether it is seen.   own, other: the customer with the message's line, and with the line that
    the coin decided against.   coin: how likely it was to fall as it did (1: it was not thrown).   foretold: how
    likely whoever sees the message buys in its line.
    """

    day: int
    customer: Integers
    sight: FloatArray
    burden: FloatArray
    own: FloatArray
    other: FloatArray
    line: Integers
    other_line: Integers
    coin: FloatArray
    foretold: FloatArray
    channels: int

    def of(self, customers: Integers) -> Asked:
        """Those of some customers, in their order: of messages that were chosen, some may never have left."""
        order = np.argsort(self.customer, kind="stable")
        rows = order[np.searchsorted(self.customer[order], customers)]
        names = ("customer", "sight", "burden", "own", "other", "line", "other_line", "coin", "foretold")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def tries(self, sent: Sent, chance: np.random.Generator) -> Tries:
        """What those messages teach that were seen: two rows each."""
        seen = np.flatnonzero(sent.seen)
        if len(seen) > _MOST_TRIES:
            seen = np.sort(chance.choice(seen, _MOST_TRIES, replace=False))
        bought = np.r_[sent.bought_lines[seen, self.line[seen]], sent.bought_lines[seen, self.other_line[seen]]]
        return Tries(
            np.concatenate([self.own[seen], self.other[seen]]),
            np.arange(2 * len(seen)) < len(seen),
            np.r_[self.coin[seen], 1.0 - self.coin[seen]],
            bought,
            np.tile(sent.messages.customer[seen], 2),
            np.tile(sent.messages.channel[seen], 2),
        )


@dataclass(slots=True)
class Memory:
    """All that was learnt from so far, by decision day. People change: what is learnt from are the last days.

    surprises: by channel, purchases of those who saw a message, and how many were foretold.   believed: so many days
    had been added when what foretells them was learnt.
    """

    days: list[int] = field(default_factory=list)
    tries: list[Tries] = field(default_factory=list)
    sights: list[tuple[FloatArray, FloatArray, Booleans, Booleans]] = field(default_factory=list)
    surprises: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)
    believed: int = 0

    def add(self, asked: Asked, sent: Sent, chance: np.random.Generator) -> None:
        """Add a day whose messages have been answered."""
        asked = asked.of(sent.messages.customer)
        there = _of_each(sent.messages.channel, sent.delivered, asked.channels, chance)
        bought = sent.bought_lines[np.arange(len(asked.line)), asked.line]
        self.days.append(asked.day)
        self.tries.append(asked.tries(sent, chance))
        self.sights.append((asked.sight[there], asked.burden[there], sent.seen[there], sent.unsubscribed[there]))
        channel, channels = sent.messages.channel[sent.seen], asked.channels
        came = np.bincount(channel, weights=bought[sent.seen], minlength=channels).astype(np.float64)
        foretold = np.bincount(channel, weights=asked.foretold[sent.seen], minlength=channels)
        self.surprises.append((came, foretold.astype(np.float64)))

    @property
    def count(self) -> int:
        """Rows to learn changes from."""
        return sum(len(each) for each in self.tries)

    @property
    def sighted(self) -> int:
        """Rows to learn sights from."""
        return sum(len(seen) for _, _, seen, _ in self.sights)

    def latest_tries(self, days: int, most: int) -> Tries:
        """The tries of the last days, as many days as hold no more rows than `most`, but at least one."""
        taken, rows = [self.tries[-1]], len(self.tries[-1])
        for each in reversed(self.tries[-days:-1]):
            rows += len(each)
            if rows > most:
                break
            taken.append(each)
        return Tries.joined(taken[::-1])

    def latest_sights(self, days: int) -> tuple[FloatArray, FloatArray, Booleans, Booleans]:
        """What was known of delivered messages and of those before, whether they were seen, who unsubscribed."""
        told, burden, seen, unsubscribed = zip(*self.sights[-days:], strict=True)
        return np.concatenate(told), np.concatenate(burden), np.concatenate(seen), np.concatenate(unsubscribed)

    def came_true(self, last: int, channels: int) -> FloatArray:
        """[channels]: purchases of the last days over those foretold, 1 where hardly any were; at most 1.

        Who is chosen for a high forecast disappoints a little: what was foretold of strangers is cut to what came. Only
        forecasts of what is believed now count: what was learnt since has learnt from the others.
        """
        some = self.surprises[max(self.believed, len(self.surprises) - last) :]
        came = sum((each for each, _ in some), np.zeros(channels))
        foretold = sum((each for _, each in some), np.zeros(channels))
        return np.asarray(np.minimum((came + _ENOUGH) / (foretold + _ENOUGH), 1.0))


def _of_each(channel: Integers, delivered: Booleans, channels: int, chance: np.random.Generator) -> Integers:
    """Rows of delivered messages, of each channel not too many."""
    found = []
    for place in range(channels):
        rows = np.flatnonzero(delivered & (channel == place))
        found.append(rows if len(rows) <= _MOST_SIGHTS else np.sort(chance.choice(rows, _MOST_SIGHTS, replace=False)))
    return np.sort(np.concatenate(found))
