"""What a policy keeps of its own messages until it is known what came of them, and what it learns from them then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.book import Sent
from aimwell.simulation.loop.changes import Tries

_MOST_SIGHTS, _MOST_TRIES = 20_000, 10_000
"""Of the messages of one day, at most so many are learnt from, by lot."""

_ENOUGH = 10.0
"""Foretold purchases from which on it is known how forecasts come true."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was known of messages on the morning on which they were chosen; one entry per message.

    sight, recent: for whether it is seen.   own, other: the customer with the message's line, and with the line that
    the coin decided against.   coin: how likely it was to fall as it did (1: it was not thrown).   foretold: how
    likely whoever sees the message buys in its line.
    """

    day: int
    customer: Integers
    sight: FloatArray
    recent: FloatArray
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
        names = ("customer", "sight", "recent", "own", "other", "line", "other_line", "coin", "foretold")
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
    """All that was learnt from so far, by decision day; `forget` drops what is older than a day.

    surprises: by channel, purchases of those who saw a message, and how many were foretold.
    """

    days: list[int] = field(default_factory=list)
    tries: list[Tries] = field(default_factory=list)
    sights: list[tuple[FloatArray, FloatArray, Booleans, Booleans]] = field(default_factory=list)
    surprises: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)

    def add(self, asked: Asked, sent: Sent, chance: np.random.Generator) -> None:
        """Add a day whose messages have been answered."""
        asked = asked.of(sent.messages.customer)
        there = np.flatnonzero(sent.delivered)
        if len(there) > _MOST_SIGHTS:
            there = np.sort(chance.choice(there, _MOST_SIGHTS, replace=False))
        bought = sent.bought_lines[np.arange(len(asked.line)), asked.line]
        self.days.append(asked.day)
        self.tries.append(asked.tries(sent, chance))
        self.sights.append((asked.sight[there], asked.recent[there], sent.seen[there], sent.unsubscribed[there]))
        channel, channels = sent.messages.channel[sent.seen], asked.channels
        came = np.bincount(channel, weights=bought[sent.seen], minlength=channels).astype(np.float64)
        foretold = np.bincount(channel, weights=asked.foretold[sent.seen], minlength=channels)
        self.surprises.append((came, foretold.astype(np.float64)))

    @property
    def count(self) -> int:
        """Rows to learn changes from."""
        return sum(len(each) for each in self.tries)

    def latest_tries(self, most: int) -> Tries:
        """The tries of the last days, as many days as hold no more rows than `most`, but at least one."""
        taken, rows = [self.tries[-1]], len(self.tries[-1])
        for each in reversed(self.tries[:-1]):
            rows += len(each)
            if rows > most:
                break
            taken.append(each)
        return Tries.joined(taken[::-1])

    def all_sights(self) -> tuple[FloatArray, FloatArray, Booleans, Booleans]:
        """What was known of delivered messages and of those before, whether they were seen, who unsubscribed."""
        told, recent, seen, unsubscribed = zip(*self.sights, strict=True)
        return np.concatenate(told), np.concatenate(recent), np.concatenate(seen), np.concatenate(unsubscribed)

    def came_true(self, last: int, channels: int) -> FloatArray:
        """[channels]: purchases of the last days over those foretold, 1 where hardly any were; at most 1.

        Who is chosen for a high forecast disappoints a little: what was foretold of strangers is cut to what came.
        """
        came = sum((each for each, _ in self.surprises[-last:]), np.zeros(channels))
        foretold = sum((each for _, each in self.surprises[-last:]), np.zeros(channels))
        return np.asarray(np.minimum((came + _ENOUGH) / (foretold + _ENOUGH), 1.0))

    def disappointed(self, last: int, before: int) -> float:
        """By how many standard errors the last days brought fewer purchases than promised; 0 if nothing was.

        Promised is what was foretold, times what came of that in the days before: who is chosen for a high forecast
        disappoints a little all the time.
        """
        seen, foretold = _sums(self.surprises[-last:])
        earlier, promised = _sums(self.surprises[-last - before : -last])
        if foretold <= 0 or promised < _ENOUGH:
            return 0.0
        expected = foretold * earlier / promised
        # Both counts are drawn: what came before is known no better than what comes now.
        error = (expected + expected**2 / max(earlier, 1.0)) ** 0.5
        return (expected - seen) / error if error > 0 else 0.0

    def forget(self, last: int) -> None:
        """Keep only the last so many days."""
        self.days, self.tries = self.days[-last:], self.tries[-last:]
        self.sights, self.surprises = self.sights[-last:], self.surprises[-last:]


def _sums(some: list[tuple[FloatArray, FloatArray]]) -> tuple[float, float]:
    return float(sum(each.sum() for each, _ in some)), float(sum(each.sum() for _, each in some))
