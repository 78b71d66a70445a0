"""Whether a message is seen: by whom, on which channel and hour, after how many others; and the price of tiring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.trees import GROWTH, Grown, grow
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.features import CHANNEL_COLUMN, RECENT_COLUMNS, sight_features

_UNKNOWN = 0.1
_FEWEST = 200
_ASKED = 5_000


@dataclass(frozen=True, slots=True)
class Sights:
    """A model of seen messages; every channel's mean is that of its own messages, however few there were.

    drop: by which share one more message of late lowers the chance, while it counts as within 14 and within 28 days.
    leaving: chance to unsubscribe per message.
    """

    model: Grown
    factors: FloatArray
    drop: tuple[float, float]
    leaving: float

    @classmethod
    def unknown(cls, channels: int) -> Sights:
        """Before anything was sent."""
        return cls(Grown(None, _UNKNOWN), np.ones(channels), (0.0, 0.0), 0.0)

    @classmethod
    def learn(cls, told: FloatArray, seen: Booleans, unsubscribed: Booleans, channels: int, seed: int) -> Sights:
        """From delivered messages: what was known of each [messages, 11], and what came of it."""
        if len(seen) < _FEWEST:
            return cls.unknown(channels)
        model = grow(told, seen.astype(np.float64), GROWTH, seed, binary=True, words=(CHANNEL_COLUMN,))
        channel, chance = told[:, CHANNEL_COLUMN].astype(np.int64), model.mean(told)
        seen_of = np.bincount(channel, weights=seen, minlength=channels)
        told_of = np.bincount(channel, weights=chance, minlength=channels)
        leaving = (float(unsubscribed.sum()) + 0.5) / (len(seen) + 500.0)
        return cls(model, (seen_of + 2.0) / (told_of + 2.0), _drops(model, told), leaving)

    def chance(self, book: Book, customer: Integers, channel: Integers, hour: FloatArray) -> FloatArray:
        """The chance that each message is seen."""
        told = sight_features(book, customer, channel, hour)
        return np.asarray(np.minimum(self.model.mean(told) * self.factors[channel], 1.0))

    def price(self, worth: FloatArray, weeks: float) -> FloatArray:
        """What a message takes from the messages after it, for customers with whom a week's message earns `worth`.

        One week later it counts within 14 days, for two weeks more within 28; who unsubscribes is lost for all weeks.
        """
        tired = min(weeks, 1.0) * self.drop[0] + min(max(weeks - 1.0, 0.0), 2.0) * self.drop[1]
        return np.asarray(worth * (tired + self.leaving * weeks))


def _drops(model: Grown, told: FloatArray) -> tuple[float, float]:
    """How the foretold chance falls, in the mean, with one message more; never below 0."""
    some = told[:: max(1, len(told) // _ASKED)]
    chance = model.mean(some).sum()
    found = []
    for columns in (RECENT_COLUMNS, RECENT_COLUMNS[1:]):
        more = some.copy()
        more[:, columns] += 1.0
        found.append(float(np.clip(1.0 - model.mean(more).sum() / chance, 0.0, 0.5)))
    return found[0], found[1]
