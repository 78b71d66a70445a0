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
from aimwell.simulation.loop.book import RESTS, Book
from aimwell.simulation.loop.features import AWAY_COLUMN, CHANNEL_COLUMN, RATE_COLUMN, TIMES_COLUMN, sight_features

_UNKNOWN = 0.1
_FEWEST, _FEW = 200, 20.0
_WEEK = 7
_NARROW = 1e-4
_SURELY, _ALIKE = 1.5, 2.0
TIRES, TIRES_SPREAD, REST = 0.15, 0.1, 1
"""What is thought before anything was sent: each message takes so much of the log-odds, give or take, for ten days."""
_FAR = 6.0
"""Hours from the own hour that are assumed where it is not known, and beyond which it makes no difference."""


@dataclass(frozen=True, slots=True)
class Sights:
    """A model of seen messages for each channel, learnt from its own messages, however few there were.

    tired: what each message not yet recovered from takes from the log-odds, 0 or more.   rest: place in `RESTS` of the
    days in which one is recovered from.   level: [channels], what is added to the log-odds.   leaving: chance to
    unsubscribe per message.
    """

    models: tuple[Grown, ...]
    level: FloatArray
    tired: float
    rest: int
    leaving: float

    @classmethod
    def unknown(cls, channels: int) -> Sights:
        """Before anything was sent."""
        return cls((Grown(None, _UNKNOWN),) * channels, np.zeros(channels), TIRES, REST, 0.0)

    @classmethod
    def learn(
        cls, told: FloatArray, burden: FloatArray, seen: Booleans, unsubscribed: Booleans, channels: int, seed: int
    ) -> Sights:
        """From delivered messages: what was known of each, its burden [messages, rests], and the answer.

        Trees say who sees messages when; how much the messages before take from that is one number, learnt apart from
        how each person answered before.
        """
        if len(seen) < _FEWEST:
            return cls.unknown(channels)
        tired, rest = _tiring(told, burden, seen, channels)
        leaving = (float(unsubscribed.sum()) + 0.5) / (len(seen) + 500.0)
        models, levels = [], np.zeros(channels)
        for channel in range(channels):
            rows = told[:, CHANNEL_COLUMN] == channel
            model, target = _seen_of(told[rows], seen[rows], seed), seen[rows].astype(np.float64)
            raw = _odds(model, told[rows]) - tired * burden[rows, rest]
            if 0 < target.sum() < len(target):
                levels[channel] = float(fit_logistic(np.ones((len(target), 1)), target, raw).coefficients[0])
            models.append(model)
        return cls(tuple(models), levels, tired, rest, leaving)

    def chance(self, book: Book, customer: Integers, channel: Integers, hour: FloatArray) -> FloatArray:
        """The chance that each message is seen."""
        told, odds = sight_features(book, customer, channel, hour), np.empty(len(customer))
        for place in np.unique(channel):
            rows = channel == place
            odds[rows] = _odds(self.models[place], told[rows]) + self.level[place]
        return np.asarray(expit(odds - self.weariness(book, customer)))

    def weariness(self, book: Book, customer: Integers) -> FloatArray:
        """By how much the messages not yet recovered from lower the log-odds of a sight, or nearly its logarithm."""
        return np.asarray(self.tired * book.burden[customer, self.rest])

    def price(self, worth: FloatArray, burden: FloatArray, days: float) -> FloatArray:
        """What a message takes from the messages after it, for customers with whom a week's message earns `worth`.

        burden: [customers, rests].   days: until the end. Messages are recovered from one after the other, so one more
        is felt until the last of them is; who unsubscribes is lost for all weeks.
        """
        weeks = max(days / _WEEK - 1, 0.0)
        felt = np.minimum((burden[:, self.rest] + 1) * RESTS[self.rest] / _WEEK, weeks)
        return np.asarray(worth * ((1 - np.exp(-self.tired)) * felt + self.leaving * weeks))


def _seen_of(told: FloatArray, seen: Booleans, seed: int) -> Grown:
    """The model of one channel; as long as hardly any were sent its rate, pulled to that of an unknown one."""
    if len(seen) < _FEWEST:
        return Grown(None, (float(seen.sum()) + _UNKNOWN * _FEW) / (len(seen) + _FEW))
    return grow(told, seen.astype(np.float64), GROWTH, seed, binary=True)


def _odds(model: Grown, told: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(model.mean(told), _NARROW, 1 - _NARROW)))


def _tiring(told: FloatArray, burden: FloatArray, seen: Booleans, channels: int) -> tuple[float, int]:
    """What a message not yet recovered from takes, and the shortest of `RESTS` that is about as likely as the best.

    What is assumed beforehand counts until more is seen; 0 if that is no more than chance. Beside it stand channel,
    hour, and how each person answered before: whoever answers much is sent more.
    """
    channel = told[:, CHANNEL_COLUMN].astype(np.int64)
    present = np.flatnonzero(np.bincount(channel, minlength=channels))
    away = np.minimum(np.nan_to_num(told[:, AWAY_COLUMN], nan=_FAR), _FAR)
    known = [logit(told[:, RATE_COLUMN]), away, np.log1p(told[:, TIMES_COLUMN])]
    design = np.column_stack([channel[:, None] == present, *known]).astype(np.float64)
    target, found = seen.astype(np.float64), []
    for place in np.flatnonzero(burden.std(axis=0) > 0).tolist():
        beside = np.column_stack([design, burden[:, place]])
        try:
            fit = fit_logistic(beside, target)
        except NotEnoughData:  # columns that say the same, or too few messages: nothing is known of tiring
            continue
        chance = expit(beside @ fit.coefficients)
        found.append((float(np.log(np.where(seen, chance, 1 - chance)).sum()), fit, place))
    if not found:
        return TIRES, REST
    most = max(likelihood for likelihood, _, _ in found)
    fit, place = next((fit, place) for likelihood, fit, place in found if likelihood > most - _ALIKE)
    told_by, known_by = float(fit.errors[-1]) ** -2, TIRES_SPREAD**-2
    taken = (-float(fit.coefficients[-1]) * told_by + TIRES * known_by) / (told_by + known_by)
    return (taken, place) if taken > _SURELY * (told_by + known_by) ** -0.5 else (0.0, place)
