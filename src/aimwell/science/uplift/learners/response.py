"""Response ranker, the baseline: those likeliest to respond when treated, whether or not they would have anyway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.learner import EffectModel, Learner, stretched
from aimwell.science.uplift.levels import effect_scores
from aimwell.science.uplift.sample import Sample
from aimwell.science.uplift.trees import Grown, Growth, grow


@dataclass(frozen=True, eq=False)
class Proportional(EffectModel):
    """The expected outcome under each treatment, times the share of it that is effect on average."""

    models: tuple[Grown, ...]
    factors: tuple[float, ...]

    def effects(self, X: FloatArray) -> FloatArray:
        parts = zip(self.models, self.factors, strict=True)
        return np.column_stack([factor * model.mean(X) for model, factor in parts])

    def contributions(self, X: FloatArray) -> FloatArray:
        parts = zip(self.models, self.factors, strict=True)
        found = [stretched(model.contributions(X), model.mean(X)) * factor for model, factor in parts]
        return np.stack(found, axis=1)

    def trees(self) -> tuple[Grown, ...]:
        return self.models

    def numbers(self) -> tuple[float, ...]:
        return self.factors


def _fit(sample: Sample, levels: FloatArray, growth: Growth, seed: int) -> EffectModel:
    average = effect_scores(sample, levels).mean(axis=0)
    models: list[Grown] = []
    factors: list[float] = []
    for arm in range(1, len(sample.names)):
        inside = sample.arm == arm
        target = sample.outcome[inside]
        models.append(grow(sample.X[inside], target, growth, seed + arm, binary=sample.binary, words=sample.words))
        reached = float(levels[:, arm].mean())
        # A ranking by response has no sign of its own: the best responders come first, whatever the average.
        factors.append(abs(float(average[arm - 1])) / reached if reached > 0 else 1.0)
    return Proportional(tuple(models), tuple(factors))


def _restore(trees: tuple[Grown, ...], numbers: tuple[float, ...], treatments: int) -> EffectModel:
    return Proportional(trees, numbers)


LEARNER = Learner(
    name="response",
    label=Text("响应率排序", "Response ranking"),
    meaning=Text("只看触达后谁最可能响应", "Who is likeliest to respond when treated"),
    source="the usual practice; Radcliffe (2007) on why it is not enough",
    fit=_fit,
    restore=_restore,
    baseline=True,
    blended=False,
)
