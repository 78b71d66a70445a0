"""X-learner: what each person did against what the other arm would have done, learnt in both arms and averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimwell.core.text import Text
from aimwell.science.arrays import FloatArray
from aimwell.science.uplift.learner import EffectModel, Learner
from aimwell.science.uplift.sample import Sample
from aimwell.science.uplift.trees import Grown, Growth, grow


@dataclass(frozen=True, eq=False)
class Crossed(EffectModel):
    """For each treatment: the effect learnt from its own people, the one learnt from the control group, and the weight.

    shares: probability of each treatment against the control group, the weight of what the control group says [K]:
    the arm that is smaller is foretold by the model of the larger one, which is the better one (equation 9).
    """

    own: tuple[Grown, ...]
    control: tuple[Grown, ...]
    shares: tuple[float, ...]

    def effects(self, X: FloatArray) -> FloatArray:
        parts = zip(self.own, self.control, self.shares, strict=True)
        return np.column_stack([share * other.mean(X) + (1 - share) * own.mean(X) for own, other, share in parts])

    def contributions(self, X: FloatArray) -> FloatArray:
        parts = zip(self.own, self.control, self.shares, strict=True)
        found = [share * other.contributions(X) + (1 - share) * own.contributions(X) for own, other, share in parts]
        return np.stack(found, axis=1)

    def trees(self) -> tuple[Grown, ...]:
        return (*self.own, *self.control)

    def numbers(self) -> tuple[float, ...]:
        return self.shares


def _fit(sample: Sample, levels: FloatArray, growth: Growth, seed: int) -> EffectModel:
    outside = sample.arm == 0
    small = growth.for_effects()
    own: list[Grown] = []
    control: list[Grown] = []
    shares: list[float] = []
    for arm in range(1, len(sample.names)):
        inside = sample.arm == arm
        gained = sample.outcome[inside] - levels[inside, 0]
        missed = levels[outside, arm] - sample.outcome[outside]
        own.append(grow(sample.X[inside], gained, small, seed + arm, words=sample.words))
        control.append(grow(sample.X[outside], missed, small, seed - arm, words=sample.words))
        shares.append(float(sample.chance(arm)[sample.versus(arm)].mean()))
    return Crossed(tuple(own), tuple(control), tuple(shares))


def _restore(trees: tuple[Grown, ...], numbers: tuple[float, ...], treatments: int) -> EffectModel:
    return Crossed(trees[:treatments], trees[treatments:], numbers)


LEARNER = Learner(
    name="x",
    label=Text("X 学习器", "X-learner"),
    meaning=Text("两组互相推测对方会怎样，再合并", "Each arm foretells the other, and both are averaged"),
    source="Künzel and others, PNAS 116 (2019), equations 6 to 9",
    fit=_fit,
    restore=_restore,
)
