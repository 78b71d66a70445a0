"""A model of effects that was learnt directly: one set of trees per treatment. R- and DR-learner both give it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.learner import EffectModel
from aimwell.science.uplift.trees import Grown


@dataclass(frozen=True, eq=False)
class Direct(EffectModel):
    """Trees whose answer is the effect, one for each treatment."""

    models: tuple[Grown, ...]

    def effects(self, X: FloatArray) -> FloatArray:
        return np.column_stack([model.mean(X) for model in self.models])

    def contributions(self, X: FloatArray) -> FloatArray:
        return np.stack([model.contributions(X) for model in self.models], axis=1)

    def trees(self) -> tuple[Grown, ...]:
        return self.models


def restore_direct(trees: tuple[Grown, ...], numbers: tuple[float, ...], treatments: int) -> EffectModel:
    """The model behind its trees."""
    return Direct(trees)
