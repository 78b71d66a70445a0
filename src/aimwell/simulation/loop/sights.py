"""Whether a message is seen: by whom, on which channel and hour, after how many others; and the price of tiring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from aimwell.core.errors import NotEnoughData
from aimwell.science.arrays import FloatArray
from aimwell.science.logistic import fit_logistic
from aimwell.science.uplift.trees import GROWTH, Grown, grow
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.book import Book
from aimwell.simulation.loop.features import CHANNEL_COLUMN, WINDOWS, recent_features, sight_features

_UNKNOWN = 0.1
_FEWEST = 200
_WEEK = 7
_NARROW = 1e-4


@dataclass(frozen=True, slots=True)
class Sights:
    """A model of seen messages; every channel's mean is that of its own messages, however few there were.

    tired: what one more message within each window takes from the log-odds, 0 or more [windows].   level: what is
    added to the log-odds for all.   leaving: chance to unsubscribe per message.
    """

    model: Grown
    factors: FloatArray
    level: float
    tired: FloatArray
    leaving: float

    @classmethod
    def unknown(cls, channels: int) -> Sights:
        """Before anything was sent."""
        return cls(Grown(None, _UNKNOWN), np.ones(channels), 0.0, np.zeros(len(WINDOWS)), 0.0)

    @classmethod
    def learn(
        cls, told: FloatArray, recent: FloatArray, seen: Booleans, unsubscribed: Booleans, channels: int, seed: int
    ) -> Sights:
        """From delivered messages: what was known of each [messages, 8], messages before it [messages, 3], the answer.

        Trees say who sees messages when; how much the messages before take from that is one number per window, for
        which there is enough to learn from.
        """
        if len(seen) < _FEWEST:
            return cls.unknown(channels)
        model = grow(told, seen.astype(np.float64), GROWTH, seed, binary=True, words=(CHANNEL_COLUMN,))
        raw = logit(np.clip(model.mean(told), _NARROW, 1 - _NARROW))
        level, tired = _tiring(recent, seen, raw)
        chance = expit(raw + level - recent @ tired)
        channel = told[:, CHANNEL_COLUMN].astype(np.int64)
        seen_of = np.bincount(channel, weights=seen, minlength=channels)
        told_of = np.bincount(channel, weights=chance, minlength=channels)
        leaving = (float(unsubscribed.sum()) + 0.5) / (len(seen) + 500.0)
        return cls(model, (seen_of + 2.0) / (told_of + 2.0), level, tired, leaving)

    def chance(self, book: Book, customer: Integers, channel: Integers, hour: FloatArray) -> FloatArray:
        """The chance that each message is seen."""
        raw = logit(np.clip(self.model.mean(sight_features(book, customer, channel, hour)), _NARROW, 1 - _NARROW))
        rested = expit(raw + self.level - recent_features(book, customer) @ self.tired)
        return np.asarray(np.minimum(rested * self.factors[channel], 1.0))

    def price(self, worth: FloatArray, days: float) -> FloatArray:
        """What a message takes from the messages after it, for customers with whom a week's message earns `worth`.

        days: until the end. Each week until then the message counts in the window that it has come to; who
        unsubscribes is lost for all weeks.
        """
        ages = np.arange(_WEEK, days, _WEEK)
        window = np.searchsorted(WINDOWS, ages, side="right")
        taken = 1.0 - np.exp(-np.append(self.tired, 0.0)[window])
        return np.asarray(worth * (float(taken.sum()) + self.leaving * len(ages)))


def _tiring(recent: FloatArray, seen: Booleans, raw: FloatArray) -> tuple[float, FloatArray]:
    """Level, and what a message takes by window; one in which nothing varies takes nothing."""
    varied = np.flatnonzero(recent.std(axis=0) > 0)
    tired = np.zeros(recent.shape[1])
    if not len(varied):
        return 0.0, tired
    design = np.column_stack([np.ones(len(recent)), recent[:, varied]])
    try:
        found = fit_logistic(design, seen.astype(np.float64), raw).coefficients
    except NotEnoughData:  # windows that say the same, or too few messages: nothing is known of tiring
        return 0.0, tired
    tired[varied] = np.maximum(-found[1:], 0.0)
    return float(found[0]), tired
