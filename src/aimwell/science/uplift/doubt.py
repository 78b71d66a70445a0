"""How far a foretold effect may be off for one person, from models learnt on random halves of the customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.science.arrays import FloatArray, IntArray
from aimwell.science.uplift.choice import Choice
from aimwell.science.uplift.learner import EffectModel, learner
from aimwell.science.uplift.levels import crossed_levels
from aimwell.science.uplift.sample import Sample
from aimwell.science.uplift.trees import GROWTH, Grown, Growth, grow

HALVES = 16
APART = 4_711
"""Beside the seed of halves and hold-outs, so that they never repeat a lottery that was drawn with the same seed."""
QUICK = "dr"
"""The learner whose spread stands for that of all: its levels are fitted once, so that a half costs one model."""


@dataclass(frozen=True, eq=False)
class Doubt:
    """Models of effects and of the outcome without treatment, each learnt on a random half of the customers.

    The spread of what halves say about a person is about the standard error of what the whole says (half-sampling;
    Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 8). It knows the luck of the draw,
    not what the features fail to tell.
    """

    effects: tuple[EffectModel, ...]
    levels: tuple[Grown, ...]

    def of_effects(self, X: FloatArray, choice: Choice) -> FloatArray:
        """Standard error of each treatment's effect on each row [n, K]; never below that of the average effect."""
        spread = np.std([model.effects(X) for model in self.effects], axis=0, ddof=1)
        reach = np.array([(each.average.high - each.average.low) / 2 / 1.96 for each in choice.evidence])
        stretch = np.array([each.spread for each in choice.evidence])
        found: FloatArray = np.hypot(stretch * spread, reach)
        return found

    def of_level(self, X: FloatArray) -> FloatArray:
        """Standard error of the expected outcome without treatment [n]."""
        return np.asarray(np.std([model.mean(X) for model in self.levels], axis=0, ddof=1))


def doubt(sample: Sample, *, halves: int = HALVES, growth: Growth = GROWTH, seed: int = 0) -> Doubt:
    """Learn on random halves of the customers; cost: two small models for each half."""
    levels = crossed_levels(sample, growth, seed)
    # Drawn apart from what others may have seeded alike: halves must not repeat the lottery itself.
    generator = np.random.default_rng([seed, APART])
    effects: list[EffectModel] = []
    controls: list[Grown] = []
    outside = sample.arm == 0
    for number in range(halves):
        rows = _half(sample, generator)
        part = sample.take(rows)
        effects.append(learner(QUICK).fit(part, levels[rows], growth, seed + number))
        inside = rows[outside[rows]]
        controls.append(
            grow(
                sample.X[inside],
                sample.outcome[inside],
                growth,
                seed + number,
                binary=sample.binary,
                words=sample.words,
            )
        )
    return Doubt(tuple(effects), tuple(controls))


def _half(sample: Sample, generator: np.random.Generator) -> IntArray:
    """Rows of half of the customers, drawn within each arm, so that no arm is ever empty."""
    if sample.groups is not None:
        chosen = generator.random(int(sample.groups.max()) + 1) < 0.5
        return np.flatnonzero(chosen[sample.groups]).astype(np.int64)
    order = np.lexsort((generator.random(len(sample)), sample.arm))
    return np.sort(order[::2]).astype(np.int64)
