"""T-learner: a model of the outcome for each arm; the effect is the difference of what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.learner import EffectModel, Learner, stretched
from aimwell.science.uplift.levels import level_models
from aimwell.science.uplift.sample import Sample
from aimwell.science.uplift.trees import Grown, Growth


@dataclass(frozen=True, eq=False)
class Separate(EffectModel):
    """One model per arm, the control group's first."""

    arms: tuple[Grown, ...]

    def effects(self, X: FloatArray) -> FloatArray:
        without = self.arms[0].mean(X)
        return np.column_stack([model.mean(X) - without for model in self.arms[1:]])

    def contributions(self, X: FloatArray) -> FloatArray:
        effects, without = self.effects(X), self.arms[0].contributions(X)
        parts = [model.contributions(X) - without for model in self.arms[1:]]
        return np.stack([stretched(part, effects[:, place]) for place, part in enumerate(parts)], axis=1)

    def trees(self) -> tuple[Grown, ...]:
        return self.arms


def _fit(sample: Sample, levels: FloatArray, growth: Growth, seed: int) -> EffectModel:
    return Separate(level_models(sample, growth, seed))


def _restore(trees: tuple[Grown, ...], numbers: tuple[float, ...], treatments: int) -> EffectModel:
    return Separate(trees)


LEARNER = Learner(
    name="t",
    label=Text("T 学习器", "T-learner"),
    meaning=Text("每个分组各一个模型，取差", "A model for each arm; the effect is their difference"),
    source="Künzel and others, PNAS 116 (2019)",
    fit=_fit,
    restore=_restore,
    blended=False,  # the X-learner is made of the same two models, and is steadier
)
