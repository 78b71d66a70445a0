"""What seeing a message changes: learnt from the lot that decides which line a message is about.

Of each message two lines were drawn, and a coin of known chance decided which of them it was about. So for both lines
those who saw a message on a day are an experiment: some saw one about the line, the others one about something else.
Whether they buy in the line on that day is compared; nothing is assumed about those who never see messages, and no
probability is estimated. That a message is seen does not depend on its line is the one condition.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from aimwell.core.errors import NotEnoughData
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.choice import Choice, choose
from aimwell.science.uplift.sample import sample_of
from aimwell.simulation.chance import Booleans, Integers
from aimwell.simulation.loop.features import LINE_COLUMN

CANDIDATES = ("s", "t", "dr")
_SURELY = 2.0
_LIKE, _TRUSTED = 5.0, 20.0
_ARMS = ("another line", "this line")


@dataclass(frozen=True, slots=True)
class Tries:
    """Pairs of a customer who saw a message and a line; two of each message, its line and that of the other side.

    told: [rows, 15].   about: whether the message was about the line.   chance: probability of that.   bought: in the
    line, on that day.   customer, channel: of the message.
    """

    told: FloatArray
    about: Booleans
    chance: FloatArray
    bought: Booleans
    customer: Integers
    channel: Integers

    def __len__(self) -> int:
        return len(self.about)

    def take(self, rows: Booleans) -> Tries:
        """Some of them."""
        return Tries(*(getattr(self, each.name)[rows] for each in fields(self)))

    @classmethod
    def joined(cls, some: list[Tries]) -> Tries:
        """All together; at least one."""
        return cls(*(np.concatenate([getattr(each, name.name) for each in some]) for name in fields(cls)))


@dataclass(frozen=True, slots=True)
class Changes:
    """What was learnt: the choice of learners, and how channels differ in force.

    choice: None as long as nothing shows that a message sells anything; then nothing is worth sending.
    force: by channel, times the foretold change.   trust: [channels], from 0 for a channel that was hardly tried to 1.
    signs: how many standard errors the average change lies above 0.
    """

    choice: Choice | None
    force: FloatArray
    trust: FloatArray
    signs: float

    @classmethod
    def unknown(cls, channels: int) -> Changes:
        """Before anything was tried."""
        return cls(None, np.ones(channels), np.zeros(channels), 0.0)

    @classmethod
    def learn(cls, tries: Tries, hope: FloatArray, seed: int, *, known: bool = False) -> Changes:
        """From all tries.

        hope: [channels], how strong a channel is thought to be before it was tried.   known: messages have been found
        to sell before, so that half of the evidence keeps the belief.
        """
        channels = len(hope)
        thrown = tries.take((tries.chance > 0) & (tries.chance < 1))
        drawn = np.column_stack([1.0 - thrown.chance, thrown.chance])
        try:
            sample = sample_of(
                thrown.told,
                thrown.about.astype(np.int64),
                thrown.bought.astype(np.float64),
                drawn,
                names=_ARMS,
                words=(LINE_COLUMN,),
                groups=thrown.customer,
            )
            choice = choose(sample, candidates=CANDIDATES, seed=seed)
        except NotEnoughData:
            return cls.unknown(channels)
        average = choice.evidence[0].average
        error = (average.high - average.low) / 2 / 1.96
        signs = average.value / error if error > 0 else 0.0
        if signs < (_SURELY / 2 if known else _SURELY):
            return cls(None, hope, np.zeros(channels), signs)
        return cls(choice, *_forces(choice, tries, hope), signs)

    def effects(self, told: FloatArray) -> FloatArray:
        """How much likelier a customer buys on seeing a message; never less than 0 [rows]."""
        if self.choice is None:
            return np.zeros(len(told))
        return np.maximum(self.choice.effects(told)[:, 0], 0.0)

    def anyway(self, told: FloatArray) -> FloatArray:
        """How likely a customer buys in the line on the day without a message about it [rows]."""
        return np.zeros(len(told)) if self.choice is None else np.maximum(self.choice.without(told), 0.0)


def _forces(choice: Choice, tries: Tries, hope: FloatArray) -> tuple[FloatArray, FloatArray]:
    """By channel, purchases beyond those that would have come anyway, over those foretold; and how far to trust that.

    Five foretold purchases count as much as the hope.
    """
    about = np.flatnonzero(tries.about)
    told, channel = tries.told[about], tries.channel[about]
    gained = tries.bought[about] - choice.without(told)
    foretold = np.maximum(choice.effects(told)[:, 0], 0.0)
    seen = np.bincount(channel, weights=gained, minlength=len(hope))
    due = np.bincount(channel, weights=foretold, minlength=len(hope))
    return np.maximum((seen + _LIKE * hope) / (due + _LIKE), 0.0), np.asarray(due / (due + _TRUSTED))
