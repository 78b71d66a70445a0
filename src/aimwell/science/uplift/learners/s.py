"""S-learner: one model of the outcome with the arm as one more feature; the effect is what changing it changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.learner import EffectModel, Learner, stretched
from aimwell.science.uplift.sample import Sample
from aimwell.science.uplift.trees import Grown, Growth, grow


@dataclass(frozen=True, eq=False)
class Single(EffectModel):
    """One model, asked twice: with the treatment and without. Each arm is a column of its own, 1 for its people."""

    model: Grown
    treatments: int

    def effects(self, X: FloatArray) -> FloatArray:
        without = self.model.mean(_told(X, np.zeros((len(X), self.treatments))))
        found = np.empty((len(X), self.treatments))
        for place in range(self.treatments):
            marks = np.zeros((len(X), self.treatments))
            marks[:, place] = 1.0
            found[:, place] = self.model.mean(_told(X, marks)) - without
        return found

    def contributions(self, X: FloatArray) -> FloatArray:
        effects, columns = self.effects(X), X.shape[1]
        without = self.model.contributions(_told(X, np.zeros((len(X), self.treatments))))
        found: list[FloatArray] = []
        for place in range(self.treatments):
            marks = np.zeros((len(X), self.treatments))
            marks[:, place] = 1.0
            parts = self.model.contributions(_told(X, marks)) - without
            # What the treatment's own column adds is common to all.
            told = np.column_stack([parts[:, :columns], parts[:, columns:].sum(axis=1)])
            found.append(stretched(told, effects[:, place]))
        return np.stack(found, axis=1)

    def trees(self) -> tuple[Grown, ...]:
        return (self.model,)


def _fit(sample: Sample, levels: FloatArray, growth: Growth, seed: int) -> EffectModel:
    marks = (sample.arm[:, None] == np.arange(1, len(sample.names))).astype(np.float64)
    X = _told(sample.X, marks)
    return Single(grow(X, sample.outcome, growth, seed, binary=sample.binary, words=sample.words), sample.treatments)


def _restore(trees: tuple[Grown, ...], numbers: tuple[float, ...], treatments: int) -> EffectModel:
    return Single(trees[0], treatments)


def _told(X: FloatArray, marks: FloatArray) -> FloatArray:
    return np.column_stack([X, marks])


LEARNER = Learner(
    name="s",
    label=Text("S 学习器", "S-learner"),
    meaning=Text("一个模型，把是否触达当作一个特征", "One model that takes the treatment as one more feature"),
    source="Künzel and others, PNAS 116 (2019)",
    fit=_fit,
    restore=_restore,
)
